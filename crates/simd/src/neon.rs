//! NEON, which every ARM of 64 bits has: 128 bits at once.

#![allow(unsafe_code, reason = "loads and stores, and calls of functions that need NEON")]

use std::arch::aarch64::*;

use crate::kernels::{Kernels, Path};
use crate::{Code, CodeBlock, Floats, LANES, Query, Row, scalar};

/// Asked all the same: a system may build for a processor without it.
pub(crate) fn available() -> Option<Kernels> {
    std::arch::is_aarch64_feature_detected!("neon").then_some(KERNELS)
}

#[allow(clippy::undocumented_unsafe_blocks, reason = "said once for all of them")]
const KERNELS: Kernels = Kernels {
    path: Path::Neon,
    // SAFETY (all four): `available` hands this out where the processor has NEON.
    hamming: |blocks, query, distances| unsafe { hamming(blocks, query, distances) },
    at_most: scalar::at_most,
    dot: |query, row| unsafe { dot(query, row) },
    dot_i8: |one, other| unsafe { dot_i8(one, other) },
    dot_f32: |one, other| unsafe { dot_f32(one, other) },
};

/// The bits of each byte are counted, the bytes of all words added (six make at most 48), then spread.
#[target_feature(enable = "neon")]
fn hamming(blocks: &[CodeBlock], query: &Code, distances: &mut [[u16; LANES]]) {
    let query = query.0.map(|word| vreinterpretq_u8_u64(vdupq_n_u64(word)));
    for (block, distances) in blocks.iter().zip(distances) {
        let mut bytes = [vdupq_n_u8(0); LANES / 2];
        for (lanes, word) in block.0.iter().zip(query) {
            for (bytes, two) in bytes.iter_mut().zip(lanes.as_chunks::<2>().0) {
                // SAFETY: two words are 16 bytes.
                let codes = vreinterpretq_u8_u64(unsafe { vld1q_u64(two.as_ptr()) });
                *bytes = vaddq_u8(*bytes, vcntq_u8(veorq_u8(codes, word)));
            }
        }
        let [a, b, c, d] = bytes.map(|bytes| vmovn_u64(vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(bytes)))));
        let packed = vcombine_u16(vmovn_u32(vcombine_u32(a, b)), vmovn_u32(vcombine_u32(c, d)));
        // SAFETY: eight distances are 16 bytes.
        unsafe { vst1q_u16(distances.as_mut_ptr(), packed) };
    }
}

#[target_feature(enable = "neon")]
fn dot(query: &Query, row: &Row) -> i32 {
    let mut sums = [vdupq_n_s32(0); 2];
    for (a, b) in query.0.as_chunks::<8>().0.iter().zip(row.0.as_chunks::<8>().0) {
        // SAFETY: eight values of int16 and eight of int8.
        let (a, b) = unsafe { (vld1q_s16(a.as_ptr()), vmovl_s8(vld1_s8(b.as_ptr()))) };
        sums[0] = vmlal_s16(sums[0], vget_low_s16(a), vget_low_s16(b));
        sums[1] = vmlal_high_s16(sums[1], a, b);
    }
    vaddvq_s32(vaddq_s32(sums[0], sums[1]))
}

/// A product of two int8 fits into int16, also that of -128 with itself.
#[target_feature(enable = "neon")]
fn dot_i8(one: &Row, other: &Row) -> i32 {
    let mut sum = vdupq_n_s32(0);
    for (a, b) in one.0.as_chunks::<16>().0.iter().zip(other.0.as_chunks::<16>().0) {
        // SAFETY: 16 bytes each.
        let (a, b) = unsafe { (vld1q_s8(a.as_ptr()), vld1q_s8(b.as_ptr())) };
        sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
        sum = vpadalq_s16(sum, vmull_high_s8(a, b));
    }
    vaddvq_s32(sum)
}

#[target_feature(enable = "neon")]
fn dot_f32(one: &Floats, other: &Floats) -> f32 {
    let mut sums = [vdupq_n_f32(0.0); 4];
    for (a, b) in one.0.as_chunks::<16>().0.iter().zip(other.0.as_chunks::<16>().0) {
        for ((sum, a), b) in sums.iter_mut().zip(a.as_chunks::<4>().0).zip(b.as_chunks::<4>().0) {
            // SAFETY: four floats each.
            let (a, b) = unsafe { (vld1q_f32(a.as_ptr()), vld1q_f32(b.as_ptr())) };
            *sum = vfmaq_f32(*sum, a, b);
        }
    }
    vaddvq_f32(vaddq_f32(vaddq_f32(sums[0], sums[1]), vaddq_f32(sums[2], sums[3])))
}
