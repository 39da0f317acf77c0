//! The nearest few hundred of any number of codes, in one pass.
//!
//! Distances are whole numbers from 0 to 384, so counting them says how far a candidate may be:
//! once enough nearer ones are known, the bound sinks, and soon almost nothing is below it.

use crate::{Code, CodeBlock, DIMENSIONS, Kernels, LANES};

/// Blocks between two looks at the bound: their distances stay in the nearest cache.
const STEP: usize = 64;
/// Distances there are.
const BUCKETS: usize = DIMENSIONS + 1;

/// A code near the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Near {
    /// Where it stands: eight times its block and its lane.
    pub position: u32,
    /// How many bits differ.
    pub distance: u16,
}

/// A scan for the `wanted` nearest codes.
#[derive(Debug, Clone)]
pub struct Nearest {
    wanted: usize,
    /// The farthest that may still be among them.
    most: u16,
    /// How many of `found` have each distance.
    counts: [u32; BUCKETS],
    /// How many of `found` are nearer than `most`.
    nearer: usize,
    found: Vec<Near>,
    distances: [[u16; LANES]; STEP],
    positions: Vec<u32>,
}

impl Nearest {
    #[must_use]
    pub fn new(wanted: usize) -> Self {
        Self {
            wanted,
            most: DIMENSIONS as u16,
            counts: [0; BUCKETS],
            nearer: 0,
            found: Vec::new(),
            distances: [[0; LANES]; STEP],
            positions: Vec::new(),
        }
    }

    /// Looks at `blocks`, the first of which stands at position `start`. `keep` says of a position
    /// whether it counts; it is asked only about those that are near enough.
    pub fn scan(
        &mut self,
        kernels: &Kernels,
        blocks: &[CodeBlock],
        query: &Code,
        start: u32,
        mut keep: impl FnMut(u32) -> bool,
    ) {
        if self.wanted == 0 {
            return;
        }
        for (start, blocks) in (start..).step_by(STEP * LANES).zip(blocks.chunks(STEP)) {
            // Of those that are equally far the first ones count, so nothing can come after enough zeros.
            let Some(bound) = self.bound() else { return };
            let distances = &mut self.distances[..blocks.len()];
            kernels.hamming(blocks, query, distances);
            self.positions.clear();
            kernels.at_most(distances, bound, &mut self.positions);
            for at in 0..self.positions.len() {
                let inside = self.positions[at];
                let distance = self.distances.as_flattened()[inside as usize];
                let position = start + inside;
                if self.bound().is_some_and(|bound| distance <= bound) && keep(position) {
                    self.found.push(Near { position, distance });
                    self.counts[usize::from(distance)] += 1;
                    self.nearer += usize::from(distance < self.most);
                    while self.nearer >= self.wanted {
                        self.most -= 1;
                        self.nearer -= self.counts[usize::from(self.most)] as usize;
                    }
                }
            }
            self.forget();
        }
    }

    /// The nearest, in the order of their positions; of those that are equally far the first ones.
    /// Fewer than wanted where there are fewer.
    #[must_use]
    pub fn finish(mut self) -> Vec<Near> {
        let mut farthest = self.wanted.saturating_sub(self.nearer);
        self.found.retain(|near| {
            let last = near.distance == self.most;
            let room = last && farthest > 0;
            farthest -= usize::from(room);
            near.distance < self.most || room
        });
        self.found
    }

    /// The farthest that is still wanted; `None` when nothing is.
    fn bound(&self) -> Option<u16> {
        let full = self.nearer + self.counts[usize::from(self.most)] as usize >= self.wanted;
        if full { self.most.checked_sub(1) } else { Some(self.most) }
    }

    /// Drops what is beyond the bound when it has become much.
    fn forget(&mut self) {
        if self.found.len() > 4 * self.wanted + STEP * LANES {
            let most = self.most;
            self.found.retain(|near| near.distance <= most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes whose distance from zero is what the list says.
    fn blocks(distances: &[u16]) -> Vec<CodeBlock> {
        let code = |bits: u16| {
            Code(std::array::from_fn(|word| {
                let bits = usize::from(bits).saturating_sub(64 * word).min(64);
                if bits == 64 { u64::MAX } else { (1 << bits) - 1 }
            }))
        };
        let block = |eight: &[u16]| {
            let mut block = CodeBlock::EMPTY;
            for (lane, bits) in eight.iter().enumerate() {
                block.set(lane, &code(*bits));
            }
            block
        };
        distances.chunks(LANES).map(block).collect()
    }

    fn search(distances: &[u16], wanted: usize, keep: impl FnMut(u32) -> bool) -> Vec<(u32, u16)> {
        let mut nearest = Nearest::new(wanted);
        nearest.scan(Kernels::best(), &blocks(distances), &Code([0; 6]), 0, keep);
        nearest.finish().into_iter().map(|near| (near.position, near.distance)).collect()
    }

    #[test]
    fn the_nearest_are_found_whatever_their_order() {
        let distances = [9, 384, 3, 0, 7, 7, 300, 1, 2, 250, 7, 8, 10, 11, 12, 13];
        assert_eq!(search(&distances, 3, |_| true), [(3, 0), (7, 1), (8, 2)]);
        assert_eq!(search(&distances, 5, |_| true), [(2, 3), (3, 0), (4, 7), (7, 1), (8, 2)], "the first of three");
    }

    #[test]
    fn fewer_than_wanted_are_all_found() {
        let distances = [384, 5, 9, 384, 0, 1, 2, 3];
        assert_eq!(search(&distances, 100, |_| true).len(), 8);
        assert_eq!(search(&distances, 0, |_| true), []);
        assert_eq!(search(&[], 4, |_| true), []);
    }

    #[test]
    fn a_flood_of_equals_is_not_kept() {
        let mut nearest = Nearest::new(3);
        nearest.scan(Kernels::best(), &blocks(&[5; 80_000]), &Code([0; 6]), 0, |_| true);
        assert_eq!(nearest.found.len(), 3);
        assert_eq!(nearest.finish().iter().map(|near| near.position).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(search(&[0; 64], 3, |_| true), [(0, 0), (1, 0), (2, 0)]);
    }

    #[test]
    fn what_is_not_kept_takes_no_room() {
        let distances = [0, 1, 2, 3, 4, 5, 6, 7];
        assert_eq!(search(&distances, 2, |position| position >= 5), [(5, 5), (6, 6)]);
    }

    #[test]
    fn many_steps_give_what_sorting_gives() {
        // A walk through the distances that comes nearer and nearer, with many ties.
        let distances: Vec<u16> = (0..20_000_u32).map(|i| (380 - i / 60 + i * 7919 % 37).min(384) as u16).collect();
        let mut expected: Vec<(u32, u16)> = (0..).zip(distances.iter().copied()).collect();
        expected.sort_by_key(|(position, distance)| (*distance, *position));
        expected.truncate(250);
        expected.sort_unstable();
        assert_eq!(search(&distances, 250, |_| true), expected);
    }
}
