//! One task: its texts, its parts, its story.

use std::collections::BTreeSet;
use std::ops::Range;

use p2p_types::{
    Credits, DeviceId, Hash, Monotonic, Now, Output as Answer, Placement, Priority, Privacy, TaskId, TaskKind,
    TextFailure, Timestamp, limits,
};

use super::admit::text_limit;
use super::{Texts, settle_text};
use crate::io::{ChunkSizes, Class, TaskRequest, Work};
use crate::outcome::TextOutcome;
use crate::pay::{Lack, Payer};
use crate::receipt::CheckedReceipt;

/// Stage records that one task keeps; the last one always finds room.
const MAX_STAGES: usize = 64;
/// How long one part may take at one provider.
pub(super) const PART_TIMEOUT_MS: u64 = 60_000;
/// An order ends by this much before whoever gave it stops waiting, or by a quarter of the time
/// where that is less: by then what it finished is handed over, and is not lost with the rest.
const HANDOVER_MS: u64 = 200;
/// A provider that says nothing for this long while it has a part has gone quiet.
pub(super) const QUIET_MS: u64 = 5000;

/// A step on the way of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Searching,
    Assigned,
    Computing,
    Retrying,
    Done,
    Failed,
    Cancelled,
}

/// Where a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Searching,
    Assigned,
    Computing,
    Done,
    Partial,
    Failed,
    Cancelled,
}

impl State {
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Partial | Self::Failed | Self::Cancelled)
    }
}

/// One line of the story of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageRecord {
    pub stage: Stage,
    pub at: Timestamp,
    /// Since the task was submitted.
    pub elapsed_us: u64,
    pub provider: Option<DeviceId>,
    pub detail: String,
}

#[derive(Debug, Clone)]
pub(super) enum PartState {
    Waiting,
    /// In this computer's own queue.
    Here,
    There {
        device: DeviceId,
        /// What its bid promised to compute with.
        model: Hash,
        since: Monotonic,
        /// Until when its bid stands, where it took the part.
        renewed: Monotonic,
        give_up: Monotonic,
        quiet: Monotonic,
        /// The hold that it is paid out of, and how much.
        paid: Option<(Hash, Credits)>,
    },
    Done,
}

#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) texts: Range<usize>,
    pub(super) state: PartState,
    pub(super) tries: u32,
    pub(super) failed_at: BTreeSet<DeviceId>,
    /// What a provider said of its texts before they were tried again.
    pub(super) failure: Option<TextFailure>,
}

impl Part {
    pub(super) fn new(texts: Range<usize>) -> Self {
        Self { texts, state: PartState::Waiting, tries: 0, failed_at: BTreeSet::new(), failure: None }
    }

    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.state, PartState::Waiting)
    }

    pub(super) const fn provider(&self) -> Option<DeviceId> {
        match self.state {
            PartState::There { device, .. } => Some(device),
            PartState::Waiting | PartState::Here | PartState::Done => None,
        }
    }
}

/// A task of this node's owner.
#[derive(Debug)]
pub struct Task {
    pub id: TaskId,
    pub kind: TaskKind,
    pub privacy: Privacy,
    pub placement: Placement,
    pub priority: Priority,
    pub submitted: Timestamp,
    pub state: State,
    pub stages: Vec<StageRecord>,
    /// One for each text; `None` while it is not known.
    pub results: Vec<Option<TextOutcome>>,
    /// In order of first result.
    pub providers: Vec<DeviceId>,
    pub receipts: Vec<CheckedReceipt>,
    pub duration_us: Option<u64>,
    /// Why the task as a whole failed, where one sentence says it.
    pub why_failed: Option<String>,
    pub payer: Payer,
    /// What providers were paid for it so far.
    pub paid: Credits,
    pub(super) only: Option<DeviceId>,
    /// The right answers, where they are known.
    pub(super) expected: Vec<Answer>,
    /// Why it could not be paid somewhere, the last time somebody was looked for.
    pub(super) lack: Option<Lack>,
    pub(super) chunk: ChunkSizes,
    pub(super) texts: Texts,
    pub(super) parts: Vec<Part>,
    pub(super) begun: Monotonic,
    pub(super) deadline: Option<Monotonic>,
    /// What waits is computed on this computer.
    pub(super) here: bool,
    /// Whose bids are waited for, and until when.
    pub(super) awaiting: BTreeSet<DeviceId>,
    pub(super) bids_due: Option<Monotonic>,
    pub(super) search_until: Option<Monotonic>,
    /// Who heard of it in this round, and when the next round begins.
    pub(super) asked: BTreeSet<DeviceId>,
    pub(super) ask_again: Option<Monotonic>,
    /// When to look again for somebody to take what waits. Always in the future.
    pub(super) look_again: Option<Monotonic>,
    /// Who answered wrongly: not asked again about this task.
    pub(super) barred: BTreeSet<DeviceId>,
}

impl Task {
    pub(super) fn new(now: Now, request: TaskRequest) -> Self {
        let texts: Texts = request.texts.into();
        let mut results = vec![None; texts.len()];
        for (at, text) in texts.iter().enumerate() {
            if text.trim().is_empty() {
                settle_text(&mut results, at, Err(TextFailure::Empty));
            } else if text.len() > text_limit(request.kind) {
                settle_text(&mut results, at, Err(TextFailure::TooLong));
            }
        }
        let parts = split(&texts, &results).into_iter().map(Part::new).collect();
        Self {
            id: request.id,
            kind: request.kind,
            privacy: request.privacy,
            placement: request.placement,
            priority: request.priority,
            submitted: now.wall,
            state: State::Searching,
            stages: Vec::new(),
            results,
            providers: Vec::new(),
            receipts: Vec::new(),
            duration_us: None,
            why_failed: None,
            payer: request.payer,
            paid: Credits::ZERO,
            only: request.only,
            expected: request.expected,
            lack: None,
            chunk: request.chunk,
            texts,
            parts,
            begun: now.mono,
            deadline: request.deadline_ms.map(|ms| now.mono.plus_ms(ms)),
            here: false,
            awaiting: BTreeSet::new(),
            bids_due: None,
            search_until: None,
            asked: BTreeSet::new(),
            ask_again: None,
            look_again: None,
            barred: BTreeSet::new(),
        }
    }

    /// Whether what came back for a part is worth its price.
    pub(super) fn is_worth_paying(&self, texts: &Range<usize>, outcomes: &[TextOutcome]) -> bool {
        let expected = self.expected.get(texts.clone());
        expected.is_none_or(|expected| p2p_trust::judge(expected, outcomes) == p2p_trust::Outcome::Passed)
    }

    /// Bytes of the texts that it still holds.
    pub(super) fn bytes(&self) -> usize {
        self.texts.iter().map(String::len).sum()
    }

    /// Texts that have a result or an error.
    #[must_use]
    pub fn finished(&self) -> usize {
        self.results.iter().flatten().count()
    }

    pub(super) fn record(&mut self, now: Now, stage: Stage, provider: Option<DeviceId>, detail: String) {
        self.record_at(now.wall, now.mono.since(self.begun), stage, provider, detail);
    }

    pub(super) fn record_at(
        &mut self,
        at: Timestamp,
        elapsed_us: u64,
        stage: Stage,
        provider: Option<DeviceId>,
        detail: String,
    ) {
        self.state = match stage {
            Stage::Searching => State::Searching,
            Stage::Assigned if self.state == State::Computing => State::Computing,
            Stage::Assigned => State::Assigned,
            Stage::Computing => State::Computing,
            Stage::Retrying | Stage::Done | Stage::Failed | Stage::Cancelled => self.state,
        };
        // What a provider says of its timing must not turn the story round.
        let elapsed_us = self.stages.last().map_or(0, |before| before.elapsed_us).max(elapsed_us);
        let last = matches!(stage, Stage::Done | Stage::Failed | Stage::Cancelled);
        if self.stages.len() < MAX_STAGES - 1 || last {
            self.stages.push(StageRecord { stage, at, elapsed_us, provider, detail });
        }
    }

    /// Whether `stage` was recorded of this provider since it last failed.
    pub(super) fn has_stage(&self, stage: Stage, provider: DeviceId) -> bool {
        let about = self.stages.iter().rev().filter(|record| record.provider == Some(provider));
        about.take_while(|record| record.stage != Stage::Retrying).any(|record| record.stage == stage)
    }

    /// Whether a part is still to be handed to another computer.
    pub(super) fn waits_for_others(&self) -> bool {
        !self.here && self.parts.iter().any(Part::is_waiting)
    }

    /// Ends a round of bids whose time is over, and lets the next begin where it is time.
    pub(super) fn close_round(&mut self, now: Now) {
        if self.bids_due.is_some_and(|due| due <= now.mono) {
            self.bids_due = None;
            self.awaiting.clear();
        }
        if self.ask_again.is_some_and(|at| at <= now.mono) {
            self.ask_again = None;
            self.asked.clear();
        }
    }

    /// How long an order for a part may take from now on, with a road of `road_us` to whoever
    /// computes it and back.
    pub(super) fn order_ms(&self, now: Now, road_us: u64) -> u64 {
        let left = self.deadline.map_or(u64::MAX, |deadline| deadline.since(now.mono) / 1000);
        let left = PART_TIMEOUT_MS.min(left);
        let handover = HANDOVER_MS.saturating_add(road_us.div_ceil(1000));
        (left - handover.min(left / 4)).max(1)
    }

    pub(super) fn work(&self, part: usize) -> Work {
        Work {
            work_id: 0,
            class: Class::Mine,
            kind: self.kind,
            texts: self.texts[self.parts[part].texts.clone()].to_vec(),
            chunk: self.chunk,
            timeout_ms: PART_TIMEOUT_MS,
        }
    }

    /// One text that a provider failed at waits again, beside others of this part.
    pub(super) fn try_again(
        &mut self,
        at: usize,
        failure: TextFailure,
        part: &Part,
        failed_at: DeviceId,
        first_new: usize,
    ) {
        if let Some(last) = self.parts[first_new..].last_mut()
            && last.texts.end == at
            && last.failure == Some(failure)
        {
            last.texts.end = at + 1;
            return;
        }
        let mut again = Part::new(at..at + 1);
        again.tries = part.tries + 1;
        again.failed_at.clone_from(&part.failed_at);
        again.failed_at.insert(failed_at);
        again.failure = Some(failure);
        self.parts.push(again);
    }

    /// Ends waiting parts, by their index: with what a provider said of them, else with `failure`.
    pub(super) fn fail_waiting(&mut self, which: impl Fn(usize) -> bool, failure: TextFailure) {
        let cancelled = failure == TextFailure::Cancelled;
        for (_, part) in self.parts.iter_mut().enumerate().filter(|(index, part)| part.is_waiting() && which(*index)) {
            part.state = PartState::Done;
            let failure = part.failure.filter(|_| !cancelled).unwrap_or(failure);
            for at in part.texts.clone() {
                settle_text(&mut self.results, at, Err(failure));
            }
        }
    }

    /// Ends the task where nothing is missing. `true` when it ended just now.
    pub(super) fn settle(&mut self, now: Now) -> bool {
        if self.state.is_final() || self.results.iter().any(Option::is_none) {
            return false;
        }
        let good = self.results.iter().flatten().filter(|result| result.is_ok()).count();
        let all = self.results.len();
        let cancelled = self.results.iter().flatten().any(|result| *result == Err(TextFailure::Cancelled));
        let taken = now.mono.since(self.begun);
        let (state, stage, detail) = match good {
            _ if cancelled => (State::Cancelled, Stage::Cancelled, format!("Cancelled; {good} of {all} were done")),
            0 => (State::Failed, Stage::Failed, "None of it could be computed".to_owned()),
            _ if good < all => (State::Partial, Stage::Done, format!("{good} of {all} done, the others failed")),
            _ => (State::Done, Stage::Done, format!("Done in {}.{:03} s", taken / 1_000_000, taken / 1000 % 1000)),
        };
        self.record(now, stage, self.providers.first().copied(), detail);
        self.state = state;
        self.duration_us = Some(taken);
        self.parts = Vec::new();
        self.texts = Texts::from([]);
        true
    }

    pub(super) fn next_deadline(&self) -> Option<Monotonic> {
        let parts = self.parts.iter().filter_map(|part| match part.state {
            PartState::There { give_up, quiet, .. } => Some(give_up.min(quiet)),
            PartState::Waiting | PartState::Here | PartState::Done => None,
        });
        let look_again = self.look_again.filter(|_| self.waits_for_others());
        parts.chain(self.deadline).chain(look_again).min()
    }
}

/// Runs of texts that still need an answer, each small enough for one part.
fn split(texts: &[String], results: &[Option<TextOutcome>]) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (at, text) in texts.iter().enumerate() {
        if results[at].is_some() {
            continue;
        }
        match parts.last_mut() {
            Some(part)
                if part.end == at
                    && part.len() < limits::SUBTASK_TEXTS
                    && bytes + text.len() <= limits::SUBTASK_BYTES =>
            {
                part.end += 1;
                bytes += text.len();
            }
            _ => {
                parts.push(at..at + 1);
                bytes = text.len();
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_small_and_cover_what_is_needed() {
        let texts: Vec<String> = (0..100).map(|number| format!("text {number}")).collect();
        let mut results = vec![None; 100];
        results[40] = Some(Err(TextFailure::Empty));
        let parts = split(&texts, &results);
        assert_eq!(parts, [0..32, 32..40, 41..73, 73..100]);
        let long = vec!["x".repeat(limits::SUBTASK_BYTES); 3];
        assert_eq!(split(&long, &[None, None, None]), [0..1, 1..2, 2..3]);
    }
}
