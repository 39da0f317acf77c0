//! 512 bits at once.

use std::arch::x86_64::*;

use super::avx2::rest_at_most;
use crate::{Code, CodeBlock, Floats, LANES, Query, Row};

#[target_feature(enable = "avx512f,avx512vpopcntdq")]
pub(super) fn hamming(blocks: &[CodeBlock], query: &Code, distances: &mut [[u16; LANES]]) {
    let query = query.0.map(|word| _mm512_set1_epi64(word.cast_signed()));
    for (block, distances) in blocks.iter().zip(distances) {
        let mut sum = _mm512_setzero_si512();
        for (lanes, word) in block.0.iter().zip(query) {
            // SAFETY: eight words are 64 bytes, and blocks are aligned to 64.
            let codes = unsafe { _mm512_load_si512(lanes.as_ptr().cast()) };
            sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_xor_si512(codes, word)));
        }
        // SAFETY: eight distances are 16 bytes.
        unsafe { _mm_storeu_si128(distances.as_mut_ptr().cast(), _mm512_cvtepi64_epi16(sum)) };
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn at_most(distances: &[[u16; LANES]], most: u16, positions: &mut Vec<u32>) {
    let bound = _mm512_set1_epi16(most.cast_signed());
    let (fours, rest) = distances.as_chunks::<4>();
    for (start, four) in (0_u32..).step_by(32).zip(fours) {
        // SAFETY: four times eight distances are 64 bytes.
        let values = unsafe { _mm512_loadu_si512(four.as_ptr().cast()) };
        let mut mask = _mm512_cmple_epu16_mask(values, bound);
        while mask != 0 {
            positions.push(start + mask.trailing_zeros());
            mask &= mask - 1;
        }
    }
    rest_at_most(distances.len(), rest, most, positions);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn dot(query: &Query, row: &Row) -> i32 {
    let mut sums = [_mm512_setzero_si512(); 2];
    for (a, b) in query.0.as_chunks::<64>().0.iter().zip(row.0.as_chunks::<64>().0) {
        for ((sum, a), b) in sums.iter_mut().zip(a.as_chunks::<32>().0).zip(b.as_chunks::<32>().0) {
            // SAFETY: 64 bytes of a query and 32 of a row, and both are aligned to 64.
            let (a, b) = unsafe { (_mm512_load_si512(a.as_ptr().cast()), _mm256_load_si256(b.as_ptr().cast())) };
            *sum = _mm512_dpwssd_epi32(*sum, a, _mm512_cvtepi8_epi16(b));
        }
    }
    _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1]))
}

/// The instruction takes one side without sign, so 128 is added to it, and 128 times the other
/// side's sum is taken away at the end.
#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) fn dot_i8(one: &Row, other: &Row) -> i32 {
    let flip = _mm512_set1_epi8(i8::MIN);
    let mut sum = _mm512_setzero_si512();
    let mut above = _mm512_setzero_si512();
    for (a, b) in one.0.as_chunks::<64>().0.iter().zip(other.0.as_chunks::<64>().0) {
        // SAFETY: 64 bytes each, and rows are aligned to 64.
        let (a, b) = unsafe { (_mm512_load_si512(a.as_ptr().cast()), _mm512_load_si512(b.as_ptr().cast())) };
        sum = _mm512_dpbusd_epi32(sum, _mm512_xor_si512(a, flip), b);
        above = _mm512_dpbusd_epi32(above, flip, b);
    }
    _mm512_reduce_add_epi32(_mm512_sub_epi32(sum, above))
}

#[target_feature(enable = "avx512f")]
pub(super) fn dot_f32(one: &Floats, other: &Floats) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 4];
    for (a, b) in one.0.as_chunks::<64>().0.iter().zip(other.0.as_chunks::<64>().0) {
        for ((sum, a), b) in sums.iter_mut().zip(a.as_chunks::<16>().0).zip(b.as_chunks::<16>().0) {
            // SAFETY: 16 floats are 64 bytes, and both are aligned to 64.
            let (a, b) = unsafe { (_mm512_load_ps(a.as_ptr()), _mm512_load_ps(b.as_ptr())) };
            *sum = _mm512_fmadd_ps(a, b, *sum);
        }
    }
    _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])))
}
