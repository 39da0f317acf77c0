//! A piece of the index. It grows by such pieces, so nothing is copied and no listing moves.

use p2p_simd::{Code, CodeBlock, LANES, Row};

/// Slots in a block: half a megabyte.
pub(super) const SLOTS: usize = 1_024;

#[derive(Debug, Clone)]
pub(super) struct Block {
    codes: Box<[CodeBlock]>,
    rows: Box<[Row]>,
    /// One over the length of each row.
    shrinks: Box<[f32]>,
    handles: Box<[u32]>,
    /// One bit a slot: whether there is a listing in it.
    live: [u64; SLOTS / 64],
}

impl Block {
    pub(super) const BYTES: usize =
        size_of::<Self>() + SLOTS / LANES * size_of::<CodeBlock>() + SLOTS * (size_of::<Row>() + 8);

    pub(super) fn new() -> Self {
        Self {
            codes: vec![CodeBlock::EMPTY; SLOTS / LANES].into(),
            rows: vec![Row::ZERO; SLOTS].into(),
            shrinks: vec![0.0; SLOTS].into(),
            handles: vec![0; SLOTS].into(),
            live: [0; SLOTS / 64],
        }
    }

    pub(super) fn put(&mut self, slot: usize, handle: u32, row: &Row, code: &Code, shrink: f32) {
        self.codes[slot / LANES].set(slot % LANES, code);
        self.rows[slot] = *row;
        self.shrinks[slot] = shrink;
        self.handles[slot] = handle;
        self.live[slot / 64] |= 1 << (slot % 64);
    }

    pub(super) fn clear(&mut self, slot: usize) {
        self.live[slot / 64] &= !(1 << (slot % 64));
    }

    pub(super) fn is_live(&self, slot: usize) -> bool {
        self.live[slot / 64] >> (slot % 64) & 1 == 1
    }

    pub(super) fn codes(&self) -> &[CodeBlock] {
        &self.codes
    }

    pub(super) fn row(&self, slot: usize) -> &Row {
        &self.rows[slot]
    }

    pub(super) fn shrink(&self, slot: usize) -> f32 {
        self.shrinks[slot]
    }

    pub(super) fn handle(&self, slot: usize) -> u32 {
        self.handles[slot]
    }
}
