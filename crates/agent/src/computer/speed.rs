//! How fast the base model is on one core, by the work of late. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Fewer tokens say little: the first texts pay for caches that are still cold.
const LEAST_TOKENS: u64 = 256;
/// Processor time of the model that counts in full; what is older counts less and less.
const MEMORY_US: u64 = 60_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Speed {
    tokens: u64,
    model_us: u64,
}

impl Speed {
    pub(super) fn add(&mut self, tokens: u64, model: Duration) {
        self.tokens = self.tokens.saturating_add(tokens);
        self.model_us = self.model_us.saturating_add(u64::try_from(model.as_micros()).unwrap_or(u64::MAX));
        while self.model_us > MEMORY_US {
            self.tokens /= 2;
            self.model_us /= 2;
        }
    }

    /// `None` before there was enough work.
    pub(super) fn tokens_per_s(self) -> Option<u32> {
        if self.tokens < LEAST_TOKENS || self.model_us == 0 {
            return None;
        }
        let per_s = u128::from(self.tokens) * 1_000_000 / u128::from(self.model_us);
        Some(u32::try_from(per_s).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_is_of_late() {
        let mut speed = Speed::default();
        assert_eq!(speed.tokens_per_s(), None);
        speed.add(255, Duration::from_millis(100));
        assert_eq!(speed.tokens_per_s(), None, "too little to tell");
        speed.add(245, Duration::from_millis(150));
        assert_eq!(speed.tokens_per_s(), Some(2_000));
        // It got slower: an hour later the old speed is forgotten.
        for _ in 0..60 {
            speed.add(30_000, Duration::from_secs(60));
        }
        assert!(speed.tokens_per_s().is_some_and(|speed| (495..=505).contains(&speed)), "{speed:?}");
        speed.add(u64::MAX, Duration::MAX);
        assert!(speed.model_us <= MEMORY_US);
    }
}
