//! AVX2 and AVX-512.
//!
//! Each kernel is a function that needs instructions beyond x86-64, and a plain one that calls it.
//! The plain ones are reachable by [`available`] alone, which asks the processor first.

#![allow(unsafe_code, reason = "loads, stores, and calls of functions that need more than x86-64")]

mod avx2;
mod avx512;

use std::arch::is_x86_feature_detected as has;

use crate::kernels::{Kernels, Path};

/// The paths of this processor, the slowest first.
pub(crate) fn available() -> impl Iterator<Item = Kernels> {
    let avx2 = has!("avx2") && has!("fma");
    let avx512 = avx2 && has!("avx512f") && has!("avx512bw") && has!("avx512vnni") && has!("avx512vpopcntdq");
    [avx2.then_some(AVX2), avx512.then_some(AVX512)].into_iter().flatten()
}

#[expect(clippy::undocumented_unsafe_blocks, reason = "said once for all of them")]
const AVX2: Kernels = Kernels {
    path: Path::Avx2,
    // SAFETY (all five): `available` hands this out where the processor has AVX2 and FMA.
    hamming: |blocks, query, distances| unsafe { avx2::hamming(blocks, query, distances) },
    at_most: |distances, most, positions| unsafe { avx2::at_most(distances, most, positions) },
    dot: |query, row| unsafe { avx2::dot(query, row) },
    dot_i8: |one, other| unsafe { avx2::dot_i8(one, other) },
    dot_f32: |one, other| unsafe { avx2::dot_f32(one, other) },
};

#[expect(clippy::undocumented_unsafe_blocks, reason = "said once for all of them")]
const AVX512: Kernels = Kernels {
    path: Path::Avx512,
    // SAFETY (all five): `available` hands this out where the processor has these parts of AVX-512.
    hamming: |blocks, query, distances| unsafe { avx512::hamming(blocks, query, distances) },
    at_most: |distances, most, positions| unsafe { avx512::at_most(distances, most, positions) },
    dot: |query, row| unsafe { avx512::dot(query, row) },
    dot_i8: |one, other| unsafe { avx512::dot_i8(one, other) },
    dot_f32: |one, other| unsafe { avx512::dot_f32(one, other) },
};
