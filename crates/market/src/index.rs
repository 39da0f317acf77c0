//! The vectors of all listings, in memory.
//!
//! Every search looks at all of them, as codes of one bit a dimension, and compares the nearest
//! codes' vectors exactly. Without a graph over them there is nothing to build, so a listing can be
//! found as soon as it is in, and costs nothing once it is gone.

mod block;

use std::collections::BTreeMap;

use p2p_simd::{Code, DIMENSIONS, Kernels, Near, Nearest, Query, Row, prefetch};
use p2p_types::QuantizedVector;
use thiserror::Error;

use block::{Block, SLOTS};

/// Codes whose vectors are compared: at least so many, ...
const LEAST_CANDIDATES: usize = 1_000;
/// ... at least one of so many listings, ...
const LISTINGS_A_CANDIDATE: usize = 128;
/// ... and so many for each result that is wanted.
///
/// Measured on 100,000 real embeddings: of the ten nearest 0.9954 are found with 1000 candidates and
/// 0.9962 with 1500; rounding the vectors to int8 alone loses 0.005. Codes relative to the mean vector,
/// turned at random, or both, find 0.001 more, which is not worth a state that has to be kept.
const CANDIDATES_A_RESULT: usize = 50;
/// Rows that are asked for ahead of the one that is compared.
const AHEAD: usize = 8;

/// Why a vector is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadVector {
    #[error("a vector has {DIMENSIONS} dimensions, this one has {0}")]
    Dimensions(usize),
    #[error("the vector has no direction")]
    NoDirection,
}

/// A listing that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    pub handle: u32,
    /// The cosine, -1 to 1.
    pub similarity: f32,
}

/// What a query asks for, ready to be compared.
#[derive(Debug, Clone)]
pub struct Direction {
    code: Code,
    query: Query,
    /// One over the length of `query`.
    shrink: f32,
}

/// Bytes that an index holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Codes, rows and what stands beside them, free slots included.
    pub blocks: usize,
    /// Where each handle is, about.
    pub handles: usize,
}

/// Vectors under handles of the caller's choice.
#[derive(Debug, Clone)]
pub struct Index {
    kernels: Kernels,
    blocks: Vec<Block>,
    slots: BTreeMap<u32, u32>,
    /// Slots whose listing went away.
    free: Vec<u32>,
}

impl Default for Index {
    fn default() -> Self {
        Self::new()
    }
}

impl Direction {
    /// Of any length but zero.
    ///
    /// # Errors
    /// When the floats are all zero or one of them is none.
    pub fn of(floats: &[f32]) -> Result<Self, BadVector> {
        let floats: &[f32; DIMENSIONS] = floats.try_into().map_err(|_| BadVector::Dimensions(floats.len()))?;
        let query = Query::of(floats).ok_or(BadVector::NoDirection)?;
        let square: f64 = query.0.iter().map(|value| f64::from(*value).powi(2)).sum();
        Ok(Self { code: Code::of(floats), shrink: square.sqrt().recip() as f32, query })
    }
}

impl Index {
    #[must_use]
    pub fn new() -> Self {
        Self::with(*Kernels::best())
    }

    /// With kernels of the caller's choice.
    #[must_use]
    pub fn with(kernels: Kernels) -> Self {
        Self { kernels, blocks: Vec::new(), slots: BTreeMap::new(), free: Vec::new() }
    }

    /// Listings in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Puts a listing in, or gives it another vector.
    ///
    /// # Errors
    /// When the vector is of another length or says nothing; what was there stays.
    pub fn put(&mut self, handle: u32, vector: &QuantizedVector) -> Result<(), BadVector> {
        let values = vector.values.as_slice();
        let row = Row(values.try_into().map_err(|_| BadVector::Dimensions(values.len()))?);
        let square = self.kernels.dot_i8(&row, &row);
        // The scale only says how long the vector is, and lengths do not count. Its sign would.
        if square == 0 || !(vector.scale.is_finite() && vector.scale > 0.0) {
            return Err(BadVector::NoDirection);
        }
        let code = Code::of(&row.0.map(f32::from));
        let slot = match self.slots.get(&handle) {
            Some(slot) => *slot,
            None => self.room(),
        };
        self.slots.insert(handle, slot);
        let (block, inside) = place(slot);
        self.blocks[block].put(inside, handle, &row, &code, f64::from(square).sqrt().recip() as f32);
        Ok(())
    }

    /// Takes a listing out, and says whether it was there.
    pub fn remove(&mut self, handle: u32) -> bool {
        let Some(slot) = self.slots.remove(&handle) else { return false };
        let (block, inside) = place(slot);
        self.blocks[block].clear(inside);
        self.free.push(slot);
        if self.slots.is_empty() {
            *self = Self::with(self.kernels);
        }
        true
    }

    /// The `wanted` listings nearest to `query` of those that `keep` keeps, the nearest first. `keep` is
    /// asked only about listings that may be among them.
    #[must_use]
    pub fn search(&self, query: &Direction, wanted: usize, keep: impl Fn(u32) -> bool) -> Vec<Found> {
        let share = self.len() / LISTINGS_A_CANDIDATE;
        let candidates = LEAST_CANDIDATES.max(share).max(wanted.saturating_mul(CANDIDATES_A_RESULT));
        self.search_among(query, wanted, candidates.min(self.len()), keep)
    }

    /// The same, comparing every vector: slow, and exact but for the rounding to int8.
    #[must_use]
    pub fn search_all(&self, query: &Direction, wanted: usize, keep: impl Fn(u32) -> bool) -> Vec<Found> {
        self.search_among(query, wanted, self.len(), keep)
    }

    /// How near one listing is.
    #[must_use]
    pub fn similarity(&self, query: &Direction, handle: u32) -> Option<f32> {
        let (block, inside) = place(*self.slots.get(&handle)?);
        Some(self.compare(query, &self.blocks[block], inside))
    }

    #[must_use]
    pub fn memory(&self) -> Memory {
        // A node of the map is filled to about three quarters.
        let handles = self.slots.len() * size_of::<(u32, u32)>() * 4 / 3;
        Memory { blocks: self.blocks.len() * Block::BYTES, handles: handles + self.free.capacity() * size_of::<u32>() }
    }

    fn search_among(
        &self,
        query: &Direction,
        wanted: usize,
        candidates: usize,
        keep: impl Fn(u32) -> bool,
    ) -> Vec<Found> {
        if wanted == 0 {
            return Vec::new();
        }
        let mut nearest = Nearest::new(candidates);
        for (start, block) in (0..).step_by(SLOTS).zip(&self.blocks) {
            nearest.scan(&self.kernels, block.codes(), &query.code, start, |position| {
                let inside = position as usize % SLOTS;
                block.is_live(inside) && keep(block.handle(inside))
            });
        }
        let near = nearest.finish();
        let mut found = self.compared(query, &near);
        let order = |one: &Found, other: &Found| {
            other.similarity.total_cmp(&one.similarity).then(one.handle.cmp(&other.handle))
        };
        if found.len() > wanted {
            found.select_nth_unstable_by(wanted - 1, order);
            found.truncate(wanted);
        }
        found.sort_unstable_by(order);
        found
    }

    fn compared(&self, query: &Direction, near: &[Near]) -> Vec<Found> {
        let mut found = Vec::with_capacity(near.len());
        for (at, candidate) in near.iter().enumerate() {
            if let Some(soon) = near.get(at + AHEAD) {
                let (block, inside) = place(soon.position);
                prefetch(self.blocks[block].row(inside));
            }
            let (block, inside) = place(candidate.position);
            let block = &self.blocks[block];
            found.push(Found { handle: block.handle(inside), similarity: self.compare(query, block, inside) });
        }
        found
    }

    fn compare(&self, query: &Direction, block: &Block, inside: usize) -> f32 {
        self.kernels.dot(&query.query, block.row(inside)) as f32 * query.shrink * block.shrink(inside)
    }

    /// A free slot. Those that were left are taken first.
    fn room(&mut self) -> u32 {
        if let Some(slot) = self.free.pop() {
            return slot;
        }
        // No slot is free, so as many are taken as there are listings.
        let slot = self.slots.len();
        if slot == self.blocks.len() * SLOTS {
            self.blocks.push(Block::new());
        }
        // Handles are 32 bits wide, so there are never more.
        slot as u32
    }
}

/// The block of a slot, and where in it.
fn place(slot: u32) -> (usize, usize) {
    (slot as usize / SLOTS, slot as usize % SLOTS)
}

#[cfg(test)]
mod tests;
