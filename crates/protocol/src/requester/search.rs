//! Finding providers: who may be asked, who is asked first, and what to do when nobody bids.

use p2p_types::{DeviceId, Hash, Now, Placement, Privacy, TaskId, TaskKind, TextFailure, limits};

use super::task::{PartState, Task};
use super::{Offer, Requester, Surroundings};
use crate::peers::Peer;
use crate::wire::{self, envelope::Message};

/// How long bids may take.
const BIDS_MS: u64 = 500;
/// After the first bid, the others have this long: a closer or idler node may answer next.
const MORE_BIDS_MS: u64 = 15;
/// How long a task that must go to the network looks for somebody.
const SEARCH_MS: u64 = 10_000;
/// While nobody takes a task, the same nodes are asked again this often.
const ASK_AGAIN_MS: u64 = 1000;
/// A bid is not used in its last moments: the assignment needs time to arrive.
const OFFER_MARGIN_MS: u64 = 1000;
/// What an unmeasured road is thought to take.
const UNKNOWN_RTT_US: u64 = 50_000;

impl Requester {
    /// Nodes that may see the task and say they can do it, and have not failed at all of it.
    pub(super) fn candidates<'a>(
        &'a self,
        now: Now,
        task: &'a Task,
        around: &'a Surroundings<'_>,
    ) -> impl Iterator<Item = (DeviceId, &'a Peer)> + 'a {
        let expected = around.here.get(&task.kind).copied();
        let able = move |(device, peer): &(&DeviceId, &Peer)| {
            peer.ready()
                && peer.accepting
                && may_see(task.privacy, around.peers.trusts(device))
                && peer.kinds.get(&task.kind).is_some_and(|model| expected.is_none_or(|own| own == *model))
        };
        let all = around.peers.iter().filter(able).map(|(device, peer)| (*device, peer));
        let anybody_else = all.clone().any(|(device, _)| !self.is_avoided(now, &device));
        all.filter(move |(device, _)| !anybody_else || !self.is_avoided(now, device))
    }

    pub(super) fn is_avoided(&self, now: Now, device: &DeviceId) -> bool {
        self.avoided.get(device).is_some_and(|until| *until > now.mono)
    }

    /// Asks for bids where offers do not cover what waits. `true` when somebody is being waited for.
    pub(super) fn search(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) -> bool {
        if !task.awaiting.is_empty() {
            return true;
        }
        let has_offer =
            |device: &DeviceId| self.offers.get(&(*device, task.kind)).is_some_and(|offer| offer.until > now.mono);
        let mut fresh: Vec<(u64, DeviceId)> = self
            .candidates(now, task, around)
            .filter(|(device, _)| !task.asked.contains(device) && !has_offer(device))
            .map(|(device, peer)| (closeness(peer), device))
            .collect();
        if fresh.is_empty() {
            return false;
        }
        fresh.sort_unstable();
        fresh.truncate(limits::ANNOUNCED_TO);
        let announcement = wire::Announcement {
            task: task.id.0.to_vec(),
            kind: task.kind.as_str().to_owned(),
            model: around.here.get(&task.kind).map(|model| model.0.to_vec()).unwrap_or_default(),
            texts: u32::try_from(task.results.len()).unwrap_or(u32::MAX),
            bytes: task.texts.iter().map(String::len).sum::<usize>() as u64,
            priority: task.priority as u32,
        };
        for (_, device) in &fresh {
            around.post.send(now, *device, Message::Announcement(announcement.clone()));
            task.asked.insert(*device);
            task.awaiting.insert(*device);
        }
        task.bids_due = Some(now.mono.plus_ms(BIDS_MS));
        true
    }

    pub(crate) fn bid(&mut self, now: Now, from: DeviceId, bid: &wire::Bid, around: &mut Surroundings<'_>) {
        let (Ok(task), Ok(kind), Ok(model)) =
            (TaskId::try_from(bid.task.as_slice()), bid.kind.parse::<TaskKind>(), Hash::try_from(bid.model.as_slice()))
        else {
            return;
        };
        self.with(task, around, |requester, task, around| {
            // Only those who were asked about this task may offer to do it.
            if !task.asked.contains(&from) || kind != task.kind || task.state.is_final() {
                return;
            }
            if around.here.get(&kind).is_some_and(|own| *own != model) {
                return;
            }
            let offer = Offer {
                model,
                slots: bid.slots.clamp(1, 64),
                queued: bid.queued,
                text_us: bid.text_us,
                until: now.mono.plus_ms(bid.valid_ms.min(60_000).saturating_sub(OFFER_MARGIN_MS)),
                in_flight: requester.offers.get(&(from, kind)).map_or(0, |known| known.in_flight),
            };
            requester.offers.insert((from, kind), offer);
            task.awaiting.remove(&from);
            let soon = now.mono.plus_ms(MORE_BIDS_MS);
            task.bids_due = task.bids_due.map(|due| due.min(soon));
            requester.advance(now, task, around);
        });
    }

    pub(crate) fn declined(
        &mut self,
        now: Now,
        from: DeviceId,
        decline: &wire::Decline,
        around: &mut Surroundings<'_>,
    ) {
        let Ok(task) = TaskId::try_from(decline.task.as_slice()) else { return };
        self.with(task, around, |requester, task, around| {
            if task.awaiting.remove(&from) {
                requester.advance(now, task, around);
            }
        });
    }

    /// Nobody is left to ask. A task that may be computed here is; one that must not waits until
    /// its search ends, because a node may come.
    pub(super) fn nobody_left(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) {
        let elsewhere = task.parts.iter().any(|part| part.provider().is_some());
        if task.placement == Placement::Auto && around.here.contains_key(&task.kind) {
            self.go_here(now, task, "no other computer took it", around);
            return;
        }
        task.ask_again = Some(now.mono.plus_ms(ASK_AGAIN_MS));
        if elsewhere {
            task.search_until = None;
            return;
        }
        let until = *task.search_until.get_or_insert(now.mono.plus_ms(SEARCH_MS));
        if until <= now.mono {
            let waiting = task.parts.iter().any(|part| matches!(part.state, PartState::Waiting));
            if waiting {
                task.fail_missing(TextFailure::NoProvider, Some(&nobody(task, around)));
                self.finish_if_settled(now, task, around);
            }
        }
    }
}

fn nobody(task: &Task, around: &Surroundings<'_>) -> String {
    let connected = around.peers.connected();
    let seconds = SEARCH_MS / 1000;
    match (connected, task.privacy) {
        (0, _) => format!("no other computer could be reached within {seconds} s"),
        (_, Privacy::Trusted) => {
            format!("none of {connected} connected computers is trusted and took it within {seconds} s")
        }
        _ => format!("none of {connected} connected computers took it within {seconds} s"),
    }
}

const fn may_see(privacy: Privacy, trusted: bool) -> bool {
    match privacy {
        Privacy::Local => false,
        Privacy::Trusted => trusted,
        Privacy::Public => true,
    }
}

/// Near and idle nodes are asked first: round trip, plus a worker's while for each part before us.
fn closeness(peer: &Peer) -> u64 {
    let queue = u64::from(peer.busy) / u64::from(peer.slots.max(1));
    peer.rtt_us.unwrap_or(UNKNOWN_RTT_US).saturating_add(queue.saturating_mul(20_000))
}
