//! A text goes only to whom its owner allows, and only in an assignment.

use std::collections::{BTreeMap, BTreeSet};

use p2p_protocol::wire;
use p2p_types::{DeviceId, Privacy, TaskId};

use super::{Asked, Verdict};
use crate::load::MARK;

#[derive(Debug, Default)]
pub(crate) struct Privacies {
    /// Whom the owner of a node trusts: the truth, not what the node remembers.
    trusted: BTreeSet<(DeviceId, DeviceId)>,
    /// Assignments that went to nodes that are trusted.
    pub(crate) confided: u64,
}

impl Privacies {
    pub(crate) fn trust(&mut self, owner: DeviceId, whom: DeviceId, trusted: bool) {
        if trusted {
            self.trusted.insert((owner, whom));
        } else {
            self.trusted.remove(&(owner, whom));
        }
    }

    /// What `owner` is known to trust, after their computer forgot what was not on disk.
    pub(crate) fn forget(&mut self, owner: DeviceId, kept: &BTreeSet<DeviceId>) {
        self.trusted.retain(|(of, _)| *of != owner);
        self.trusted.extend(kept.iter().map(|whom| (owner, *whom)));
    }

    pub(crate) fn sent(
        &mut self,
        from: DeviceId,
        to: DeviceId,
        frame: &[u8],
        assignment: Option<&wire::Assignment>,
        asked: &BTreeMap<TaskId, Asked>,
    ) -> Verdict {
        let Some(assignment) = assignment else { return self.published(frame) };
        let task =
            TaskId::try_from(assignment.task.as_slice()).map_err(|_| ("privacy", "no task is named".to_owned()))?;
        let Some(asked) = asked.get(&task) else {
            return Err(("privacy", format!("task {task} was never asked for")));
        };
        if !assignment.texts.iter().all(|text| asked.request.texts.contains(text)) {
            return Err(("privacy", format!("task {task} sends texts of another")));
        }
        let allowed = match asked.request.privacy {
            Privacy::Local => false,
            Privacy::Trusted => self.trusted.contains(&(from, to)),
            Privacy::Public => true,
        };
        self.confided += u64::from(asked.request.privacy == Privacy::Trusted);
        if allowed {
            return Ok(());
        }
        Err(("privacy", format!("a {} text of task {task} went from {from} to {to}", asked.request.privacy)))
    }

    /// Nothing but an assignment carries a text.
    #[expect(clippy::unused_self, reason = "reads as one of the checker's rules")]
    pub(crate) fn published(&self, message: &[u8]) -> Verdict {
        if message.windows(MARK.len()).any(|window| window == MARK.as_bytes()) {
            return Err(("privacy", "a text travels outside of an assignment".to_owned()));
        }
        Ok(())
    }
}
