//! All that will happen, in order.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::Micros;

/// One heap of `(time, order, event)`. What is put in earlier happens earlier at the same time.
#[derive(Debug)]
pub struct Schedule<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    order: u64,
    now: Micros,
}

#[derive(Debug)]
struct Entry<E> {
    at: Micros,
    order: u64,
    event: E,
}

impl<E> Default for Schedule<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), order: 0, now: 0 }
    }
}

impl<E> Schedule<E> {
    /// The time of the event that was taken last.
    #[must_use]
    pub const fn now(&self) -> Micros {
        self.now
    }

    /// Puts `event` in for `at`, or for now where that has passed.
    pub fn at(&mut self, at: Micros, event: E) {
        self.order += 1;
        self.heap.push(Reverse(Entry { at: at.max(self.now), order: self.order, event }));
    }

    /// Puts `event` in for so many microseconds from now.
    pub fn after(&mut self, wait: Micros, event: E) {
        self.at(self.now.saturating_add(wait), event);
    }

    /// Lets time pass to `at` where nothing happens before.
    pub fn pass_to(&mut self, at: Micros) {
        let next = self.heap.peek().map_or(Micros::MAX, |Reverse(entry)| entry.at);
        self.now = self.now.max(at.min(next));
    }

    /// Takes the next event that happens at `end` at the latest, and moves time on to it.
    pub fn next(&mut self, end: Micros) -> Option<(Micros, E)> {
        if self.heap.peek().is_none_or(|Reverse(entry)| entry.at > end) {
            return None;
        }
        let Reverse(entry) = self.heap.pop()?;
        self.now = entry.at;
        Some((entry.at, entry.event))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
