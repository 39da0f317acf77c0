//! Handing parts out: to whom, and how many at once.

use p2p_types::{DeviceId, Now, TextFailure};

use super::task::{PART_TIMEOUT_MS, PartState, QUIET_MS, Stage, Task};
use super::{Offer, Requester, Surroundings};
use crate::io::{Durable, Output};
use crate::wire::{self, envelope::Message};

/// Parts a provider holds beyond those it computes, so that its workers never wait for the road.
const AHEAD: u32 = 1;
/// Providers that one part may fail at.
const MAX_TRIES: u32 = 4;

impl Requester {
    /// Moves a task on as far as it goes now.
    pub(super) fn advance(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) {
        if task.state.is_final() || task.here {
            return;
        }
        if self.give_up_on_hopeless(now, task, around) {
            return;
        }
        task.close_round(now);
        let bids_open = !task.awaiting.is_empty();
        loop {
            let Some(index) = task.parts.iter().position(|part| matches!(part.state, PartState::Waiting)) else {
                return;
            };
            // With bids still to come, only offers that stood before are used at once.
            if bids_open && task.providers.is_empty() && !self.has_early_offer(task, now, around) {
                return;
            }
            match self.best_offer(now, task, index, around) {
                Some(device) => self.assign(now, task, index, device, around),
                None => break,
            }
        }
        if self.search(now, task, around) {
            return;
        }
        if self.only_busy(now, task, around) {
            task.search_until = None;
        } else {
            self.nobody_left(now, task, around);
        }
    }

    /// Whether somebody who offered could still take what waits, once a place is free.
    fn only_busy(&self, now: Now, task: &Task, around: &Surroundings<'_>) -> bool {
        let mut waiting = task.parts.iter().filter(|part| matches!(part.state, PartState::Waiting));
        waiting.all(|part| self.usable(now, task, around).any(|(device, _)| !part.failed_at.contains(&device)))
    }

    fn has_early_offer(&self, task: &Task, now: Now, around: &Surroundings<'_>) -> bool {
        self.usable(now, task, around).any(|(device, _)| !task.asked.contains(&device))
    }

    /// Offers under which this task may be assigned now, room or not.
    fn usable<'a>(
        &'a self,
        now: Now,
        task: &'a Task,
        around: &'a Surroundings<'_>,
    ) -> impl Iterator<Item = (DeviceId, &'a Offer)> + 'a {
        self.candidates(now, task, around).filter_map(move |(device, _)| {
            let offer = self.offers.get(&(device, task.kind))?;
            (offer.until > now.mono).then_some((device, offer))
        })
    }

    /// The provider that should finish this part first.
    fn best_offer(&self, now: Now, task: &Task, index: usize, around: &Surroundings<'_>) -> Option<DeviceId> {
        let part = &task.parts[index];
        let free = |(device, offer): &(DeviceId, &Offer)| {
            offer.in_flight < offer.slots + AHEAD && !part.failed_at.contains(device)
        };
        let expected_us = |(device, offer): &(DeviceId, &Offer)| {
            let road = around.peers.get(device).and_then(|peer| peer.rtt_us).unwrap_or(50_000);
            let before = u64::from(offer.queued.min(64)) + u64::from(offer.in_flight);
            let texts = part.texts.len() as u64;
            let work = offer.text_us.min(1_000_000).saturating_mul(texts).saturating_mul(before + 1);
            (road + work / u64::from(offer.slots), *device)
        };
        self.usable(now, task, around).filter(free).min_by_key(expected_us).map(|(device, _)| device)
    }

    fn assign(&mut self, now: Now, task: &mut Task, index: usize, device: DeviceId, around: &mut Surroundings<'_>) {
        let Some(offer) = self.offers.get_mut(&(device, task.kind)) else { return };
        offer.in_flight += 1;
        let model = offer.model;
        let part = &mut task.parts[index];
        let texts = task.texts[part.texts.clone()].to_vec();
        part.state =
            PartState::There { device, give_up: now.mono.plus_ms(PART_TIMEOUT_MS), quiet: now.mono.plus_ms(QUIET_MS) };
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
            model: model.0.to_vec(),
            texts,
            chunk_tokens: task.chunk.tokens,
            chunk_overlap: task.chunk.overlap,
            priority: task.priority as u32,
            timeout_ms: PART_TIMEOUT_MS,
        };
        around.post.send(now, device, Message::Assignment(assignment));
        if !task.has_stage(Stage::Assigned, device) {
            task.record(now, Stage::Assigned, Some(device), format!("Assigned to {}", device.short()));
        }
        around.post.emit(Output::TaskChanged { task: task.id });
    }

    /// Parts that failed everywhere they were tried end here. `true` when the task is settled by it.
    fn give_up_on_hopeless(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) -> bool {
        let hopeless = |task: &Task| {
            task.parts.iter().position(|part| part.tries >= MAX_TRIES && matches!(part.state, PartState::Waiting))
        };
        while let Some(index) = hopeless(task) {
            if task.placement == p2p_types::Placement::Auto && around.here.contains_key(&task.kind) {
                self.go_here(now, task, "other computers failed at it", around);
                return true;
            }
            let part = &mut task.parts[index];
            part.state = PartState::Done;
            for at in part.texts.clone() {
                task.results[at].get_or_insert(Err(TextFailure::NoProvider));
            }
        }
        self.finish_if_settled_quietly(now, task, around)
    }

    fn finish_if_settled_quietly(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) -> bool {
        if task.results.iter().any(Option::is_none) {
            return false;
        }
        self.finish_if_settled(now, task, around);
        true
    }
}
