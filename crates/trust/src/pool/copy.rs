//! The pool as bytes, to outlive the process. What is being made is not in it.

use p2p_types::{Hash, Output, QuantizedVector, TaskKind};

use super::{Canary, Mark, Number, Pool, Shelf};
use crate::encoding::{BrokenCopy, Reader, Writer};

const NAME: [u8; 4] = *b"CanP";
const VERSION: u8 = 1;
/// Most tasks of one kind, texts of one, and bytes of one text, label or vector.
const TASKS: usize = 1_000;
const TEXTS: usize = 16;
const BYTES: usize = 8 * 1024;

impl Pool {
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(NAME, VERSION);
        writer.len(self.shelves.len());
        for shelf in &self.shelves {
            writer.bytes(shelf.kind.as_str().as_bytes()).u64(shelf.next).u64(shelf.taken).len(shelf.ready.len());
            for (number, canary) in &shelf.ready {
                writer.u64(*number).key(&canary.model.0).len(canary.texts.len());
                for (text, output) in canary.texts.iter().zip(&canary.expected) {
                    writer.bytes(text.as_bytes());
                    write(&mut writer, output);
                }
            }
        }
        writer.end()
    }

    /// The pool of a copy, without what is below `mark`: of those some were taken after the copy
    /// was made. Nothing is set aside yet, and models are yet to be said.
    ///
    /// # Errors
    ///
    /// [`BrokenCopy`] where it is no such copy; the caller goes on with [`Pool::new`] at the mark.
    pub fn from_bytes(bytes: &[u8], mark: Mark) -> Result<Self, BrokenCopy> {
        let mut pool = Self::new(mark);
        let mut reader = Reader::new(bytes, NAME, VERSION)?;
        for _ in 0..reader.len(pool.shelves.len())? {
            let kind: TaskKind = reader.text(BYTES)?.parse().map_err(|_| BrokenCopy::Impossible)?;
            let shelf = pool.shelf(kind).ok_or(BrokenCopy::Impossible)?;
            read(&mut reader, shelf)?;
        }
        reader.end()?;
        Ok(pool)
    }
}

fn read(reader: &mut Reader<'_>, shelf: &mut Shelf) -> Result<(), BrokenCopy> {
    shelf.next = shelf.next.max(reader.u64()?);
    shelf.taken = shelf.taken.max(reader.u64()?);
    shelf.reserved = shelf.reserved.max(shelf.taken);
    for _ in 0..reader.len(TASKS)? {
        let (number, model) = (reader.u64()?, Hash(reader.key()?));
        let mut canary =
            Canary { number: Number { kind: shelf.kind, number }, model, texts: Vec::new(), expected: Vec::new() };
        for _ in 0..reader.len(TEXTS)? {
            canary.texts.push(reader.text(BYTES)?);
            canary.expected.push(output(reader)?);
        }
        if number >= shelf.taken && number < shelf.next {
            shelf.ready.insert(number, canary);
        }
    }
    Ok(())
}

/// Other outputs never stand on a shelf; a copy that has one is refused.
fn write(writer: &mut Writer, output: &Output) {
    match output {
        Output::Label { label, score_ppm } => {
            writer.byte(1).bytes(label.as_bytes()).u32(*score_ppm);
        }
        Output::Embedding(vector) => {
            let values: Vec<u8> = vector.values.iter().map(|value| value.cast_unsigned()).collect();
            writer.byte(2).u32(vector.scale.to_bits()).bytes(&values);
        }
        Output::Chunks(_) | Output::Nothing => {
            writer.byte(0);
        }
    }
}

fn output(reader: &mut Reader<'_>) -> Result<Output, BrokenCopy> {
    match reader.byte()? {
        1 => Ok(Output::Label { label: reader.text(BYTES)?, score_ppm: reader.u32()? }),
        2 => {
            let scale = f32::from_bits(reader.u32()?);
            let values = reader.bytes(BYTES)?.iter().map(|byte| byte.cast_signed()).collect();
            Ok(Output::Embedding(QuantizedVector { scale, values }))
        }
        _ => Err(BrokenCopy::Impossible),
    }
}
