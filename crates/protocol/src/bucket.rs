//! How often somebody may do something.

use p2p_types::Monotonic;
use p2p_types::Now;

/// So many at once, and one more each `refill_us`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) burst: u64,
    pub(crate) refill_us: u64,
}

/// What one peer has used up of a [`Rate`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Bucket {
    used: u64,
    counted: Monotonic,
}

impl Bucket {
    /// Takes one, where there is one.
    pub(crate) fn take(&mut self, now: Now, rate: Rate) -> bool {
        let refilled = now.mono.since(self.counted) / rate.refill_us;
        if refilled >= self.used {
            self.used = 0;
            self.counted = now.mono;
        } else {
            self.used -= refilled;
            self.counted = Monotonic(self.counted.0 + refilled * rate.refill_us);
        }
        let room = self.used < rate.burst;
        self.used += u64::from(room);
        room
    }
}

#[cfg(test)]
mod tests {
    use p2p_types::Timestamp;

    use super::*;

    #[test]
    fn a_burst_then_a_trickle() {
        let at = |us| Now { wall: Timestamp(0), mono: Monotonic(us) };
        let rate = Rate { burst: 3, refill_us: 100 };
        let mut bucket = Bucket::default();
        let mut taken = |from: u64, to: u64| (from..to).filter(|us| bucket.take(at(*us), rate)).count();
        assert_eq!(taken(1_000_000, 1_000_010), 3);
        // One each 100 us, also when somebody asks all the time.
        assert_eq!(taken(1_000_010, 1_001_000), 9);
        assert_eq!(taken(2_000_000, 2_000_010), 3);
    }
}
