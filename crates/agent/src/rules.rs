//! When this computer may work: the scheduler, with those who tell it something.

mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use p2p_control::api::{ErrorCode, Problem, Schedule, SignalReport};
use p2p_platform::signals::{self, Options, Pace, Scope, Watcher};
use p2p_scheduler::{Class, Input, Machine, Output, Reason, Scheduler, SourceId, Verdict, Words, sentence};
use p2p_types::{Hash, Monotonic, Now, SignalKind, Timestamp, Told};
use tokio::sync::mpsc;
use tracing::warn;

use crate::config::Config;

pub(crate) use view::{Kept, timeline};

/// The daemon's own watch of the computer.
const OWN: SourceId = SourceId(0);
const OWN_NAME: &str = "daemon";
/// Silence of the own watch means that nothing changed, so its word is said again this often, within its lease.
const SAY_AGAIN_MS: u64 = 300_000;
const LEASE_MS: u64 = 600_000;
/// Names of sources that are remembered: more than the scheduler hears.
const NAMES: usize = 64;
/// What the own watch tells before it is taken.
const WAITING: usize = 64;

/// What follows from a change of verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ruling {
    /// For the log of decisions, where guests' verdict changed.
    pub(crate) kept: Option<(Timestamp, Vec<u8>)>,
}

/// The scheduler of a process. It outlives a change of network.
#[derive(Debug)]
pub(crate) struct Rules {
    scheduler: Scheduler,
    processors: u16,
    /// What the own watch told last, of each kind.
    told: BTreeMap<SignalKind, Told>,
    say_again: Monotonic,
    names: BTreeMap<SourceId, String>,
    watcher: Option<Watcher>,
    /// Whether input decides about guests: then they are stopped as it comes, before anything is decided.
    heeds_input: Arc<AtomicBool>,
}

impl Rules {
    /// Begins to watch the computer. What is told comes through the receiver.
    pub(crate) fn begin(config: &Config, data: PathBuf, now: Now) -> (Self, mpsc::Receiver<Told>) {
        let (tell, told) = mpsc::channel(WAITING);
        let watcher = signals::watch(Scope::Machine, Options::new(data), move |told| {
            // Only changes are told: so many do not wait unless the loop is stuck, and then nothing is decided.
            let _ = tell.try_send(told);
        });
        let watcher = watcher.inspect_err(|error| warn!(%error, "this computer cannot be watched")).ok();
        let processors = p2p_platform::processors();
        let memory_bytes = p2p_platform::memory_bytes().unwrap_or(u64::MAX);
        (Self::new(config, Machine { processors, memory_bytes }, watcher, now), told)
    }

    fn new(config: &Config, machine: Machine, watcher: Option<Watcher>, now: Now) -> Self {
        let scheduler = Scheduler::new(policy(config), machine, now);
        let heeds_input = Arc::new(AtomicBool::new(scheduler.policy().heeds_input()));
        Self {
            scheduler,
            processors: machine.processors,
            told: BTreeMap::new(),
            say_again: now.mono.plus_ms(SAY_AGAIN_MS),
            names: BTreeMap::from([(OWN, OWN_NAME.to_owned())]),
            watcher,
            heeds_input,
        }
    }

    /// Rules without anybody who watches, for tests of the engine.
    #[cfg(test)]
    pub(crate) fn unwatched(config: &Config, now: Now) -> Self {
        let machine = Machine { processors: 4, memory_bytes: 1 << 33 };
        let mut rules = Self::new(config, machine, None, now);
        for kind in SignalKind::ALL {
            let told = Told { kind, by: p2p_types::By::Nothing, reading: Err(p2p_types::Untold::Absent) };
            rules.told(now, told);
        }
        rules
    }

    pub(crate) fn told(&mut self, now: Now, told: Told) {
        self.told.insert(told.kind, told);
        self.say(now, told);
    }

    fn say(&mut self, now: Now, told: Told) {
        self.scheduler.handle(now, Input::Told { source: OWN, session: false, lease_ms: LEASE_MS, told });
    }

    /// What somebody in a session tells.
    pub(crate) fn report(&mut self, now: Now, report: &SignalReport) -> Result<(), Problem> {
        let digest = Hash::of(report.source.as_bytes());
        let number = digest.0.first_chunk::<8>().map_or(1, |bytes| u64::from_le_bytes(*bytes)).max(1);
        let source = SourceId(number);
        if !self.names.contains_key(&source) {
            if self.names.len() >= NAMES {
                self.names.retain(|source, _| *source == OWN);
            }
            self.names.insert(source, report.source.clone());
        }
        if report.lease_ms == 0 {
            self.scheduler.handle(now, Input::Leave { source });
            return Ok(());
        }
        for told in &report.told {
            let Some(told) = told.read() else {
                return Err(Problem::new(ErrorCode::BadRequest, "a signal has a reading of another kind"));
            };
            self.scheduler.handle(now, Input::Told { source, session: true, lease_ms: report.lease_ms, told });
        }
        Ok(())
    }

    pub(crate) fn pause(&mut self, now: Now, until: Option<Timestamp>) {
        self.scheduler.handle(now, Input::PauseByHand { until });
    }

    pub(crate) fn resume(&mut self, now: Now) {
        self.scheduler.handle(now, Input::Resume);
    }

    pub(crate) fn set_policy(&mut self, now: Now, config: &Config) {
        self.scheduler.handle(now, Input::Policy(Box::new(policy(config))));
        self.heeds_input.store(self.scheduler.policy().heeds_input(), Ordering::Relaxed);
    }

    pub(crate) fn tick(&mut self, now: Now) {
        if self.watcher.is_some() && self.say_again <= now.mono {
            self.say_again = now.mono.plus_ms(SAY_AGAIN_MS);
            for told in self.told.values().copied().collect::<Vec<_>>() {
                self.say(now, told);
            }
        }
        self.scheduler.handle(now, Input::Tick);
    }

    pub(crate) fn next_deadline(&self, now: Now) -> Option<Monotonic> {
        let again = self.watcher.is_some().then_some(self.say_again);
        self.scheduler.next_deadline(now).into_iter().chain(again).min()
    }

    /// What changed since the last time: once for each change of a verdict, and for new words.
    pub(crate) fn poll(&mut self) -> Option<Ruling> {
        Some(match self.scheduler.poll_output()? {
            Output::Changed { class: Class::Guest, to, cause, at, .. } => {
                Ruling { kept: Some((at, Kept { verdict: Some(to), cause: Some(cause) }.to_bytes())) }
            }
            Output::Changed { .. } | Output::Reworded { .. } => Ruling { kept: None },
        })
    }

    /// While there is work, what changes fast is read more often.
    pub(crate) fn set_busy(&self, busy: bool) {
        if let Some(watcher) = &self.watcher {
            watcher.set_pace(if busy { Pace::Work } else { Pace::Rest });
        }
    }

    pub(crate) const fn verdict(&self, class: Class) -> &Verdict {
        self.scheduler.verdict(class)
    }

    /// For whoever hears of input first.
    pub(crate) fn heeds_input(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.heeds_input)
    }

    /// Why guests are not let in, in one sentence; `None` while they are.
    pub(crate) fn why_not(&self, now: Now) -> Option<String> {
        let verdict = self.verdict(Class::Guest);
        // The first moment is nothing to speak of.
        let silent = verdict.runs() || verdict.reason() == Some(Reason::Starting);
        (!silent).then(|| sentence(verdict, &self.words(now)))
    }

    pub(crate) fn until_tomorrow(&self, now: Now) -> Timestamp {
        self.scheduler.until_tomorrow(now)
    }

    pub(crate) fn words(&self, now: Now) -> Words {
        let zone_minutes = self.scheduler.zone_minutes(now).unwrap_or(0);
        Words { now: now.wall, zone_minutes, processors: self.processors }
    }

    pub(crate) fn view(&self, now: Now, config: &Config) -> Schedule {
        view::schedule(&self.scheduler, now, &self.words(now), &self.names, config.schedule.preset)
    }
}

/// The configuration was checked when it was read.
fn policy(config: &Config) -> p2p_scheduler::Checked {
    let workers = u16::try_from(config.work.workers).unwrap_or(u16::MAX);
    let processors = p2p_platform::processors();
    config.schedule.policy(processors, workers).unwrap_or_else(|found| {
        warn!(?found, "the rules contradict each other; the quiet ones count");
        p2p_scheduler::Preset::Quiet.checked(processors)
    })
}
