//! What comes back: progress, results, refusals, and answers of this computer's own workers.

use p2p_types::{DeviceId, Now, TaskId, TextFailure};

use super::task::{Part, PartState, QUIET_MS, Stage, Task};
use super::{Requester, Surroundings, settle_text, worth_another_try};
use crate::digest::{input_hash, output_hash};
use crate::io::{Durable, Output};
use crate::outcome::{TextOutcome, from_wire};
use crate::receipt::{Expected, check};
use crate::wire::{self, Reason};

impl Requester {
    pub(crate) fn progress(
        &mut self,
        now: Now,
        from: DeviceId,
        progress: &wire::Progress,
        around: &mut Surroundings<'_>,
    ) {
        let Ok(task) = TaskId::try_from(progress.task.as_slice()) else { return };
        self.with(task, around, |_, task, around| {
            let Some(part) = task.parts.get_mut(progress.part as usize) else { return };
            let PartState::There { device, quiet, .. } = &mut part.state else { return };
            if *device != from {
                return;
            }
            *quiet = now.mono.plus_ms(QUIET_MS);
            if progress.started && !task.has_stage(Stage::Computing, from) {
                task.record(now, Stage::Computing, Some(from), format!("Computing on {}", from.short()));
                around.post.emit(Output::TaskChanged { task: task.id });
            }
        });
    }

    pub(crate) fn refused(&mut self, now: Now, from: DeviceId, refusal: &wire::Refusal, around: &mut Surroundings<'_>) {
        let Ok(task) = TaskId::try_from(refusal.task.as_slice()) else { return };
        let why = match refusal.reason() {
            Reason::Paused => "was paused by its owner",
            Reason::Busy => "is busy",
            Reason::NoOffer => "no longer stands by its offer",
            Reason::CannotCompute => "cannot compute it",
            Reason::Unspecified | Reason::Unsupported | Reason::TooLarge | Reason::Malformed => "refused it",
        };
        self.with(task, around, |requester, task, around| {
            let index = refusal.part as usize;
            if task.parts.get(index).and_then(Part::provider) != Some(from) {
                return;
            }
            requester.lost_part(now, task, index, why, around);
            if refusal.reason() == Reason::NoOffer {
                // Nothing is wrong with that node: it may simply be asked again.
                task.asked.remove(&from);
                requester.avoided.remove(&from);
                task.parts[index].failed_at.remove(&from);
            }
            requester.advance(now, task, around);
        });
    }

    /// A provider's answer. `Err` says what is wrong with it.
    pub(crate) fn answered(
        &mut self,
        now: Now,
        from: DeviceId,
        result: wire::TaskResult,
        around: &mut Surroundings<'_>,
    ) -> Result<(), &'static str> {
        let task = TaskId::try_from(result.task.as_slice()).map_err(|_| "a result names no task")?;
        let mut verdict = Ok(());
        self.with(task, around, |requester, task, around| {
            let index = result.part as usize;
            // Late answers of parts that went elsewhere are no offence.
            if task.parts.get(index).and_then(Part::provider) != Some(from) {
                return;
            }
            verdict = requester.take_answer(now, from, task, index, result, around);
            if let Err(why) = verdict {
                requester.lost_part(now, task, index, why, around);
            }
            requester.advance(now, task, around);
        });
        self.use_free_places(now, task, around);
        verdict
    }

    /// A provider has a place free: other tasks may have waited for it.
    fn use_free_places(&mut self, now: Now, except: TaskId, around: &mut Surroundings<'_>) {
        let waits = |task: &&Task| !task.state.is_final() && task.id != except && task.waits_for_others();
        let waiting: Vec<TaskId> = self.tasks.values().filter(waits).map(|task| task.id).collect();
        for id in waiting {
            self.with(id, around, |requester, task, around| requester.advance(now, task, around));
        }
    }

    fn take_answer(
        &mut self,
        now: Now,
        from: DeviceId,
        task: &mut Task,
        index: usize,
        result: wire::TaskResult,
        around: &mut Surroundings<'_>,
    ) -> Result<(), &'static str> {
        let range = task.parts[index].texts.clone();
        let texts = &task.texts[range.clone()];
        if result.outcomes.len() != texts.len() {
            return Err("answered fewer or more texts than it was given");
        }
        let answers = result.outcomes.into_iter().zip(texts).map(|(outcome, text)| from_wire(outcome, task.kind, text));
        let outcomes: Vec<TextOutcome> =
            answers.collect::<Option<_>>().ok_or("answered something that is no answer to the question")?;
        let offer = self.offers.get_mut(&(from, task.kind)).ok_or("answered without an offer")?;
        let expected = Expected {
            task: task.id,
            part: result.part,
            first_text: range.start as u32,
            texts: texts.len() as u32,
            kind: task.kind,
            provider: from,
            requester: around.post.me,
            input: input_hash(task.kind, task.chunk, texts),
            model: offer.model,
            output: output_hash(&outcomes),
        };
        let receipt = check(&result.receipt, &*around.post.scheme, &around.post.network, &expected)?;
        offer.until = offer.until.max(now.mono.plus_ms(QUIET_MS));
        let signed = receipt.signed.clone();
        around.post.persist(Durable::Receipt { task: task.id, part: result.part, provider: from, signed });
        if let Some(peer) = around.peers.get_mut(&from) {
            peer.done += 1;
        }
        if !task.has_stage(Stage::Computing, from) {
            // It was too quick to be told of: the receipt says when it began.
            let since = now.mono.since(task.begun).saturating_sub(receipt.compute_us);
            task.record_at(now.wall, since, Stage::Computing, Some(from), format!("Computing on {}", from.short()));
        }
        if !task.providers.contains(&from) {
            task.providers.push(from);
        }
        task.receipts.push(receipt);
        self.release(task, index);
        task.parts[index].state = PartState::Done;
        self.settle_part(now, task, index, outcomes, Some(from), around);
        Ok(())
    }

    /// Takes the outcomes of a part. Texts whose failure may end differently elsewhere wait again,
    /// alone.
    fn settle_part(
        &mut self,
        now: Now,
        task: &mut Task,
        index: usize,
        outcomes: Vec<TextOutcome>,
        from: Option<DeviceId>,
        around: &mut Surroundings<'_>,
    ) {
        let part = task.parts[index].clone();
        for (at, outcome) in part.texts.clone().zip(outcomes) {
            match (&outcome, from) {
                (Err(failure), Some(device)) if worth_another_try(*failure) && part.tries < 2 => {
                    let mut again = Part::new(at..at + 1);
                    again.tries = part.tries + 1;
                    again.failed_at = part.failed_at.clone();
                    again.failed_at.insert(device);
                    task.parts.push(again);
                    let detail = format!("{} failed at one text; it goes elsewhere", device.short());
                    task.record(now, Stage::Retrying, Some(device), detail);
                }
                _ => settle_text(&mut task.results, at, outcome),
            }
        }
        self.finish_if_settled(now, task, around);
    }

    /// This computer's workers began with a part.
    pub(crate) fn started_here(&mut self, now: Now, task: TaskId, around: &mut Surroundings<'_>) {
        self.with(task, around, |_, task, around| {
            let me = around.post.me;
            if !task.has_stage(Stage::Computing, me) {
                task.record(now, Stage::Computing, Some(me), "Computing on this computer".to_owned());
                around.post.emit(Output::TaskChanged { task: task.id });
            }
        });
    }

    pub(crate) fn done_here(
        &mut self,
        now: Now,
        task: TaskId,
        part: u32,
        outcomes: Vec<TextOutcome>,
        around: &mut Surroundings<'_>,
    ) {
        self.with(task, around, |requester, task, around| {
            let index = part as usize;
            if !task.parts.get(index).is_some_and(|part| matches!(part.state, PartState::Here)) {
                return;
            }
            let me = around.post.me;
            if !task.providers.contains(&me) {
                task.providers.push(me);
            }
            task.parts[index].state = PartState::Done;
            requester.settle_part(now, task, index, outcomes, None, around);
        });
    }

    /// The workers of this computer cannot start.
    pub(crate) fn unavailable_here(
        &mut self,
        now: Now,
        task: TaskId,
        part: u32,
        reason: &str,
        around: &mut Surroundings<'_>,
    ) {
        self.with(task, around, |requester, task, around| {
            let range = task.parts.get(part as usize).map_or(0..0, |part| part.texts.clone());
            for at in range {
                settle_text(&mut task.results, at, Err(TextFailure::Model));
            }
            task.why_failed = Some(reason.to_owned());
            if let Some(part) = task.parts.get_mut(part as usize) {
                part.state = PartState::Done;
            }
            requester.finish_if_settled(now, task, around);
        });
    }
}
