//! Chance, from the seed alone.

use p2p_types::Seed;

/// A [`Seed`] that is drawn from eight bytes at a time.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    seed: Seed,
    drawn: [u8; 32],
    used: usize,
}

impl Dice {
    /// Dice for one purpose, so that what one part of the world draws does not move the others.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let key = blake3::derive_key("p2p-agent simulator 1", &[&seed.to_le_bytes(), purpose.as_bytes()].concat());
        Self { seed: Seed::new(key), drawn: [0; 32], used: 32 }
    }

    fn draw(&mut self) -> u64 {
        if self.used == 32 {
            self.drawn = self.seed.bytes();
            self.used = 0;
        }
        let bytes = self.drawn[self.used..self.used + 8].try_into().expect("eight of 32 bytes");
        self.used += 8;
        u64::from_le_bytes(bytes)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.draw().checked_rem(end).unwrap_or(0)
    }

    /// An index into something of `len` elements, which are not none.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("below a usize")
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True this many times of a thousand.
    pub(crate) fn permille(&mut self, chance: u64) -> bool {
        chance > 0 && self.below(1000) < chance
    }
}
