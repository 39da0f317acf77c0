//! The sums of one day. Pure.

use std::time::Duration;

use p2p_platform::Used;
use p2p_scheduler::energy::{Usage, share};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Day {
    /// Days since 1970, by UTC.
    pub(super) number: u32,
    /// Processor time of all workers, in microseconds.
    pub(super) cpu_us: u64,
    /// Of that, while the meter was read.
    pub(super) metered_cpu_us: u64,
    /// Our share of what the meter counted then.
    pub(super) metered_microjoules: u64,
    /// Orders that were computed.
    pub(super) tasks: u64,
    pub(super) for_others: u64,
    pub(super) texts: u64,
}

impl Day {
    /// Begins anew on another day. Back as well: a clock that was set right is right.
    pub(super) fn turn(&mut self, number: u32) {
        if self.number != number {
            *self = Self { number, ..Self::default() };
        }
    }

    pub(super) fn used(&mut self, cpu: Duration, metered: Option<Used>) {
        let ours = micros(cpu);
        self.cpu_us = self.cpu_us.saturating_add(ours);
        if let Some(used) = metered {
            let joules = share(used.microjoules, ours, micros(used.busy));
            self.metered_cpu_us = self.metered_cpu_us.saturating_add(ours);
            self.metered_microjoules = self.metered_microjoules.saturating_add(joules);
        }
    }

    pub(super) fn done(&mut self, texts: usize, for_others: bool) {
        self.tasks = self.tasks.saturating_add(1);
        self.for_others = self.for_others.saturating_add(u64::from(for_others));
        self.texts = self.texts.saturating_add(texts as u64);
    }

    pub(super) const fn usage(&self) -> Usage {
        Usage {
            cpu_us: self.cpu_us,
            metered_cpu_us: self.metered_cpu_us,
            metered_microjoules: self.metered_microjoules,
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_adds_up_and_ends() {
        let mut day = Day { number: 20_000, ..Day::default() };
        let second = Duration::from_secs(1);
        day.used(second, None);
        day.used(second, Some(Used { microjoules: 12_000_000, busy: 4 * second }));
        day.done(3, true);
        day.done(1, false);
        assert_eq!((day.cpu_us, day.metered_cpu_us, day.metered_microjoules), (2_000_000, 1_000_000, 3_000_000));
        assert_eq!((day.tasks, day.for_others, day.texts), (2, 1, 4));
        let before = day;
        day.turn(20_000);
        assert_eq!(day, before);
        day.turn(20_001);
        assert_eq!(day, Day { number: 20_001, ..Day::default() });
    }
}
