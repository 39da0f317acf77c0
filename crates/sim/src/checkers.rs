//! What must be true whatever happens. The checkers watch from outside: they know every text, every
//! owner's will and every answer, and ask no node what it thinks.

mod credits;
mod outcomes;
mod privacy;
mod sequences;

use std::collections::BTreeMap;

use p2p_protocol::wire::{self, envelope::Message};
use p2p_protocol::{Node, TaskRequest};
use p2p_types::{DeviceId, Signed, TaskId, limits};
use thiserror::Error;

use crate::Micros;
pub(crate) use credits::Books;
pub(crate) use outcomes::Outcomes;
pub(crate) use privacy::Privacies;
pub(crate) use sequences::Sequences;

/// The first thing that was not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("seed {seed}, {scenario}, at {at_us} us: checker `{checker}`: {detail}; replay it with P2P_AGENT_SEED={seed}")]
pub struct Violation {
    pub seed: u64,
    pub scenario: &'static str,
    pub at_us: Micros,
    pub checker: &'static str,
    pub detail: String,
}

/// What a checker says: its name, and what is wrong.
pub(crate) type Verdict = Result<(), (&'static str, String)>;

/// A task that somebody asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) node: usize,
    pub(crate) request: TaskRequest,
    pub(crate) must_succeed: bool,
    /// It ended, or its process did.
    pub(crate) over: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Checkers {
    pub(crate) asked: BTreeMap<TaskId, Asked>,
    pub(crate) sequences: Sequences,
    pub(crate) privacies: Privacies,
    pub(crate) outcomes: Outcomes,
}

impl Checkers {
    /// A frame leaves a machine for `to`.
    pub(crate) fn sent(&mut self, from: DeviceId, to: DeviceId, frame: &[u8]) -> Verdict {
        if frame.len() > limits::FRAME_BYTES {
            return Err(("limits", format!("a frame of {} bytes", frame.len())));
        }
        let envelope = read(frame)?;
        if envelope.recipient != to.0 {
            return Err(("addresses", format!("a frame for another went to {to}")));
        }
        let texts = match &envelope.message {
            Some(Message::Assignment(assignment)) => Some(assignment),
            _ => None,
        };
        self.privacies.sent(from, to, frame, texts, &self.asked)
    }

    /// A message leaves a machine for everybody.
    pub(crate) fn published(&mut self, message: &[u8]) -> Verdict {
        if message.len() > limits::PUBLISHED_BYTES {
            return Err(("limits", format!("a published message of {} bytes", message.len())));
        }
        self.privacies.published(message)
    }

    /// Bytes leave a computer: only now anybody can see their number.
    pub(crate) fn left(&mut self, from: DeviceId, bytes: &[u8]) -> Verdict {
        self.sequences.left(from, read(bytes)?.sequence)
    }

    pub(crate) fn is_result(frame: &[u8]) -> bool {
        read(frame).is_ok_and(|envelope| matches!(envelope.message, Some(Message::TaskResult(_))))
    }

    /// What peers can fill has its limit.
    pub(crate) fn queues(node: &Node) -> Verdict {
        let (open, guests, _) = node.counts();
        let (peers, tasks) = (node.peers().count(), node.tasks().count());
        let sizes = [
            ("open tasks", open, limits::OPEN_TASKS),
            ("tasks", tasks, limits::OPEN_TASKS + limits::SHOWN_TASKS + 1),
            ("guests' parts", guests, limits::GUEST_QUEUE),
            ("known nodes", peers, limits::KNOWN_PEERS + limits::PEERS),
        ];
        match sizes.iter().find(|(_, size, limit)| size > limit) {
            Some((what, size, limit)) => Err(("queues", format!("{size} {what}; {limit} are the most"))),
            None => Ok(()),
        }
    }

    /// All is over: everything that was asked for has ended.
    pub(crate) fn ended(&self) -> Verdict {
        let open: Vec<_> = self.asked.values().filter(|asked| !asked.over).collect();
        match open.first() {
            Some(first) => {
                let detail =
                    format!("{} tasks never ended, of them {:?} of node {}", open.len(), first.request.id, first.node);
                Err(("liveness", detail))
            }
            None => Ok(()),
        }
    }
}

pub(crate) fn read(frame: &[u8]) -> Result<wire::Envelope, (&'static str, String)> {
    let signed = Signed::<wire::Envelope>::from_bytes(frame).and_then(|signed| signed.peek());
    signed.map_err(|error| ("frames", error.to_string()))
}
