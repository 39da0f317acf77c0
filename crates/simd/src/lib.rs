//! Kernels over vectors of 384 dimensions: the inner loops of search.
//!
//! A listing's vector is a [`Row`] of int8 values. Beside it stands its [`Code`], one bit a
//! dimension. A search looks at every code ([`Kernels::hamming`]), keeps the nearest few hundred
//! ([`Kernels::at_most`], [`Nearest`]), and compares only those with the query in int16
//! ([`Kernels::dot`]).
//!
//! A build for any x86-64 may use no more than SSE2, so each kernel exists several times and
//! [`Kernels::best`] looks once, at run time, at what this processor has. The scalar path is the
//! oracle: all others have to give the same integers, and floats that differ by rounding alone.
//!
//! Deliberately absent: what a vector means, clocks, I/O, threads.

mod kernels;
mod layout;
mod nearest;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use kernels::{Kernels, Path};
pub use layout::{Code, CodeBlock, Floats, LANES, Query, Row, WORDS, prefetch};
pub use nearest::{Near, Nearest};

/// Every vector has this many dimensions.
pub const DIMENSIONS: usize = 384;
