//! Finding providers: who is asked first, and what to do when nobody bids.

use p2p_types::{DeviceId, Hash, Monotonic, Now, Placement, Privacy, TaskId, TaskKind, TextFailure, limits};

use super::task::{Part, Task};
use super::{Offer, Requester, Surroundings, candidates};
use crate::pay::Lack;
use crate::peers::Peer;
use crate::wire::{self, envelope::Message};

/// How long bids may take.
const BIDS_MS: u64 = 500;
/// After the first bid, the others have this long: a closer or idler node may answer next.
const MORE_BIDS_MS: u64 = 15;
/// How long a task that must go to the network looks for somebody.
const SEARCH_MS: u64 = 10_000;
/// While something waits, those who did not take it are asked again this often.
const ASK_AGAIN_MS: u64 = 1000;
/// A bid is not used in its last moments: the assignment needs time to arrive.
const OFFER_MARGIN_MS: u64 = 1000;
/// The longest a bid is believed to stand.
const LONGEST_OFFER_MS: u64 = 60_000;
/// What an unmeasured road is thought to take.
const UNKNOWN_RTT_US: u64 = 50_000;

impl Requester {
    /// Asks for bids where offers do not cover what waits. `true` when somebody is being waited for.
    /// Who failed lately is asked when nobody else is left to ask.
    pub(super) fn search(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) -> bool {
        if !task.awaiting.is_empty() {
            return true;
        }
        let mut fresh: Vec<(bool, u64, DeviceId)> = candidates(task, around)
            .filter(|(device, _)| !task.asked.contains(device) && !self.has_offer(now, *device, task.kind))
            .map(|(device, peer)| (self.avoided.contains_key(&device), closeness(peer), device))
            .collect();
        fresh.sort_unstable();
        if let Some((avoided, _, _)) = fresh.first().copied() {
            fresh.retain(|(other, _, _)| *other == avoided);
        }
        fresh.truncate(limits::ANNOUNCED_TO);
        let announcement = wire::Announcement {
            task: task.id.0.to_vec(),
            kind: task.kind.as_str().to_owned(),
            model: around.here.get(&task.kind).map(|model| model.0.to_vec()).unwrap_or_default(),
            texts: u32::try_from(task.results.len()).unwrap_or(u32::MAX),
            bytes: task.bytes() as u64,
            priority: task.priority as u32,
        };
        for (_, _, device) in &fresh {
            around.post.send(now, *device, Message::Announcement(announcement.clone()));
            task.asked.insert(*device);
            task.awaiting.insert(*device);
        }
        task.bids_due = (!fresh.is_empty()).then(|| now.mono.plus_ms(BIDS_MS));
        !fresh.is_empty()
    }

    pub(super) fn has_offer(&self, now: Now, device: DeviceId, kind: TaskKind) -> bool {
        self.offers.get(&(device, kind)).is_some_and(|offer| offer.until > now.mono)
    }

    pub(crate) fn bid(&mut self, now: Now, from: DeviceId, bid: &wire::Bid, around: &mut Surroundings<'_>) {
        let (Ok(task), Ok(kind), Ok(model)) =
            (TaskId::try_from(bid.task.as_slice()), bid.kind.parse::<TaskKind>(), Hash::try_from(bid.model.as_slice()))
        else {
            return;
        };
        self.with(task, around, |requester, task, around| {
            // Only those who were asked about this task may offer to do it, and only with its model.
            let wanted = around.here.get(&kind).is_none_or(|own| *own == model);
            if !task.asked.contains(&from) || kind != task.kind || task.state.is_final() || !wanted {
                return;
            }
            // Prices are the network's: who asks for more is not asked.
            let price = around.pay.as_deref().map(|pay| pay.price(task.kind, task.results.len(), task.bytes()));
            if price.is_some_and(|price| bid.price > price.micro()) {
                return;
            }
            let usable_ms = bid.valid_ms.min(LONGEST_OFFER_MS).saturating_sub(OFFER_MARGIN_MS);
            let offer = Offer {
                model,
                slots: bid.slots.clamp(1, 64),
                queued: bid.queued,
                text_us: bid.text_us,
                usable_ms,
                until: now.mono.plus_ms(usable_ms),
            };
            requester.offers.insert((from, kind), offer);
            if task.awaiting.remove(&from) {
                let soon = now.mono.plus_ms(MORE_BIDS_MS);
                task.bids_due = task.bids_due.map(|due| due.min(soon));
            }
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

    /// Nobody is left to ask. Parts that somebody could take once a place is free wait for it. Of
    /// the others, a task that may be computed here is; one that must not waits until its search
    /// ends, because a node may come.
    pub(super) fn wait(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) {
        let stuck = self.stuck_parts(now, task, around);
        if !stuck.is_empty() && task.placement == Placement::Auto && around.here.contains_key(&task.kind) {
            let why = task.lack.map_or_else(|| "no other computer took it".to_owned(), lacking);
            self.go_here(now, task, &why, around);
            return;
        }
        let ask_again = *task.ask_again.get_or_insert(now.mono.plus_ms(ASK_AGAIN_MS));
        let elsewhere = task.parts.iter().any(|part| part.provider().is_some());
        if stuck.is_empty() || elsewhere {
            task.search_until = None;
            task.look_again = self.first_expiry(now, task, around).into_iter().chain([ask_again]).min();
            return;
        }
        let until = *task.search_until.get_or_insert(now.mono.plus_ms(SEARCH_MS));
        if until > now.mono {
            task.look_again = Some(ask_again.min(until));
            return;
        }
        task.why_failed = Some(task.lack.map_or_else(|| nobody(task, around), lacking));
        task.fail_waiting(|index| stuck.contains(&index), TextFailure::NoProvider);
        task.search_until = None;
        task.look_again = Some(ask_again);
        self.finish_if_settled(now, task, around);
    }

    /// Waiting parts that nobody who offered could take, not even later.
    fn stuck_parts(&self, now: Now, task: &Task, around: &Surroundings<'_>) -> Vec<usize> {
        let offering: Vec<DeviceId> = self.offering(now, task, around).collect();
        let is_stuck = |part: &Part| {
            let may_return = self.may_return(now, task, part, around);
            part.is_waiting() && !offering.iter().any(|device| may_return || !part.failed_at.contains(device))
        };
        (0..task.parts.len()).filter(|&index| is_stuck(&task.parts[index])).collect()
    }

    fn offering<'a>(
        &'a self,
        now: Now,
        task: &'a Task,
        around: &'a Surroundings<'_>,
    ) -> impl Iterator<Item = DeviceId> + 'a {
        // Who cannot be paid takes nothing, and waiting does not help.
        let payable = task.lack.is_none();
        let offering = move |device: &DeviceId| payable && self.has_offer(now, *device, task.kind);
        candidates(task, around).map(|(device, _)| device).filter(offering)
    }

    fn first_expiry(&self, now: Now, task: &Task, around: &Surroundings<'_>) -> Option<Monotonic> {
        let offers = self.offering(now, task, around).filter_map(|device| self.offers.get(&(device, task.kind)));
        offers.map(|offer| offer.until).min()
    }
}

/// Why nobody can be paid for it.
fn lacking(lack: Lack) -> String {
    match lack {
        Lack::Credits { needed, there } => format!("it costs {needed} credits, and {there} are there"),
        Lack::Limit => "it costs more than the limit that you set leaves".to_owned(),
        Lack::Notary => "it has to be paid, and the network's notary cannot be reached".to_owned(),
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

/// Near and idle nodes are asked first: round trip, plus a worker's while for each part before us.
fn closeness(peer: &Peer) -> u64 {
    let queue = u64::from(peer.busy) / u64::from(peer.slots.max(1));
    peer.rtt_us.unwrap_or(UNKNOWN_RTT_US).saturating_add(queue.saturating_mul(20_000))
}
