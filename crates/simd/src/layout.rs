//! How vectors lie in memory: aligned to the widest registers, and codes word by word, so that
//! one load takes the same word of eight codes.

#![allow(unsafe_code, reason = "a prefetch is an intrinsic")]

use crate::DIMENSIONS;

/// Words of 64 bits in a code.
pub const WORDS: usize = DIMENSIONS / 64;
/// Codes in a block.
pub const LANES: usize = 8;

/// One bit a dimension: whether the value is above zero. Value `i` is bit `i % 64` of word `i / 64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub [u64; WORDS]);

/// The codes of eight vectors: `0[word][lane]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct CodeBlock(pub [[u64; LANES]; WORDS]);

/// A stored vector: six lines of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Row(pub [i8; DIMENSIONS]);

/// What rows are compared with, in int16: finer than a row, so that only the row was rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Query(pub [i16; DIMENSIONS]);

/// A vector of floats.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub struct Floats(pub [f32; DIMENSIONS]);

impl Code {
    /// The signs of a vector. Zero and NaN count as not above zero.
    #[must_use]
    pub fn of(floats: &[f32; DIMENSIONS]) -> Self {
        let mut words = [0; WORDS];
        for (word, values) in words.iter_mut().zip(floats.as_chunks::<64>().0) {
            *word = values.iter().rev().fold(0, |bits, value| bits << 1 | u64::from(*value > 0.0));
        }
        Self(words)
    }
}

impl CodeBlock {
    pub const EMPTY: Self = Self([[0; LANES]; WORDS]);

    /// Writes one lane, which is below [`LANES`].
    pub fn set(&mut self, lane: usize, code: &Code) {
        for (lanes, word) in self.0.iter_mut().zip(code.0) {
            lanes[lane] = word;
        }
    }
}

impl Row {
    pub const ZERO: Self = Self([0; DIMENSIONS]);
}

impl Query {
    /// Scales the largest magnitude to 32767 and rounds. A vector of zeros, or one with a NaN or
    /// an infinity, has no direction (`None`).
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the quotient is within -32767 to 32767")]
    pub fn of(floats: &[f32; DIMENSIONS]) -> Option<Self> {
        let largest = floats.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        // `max` passes over a NaN.
        if largest == 0.0 || !floats.iter().all(|value| value.is_finite()) {
            return None;
        }
        let scale = f64::from(i16::MAX) / f64::from(largest);
        Some(Self(floats.map(|value| (f64::from(value) * scale).round_ties_even() as i16)))
    }
}

/// Asks for a row that is read soon. Only a hint: nothing is read where there is no instruction for it.
#[inline]
pub fn prefetch(row: &Row) {
    #[cfg(target_arch = "x86_64")]
    for line in row.0.as_chunks::<64>().0 {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE, which every x86-64 has; a prefetch of any address does no harm.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_holds_the_signs() {
        let mut floats = [-1.0_f32; DIMENSIONS];
        floats[0] = 0.5;
        floats[65] = 1e-9;
        floats[383] = 3.0;
        floats[1] = 0.0;
        floats[2] = f32::NAN;
        assert_eq!(Code::of(&floats), Code([1, 2, 0, 0, 0, 1 << 63]));
    }

    #[test]
    fn a_query_uses_the_whole_range() {
        let mut floats = [0.0_f32; DIMENSIONS];
        floats[3] = -0.25;
        floats[4] = 0.125;
        let query = Query::of(&floats).expect("finite");
        assert_eq!((query.0[3], query.0[4], query.0[5]), (-32767, 16384, 0));
    }

    #[test]
    fn what_has_no_direction_is_no_query() {
        assert_eq!(Query::of(&[0.0; DIMENSIONS]), None);
        for broken in [f32::NAN, f32::INFINITY] {
            let mut floats = [0.5_f32; DIMENSIONS];
            floats[7] = broken;
            assert_eq!(Query::of(&floats), None);
        }
        // Subnormals are numbers like others.
        assert!(Query::of(&[f32::from_bits(1); DIMENSIONS]).is_some());
    }
}
