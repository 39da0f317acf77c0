//! Canaries that wait for their turn. Each is used once, whatever happens to this computer.
//!
//! Tasks of a kind are numbered, and are taken in the order of their numbers, so one number says
//! which are gone: the [`Mark`]. It is on disk *before* the tasks below it are taken
//! ([`Pool::reserve`]), apart from the pool's own copy and where an older copy of the pool does
//! not bring an older mark. Whoever restores an old pool then loses a few unused tasks and repeats none;
//! a pool made anew goes on behind the mark, and a number always has the same texts.

mod copy;

use std::collections::{BTreeMap, BTreeSet};

use p2p_types::{Hash, Output, TaskKind, TextFailure};
use thiserror::Error;

/// The kinds of canaries: how many an idle issuer has ready, and how many a new one makes at once.
/// Mostly sentiment, as people's work is.
const KINDS: [(TaskKind, usize, usize); 2] = [(TaskKind::Sentiment, 400, 16), (TaskKind::Embed, 100, 4)];
/// How many tasks of a kind are set aside at a time: as many are lost when the process ends.
const RESERVED: u64 = 16;
/// Between two labels a hair decides, and honest processors may split it: the answer has to be clear.
const CLEAR_PPM: u32 = 550_000;

/// One task of the issuer, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number {
    pub kind: TaskKind,
    pub number: u64,
}

/// Of each kind, the first number that may not have been taken yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    pub sentiment: u64,
    pub embed: u64,
}

impl Mark {
    const fn of(self, kind: TaskKind) -> u64 {
        match kind {
            TaskKind::Sentiment => self.sentiment,
            TaskKind::Embed => self.embed,
            TaskKind::Chunk | TaskKind::Noop => 0,
        }
    }
}

/// A task and its right answers, one for each text.
#[derive(Debug, Clone, PartialEq)]
pub struct Canary {
    pub number: Number,
    /// The digest of the model that answered. Another model answers otherwise, and honestly so.
    pub model: Hash,
    pub texts: Vec<String>,
    pub expected: Vec<Output>,
}

/// Why a canary was not taken into the pool. The caller makes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAdded {
    #[error("this task was not begun, or was given up")]
    NotBegun,
    #[error("a later task was already asked")]
    Late,
    #[error("it was answered by another model than is asked for")]
    OtherModel,
    #[error("not one of its texts has a clear answer")]
    Unclear,
}

/// The tasks of one kind.
#[derive(Debug, Clone, PartialEq)]
struct Shelf {
    kind: TaskKind,
    idle: usize,
    new: usize,
    model: Option<Hash>,
    /// The number of the next task to make.
    next: u64,
    /// All below were taken, or never will be.
    taken: u64,
    /// All below may be taken: the mark that is on disk.
    reserved: u64,
    making: BTreeSet<u64>,
    ready: BTreeMap<u64, Canary>,
}

impl Shelf {
    fn lacks(&self, idle: bool) -> usize {
        let target = if idle { self.idle } else { self.new };
        if self.model.is_none() { 0 } else { target.saturating_sub(self.ready.len() + self.making.len()) }
    }

    /// The next task, where it is set aside.
    fn first(&self) -> Option<u64> {
        self.ready.keys().next().copied()
    }
}

/// The canaries of an issuer: some 500 when it had time to make them.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    shelves: [Shelf; KINDS.len()],
}

impl Pool {
    /// An empty pool that goes on behind `mark`: the default for a new issuer, the latest that was
    /// kept where the pool's copy is lost.
    #[must_use]
    pub fn new(mark: Mark) -> Self {
        let shelf = |(kind, idle, new): (TaskKind, usize, usize)| {
            let from = mark.of(kind);
            let (making, ready) = (BTreeSet::new(), BTreeMap::new());
            Shelf { kind, idle, new, model: None, next: from, taken: from, reserved: from, making, ready }
        };
        Self { shelves: KINDS.map(shelf) }
    }

    /// Says which model answers a kind from now on. Tasks that another one answered are dropped:
    /// an honest worker with the new model would seem wrong. Until it is said, none are made.
    pub fn answers_with(&mut self, kind: TaskKind, model: Hash) {
        let Some(shelf) = self.shelf(kind) else { return };
        if shelf.model != Some(model) {
            shelf.model = Some(model);
            shelf.making.clear();
            shelf.ready.retain(|_, canary| canary.model == model);
        }
    }

    /// How many more to make: up to 20 at any time, because the first newcomer must not wait, and
    /// up to 500 when this computer has nothing better to do.
    #[must_use]
    pub fn wants(&self, idle: bool) -> usize {
        self.shelves.iter().map(|shelf| shelf.lacks(idle)).sum()
    }

    /// The next task to make, if any is wanted. It ends with [`Self::add`] or [`Self::give_up`].
    pub fn begin(&mut self, idle: bool) -> Option<Number> {
        let lacking = self.shelves.iter_mut().filter(|shelf| shelf.lacks(idle) > 0);
        // The kind that lacks the greatest part of what it should have.
        let shelf =
            lacking.max_by_key(|shelf| shelf.lacks(idle) * 1_000 / if idle { shelf.idle } else { shelf.new })?;
        let number = shelf.next;
        shelf.next = number.checked_add(1)?;
        shelf.making.insert(number);
        Some(Number { kind: shelf.kind, number })
    }

    /// Takes in a task that was begun, with its answers. Texts without a clear answer are left out.
    ///
    /// # Errors
    ///
    /// [`NotAdded`] where it cannot serve; it is begun no longer then.
    pub fn add(&mut self, mut canary: Canary) -> Result<(), NotAdded> {
        let Number { kind, number } = canary.number;
        let shelf = self.shelf(kind).ok_or(NotAdded::NotBegun)?;
        if !shelf.making.remove(&number) {
            return Err(NotAdded::NotBegun);
        }
        if shelf.model != Some(canary.model) {
            return Err(NotAdded::OtherModel);
        }
        if number < shelf.taken {
            return Err(NotAdded::Late);
        }
        if canary.texts.len() == canary.expected.len() {
            let pairs = canary.texts.into_iter().zip(canary.expected);
            (canary.texts, canary.expected) = pairs.filter(|(_, output)| is_clear(kind, output)).unzip();
        } else {
            canary.texts.clear();
        }
        if canary.texts.is_empty() {
            return Err(NotAdded::Unclear);
        }
        shelf.ready.insert(number, canary);
        Ok(())
    }

    /// A task that was begun will not be answered.
    pub fn give_up(&mut self, number: Number) {
        if let Some(shelf) = self.shelf(number.kind) {
            shelf.making.remove(&number.number);
        }
    }

    /// How many wait.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.shelves.iter().map(|shelf| shelf.ready.len()).sum()
    }

    /// The mark to put on disk before more tasks can be taken, when few that are set aside are
    /// left. Once it is there, [`Self::reserved`].
    #[must_use]
    pub fn reserve(&self) -> Option<Mark> {
        let short = |shelf: &Shelf| shelf.first().is_some_and(|first| first + RESERVED / 2 > shelf.reserved);
        let mark = |kind| {
            let shelf = self.shelves.iter().find(|shelf| shelf.kind == kind);
            shelf.map_or(0, |shelf| match shelf.first() {
                Some(first) if short(shelf) => shelf.reserved.max(first.saturating_add(RESERVED)),
                _ => shelf.reserved,
            })
        };
        let mark = Mark { sentiment: mark(TaskKind::Sentiment), embed: mark(TaskKind::Embed) };
        self.shelves.iter().any(short).then_some(mark)
    }

    /// `mark` is on disk: what is below may be taken.
    pub fn reserved(&mut self, mark: Mark) {
        for shelf in &mut self.shelves {
            shelf.reserved = shelf.reserved.max(mark.of(shelf.kind));
        }
    }

    /// The next task of one of these kinds, for ever gone from here; none where none is ready or
    /// set aside. `kinds` are those that the asked computer does with this issuer's model.
    pub fn take<'a>(&mut self, kinds: impl IntoIterator<Item = &'a TaskKind>) -> Option<Canary> {
        let kinds: Vec<TaskKind> = kinds.into_iter().copied().collect();
        let may = |shelf: &&mut Shelf| {
            kinds.contains(&shelf.kind) && shelf.first().is_some_and(|first| first < shelf.reserved)
        };
        // The fuller shelf, so that kinds come as they are made: mostly the frequent one.
        let full = |shelf: &&mut Shelf| shelf.ready.len() * 1_000 / shelf.idle;
        let shelf = self.shelves.iter_mut().filter(may).max_by_key(full)?;
        let (number, canary) = shelf.ready.pop_first()?;
        shelf.taken = number.saturating_add(1);
        Some(canary)
    }

    fn shelf(&mut self, kind: TaskKind) -> Option<&mut Shelf> {
        self.shelves.iter_mut().find(|shelf| shelf.kind == kind)
    }
}

/// Whether honest computers will agree on it.
fn is_clear(kind: TaskKind, output: &Output) -> bool {
    match (kind, output) {
        (TaskKind::Sentiment, Output::Label { label, score_ppm }) => !label.is_empty() && *score_ppm >= CLEAR_PPM,
        (TaskKind::Embed, Output::Embedding(vector)) => {
            vector.scale > 0.0 && vector.scale.is_finite() && vector.values.iter().any(|value| *value != 0)
        }
        _ => false,
    }
}

impl Canary {
    /// Compares an answer with the expected one.
    #[must_use]
    pub fn agree(&self, got: &[Result<Output, TextFailure>]) -> crate::Agreement {
        crate::agree(&self.expected, got)
    }
}

#[cfg(test)]
mod tests;
