//! What guests might do when.

use p2p_types::Timestamp;

use super::{Node, folder, wait};
use crate::record::DECISION_DAYS;
use crate::writer::Bounds;
use crate::{Record, StoredDecision};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn decision(at: u64) -> Record {
    Record::Decision { at: Timestamp(at), document: at.to_string().into_bytes() }
}

fn times(decisions: &[StoredDecision]) -> Vec<u64> {
    decisions.iter().map(|decision| decision.at.0).collect()
}

#[test]
fn a_look_back_begins_with_what_was_so_then() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    assert!(wait(node.store.decisions(Timestamp(0))).is_empty());
    node.keep([10, 20, 30, 40].map(decision).to_vec());
    assert_eq!(times(&wait(node.store.decisions(Timestamp(25)))), [20, 30, 40]);
    assert_eq!(times(&wait(node.store.decisions(Timestamp(30)))), [30, 40]);
    assert_eq!(times(&wait(node.store.decisions(Timestamp(5)))), [10, 20, 30, 40]);
    assert_eq!(times(&wait(node.store.decisions(Timestamp(99)))), [40]);
    assert_eq!(wait(node.store.decisions(Timestamp(99)))[0].document, b"40");
}

#[test]
fn decisions_go_after_their_time_and_are_never_too_many() {
    let (_folder, path) = folder();
    let mut node = Node::bounded(&path, Bounds { decisions: 5, prune_after: 1, ..Bounds::default() });
    node.keep(vec![decision(1), decision(2)]);
    node.keep(vec![decision(DECISION_DAYS * DAY_MS + 2)]);
    // What is pruned goes after the answer, and before the end.
    node.store.close();
    let mut node = Node::bounded(&path, Bounds { decisions: 5, prune_after: 1, ..Bounds::default() });
    assert_eq!(times(&wait(node.store.decisions(Timestamp(0)))), [2, DECISION_DAYS * DAY_MS + 2]);
    for minute in 1..9 {
        node.keep(vec![decision(DECISION_DAYS * DAY_MS + minute * 60_000)]);
    }
    node.store.close();
    assert_eq!(wait(Node::open(&path).store.decisions(Timestamp(0))).len(), 5);
}
