//! How long to wait before a source that failed is asked again.

use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);
/// A source that held this long was well; one that comes and goes faster is not.
const WELL: Duration = Duration::from_secs(10);

pub(super) struct Patience {
    wait: Duration,
    began: Option<Instant>,
}

impl Patience {
    pub(super) const fn new() -> Self {
        Self { wait: FIRST, began: None }
    }

    /// The source is asked now.
    pub(super) fn begin(&mut self) {
        self.began = Some(Instant::now());
    }

    /// The source failed; how long to leave it alone.
    pub(super) fn after_failure(&mut self) -> Duration {
        let held = self.began.take().map_or(Duration::ZERO, |began| began.elapsed());
        self.grow(held)
    }

    fn grow(&mut self, held: Duration) -> Duration {
        if held >= WELL {
            self.wait = FIRST;
        }
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_five_minutes_and_starts_over_after_a_good_time() {
        let mut patience = Patience::new();
        let waits: Vec<u64> = (0..11).map(|_| patience.grow(Duration::ZERO).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(patience.grow(Duration::from_secs(9)).as_secs(), 300);
        assert_eq!(patience.grow(WELL).as_secs(), 1);
        assert_eq!(patience.grow(Duration::ZERO).as_secs(), 2);
    }
}
