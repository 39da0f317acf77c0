//! Parts that do not come back from where they went.

use std::collections::BTreeSet;

use p2p_types::{DeviceId, Now, Privacy, TaskId};

use super::task::{Part, PartState, Stage, State, Task};
use super::{Requester, Surroundings};
use crate::io::Output;
use crate::wire::{self, Reason, envelope::Message};

/// A provider that failed is asked after all others for this time.
const AVOID_MS: u64 = 30_000;

/// Why parts go elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    Vanished,
    Quiet,
    Slow,
    Refused(Reason),
    /// What came back was wrong.
    Wrong(&'static str),
    /// The owner took the trust back.
    Distrusted,
}

impl Loss {
    const fn words(self) -> &'static str {
        match self {
            Self::Vanished => "vanished",
            Self::Quiet => "went quiet",
            Self::Slow => "took too long",
            Self::Wrong(why) => why,
            Self::Distrusted => "is not trusted any more",
            Self::Refused(Reason::Paused) => "was paused by its owner",
            Self::Refused(Reason::Busy) => "is busy",
            Self::Refused(Reason::NoOffer) => "no longer stands by its offer",
            Self::Refused(Reason::CannotCompute) => "cannot compute it",
            Self::Refused(Reason::Payment) => "wants to be paid otherwise",
            Self::Refused(Reason::Unspecified | Reason::Unsupported | Reason::TooLarge | Reason::Malformed) => {
                "refused it"
            }
        }
    }

    /// Whether the provider did badly. A pause is its owner's right.
    const fn is_fault(self) -> bool {
        !matches!(
            self,
            Self::Distrusted | Self::Refused(Reason::Paused | Reason::Busy | Reason::NoOffer | Reason::Payment)
        )
    }

    /// Whether the provider may still be computing, and should be told to stop.
    const fn may_go_on(self) -> bool {
        matches!(self, Self::Quiet | Self::Slow | Self::Wrong(_) | Self::Distrusted)
    }
}

impl Requester {
    /// A provider cannot be reached any more.
    pub(crate) fn peer_down(&mut self, now: Now, device: DeviceId, around: &mut Surroundings<'_>) {
        self.offers.retain(|(from, _), _| *from != device);
        for id in self.by_urgency(|_| true) {
            self.with(id, around, |requester, task, around| {
                let waited = task.awaiting.remove(&device);
                // When it comes back it is news.
                task.asked.remove(&device);
                let lost = requester.lose_all(now, task, device, Loss::Vanished, around);
                if waited || lost {
                    requester.advance(now, task, around);
                }
            });
        }
    }

    /// The owner does not trust `device` any more.
    pub(crate) fn distrusted(&mut self, now: Now, device: DeviceId, around: &mut Surroundings<'_>) {
        for id in self.by_urgency(|task| task.privacy == Privacy::Trusted) {
            self.with(id, around, |requester, task, around| {
                if !around.peers.trusts(&device) {
                    requester.lose_all(now, task, device, Loss::Distrusted, around);
                }
            });
        }
    }

    pub(crate) fn refused(&mut self, now: Now, from: DeviceId, refusal: &wire::Refusal, around: &mut Surroundings<'_>) {
        let Ok(task) = TaskId::try_from(refusal.task.as_slice()) else { return };
        self.with(task, around, |requester, task, around| {
            let index = refusal.part as usize;
            if task.parts.get(index).and_then(Part::provider) == Some(from) {
                if let (Reason::Payment, Some(pay)) = (refusal.reason(), around.pay.as_deref_mut()) {
                    pay.give_up(task.payer, &from);
                }
                requester.lose(now, task, from, &[index], Loss::Refused(refusal.reason()), around);
                requester.advance(now, task, around);
            }
        });
    }

    /// Leaves providers that say nothing while they have parts, or never come to an end.
    pub(super) fn leave_the_quiet(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) {
        let late = |part: &Part| match part.state {
            PartState::There { device, give_up, .. } if give_up <= now.mono => Some((device, Loss::Slow)),
            PartState::There { device, quiet, .. } if quiet <= now.mono => Some((device, Loss::Quiet)),
            PartState::There { .. } | PartState::Waiting | PartState::Here | PartState::Done => None,
        };
        let mut left = BTreeSet::new();
        let late: Vec<(DeviceId, Loss)> = task.parts.iter().filter_map(late).collect();
        for (device, loss) in late {
            if left.insert(device) {
                self.lose_all(now, task, device, loss, around);
            }
        }
    }

    /// Others are asked before `device` for a while.
    pub(super) fn avoid(&mut self, now: Now, device: DeviceId) {
        self.avoided.insert(device, now.mono.plus_ms(AVOID_MS));
    }

    /// Takes all parts of a task back that `device` has. `true` when there were any.
    pub(super) fn lose_all(
        &mut self,
        now: Now,
        task: &mut Task,
        device: DeviceId,
        loss: Loss,
        around: &mut Surroundings<'_>,
    ) -> bool {
        let has = |index: &usize| task.parts[*index].provider() == Some(device);
        let indices: Vec<usize> = (0..task.parts.len()).filter(has).collect();
        if indices.is_empty() {
            return false;
        }
        if loss.may_go_on() {
            around.post.send(now, device, Message::Cancel(wire::Cancel { task: task.id.0.to_vec() }));
        }
        self.lose(now, task, device, &indices, loss, around);
        true
    }

    fn lose(
        &mut self,
        now: Now,
        task: &mut Task,
        device: DeviceId,
        indices: &[usize],
        loss: Loss,
        around: &mut Surroundings<'_>,
    ) {
        self.offers.remove(&(device, task.kind));
        if loss.is_fault() {
            self.avoid(now, device);
            if let Some(peer) = around.peers.get_mut(&device) {
                peer.failed += indices.len() as u64;
            }
        }
        if let Loss::Wrong(_) = loss {
            task.barred.insert(device);
        }
        // What was lost is news: all are asked anew, but for a node that has just said no.
        task.asked.clear();
        task.ask_again = None;
        if let Loss::Refused(Reason::Paused | Reason::Busy) = loss {
            task.asked.insert(device);
        }
        let mut texts = 0;
        for &index in indices {
            self.take_from(task, index);
            let part = &mut task.parts[index];
            texts += part.texts.len();
            part.tries += u32::from(loss != Loss::Distrusted);
            if !matches!(loss, Loss::Refused(Reason::NoOffer | Reason::Payment)) {
                part.failed_at.insert(device);
            }
        }
        let what = if texts == 1 { "1 text goes".to_owned() } else { format!("{texts} texts go") };
        let detail = format!("{} {}; {what} elsewhere", device.short(), loss.words());
        task.record(now, Stage::Retrying, Some(device), detail);
        if task.parts.iter().all(|part| part.provider().is_none() && !matches!(part.state, PartState::Here)) {
            task.state = State::Searching;
        }
        around.post.emit(Output::TaskChanged { task: task.id });
    }
}
