//! The machine's state in the words of the control API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use p2p_control::api::{
    Chunk, ErrorCode, KeyStorage, NetworkDetails, NetworkKind, NetworkSummary, PeerDetails, PeerSummary, Receipt,
    ReceiptTimings, StageRecord, Task, TaskResult, TaskStage, TaskState, TaskSummary, TextError,
};
use p2p_protocol::{CheckedReceipt, Network, Node, Peer, Stage, State, TextOutcome};
use p2p_types::{DeviceId, Output, TextFailure};

pub(crate) fn task(task: &p2p_protocol::Task) -> Task {
    let results = task.results.iter().map(|result| result.as_ref().map(outcome)).collect();
    Task { results, ..task_head(task) }
}

/// All of a task but its results.
pub(crate) fn task_head(task: &p2p_protocol::Task) -> Task {
    Task {
        task_id: task.id,
        kind: task.kind,
        privacy: task.privacy,
        placement: task.placement,
        priority: task.priority,
        state: task_state(task.state),
        stages: task.stages.iter().map(stage_record).collect(),
        texts: count(task.results.len()),
        finished: count(answered(task)),
        submitted_ms: task.submitted.0,
        duration_us: task.duration_us,
        results: Vec::new(),
        providers: task.providers.clone(),
        receipts: task.receipts.iter().map(receipt).collect(),
        error: task_error(task),
    }
}

pub(crate) fn task_summary(task: &p2p_protocol::Task) -> TaskSummary {
    TaskSummary {
        task_id: task.id,
        kind: task.kind,
        state: task_state(task.state),
        texts: count(task.results.len()),
        finished: count(answered(task)),
        submitted_ms: task.submitted.0,
        duration_us: task.duration_us,
        providers: task.providers.clone(),
    }
}

/// Texts with an answer. One that failed is no answer, however finished it is.
fn answered(task: &p2p_protocol::Task) -> usize {
    task.results.iter().flatten().filter(|result| result.is_ok()).count()
}

pub(crate) fn summary_of(task: &Task) -> TaskSummary {
    TaskSummary {
        task_id: task.task_id,
        kind: task.kind,
        state: task.state,
        texts: task.texts,
        finished: task.finished,
        submitted_ms: task.submitted_ms,
        duration_us: task.duration_us,
        providers: task.providers.clone(),
    }
}

const fn task_state(state: State) -> TaskState {
    match state {
        State::Searching => TaskState::Searching,
        State::Assigned => TaskState::Assigned,
        State::Computing => TaskState::Computing,
        State::Done => TaskState::Done,
        State::Partial => TaskState::Partial,
        State::Failed => TaskState::Failed,
        State::Cancelled => TaskState::Cancelled,
    }
}

fn stage_record(record: &p2p_protocol::StageRecord) -> StageRecord {
    StageRecord {
        stage: match record.stage {
            Stage::Searching => TaskStage::Searching,
            Stage::Assigned => TaskStage::Assigned,
            Stage::Computing => TaskStage::Computing,
            Stage::Retrying => TaskStage::Retrying,
            Stage::Done => TaskStage::Done,
            Stage::Failed => TaskStage::Failed,
            Stage::Cancelled => TaskStage::Cancelled,
        },
        at_ms: record.at.0,
        elapsed_us: record.elapsed_us,
        provider: record.provider,
        detail: record.detail.clone(),
    }
}

pub(crate) fn outcome(outcome: &TextOutcome) -> TaskResult {
    match outcome {
        Ok(Output::Label { label, score_ppm }) => {
            TaskResult::Label { label: label.clone(), score: f64::from(*score_ppm) / 1e6 }
        }
        Ok(Output::Embedding(vector)) => TaskResult::Embedding { embedding: vector.to_floats() },
        Ok(Output::Chunks(chunks)) => TaskResult::Chunks {
            chunks: chunks
                .iter()
                .map(|chunk| Chunk { start: chunk.start, end: chunk.end, tokens: chunk.tokens })
                .collect(),
        },
        Ok(Output::Nothing) => TaskResult::Nothing {},
        Err(failure) => TaskResult::Error { error: text_error(*failure) },
    }
}

pub(crate) fn text_error(failure: TextFailure) -> TextError {
    let code = match failure {
        TextFailure::Empty => ErrorCode::EmptyText,
        TextFailure::TooLong => ErrorCode::TextTooLong,
        TextFailure::WorkerLost | TextFailure::Model => ErrorCode::TextFailed,
        TextFailure::Deadline => ErrorCode::Deadline,
        TextFailure::NoProvider => ErrorCode::NoProvider,
        TextFailure::Cancelled => ErrorCode::Cancelled,
    };
    TextError { code, message: failure.to_string() }
}

/// One sentence for a task of which nothing came; the texts of a partial one speak for themselves.
fn task_error(task: &p2p_protocol::Task) -> Option<TextError> {
    if !matches!(task.state, State::Failed | State::Cancelled) {
        return None;
    }
    let failure = task.results.iter().flatten().find_map(|result| result.as_ref().err().copied())?;
    let mut error = text_error(failure);
    if let Some(why) = &task.why_failed {
        error.message.clone_from(why);
    }
    Some(error)
}

fn receipt(receipt: &CheckedReceipt) -> Receipt {
    Receipt {
        provider: receipt.provider,
        requester: receipt.requester,
        task_id: receipt.task,
        subtask: receipt.part,
        first_text: receipt.first_text,
        texts: receipt.texts,
        input_hash: receipt.input,
        model_hash: receipt.model,
        output_hash: receipt.output,
        timings: ReceiptTimings {
            received_ms: receipt.received.0,
            finished_ms: receipt.finished.0,
            queued_us: receipt.queued_us,
            compute_us: receipt.compute_us,
        },
        signed: BASE64.encode(&receipt.signed),
    }
}

pub(crate) fn network_details(network: &Network) -> NetworkDetails {
    NetworkDetails {
        id: network.id,
        name: network.name.clone(),
        kind: network_kind(network.kind),
        founder: network.founder,
        created_ms: network.created.0,
        epoch: network.epoch,
        committee: network.committee.clone(),
        bootstrap: network.bootstrap.clone(),
        members_trusted: network.members_trusted,
        file: BASE64.encode(&network.signed),
    }
}

pub(crate) fn network_summary(network: &Network) -> NetworkSummary {
    NetworkSummary { id: network.id, name: network.name.clone(), kind: network_kind(network.kind) }
}

const fn network_kind(kind: p2p_protocol::NetworkKind) -> NetworkKind {
    match kind {
        p2p_protocol::NetworkKind::Open => NetworkKind::Open,
        p2p_protocol::NetworkKind::Closed => NetworkKind::Closed,
        p2p_protocol::NetworkKind::Local => NetworkKind::Local,
    }
}

pub(crate) fn peer_summary(node: &Node, device: DeviceId, peer: &Peer) -> PeerSummary {
    PeerSummary {
        device_id: device,
        connected: peer.connected,
        trusted: node.trusts(&device),
        latency_ms: peer.rtt_us.map(to_ms),
        accepting: peer.connected && peer.accepting,
    }
}

pub(crate) fn peer_details(node: &Node, device: DeviceId, peer: &Peer) -> PeerDetails {
    PeerDetails {
        device_id: device,
        account_id: peer.account,
        connected: peer.connected,
        trusted: node.trusts(&device),
        latency_ms: peer.rtt_us.map(to_ms),
        accepting: peer.connected && peer.accepting,
        agent_version: peer.agent_version.clone(),
        protocols: peer.protocols.clone(),
        addresses: peer.addresses.clone(),
        kinds: peer.kinds.keys().map(|kind| kind.as_str().to_owned()).collect(),
        workers: peer.slots,
        load: if peer.slots == 0 { 0.0 } else { (f64::from(peer.busy) / f64::from(peer.slots)).min(1.0) },
        connected_since_ms: peer.connected_since.map(|since| since.0),
        tasks_done: peer.done,
        tasks_failed: peer.failed,
    }
}

pub(crate) const fn key_storage(storage: p2p_platform::KeyStorage) -> KeyStorage {
    match storage {
        p2p_platform::KeyStorage::Keychain => KeyStorage::Keychain,
        p2p_platform::KeyStorage::File => KeyStorage::File,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a round trip is far below 2^53 microseconds")]
fn to_ms(us: u64) -> f64 {
    us as f64 / 1000.0
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
