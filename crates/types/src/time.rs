//! Time and chance as values. Whoever needs them is given them; nobody here asks a clock.

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The time `ms` milliseconds later, or the last time there is.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`; 0 where the clock went back.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Microseconds on a clock that never goes back and goes on while the computer sleeps. Only
/// differences mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Monotonic(pub u64);

impl Monotonic {
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1000)))
    }

    /// Microseconds since `earlier`.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// What time it is: by the calendar, for what others read, and by a clock that cannot jump, for
/// every timer. A machine is told both and asks for neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    pub wall: Timestamp,
    pub mono: Monotonic,
}

/// The only source of chance in a pure room: a counter under a keyed hash, so that one seed
/// gives one run on every machine.
#[derive(Debug, Clone)]
pub struct Seed {
    key: [u8; 32],
    drawn: u64,
}

impl Seed {
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key, drawn: 0 }
    }

    /// The next 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        self.drawn += 1;
        *blake3::keyed_hash(&self.key, &self.drawn.to_le_bytes()).as_bytes()
    }

    /// The next number below `end` (0 when `end` is 0). The bias is below 2^-32 for `end` below 2^32.
    pub fn below(&mut self, end: u64) -> u64 {
        let bytes = self.bytes();
        let drawn = u64::from_le_bytes(bytes[..8].try_into().expect("eight of 32 bytes"));
        drawn.checked_rem(end).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself() {
        let draw = |key| {
            let mut seed = Seed::new([key; 32]);
            (0..8).map(|_| seed.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_eq!(Seed::new([0; 32]).below(0), 0);
    }

    #[test]
    fn a_clock_that_went_back_is_no_time_at_all() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), 0);
        assert_eq!(Timestamp(u64::MAX).plus_ms(1), Timestamp(u64::MAX));
    }
}
