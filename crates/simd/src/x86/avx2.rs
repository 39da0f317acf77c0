//! 256 bits at once.

use std::arch::x86_64::*;

use crate::{Code, CodeBlock, Floats, LANES, Query, Row, scalar};

/// There is no popcount of registers: each half byte is looked up, and the bytes of all words are
/// added before they are spread (six words make at most 48).
#[target_feature(enable = "avx2")]
pub(super) fn hamming(blocks: &[CodeBlock], query: &Code, distances: &mut [[u16; LANES]]) {
    let ones = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    let half = _mm256_set1_epi8(0x0f);
    let query = query.0.map(|word| _mm256_set1_epi64x(word.cast_signed()));
    for (block, distances) in blocks.iter().zip(distances) {
        let mut bytes = [_mm256_setzero_si256(); 2];
        for (lanes, word) in block.0.iter().zip(query) {
            for (bytes, four) in bytes.iter_mut().zip(lanes.as_chunks::<4>().0) {
                // SAFETY: four words are 32 bytes, and blocks are aligned to 64.
                let codes = unsafe { _mm256_load_si256(four.as_ptr().cast()) };
                let differ = _mm256_xor_si256(codes, word);
                let low = _mm256_shuffle_epi8(ones, _mm256_and_si256(differ, half));
                let high = _mm256_shuffle_epi8(ones, _mm256_and_si256(_mm256_srli_epi16::<4>(differ), half));
                *bytes = _mm256_add_epi8(*bytes, _mm256_add_epi8(low, high));
            }
        }
        let [first, second] = bytes.map(|bytes| _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
        // Words of 64 bits to such of 16, in order: the second four go to the upper halves, then all move up.
        let pairs = _mm256_or_si256(first, _mm256_slli_epi64::<32>(second));
        let sorted = _mm256_permutevar8x32_epi32(pairs, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
        let packed = _mm_packus_epi32(_mm256_castsi256_si128(sorted), _mm256_extracti128_si256::<1>(sorted));
        // SAFETY: eight distances are 16 bytes.
        unsafe { _mm_storeu_si128(distances.as_mut_ptr().cast(), packed) };
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn at_most(distances: &[[u16; LANES]], most: u16, positions: &mut Vec<u32>) {
    let bound = _mm256_set1_epi16(most.cast_signed());
    let (pairs, rest) = distances.as_chunks::<2>();
    for (start, pair) in (0_u32..).step_by(16).zip(pairs) {
        // SAFETY: two times eight distances are 32 bytes.
        let values = unsafe { _mm256_loadu_si256(pair.as_ptr().cast()) };
        let near = _mm256_cmpeq_epi16(_mm256_min_epu16(values, bound), values);
        let mut mask = _mm256_movemask_epi8(near).cast_unsigned();
        while mask != 0 {
            // Two bits a distance.
            let bit = mask.trailing_zeros();
            positions.push(start + bit / 2);
            mask &= !(0b11 << bit);
        }
    }
    rest_at_most(distances.len(), rest, most, positions);
}

/// The blocks at the end that fill no register.
pub(super) fn rest_at_most(blocks: usize, rest: &[[u16; LANES]], most: u16, positions: &mut Vec<u32>) {
    let known = positions.len();
    scalar::at_most(rest, most, positions);
    // Positions are 32 bits wide everywhere.
    let start = ((blocks - rest.len()) * LANES) as u32;
    positions[known..].iter_mut().for_each(|position| *position += start);
}

#[target_feature(enable = "avx2")]
pub(super) fn dot(query: &Query, row: &Row) -> i32 {
    let mut sum = _mm256_setzero_si256();
    for (a, b) in query.0.as_chunks::<16>().0.iter().zip(row.0.as_chunks::<16>().0) {
        // SAFETY: 16 values of int16 are 32 bytes, and queries are aligned to 64.
        let a = unsafe { _mm256_load_si256(a.as_ptr().cast()) };
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, widened(b)));
    }
    added(sum)
}

#[target_feature(enable = "avx2")]
pub(super) fn dot_i8(one: &Row, other: &Row) -> i32 {
    let mut sum = _mm256_setzero_si256();
    for (a, b) in one.0.as_chunks::<16>().0.iter().zip(other.0.as_chunks::<16>().0) {
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(widened(a), widened(b)));
    }
    added(sum)
}

#[target_feature(enable = "avx2,fma")]
pub(super) fn dot_f32(one: &Floats, other: &Floats) -> f32 {
    let mut sums = [_mm256_setzero_ps(); 4];
    for (a, b) in one.0.as_chunks::<32>().0.iter().zip(other.0.as_chunks::<32>().0) {
        for ((sum, a), b) in sums.iter_mut().zip(a.as_chunks::<8>().0).zip(b.as_chunks::<8>().0) {
            // SAFETY: eight floats are 32 bytes, and both are aligned to 64.
            let (a, b) = unsafe { (_mm256_load_ps(a.as_ptr()), _mm256_load_ps(b.as_ptr())) };
            *sum = _mm256_fmadd_ps(a, b, *sum);
        }
    }
    let sum = _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3]));
    let four = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps::<1>(sum));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
}

/// 16 values of int8 in int16.
#[target_feature(enable = "avx2")]
fn widened(values: &[i8; 16]) -> __m256i {
    // SAFETY: 16 bytes.
    _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(values.as_ptr().cast()) })
}

/// The sum of eight.
#[target_feature(enable = "avx2")]
fn added(sum: __m256i) -> i32 {
    let four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b00_00_11_10>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b00_00_00_01>(two)))
}
