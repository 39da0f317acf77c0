//! What comes back: progress, results, refusals, and answers of this computer's own workers.

use p2p_types::{Credits, DeviceId, Now, Placement, TaskId, TextFailure};

use super::loss::Loss;
use super::task::{Part, PartState, QUIET_MS, Stage, Task};
use super::{Bill, Requester, Surroundings, candidates, settle_text};
use crate::digest::{input_hash, output_hash};
use crate::io::{Durable, Output};
use crate::outcome::{TextOutcome, from_wire};
use crate::receipt::{Expected, check};
use crate::wire;

/// Providers that may fail at one text before their word on it is taken.
const TEXT_TRIES: u32 = 2;

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
                requester.lose_all(now, task, from, Loss::Wrong(why), around);
            }
            requester.advance(now, task, around);
        });
        verdict
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
        let PartState::There { model, since, renewed, paid, .. } = task.parts[index].state else { return Ok(()) };
        let range = task.parts[index].texts.clone();
        let texts = &task.texts[range.clone()];
        if result.outcomes.len() != texts.len() {
            return Err("answered fewer or more texts than it was given");
        }
        let answers = result.outcomes.into_iter().zip(texts).map(|(outcome, text)| from_wire(outcome, task.kind, text));
        let outcomes: Vec<TextOutcome> =
            answers.collect::<Option<_>>().ok_or("answered something that is no answer to the question")?;
        let expected = Expected {
            task: task.id,
            part: result.part,
            first_text: range.start as u32,
            texts: texts.len() as u32,
            kind: task.kind,
            provider: from,
            requester: around.post.me,
            input: input_hash(task.kind, task.chunk, texts),
            model,
            output: output_hash(&outcomes),
            elapsed_us: now.mono.since(since),
            now: now.wall,
        };
        let receipt = check(&result.receipt, &*around.post.scheme, &around.post.network, &expected)?;
        // An assignment that is taken renews the bid it was made under.
        if let Some(offer) = self.offers.get_mut(&(from, task.kind)) {
            offer.until = offer.until.max(renewed);
        }
        let signed = receipt.signed.clone();
        around.post.persist(Durable::Receipt { task: task.id, part: result.part, provider: from, signed });
        if let Some(peer) = around.peers.get_mut(&from) {
            peer.done += 1;
        }
        if !task.has_stage(Stage::Computing, from) {
            // It was too quick to be told of: the receipt says when it began.
            let begun = now.mono.since(task.begun).saturating_sub(receipt.compute_us);
            task.record_at(now.wall, begun, Stage::Computing, Some(from), format!("Computing on {}", from.short()));
        }
        if !task.providers.contains(&from) {
            task.providers.push(from);
        }
        task.receipts.push(receipt);
        self.take_from(task, index);
        task.parts[index].state = PartState::Done;
        if let (Some((hold, price)), Some(pay)) = (paid, around.pay.as_deref_mut())
            && task.is_worth_paying(&range, &outcomes)
            && let price = pay.due(task.kind, &task.texts[range], &outcomes).min(price)
            && !price.is_zero()
        {
            task.paid = task.paid.plus(price).unwrap_or(Credits::MAX);
            let bill = Bill { payee: from, hold, task: task.id, price };
            pay.pay(now, task.payer, &bill, around.post);
        }
        self.settle_part(now, task, index, outcomes, Some(from), around);
        Ok(())
    }

    /// Takes the outcomes of a part. Texts that a provider failed at go to another, where there is
    /// one: what failed there may be fine, whatever that provider says.
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
        let again = from.filter(|device| part.tries < TEXT_TRIES && has_alternative(task, &part, *device, around));
        let first_new = task.parts.len();
        for (at, outcome) in part.texts.clone().zip(outcomes) {
            match (&outcome, again) {
                (Err(failure), Some(device)) => task.try_again(at, *failure, &part, device, first_new),
                _ => settle_text(&mut task.results, at, outcome),
            }
        }
        if let Some(device) = again {
            let texts: usize = task.parts[first_new..].iter().map(|part| part.texts.len()).sum();
            if texts == part.texts.len() {
                self.avoid(now, device);
            }
            let what = match texts {
                0 => None,
                1 => Some("1 text; it goes elsewhere".to_owned()),
                _ => Some(format!("{texts} texts; they go elsewhere")),
            };
            if let Some(what) = what {
                task.record(now, Stage::Retrying, Some(device), format!("{} failed at {what}", device.short()));
            }
        }
        self.finish_if_settled(now, task, around);
    }

    /// How long this computer's workers may take for a part of `task` that they begin with now. Their
    /// own queue counts: what a task has waited there is gone from its time.
    pub(crate) fn order_ms(&self, now: Now, task: &TaskId) -> Option<u64> {
        self.tasks.get(task).map(|task| task.order_ms(now, 0))
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
            let mut outcomes = outcomes;
            outcomes.resize(task.parts[index].texts.len(), Err(TextFailure::Model));
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

/// Whether a text that `device` failed at could be computed elsewhere.
fn has_alternative(task: &Task, part: &Part, device: DeviceId, around: &Surroundings<'_>) -> bool {
    let here = task.placement == Placement::Auto && around.here.contains_key(&task.kind);
    here || candidates(task, around).any(|(other, _)| other != device && !part.failed_at.contains(&other))
}
