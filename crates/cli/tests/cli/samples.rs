//! Answers of an engine.

use p2p_control::api::{
    ErrorCode, NodeState, PeerDetails, PeerSummary, Receipt, ReceiptTimings, StageRecord, Status, SubmitTask, Task,
    TaskResult, TaskStage, TaskState, TextError,
};
use p2p_types::{AccountId, DeviceId, Hash, TaskId};

pub(crate) const OWN: DeviceId = DeviceId([1; 32]);
pub(crate) const PEER: DeviceId = DeviceId([2; 32]);
pub(crate) const TASK: TaskId = TaskId([0x3f; 16]);

pub(crate) fn status(state: NodeState, sentence: &str) -> Status {
    Status {
        state,
        sentence: sentence.to_owned(),
        device_id: OWN,
        account_id: AccountId([3; 32]),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        uptime_ms: 61_000,
        ready_in_ms: 120,
        home: "/somewhere".to_owned(),
        config_file: None,
        peers: vec![peer()],
        network: None,
        listening: vec!["/ip4/127.0.0.1/tcp/9000".to_owned()],
        dashboard: None,
        paused_by_hand: false,
        paused_until_ms: None,
        open_tasks: 0,
        guest_tasks: 0,
        guest_tasks_done: 7,
        sandbox: None,
        can_compute: true,
        warnings: vec!["The key file could not be checked - mend it".to_owned()],
    }
}

pub(crate) fn peer() -> PeerSummary {
    PeerSummary { device_id: PEER, connected: true, trusted: false, latency_ms: Some(1.25), accepting: true }
}

/// A peer that calls itself something no terminal should print.
pub(crate) fn peer_details(trusted: bool) -> PeerDetails {
    PeerDetails {
        device_id: PEER,
        account_id: None,
        connected: true,
        trusted,
        latency_ms: Some(1.25),
        accepting: true,
        agent_version: Some("\x1b]0;owned\x07\x1b[2J1.0".to_owned()),
        protocols: vec!["/p2p-agent/1".to_owned()],
        addresses: Vec::new(),
        kinds: vec!["embed".to_owned()],
        workers: 1,
        load: 0.5,
        connected_since_ms: None,
        tasks_done: 3,
        tasks_failed: 0,
    }
}

/// A task as it was submitted, after its first stage.
pub(crate) fn submitted(request: &SubmitTask) -> Task {
    let texts = u32::try_from(request.texts.len()).expect("a few texts");
    let mut task = Task {
        task_id: TASK,
        kind: request.kind,
        privacy: request.privacy,
        placement: request.placement,
        priority: request.priority,
        state: TaskState::Searching,
        stages: Vec::new(),
        texts,
        finished: 0,
        submitted_ms: 1_763_646_482_123,
        duration_us: None,
        results: vec![None; request.texts.len()],
        providers: Vec::new(),
        receipts: Vec::new(),
        error: None,
    };
    stage(&mut task, TaskStage::Searching, None, "Asking 1 computer");
    task
}

pub(crate) fn stage(task: &mut Task, stage: TaskStage, provider: Option<DeviceId>, detail: &str) {
    let number = task.stages.len() as u64;
    let record = StageRecord {
        stage,
        at_ms: 1_763_646_482_123 + number,
        elapsed_us: number * 1500,
        provider,
        detail: detail.to_owned(),
    };
    task.stages.push(record);
}

/// Each state of the task after the submitted one, the last one finished: every text is positive,
/// but those whose place is in `failed`.
pub(crate) fn course(submitted: &Task, failed: &[usize]) -> Vec<Task> {
    let mut assigned = submitted.clone();
    assigned.state = TaskState::Assigned;
    stage(&mut assigned, TaskStage::Assigned, Some(PEER), "Took the texts");
    let mut computing = assigned.clone();
    computing.state = TaskState::Computing;
    stage(&mut computing, TaskStage::Computing, Some(PEER), "Computes");
    let mut done = computing.clone();
    let all_failed = failed.len() == done.results.len();
    for (at, result) in done.results.iter_mut().enumerate() {
        let error = TextError { code: ErrorCode::Deadline, message: "the deadline passed".to_owned() };
        *result = Some(if failed.contains(&at) {
            TaskResult::Error { error }
        } else {
            TaskResult::Label { label: "positive".to_owned(), score: 0.973 }
        });
    }
    done.state = match failed.len() {
        0 => TaskState::Done,
        _ if all_failed => TaskState::Failed,
        _ => TaskState::Partial,
    };
    done.finished = done.texts;
    done.duration_us = Some(4500);
    if all_failed {
        done.error = Some(TextError { code: ErrorCode::Deadline, message: "nobody was quick enough".to_owned() });
        stage(&mut done, TaskStage::Failed, None, "The deadline passed");
    } else {
        done.providers = vec![PEER];
        done.receipts = vec![receipt(&done)];
        stage(&mut done, TaskStage::Done, Some(PEER), "All texts have an answer");
    }
    vec![assigned, computing, done]
}

fn receipt(task: &Task) -> Receipt {
    Receipt {
        provider: PEER,
        requester: OWN,
        task_id: TASK,
        subtask: 0,
        first_text: 0,
        texts: task.texts,
        input_hash: Hash::of(b"in"),
        model_hash: Hash::of(b"model"),
        output_hash: Hash::of(b"out"),
        timings: ReceiptTimings { received_ms: 1, finished_ms: 2, queued_us: 3, compute_us: 4 },
        signed: "c2lnbmVk".to_owned(),
    }
}
