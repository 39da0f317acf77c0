use std::collections::BTreeMap;
use std::sync::Arc;

use p2p_control::api::{TaskResult, TaskState};
use p2p_protocol::{ChunkSizes, Config, Input, Node, Restored, TaskRequest};
use p2p_types::{
    AccountId, Ed25519, Hash, Monotonic, Now, Placement, Priority, Privacy, SecretKey, TaskId, TaskKind, Timestamp,
    limits,
};

use super::*;

const ID: TaskId = TaskId([1; 16]);
const NOW: Now = Now { wall: Timestamp(1_800_000_000_000), mono: Monotonic(1_000_000) };

/// A node that was given `texts` and whose workers answered them with `answer`.
fn node(kind: TaskKind, texts: usize, answer: impl Fn(usize) -> TextOutcome) -> Node {
    let config = Config {
        network: None,
        account: AccountId([2; 32]),
        certificate: Vec::new(),
        membership: Vec::new(),
        agent_version: String::new(),
        max_peers: limits::PEERS,
        money: p2p_protocol::Money::default(),
    };
    let mut node = Node::new(config, Arc::new(Ed25519::new(&SecretKey::new([3; 32]))), &Restored::default());
    node.handle(NOW, Input::Able { kinds: BTreeMap::from([(kind, Hash([4; 32]))]), slots: 1 });
    let request = TaskRequest {
        id: ID,
        kind,
        texts: (0..texts).map(|number| format!("text {number}")).collect(),
        chunk: if kind == TaskKind::Chunk { ChunkSizes { tokens: 8, overlap: 2 } } else { ChunkSizes::default() },
        privacy: Privacy::Local,
        placement: Placement::Local,
        priority: Priority::Normal,
        deadline_ms: None,
        payer: p2p_protocol::Payer::Owner,
        only: None,
        expected: Vec::new(),
    };
    node.submit(NOW, request).expect("a good task");
    let mut done = 0;
    while let Some(output) = node.poll_output() {
        if let p2p_protocol::Output::Run(work) = output {
            let outcomes = (done..done + work.texts.len()).map(&answer).collect();
            done += work.texts.len();
            let input = Input::WorkDone { work_id: work.work_id, outcomes, queued_us: 0, compute_us: 1 };
            node.handle(NOW, input);
        }
    }
    assert_eq!(done, texts);
    node
}

fn embedding(number: usize) -> TextOutcome {
    let values = (0..384_usize).map(|at| ((number * 31 + at * 7) % 255) as u8).map(u8::cast_signed).collect();
    Ok(Output::Embedding(QuantizedVector { scale: 0.001_234_567, values }))
}

#[test]
fn every_embedding_of_the_largest_task_is_kept() {
    let node = node(TaskKind::Embed, limits::TASK_TEXTS, embedding);
    let task = node.task(&ID).expect("it is there");
    let bytes = Document::of(task).to_bytes().expect("written");
    assert!(bytes.len() < 1024 * 1024, "{} bytes", bytes.len());
    let read = Document::from_bytes(&bytes).expect("read").into_task();
    assert_eq!(read, view::task(task));
    assert_eq!((read.state, read.results.len()), (TaskState::Done, limits::TASK_TEXTS));
    assert!(read.results.iter().all(|result| matches!(result, Some(TaskResult::Embedding { .. }))));
    // A list is made without the answers.
    let head = head(&bytes).expect("read");
    assert_eq!((head.texts, head.results.len()), (2000, 0));
}

#[test]
fn chunks_of_a_long_text_are_small() {
    let chunk = |number: u32| Chunk { start: number * 30, end: number * 30 + 40, tokens: 8 };
    let chunks: Vec<Chunk> = (0..8192).map(chunk).collect();
    let mut bytes = Vec::new();
    put_answer(&mut bytes, Some(&Ok(Output::Chunks(chunks.clone()))));
    assert!(bytes.len() <= 3 * chunks.len() + 8, "{} bytes", bytes.len());
    assert_eq!(Rest(&bytes).answer(), Some(Some(Ok(Output::Chunks(chunks)))));
}

#[test]
fn answers_of_all_kinds_round_trip_and_cut_ones_are_none() {
    let mut answers: Vec<Option<TextOutcome>> = vec![
        None,
        Some(embedding(1)),
        Some(Ok(Output::Embedding(QuantizedVector { scale: 0.0, values: Vec::new() }))),
        Some(Ok(Output::Label { label: "positive".into(), score_ppm: 1_000_000 })),
        Some(Ok(Output::Chunks(vec![
            Chunk { start: 0, end: u32::MAX, tokens: 512 },
            Chunk { start: u32::MAX, end: 7, tokens: 0 },
        ]))),
        Some(Ok(Output::Chunks(Vec::new()))),
        Some(Ok(Output::Nothing)),
    ];
    answers.extend(FAILURES.map(|failure| Some(Err(failure))));
    let node = node(TaskKind::Noop, 1, |_| Ok(Output::Nothing));
    let head = view::task_head(node.task(&ID).expect("it is there"));
    let document = Document { head, answers };
    let bytes = document.to_bytes().expect("written");
    assert_eq!(Document::from_bytes(&bytes), Some(document.clone()));
    for cut in 0..bytes.len() {
        assert_ne!(Document::from_bytes(&bytes[..cut]), Some(document.clone()), "cut to {cut}");
    }
    assert_eq!(Document::from_bytes(b"\x02anything"), None);
}

#[test]
fn a_document_of_json_alone_is_read() {
    let node = node(TaskKind::Embed, 2, embedding);
    let task = view::task(node.task(&ID).expect("it is there"));
    let bytes = serde_json::to_vec(&task).expect("written");
    assert_eq!(Document::from_bytes(&bytes).map(Document::into_task), Some(task));
    assert_eq!(head(&bytes).map(|head| head.task_id), Some(ID));
}

#[test]
fn what_failed_is_no_answer() {
    let answer = |number| if number == 1 { Err(TextFailure::TooLong) } else { embedding(number) };
    for (texts, answers) in [(3, 2), (2, 1)] {
        let node = node(TaskKind::Embed, texts, answer);
        let task = node.task(&ID).expect("it is there");
        assert!(task.state.is_final());
        assert_eq!((view::task(task).finished, view::task_summary(task).finished), (answers, answers));
    }
}
