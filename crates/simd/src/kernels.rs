//! Which path this processor takes.

use std::sync::OnceLock;

use crate::scalar;
use crate::{Code, CodeBlock, Floats, LANES, Query, Row};

/// One way to compute the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Plain Rust; the oracle of the others.
    Scalar,
    /// x86-64 with AVX2 and FMA: almost every one since 2013 to 2015.
    Avx2,
    /// x86-64 with AVX-512 and its VNNI and VPOPCNTDQ: servers since 2019, Zen 4 and later.
    Avx512,
    /// Every ARM of 64 bits.
    Neon,
}

/// The kernels of one path.
///
/// The pointers are private and only set beside a check of the processor, so calling them is safe.
#[derive(Debug, Clone, Copy)]
pub struct Kernels {
    pub(crate) path: Path,
    pub(crate) hamming: fn(&[CodeBlock], &Code, &mut [[u16; LANES]]),
    pub(crate) at_most: fn(&[[u16; LANES]], u16, &mut Vec<u32>),
    pub(crate) dot: fn(&Query, &Row) -> i32,
    pub(crate) dot_i8: fn(&Row, &Row) -> i32,
    pub(crate) dot_f32: fn(&Floats, &Floats) -> f32,
}

impl Kernels {
    /// The fastest that this processor has. It is looked up once.
    #[must_use]
    pub fn best() -> &'static Self {
        static BEST: OnceLock<Kernels> = OnceLock::new();
        BEST.get_or_init(|| Self::all().pop().unwrap_or(scalar::KERNELS))
    }

    /// Every path that this processor has, the slowest first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = vec![scalar::KERNELS];
        #[cfg(target_arch = "x86_64")]
        all.extend(crate::x86::available());
        #[cfg(target_arch = "aarch64")]
        all.extend(crate::neon::available());
        all
    }

    #[must_use]
    pub fn path(&self) -> Path {
        self.path
    }

    /// How many bits of each code differ from `query`'s: 0 to 384. Block `i` goes to `distances[i]`; what is
    /// longer of the two is left alone.
    pub fn hamming(&self, blocks: &[CodeBlock], query: &Code, distances: &mut [[u16; LANES]]) {
        (self.hamming)(blocks, query, distances);
    }

    /// Adds the positions (eight times the block and the lane) whose distance is at most `most`, in order.
    pub fn at_most(&self, distances: &[[u16; LANES]], most: u16, positions: &mut Vec<u32>) {
        (self.at_most)(distances, most, positions);
    }

    /// The product of a query and a row, exact. It cannot overflow: 384 x 32768 x 128 is below 2^31.
    #[must_use]
    pub fn dot(&self, query: &Query, row: &Row) -> i32 {
        (self.dot)(query, row)
    }

    /// The product of two rows, exact.
    #[must_use]
    pub fn dot_i8(&self, one: &Row, other: &Row) -> i32 {
        (self.dot_i8)(one, other)
    }

    /// The product of two vectors of floats; paths differ by rounding.
    #[must_use]
    pub fn dot_f32(&self, one: &Floats, other: &Floats) -> f32 {
        (self.dot_f32)(one, other)
    }
}
