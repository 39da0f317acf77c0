//! What was used in the time just gone, for as long back as a window is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::nanos;

/// Looks that follow each other faster are one. It bounds what is kept.
const APART: Duration = Duration::from_millis(1);

/// Use over time: between two looks it was even.
#[derive(Debug)]
pub(super) struct Past {
    window: Duration,
    /// When it was looked, and all that had been used by then; the first is the last one that is not
    /// within the window.
    looks: VecDeque<(Instant, i128)>,
}

impl Past {
    pub(super) const fn new(window: Duration) -> Self {
        Self { window, looks: VecDeque::new() }
    }

    /// So much was used since the look before.
    pub(super) fn note(&mut self, now: Instant, used: i128) {
        let all = self.looks.back().map_or(0, |(_, all)| *all) + used;
        // The last one moves on until it is far enough from the one before it.
        let moves = self.looks.len() > 1
            && self.looks.get(self.looks.len() - 2).is_some_and(|(at, _)| now.saturating_duration_since(*at) < APART);
        if moves {
            self.looks.pop_back();
        }
        self.looks.push_back((now, all));
        while self.looks.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) >= self.window) {
            self.looks.pop_front();
        }
    }

    /// What was used in the window that ends now, in what was noted. Nothing was before the first look.
    pub(super) fn used(&self, now: Instant) -> i128 {
        let (Some((first, before)), Some((_, all))) = (self.looks.front(), self.looks.back()) else { return 0 };
        let over = nanos(now.saturating_duration_since(*first)) - nanos(self.window);
        let gone = match self.looks.get(1) {
            Some((second, then)) if over > 0 => {
                let length = nanos(second.saturating_duration_since(*first)).max(1);
                (then - before) * over.min(length) / length
            }
            _ => 0,
        };
        all - before - gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_window_holds_what_was_used_in_it() {
        let begun = Instant::now();
        let mut past = Past::new(100 * MS);
        assert_eq!(past.used(begun), 0);
        past.note(begun, 0);
        for look in 1..=10 {
            past.note(begun + look * 10 * MS, 1000);
        }
        assert_eq!(past.used(begun + 100 * MS), 10_000);
        // Half of the first is gone, and then all of it.
        assert_eq!(past.used(begun + 105 * MS), 9500);
        past.note(begun + 110 * MS, 0);
        assert_eq!(past.used(begun + 110 * MS), 9000);
        past.note(begun + 500 * MS, 700);
        // It was even: a hundred of the last 390 ms.
        assert_eq!(past.used(begun + 500 * MS), 700 - 700 * 290 / 390);
    }

    #[test]
    fn it_keeps_no_more_than_a_window_and_no_look_twice() {
        let begun = Instant::now();
        let mut past = Past::new(1000 * MS);
        for look in 0..100_000_u32 {
            past.note(begun + look * MS / 20, 50);
        }
        assert!(past.looks.len() < 1100, "{}", past.looks.len());
        assert_eq!(past.used(begun + 99_999 * MS / 20) / 1000, 1000);
    }
}
