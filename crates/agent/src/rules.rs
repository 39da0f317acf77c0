//! When this computer may work: the scheduler, with those who tell it something.

mod own;
mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use p2p_control::api::{ErrorCode, Problem, Schedule, SignalReport};
use p2p_inference::LEAST_WORKER_MEMORY;
use p2p_platform::signals::{self, Heard, Options, Pace, Scope, Watcher};
use p2p_scheduler::{Class, Input, Machine, Output, Reason, Scheduler, SourceId, Verdict, Words, sentence};
use p2p_types::{Hash, Monotonic, Now, SignalKind, Timestamp, Told};
use tracing::warn;

use crate::config::Config;

pub(crate) use view::{Kept, timeline};

/// The daemon's own watch of the computer.
const OWN: SourceId = SourceId(0);
const OWN_NAME: &str = "daemon";
/// Silence of the own watch means that nothing changed, so it is asked to say all again this often, within its lease.
const SAY_AGAIN_MS: u64 = 300_000;
const LEASE_MS: u64 = 600_000;
/// Names of sources that are remembered: more than the scheduler hears.
const NAMES: usize = 64;

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
    /// What the own watch told last, of each kind, while it lives.
    told: BTreeMap<SignalKind, Told>,
    say_again: Monotonic,
    names: BTreeMap<SourceId, String>,
    /// The folder whose disk is watched; `None` where nobody is to watch.
    data: Option<PathBuf>,
    watch: Option<(Watcher, Heard)>,
    busy: bool,
    /// Whether input decides about guests: then they are stopped as it comes, before anything is decided.
    heeds_input: Arc<AtomicBool>,
}

impl Rules {
    /// Begins to watch the computer.
    pub(crate) fn begin(config: &Config, data: PathBuf, now: Now) -> Self {
        let machine = Machine {
            processors: p2p_platform::processors(),
            memory_bytes: p2p_platform::memory_bytes().unwrap_or(u64::MAX),
            worker_bytes: LEAST_WORKER_MEMORY,
        };
        let mut rules = Self::new(config, machine, Some(data), now);
        rules.watch();
        rules
    }

    fn new(config: &Config, machine: Machine, data: Option<PathBuf>, now: Now) -> Self {
        let scheduler = Scheduler::new(policy(config), machine, now);
        let heeds_input = Arc::new(AtomicBool::new(scheduler.policy().heeds_input()));
        Self {
            scheduler,
            processors: machine.processors,
            told: BTreeMap::new(),
            say_again: now.mono.plus_ms(SAY_AGAIN_MS),
            names: BTreeMap::from([(OWN, OWN_NAME.to_owned())]),
            data,
            watch: None,
            busy: false,
            heeds_input,
        }
    }

    fn watch(&mut self) {
        let Some(data) = &self.data else { return };
        let pace = if self.busy { Pace::Work } else { Pace::Rest };
        let watch = signals::watch_newest(Scope::Machine, Options { pace, ..Options::new(data.clone()) });
        self.watch = watch.inspect_err(|error| warn!(%error, "this computer cannot be watched")).ok();
    }

    /// Rules without anybody who watches, for tests of the engine.
    #[cfg(test)]
    pub(crate) fn unwatched(config: &Config, now: Now) -> Self {
        let machine = Machine { processors: 4, memory_bytes: 1 << 33, worker_bytes: LEAST_WORKER_MEMORY };
        let mut rules = Self::new(config, machine, None, now);
        for kind in SignalKind::ALL {
            rules.say(now, Told { kind, by: p2p_types::By::Nothing, reading: Err(p2p_types::Untold::Absent) });
        }
        rules
    }

    /// Waits for what the own watch tells; `None` when it has ended. For ever where there is none.
    pub(crate) async fn hear(&mut self) -> Option<Vec<Told>> {
        match &mut self.watch {
            // None of what the computer tells grows older: since when it is so says nothing here.
            Some((_, heard)) => Some(heard.next().await?.into_iter().map(|(told, _)| told).collect()),
            None => std::future::pending().await,
        }
    }

    /// What [`Self::hear`] heard.
    pub(crate) fn heard(&mut self, now: Now, told: Option<Vec<Told>>) {
        if let Some(told) = told {
            told.into_iter().for_each(|told| self.say(now, told));
            return;
        }
        warn!("the watch of this computer has ended; it is begun anew in a while");
        self.watch = None;
        self.told.clear();
        self.scheduler.handle(now, Input::Leave { source: OWN });
    }

    fn say(&mut self, now: Now, told: Told) {
        self.told.insert(told.kind, told);
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

    /// What is used up: bytes over the network this month, bytes that the home takes.
    pub(crate) fn used(&mut self, now: Now, month_bytes: u64, home_bytes: u64) {
        self.scheduler.handle(now, Input::DataUsed { month_bytes });
        self.scheduler.handle(now, Input::DiskUsed { bytes: home_bytes });
    }

    pub(crate) fn tick(&mut self, now: Now) {
        if self.data.is_some() && self.say_again <= now.mono {
            self.say_again = now.mono.plus_ms(SAY_AGAIN_MS);
            match &self.watch {
                // Its answer renews its lease, and nothing else does: a thread that hangs is not believed.
                Some((watcher, _)) => watcher.say_again(),
                None => self.watch(),
            }
        }
        self.scheduler.handle(now, Input::Tick);
    }

    pub(crate) fn next_deadline(&self, now: Now) -> Option<Monotonic> {
        let again = self.data.is_some().then_some(self.say_again);
        self.scheduler.next_deadline(now).into_iter().chain(again).min()
    }

    /// Paused by hand, and until when on the calendar as it stands now.
    pub(crate) fn by_hand(&self) -> Option<Option<Timestamp>> {
        self.scheduler.paused_by_hand()
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
    pub(crate) fn set_busy(&mut self, busy: bool) {
        self.busy = busy;
        if let Some((watcher, _)) = &self.watch {
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

    /// Why even what the owner asked for waits, in one sentence.
    pub(crate) fn why_not_mine(&self, now: Now) -> Option<String> {
        let verdict = self.verdict(Class::Mine);
        (!verdict.runs()).then(|| sentence(verdict, &self.words(now)))
    }

    pub(crate) fn upload_bytes_per_s(&self) -> Option<u64> {
        self.scheduler.policy().upload_bytes_per_s
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
