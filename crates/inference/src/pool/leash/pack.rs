//! Who of the workers on the leash runs, by their clocks and nothing else.

mod past;

use std::time::{Duration, Instant};

use super::Allowed;
use past::Past;

/// The shortest slice. Whoever sits before the computer feels nothing shorter, and what a stop and
/// a start cost is small beside it.
const GRAIN: Duration = Duration::from_millis(2);
/// Between two looks at the clocks of workers that run.
const LOOKS: (Duration, Duration) = (Duration::from_micros(250), Duration::from_millis(10));
/// What was not used is kept for so many slices: a look that comes late costs nothing.
const SAVED_SLICES: i128 = 2;
/// What goes over that while they may run, and find no processor free as others have it, is owed to
/// them: at most so many thousandths of a [`WINDOW`] on each processor.
const OWED_PERMILLE: i128 = 20;
/// They get it so much faster than their rate, in thousandths of all processors: nobody sees a burst.
const REPAID_PERMILLE: i128 = 125;
/// Whatever is owed: where they used all that is allowed in a time so long, they are stopped.
const WINDOW: Duration = Duration::from_secs(1);

/// How a worker is stopped, let go and measured.
pub(super) trait Reins {
    fn stop(&self);
    fn resume(&self);
    /// `None` where it has ended.
    fn cpu_time(&self) -> Option<Duration>;
}

#[derive(Debug)]
struct Runner<R> {
    id: u64,
    reins: R,
    /// Its clock at the last look.
    seen: Duration,
    stopped: Option<Instant>,
    /// How long it has been stopped so far.
    held: Duration,
}

/// What one look found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// When to look again; `None` until something changes.
    pub(super) again: Option<Duration>,
    pub(super) stops: u64,
    pub(super) continues: u64,
}

/// The workers that are busy for guests, oldest first, and the time they may still use: it grows
/// with the clock on the wall, shrinks with theirs, and may be overdrawn, which is paid back
/// before anybody runs again.
#[derive(Debug)]
pub(super) struct Pack<R> {
    processors: i128,
    allowed: Allowed,
    runners: Vec<Runner<R>>,
    next_id: u64,
    /// Nanoseconds of processor time.
    credit: i128,
    /// The same, for later.
    owed: i128,
    /// What they used in the last [`WINDOW`].
    past: Past,
    /// Between two slices.
    resting: bool,
    looked: Instant,
}

impl<R: Reins> Pack<R> {
    pub(super) fn new(processors: usize, now: Instant) -> Self {
        Self {
            processors: i128::try_from(processors.max(1)).unwrap_or(1),
            allowed: Allowed::default(),
            runners: Vec::new(),
            next_id: 0,
            credit: 0,
            owed: 0,
            past: Past::new(WINDOW),
            resting: false,
            looked: now,
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.runners.is_empty()
    }

    pub(super) const fn allowed(&self) -> Allowed {
        self.allowed
    }

    /// New rules, from now on.
    pub(super) fn allow(&mut self, now: Instant, allowed: Allowed) {
        self.settle(now);
        if !self.is_capped() {
            // Nobody looked at the clocks until now.
            for runner in &mut self.runners {
                runner.seen = runner.reins.cpu_time().unwrap_or(runner.seen);
            }
            self.credit = 0;
        }
        if allowed.cpu_permille != self.allowed.cpu_permille {
            // What was under another cap says nothing about this one.
            self.past = Past::new(WINDOW);
            self.owed = 0;
        }
        self.allowed = allowed;
        if !self.is_capped() {
            self.resting = false;
        }
    }

    /// One more worker, of which `seen` is not counted. A look must follow.
    pub(super) fn add(&mut self, now: Instant, reins: R, seen: Duration) -> u64 {
        self.settle(now);
        self.next_id += 1;
        self.runners.push(Runner { id: self.next_id, reins, seen, stopped: None, held: Duration::ZERO });
        self.next_id
    }

    /// A worker is no longer busy for guests: it runs. A look must follow.
    pub(super) fn remove(&mut self, now: Instant, id: u64) -> Option<R> {
        self.settle(now);
        let place = self.runners.iter().position(|runner| runner.id == id)?;
        let runner = self.runners.remove(place);
        if runner.stopped.is_some() {
            runner.reins.resume();
        }
        Some(runner.reins)
    }

    /// How long a worker was stopped so far.
    pub(super) fn held(&self, now: Instant, id: u64) -> Duration {
        let runner = self.runners.iter().find(|runner| runner.id == id);
        runner.map_or(Duration::ZERO, |runner| {
            runner.held + runner.stopped.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
        })
    }

    /// Reads the clocks, stops and lets go.
    pub(super) fn look(&mut self, now: Instant, halted: bool) -> Look {
        self.settle(now);
        let most = if halted { 0 } else { usize::from(self.allowed.workers) };
        let running = self.runners.len().min(most);
        let (slice, rate) = (count(running) * nanos(GRAIN), self.rate());
        let room = self.room(now);
        if self.is_capped() {
            self.resting = if self.resting {
                self.credit < slice || room < slice / 8 || rate == 0
            } else {
                self.credit <= 0 || room <= 0
            };
        }
        let (mut stops, mut continues) = (0, 0);
        for (place, runner) in self.runners.iter_mut().enumerate() {
            let runs = place < running && !self.resting;
            match (runs, runner.stopped) {
                (false, None) => {
                    runner.reins.stop();
                    runner.stopped = Some(now);
                    stops += 1;
                }
                (true, Some(since)) => {
                    runner.reins.resume();
                    runner.stopped = None;
                    runner.held += now.saturating_duration_since(since);
                    continues += 1;
                }
                _ => {}
            }
        }
        let again = if running == 0 || !self.is_capped() || rate == 0 {
            None
        } else if self.resting {
            let earned = duration((slice - self.credit).saturating_mul(1000) / (rate + self.repaid()));
            // How soon there is room again depends on what they used a window ago.
            Some(if earned.is_zero() { GRAIN } else { earned })
        } else {
            // Each runs on one processor at most.
            let drain = count(running) * 1000 - rate - self.repaid();
            let left = if drain > 0 { duration(self.credit.saturating_mul(1000) / drain) } else { LOOKS.1 };
            Some(left.min(duration(room / count(running))).clamp(LOOKS.0, LOOKS.1))
        };
        Look { again, stops, continues }
    }

    const fn is_capped(&self) -> bool {
        self.allowed.cpu_permille < 1000
    }

    /// Thousandths of a processor.
    fn rate(&self) -> i128 {
        i128::from(self.allowed.cpu_permille) * self.processors
    }

    /// What may be used before a whole window is above what is allowed.
    fn room(&self, now: Instant) -> i128 {
        nanos(WINDOW) * self.rate() / 1000 - self.past.used(now)
    }

    /// Thousandths of a processor beside the rate.
    const fn repaid(&self) -> i128 {
        if self.owed > 0 { self.processors * REPAID_PERMILLE } else { 0 }
    }

    /// What has passed on the wall is given, what has passed on the workers' clocks is taken.
    fn settle(&mut self, now: Instant) {
        let passed = nanos(now.saturating_duration_since(self.looked));
        self.looked = now;
        if !self.is_capped() {
            return;
        }
        self.credit += passed * self.rate() / 1000;
        let mut used = 0;
        for runner in &mut self.runners {
            if let Some(clock) = runner.reins.cpu_time() {
                used += nanos(clock.saturating_sub(runner.seen));
                runner.seen = clock;
            }
        }
        self.credit -= used;
        self.past.note(now, used);
        let repaid = self.owed.min(passed * self.repaid() / 1000);
        self.owed -= repaid;
        self.credit += repaid;
        let saved = SAVED_SLICES * count(self.runners.len().max(1)) * nanos(GRAIN);
        let over = (self.credit - saved).max(0);
        self.credit -= over;
        // Nobody saves up while there is no work, or none may be done.
        let may_run = self.runners.iter().any(|runner| runner.stopped.is_none());
        let most = self.processors.min(count(self.runners.len())) * nanos(WINDOW) * OWED_PERMILLE / 1000;
        self.owed = if may_run || self.resting { (self.owed + over).min(most) } else { 0 };
    }
}

fn count(number: usize) -> i128 {
    i128::try_from(number).unwrap_or(i128::MAX)
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

fn duration(nanos: i128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
