//! Plain Rust: what the other paths are tested against.

use crate::kernels::{Kernels, Path};
use crate::{Code, CodeBlock, Floats, LANES, Query, Row};

pub(crate) const KERNELS: Kernels = Kernels { path: Path::Scalar, hamming, at_most, dot, dot_i8, dot_f32 };

fn hamming(blocks: &[CodeBlock], query: &Code, distances: &mut [[u16; LANES]]) {
    for (block, distances) in blocks.iter().zip(distances) {
        *distances = [0; LANES];
        for (lanes, word) in block.0.iter().zip(query.0) {
            for (distance, lane) in distances.iter_mut().zip(lanes) {
                // At most 64.
                *distance += (lane ^ word).count_ones() as u16;
            }
        }
    }
}

pub(crate) fn at_most(distances: &[[u16; LANES]], most: u16, positions: &mut Vec<u32>) {
    let near = (0_u32..).zip(distances.as_flattened()).filter(|(_, distance)| **distance <= most);
    positions.extend(near.map(|(position, _)| position));
}

fn dot(query: &Query, row: &Row) -> i32 {
    query.0.iter().zip(&row.0).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}

fn dot_i8(one: &Row, other: &Row) -> i32 {
    one.0.iter().zip(&other.0).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}

fn dot_f32(one: &Floats, other: &Floats) -> f32 {
    one.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
}
