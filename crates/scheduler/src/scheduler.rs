//! The machine: fed with inputs, it answers with a verdict for each class.

mod report;

use std::collections::VecDeque;

use p2p_types::{Monotonic, Now, SignalKind, Timestamp, Told};
use serde::{Deserialize, Serialize};

use crate::board::Board;
use crate::calendar::MINUTE_MS;
use crate::gate::{Gate, Raw};
use crate::judge::{ByHand, Facts, judge, zone};
use crate::{Allowance, Checked, Class, HOLDS, Reason, Resumes, Rule, START_MS, SourceId, Verdict, until_tomorrow};

pub use self::report::{Effect, RuleState, Seen};

/// Outputs that nobody fetches are not kept for ever: the oldest go.
const MAX_OUTPUTS: usize = 256;

/// What this computer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    pub processors: u16,
    pub memory_bytes: u64,
    /// The most that one worker takes: so many of them fit in the owner's limit.
    pub worker_bytes: u64,
}

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A source tells something, which holds for its lease and no longer than
    /// [`crate::MAX_LEASE_MS`]. `session` says that it watches a session that somebody may sit at.
    Told {
        source: SourceId,
        session: bool,
        lease_ms: u64,
        told: Told,
    },
    /// A source says goodbye.
    Leave {
        source: SourceId,
    },
    Policy(Box<Checked>),
    /// The owner pauses: until they resume, or until a time.
    PauseByHand {
        until: Option<Timestamp>,
    },
    Resume,
    /// Bytes that went over the network this month.
    DataUsed {
        month_bytes: u64,
    },
    /// Bytes that the node keeps on the disk.
    DiskUsed {
        bytes: u64,
    },
    /// Time has passed.
    Tick,
}

/// What made a verdict change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    Told {
        source: SourceId,
        kind: SignalKind,
    },
    Left {
        source: SourceId,
    },
    Policy,
    /// The owner paused or resumed.
    Owner,
    Usage,
    /// A hold, a lease, an hour or a pause ended.
    Time,
}

/// Something to do or to write down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// For the decision log and for who does the work.
    Changed { class: Class, from: Verdict, to: Verdict, cause: Cause, at: Timestamp },
    /// The same for the same reason in other words or figures: for who shows the sentence.
    Reworded { class: Class, verdict: Verdict },
}

/// Signals in, verdicts out. Feed it with [`Self::handle`], drain [`Self::poll_output`] until it is
/// empty, and come back with [`Input::Tick`] at [`Self::next_deadline`].
#[derive(Debug)]
pub struct Scheduler {
    policy: Checked,
    machine: Machine,
    board: Board,
    by_hand: Option<ByHand>,
    month_bytes: u64,
    disk_bytes: u64,
    started: Monotonic,
    gates: [Gate; HOLDS.len()],
    verdicts: [Verdict; 3],
    outputs: VecDeque<Output>,
    deadline: Option<Monotonic>,
}

impl Scheduler {
    /// Guests and duties wait for [`START_MS`] first.
    #[must_use]
    pub fn new(policy: Checked, machine: Machine, now: Now) -> Self {
        let starting = Verdict::Pause { reason: Reason::Starting, resumes: Resumes::Shortly { within_ms: START_MS } };
        let mut scheduler = Self {
            policy,
            machine,
            board: Board::default(),
            by_hand: None,
            month_bytes: 0,
            disk_bytes: 0,
            started: now.mono,
            gates: [Gate::default(); HOLDS.len()],
            verdicts: [starting; 3],
            outputs: VecDeque::new(),
            deadline: None,
        };
        scheduler.settle(now, Cause::Time);
        scheduler.outputs.clear();
        scheduler
    }

    /// One mutation. What time alone changed comes first, and is not blamed on the input.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.settle(now, Cause::Time);
        let cause = match input {
            Input::Tick => return,
            Input::Told { source, session, lease_ms, told } => {
                self.board.told(now.mono, source, session, lease_ms, told);
                Cause::Told { source, kind: told.kind }
            }
            Input::Leave { source } => {
                self.board.leave(now.mono, source);
                Cause::Left { source }
            }
            Input::Policy(policy) => {
                self.set_policy(now, *policy);
                Cause::Policy
            }
            Input::PauseByHand { until } => {
                let ends = until.map(|until| now.mono.plus_ms(until.since(now.wall)));
                self.by_hand = Some(ByHand { until, ends });
                Cause::Owner
            }
            Input::Resume => {
                self.by_hand = None;
                Cause::Owner
            }
            Input::DataUsed { month_bytes } => {
                self.month_bytes = month_bytes;
                Cause::Usage
            }
            Input::DiskUsed { bytes } => {
                self.disk_bytes = bytes;
                Cause::Usage
            }
        };
        self.settle(now, cause);
    }

    /// May work of this class run?
    #[must_use]
    pub const fn verdict(&self, class: Class) -> &Verdict {
        &self.verdicts[class as usize]
    }

    /// When to come back if nothing happens. `None` where no time changes anything.
    #[must_use]
    pub fn next_deadline(&self, now: Now) -> Option<Monotonic> {
        self.deadline.map(|deadline| deadline.max(now.mono))
    }

    /// What is to be done, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Paused by hand, and until when on the calendar as it stands now.
    #[must_use]
    pub fn paused_by_hand(&self) -> Option<Option<Timestamp>> {
        self.by_hand.map(|by_hand| by_hand.until)
    }

    /// The rules as they are.
    #[must_use]
    pub const fn policy(&self) -> &Checked {
        &self.policy
    }

    /// Minutes east of UTC, where somebody told them.
    #[must_use]
    pub fn zone_minutes(&self, now: Now) -> Option<i16> {
        zone(&self.board, now.mono)
    }

    /// When a pause "until tomorrow" ends here.
    #[must_use]
    pub fn until_tomorrow(&self, now: Now) -> Timestamp {
        until_tomorrow(now.wall, self.zone_minutes(now).unwrap_or(0))
    }

    fn facts(&self, now: Now) -> Facts<'_> {
        Facts {
            policy: &self.policy,
            board: &self.board,
            by_hand: self.by_hand,
            month_bytes: self.month_bytes,
            disk_bytes: self.disk_bytes,
            started: self.started,
            now,
        }
    }

    /// A rule that the new policy itself clears is not held: the owner meant it.
    fn set_policy(&mut self, now: Now, policy: Checked) {
        let before: Vec<Raw> = Rule::all().map(|rule| judge(rule, &self.facts(now)).raw).collect();
        self.policy = policy;
        for (rule, before) in Rule::all().zip(before) {
            if before != Raw::Clear && judge(rule, &self.facts(now)).raw == Raw::Clear {
                self.gates[rule as usize].open();
            }
        }
    }

    fn settle(&mut self, now: Now, cause: Cause) {
        self.board.refresh(now.mono);
        self.keep_pause(now);
        let mut deadline = self.board.deadline(now.mono);
        for rule in Rule::all() {
            let judged = judge(rule, &self.facts(now));
            let gate = &mut self.gates[rule as usize];
            gate.step(now.mono, judged.raw, rule.hold(), judged.reason, judged.resumes);
            let due = gate.due(rule.hold()).into_iter().chain(judged.until);
            deadline = deadline.into_iter().chain(due).filter(|at| *at > now.mono).min();
        }
        self.deadline = deadline;
        for class in Class::ALL {
            self.decide(class, cause, now);
        }
    }

    /// A pause ends after so long, whatever the clock on the wall does; where that jumped, the time
    /// that is shown follows.
    fn keep_pause(&mut self, now: Now) {
        let Some(ByHand { until: Some(until), ends: Some(ends) }) = self.by_hand else { return };
        let left_ms = ends.since(now.mono) / 1000;
        if left_ms == 0 {
            self.by_hand = None;
            return;
        }
        let shown = now.wall.plus_ms(left_ms);
        if shown.0.abs_diff(until.0) > MINUTE_MS {
            self.by_hand = Some(ByHand { until: Some(shown), ends: Some(ends) });
        }
    }

    fn decide(&mut self, class: Class, cause: Cause, now: Now) {
        let to = match self.blocking(class) {
            Some((reason, resumes)) => Verdict::Pause { reason, resumes },
            None => Verdict::Run(self.allowance(class)),
        };
        let verdict = &mut self.verdicts[class as usize];
        let from = std::mem::replace(verdict, to);
        if from == to {
            return;
        }
        if self.outputs.len() == MAX_OUTPUTS {
            self.outputs.pop_front();
        }
        self.outputs.push_back(if from.rewords(&to) {
            Output::Reworded { class, verdict: to }
        } else {
            Output::Changed { class, from, to, cause, at: now.wall }
        });
    }

    /// The first rule with a cause now; else, of those that hold, the one that lets go last.
    fn blocking(&self, class: Class) -> Option<(Reason, Resumes)> {
        let closed = || Rule::all().filter(|rule| rule.binds(class) && self.gate(*rule).closed);
        let first = closed().find(|rule| !self.gate(*rule).holds());
        let last = || closed().max_by_key(|rule| (self.gate(*rule).due(rule.hold()), std::cmp::Reverse(*rule)));
        first.or_else(last).and_then(|rule| self.gate(rule).why(rule.hold()))
    }

    const fn gate(&self, rule: Rule) -> &Gate {
        &self.gates[rule as usize]
    }

    fn allowance(&self, class: Class) -> Allowance {
        let Machine { processors, memory_bytes, worker_bytes } = self.machine;
        let processors = processors.max(1);
        let share = |workers: u16| u16::try_from(u32::from(workers) * 1000 / u32::from(processors)).unwrap_or(1000);
        let policy = &self.policy;
        let cap = u32::from(policy.cpu_permille);
        let memory = policy.memory_bytes.min(memory_bytes);
        let network = !Rule::all().any(|rule| rule.is_network() && self.gate(rule).closed);
        let (workers, cpu_permille, memory_bytes, upload_bytes_per_s) = match class {
            Class::Mine => (processors, 1000, memory_bytes.saturating_sub(policy.hard.memory.stop), None),
            Class::Guest => {
                let wanted = (cap * u32::from(processors)).div_ceil(1000);
                let fit = u16::try_from(memory / worker_bytes.max(1)).unwrap_or(u16::MAX);
                let workers = u16::try_from(wanted).unwrap_or(processors).min(policy.max_workers).min(fit).max(1);
                (workers, policy.cpu_permille.min(share(workers).max(1)), memory, policy.upload_bytes_per_s)
            }
            // One worker's share at most: a notary never needs more.
            Class::Duty => (1, policy.cpu_permille.min(share(1).max(1)), memory, policy.upload_bytes_per_s),
        };
        Allowance { workers, cpu_permille, memory_bytes, upload_bytes_per_s, network }
    }
}
