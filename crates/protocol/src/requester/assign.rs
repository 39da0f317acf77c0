//! Handing parts out: to whom, and how many at once.

use p2p_ledger::LaneId;
use p2p_types::{AccountId, Credits, DeviceId, Hash, Now, Placement, TextFailure};

use super::task::{PART_TIMEOUT_MS, Part, PartState, QUIET_MS, Stage, State, Task};
use super::{Requester, Surroundings, candidates};
use crate::io::{Durable, Output};
use crate::pay::Terms;
use crate::wire::{self, envelope::Message};

/// Parts a provider holds beyond those it computes, so that its workers never wait for the road.
const AHEAD: u32 = 1;
/// Providers that one part may fail at.
const MAX_TRIES: u32 = 4;
/// A provider's word on its speed is believed between these.
const TEXT_US: std::ops::RangeInclusive<u64> = 50..=1_000_000;
/// What an unmeasured road is thought to take.
const UNKNOWN_RTT_US: u64 = 50_000;

/// A provider that may be given parts now.
struct Place {
    device: DeviceId,
    road_us: u64,
    text_us: u64,
    slots: u64,
    /// Parts it has to do before a new one.
    before: u64,
    /// Parts it may be given.
    room: u32,
    account: AccountId,
}

impl Place {
    /// When it would finish a part of `texts`, from now.
    const fn finish_us(&self, texts: u64) -> u64 {
        let work = self.text_us.saturating_mul(texts).saturating_mul(self.before + 1);
        self.road_us.saturating_add(work / self.slots)
    }
}

impl Requester {
    /// Moves a task on as far as it goes now.
    pub(super) fn advance(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) {
        if task.state.is_final() {
            return;
        }
        self.give_up_on_hopeless(now, task, around);
        if task.here {
            self.queue_here(now, task, around);
            return;
        }
        task.close_round(now);
        // With bids still to come, only offers that stood before are used at once.
        let early = task.awaiting.is_empty() || !task.providers.is_empty() || self.has_early_offer(now, task, around);
        if early && task.waits_for_others() {
            self.hand_out(now, task, around);
        }
        if !task.waits_for_others() {
            return;
        }
        if self.search(now, task, around) {
            task.look_again = task.bids_due;
        } else {
            self.wait(now, task, around);
        }
    }

    fn hand_out(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) {
        task.lack = None;
        let mut places = self.places(now, task, around);
        let waiting: Vec<usize> = (0..task.parts.len()).filter(|&index| task.parts[index].is_waiting()).collect();
        for index in waiting {
            if places.iter().all(|place| place.room == 0) {
                return;
            }
            let part = &task.parts[index];
            let may_return = self.may_return(now, task, part, around);
            let texts = part.texts.len() as u64;
            let allowed =
                |place: &&mut Place| place.room > 0 && (may_return || !part.failed_at.contains(&place.device));
            let best = places.iter_mut().filter(allowed).min_by_key(|place| (place.finish_us(texts), place.device));
            let Some(place) = best else { continue };
            let (device, lane) = (place.device, LaneId { account: place.account, device: place.device });
            match self.terms(now, task, index, lane, around) {
                (Terms::Free, _) => self.assign(now, task, index, device, None, around),
                (Terms::Under(hold), price) => self.assign(now, task, index, device, Some((hold, price)), around),
                // Another part may fit, or a hold comes soon.
                (Terms::Soon, _) => {
                    place.room = 0;
                    continue;
                }
                (Terms::Cannot(lack), _) => {
                    task.lack = Some(lack);
                    place.room = 0;
                    continue;
                }
            }
            place.room -= 1;
            place.before += 1;
        }
    }

    /// How a part can be paid at a provider, and how much it costs there.
    fn terms(
        &self,
        now: Now,
        task: &Task,
        index: usize,
        payee: LaneId,
        around: &mut Surroundings<'_>,
    ) -> (Terms, Credits) {
        let Some(pay) = around.pay.as_deref_mut() else { return (Terms::Free, Credits::ZERO) };
        let texts = &task.texts[task.parts[index].texts.clone()];
        let price = pay.price(task.kind, texts.len(), texts.iter().map(String::len).sum());
        let reserved = self.reserved.get(&(task.payer, payee.device)).copied().unwrap_or_default();
        let reachable = pay.reachable(around.peers, around.post.me);
        (pay.terms(now, task.payer, payee, price, reserved, reachable), price)
    }

    fn places(&self, now: Now, task: &Task, around: &Surroundings<'_>) -> Vec<Place> {
        let place = |(device, peer): (DeviceId, &crate::peers::Peer)| {
            let offer = self.offers.get(&(device, task.kind)).filter(|offer| offer.until > now.mono)?;
            let held = self.held.get(&device).copied().unwrap_or_default();
            // A provider is given more at once as it proves that it finishes what it takes: who
            // claims many workers must not get a whole batch to sit on.
            let proven = u32::try_from(peer.done).unwrap_or(u32::MAX).saturating_add(1);
            Some(Place {
                device,
                road_us: peer.rtt_us.unwrap_or(UNKNOWN_RTT_US),
                text_us: offer.text_us.clamp(*TEXT_US.start(), *TEXT_US.end()),
                slots: u64::from(offer.slots),
                before: u64::from(offer.queued.min(64)) + u64::from(held),
                room: (offer.slots.min(proven) + AHEAD).saturating_sub(held),
                account: peer.account?,
            })
        };
        candidates(task, around).filter_map(place).collect()
    }

    /// Whether a part may go back to a node that it failed at: where nobody else is there who took
    /// or may take it. Text by text, a failure is an answer, and is not asked for again.
    pub(super) fn may_return(&self, now: Now, task: &Task, part: &Part, around: &Surroundings<'_>) -> bool {
        if part.failed_at.is_empty() || part.failure.is_some() {
            return false;
        }
        let others = candidates(task, around).filter(|(device, _)| !part.failed_at.contains(device));
        let mut others = others.map(|(device, _)| device);
        !others.any(|device| {
            self.has_offer(now, device, task.kind) || !task.asked.contains(&device) || task.awaiting.contains(&device)
        })
    }

    fn has_early_offer(&self, now: Now, task: &Task, around: &Surroundings<'_>) -> bool {
        let early = |device: &DeviceId| !task.asked.contains(device) && self.has_offer(now, *device, task.kind);
        candidates(task, around).any(|(device, _)| early(&device))
    }

    fn assign(
        &mut self,
        now: Now,
        task: &mut Task,
        index: usize,
        device: DeviceId,
        paid: Option<(Hash, Credits)>,
        around: &mut Surroundings<'_>,
    ) {
        let Some(offer) = self.offers.get(&(device, task.kind)) else { return };
        *self.held.entry(device).or_default() += 1;
        let mut certificate = Vec::new();
        if let (Some((_, price)), Some(pay)) = (paid, around.pay.as_deref_mut()) {
            let reserved = self.reserved.entry((task.payer, device)).or_default();
            *reserved = reserved.plus(price).unwrap_or(Credits::MAX);
            certificate = pay.introduce(task.payer, &device);
        }
        let road_us = around.peers.get(&device).and_then(|peer| peer.rtt_us).unwrap_or(UNKNOWN_RTT_US);
        let timeout_ms = task.order_ms(now, road_us);
        let part = &mut task.parts[index];
        let texts = task.texts[part.texts.clone()].to_vec();
        part.state = PartState::There {
            device,
            model: offer.model,
            since: now.mono,
            renewed: now.mono.plus_ms(offer.usable_ms),
            give_up: now.mono.plus_ms(PART_TIMEOUT_MS),
            quiet: now.mono.plus_ms(QUIET_MS),
            paid,
        };
        around.post.persist(Durable::Departure {
            to: device,
            task: task.id,
            kind: task.kind,
            privacy: task.privacy,
            texts: u32::try_from(texts.len()).unwrap_or(u32::MAX),
            bytes: texts.iter().map(String::len).sum::<usize>() as u64,
        });
        let assignment = wire::Assignment {
            task: task.id.0.to_vec(),
            part: u32::try_from(index).unwrap_or(u32::MAX),
            kind: task.kind.as_str().to_owned(),
            model: offer.model.0.to_vec(),
            texts,
            chunk_tokens: task.chunk.tokens,
            chunk_overlap: task.chunk.overlap,
            priority: task.priority as u32,
            timeout_ms,
            price: paid.map_or(0, |(_, price)| price.micro()),
            hold: paid.map(|(hold, _)| hold.0.to_vec()).unwrap_or_default(),
            certificate,
        };
        around.post.send(now, device, Message::Assignment(assignment));
        if !task.has_stage(Stage::Assigned, device) {
            task.record(now, Stage::Assigned, Some(device), format!("Assigned to {}", device.short()));
        } else if task.state == State::Searching {
            task.state = State::Assigned;
        }
        around.post.emit(Output::TaskChanged { task: task.id });
    }

    /// Parts that failed wherever they were tried end here, or on this computer where they may.
    fn give_up_on_hopeless(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) {
        let hopeless: Vec<usize> = {
            let failed = |part: &Part| part.is_waiting() && part.tries >= MAX_TRIES;
            (0..task.parts.len()).filter(|&index| failed(&task.parts[index])).collect()
        };
        if hopeless.is_empty() || task.here {
            return;
        }
        if task.placement == Placement::Auto && around.here.contains_key(&task.kind) {
            self.go_here(now, task, "other computers failed at it", around);
            return;
        }
        task.why_failed = Some(format!("{MAX_TRIES} computers took it and did not finish it"));
        task.fail_waiting(|index| hopeless.contains(&index), TextFailure::NoProvider);
        self.finish_if_settled(now, task, around);
    }
}
