//! A task as the store keeps it: what is said of it in JSON, its answers as bytes behind that. An
//! embedding is 388 bytes so, where a list of numbers takes five thousand: every answer of the
//! largest task is kept.
//!
//! `1`, the length of the JSON (32 bits, little-endian), the JSON, then the answers one after the
//! other. A document that is JSON alone is read, too: so the first ones were written.

use p2p_control::api::Task;
use p2p_protocol::TextOutcome;
use p2p_types::{Chunk, Output, QuantizedVector, TextFailure};

use crate::view;

/// What a document begins with.
const FORM: u8 = 1;
/// What an answer begins with.
const UNKNOWN: u8 = 0;
const EMBEDDING: u8 = 1;
const LABEL: u8 = 2;
const CHUNKS: u8 = 3;
const NOTHING: u8 = 4;
const FAILURE: u8 = 5;
/// Failures by their number here: the places never change.
const FAILURES: [TextFailure; 7] = [
    TextFailure::Empty,
    TextFailure::TooLong,
    TextFailure::WorkerLost,
    TextFailure::Deadline,
    TextFailure::Model,
    TextFailure::NoProvider,
    TextFailure::Cancelled,
];

/// One task, to be kept or as it was kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    /// Without its results, unless they were kept in it.
    pub(crate) head: Task,
    answers: Vec<Option<TextOutcome>>,
}

impl Document {
    pub(crate) fn of(task: &p2p_protocol::Task) -> Self {
        Self { head: view::task_head(task), answers: task.results.clone() }
    }

    /// `None` where it is of another form, or damaged.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = split(bytes)?;
        let mut rest = Rest(rest);
        let mut answers = Vec::new();
        while !rest.0.is_empty() {
            answers.push(rest.answer()?);
        }
        Some(Self { head: serde_json::from_slice(head).ok()?, answers })
    }

    pub(crate) fn to_bytes(&self) -> Option<Vec<u8>> {
        let head = serde_json::to_vec(&self.head).ok()?;
        let mut bytes = vec![FORM];
        bytes.extend(u32::try_from(head.len()).ok()?.to_le_bytes());
        bytes.extend(head);
        for answer in &self.answers {
            put_answer(&mut bytes, answer.as_ref());
        }
        Some(bytes)
    }

    /// The task with its results.
    pub(crate) fn into_task(self) -> Task {
        let mut task = self.head;
        if !self.answers.is_empty() {
            task.results = self.answers.iter().map(|answer| answer.as_ref().map(view::outcome)).collect();
        }
        task
    }
}

/// What is said of a kept task, without reading its answers.
pub(crate) fn head(bytes: &[u8]) -> Option<Task> {
    serde_json::from_slice(split(bytes)?.0).ok()
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match bytes {
        [b'{', ..] => Some((bytes, &[])),
        [FORM, rest @ ..] => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            rest.split_at_checked(u32::from_le_bytes(*length) as usize)
        }
        _ => None,
    }
}

fn put_answer(bytes: &mut Vec<u8>, answer: Option<&TextOutcome>) {
    match answer {
        None => bytes.push(UNKNOWN),
        Some(Ok(Output::Embedding(QuantizedVector { scale, values }))) => {
            bytes.push(EMBEDDING);
            bytes.extend(scale.to_le_bytes());
            put_length(bytes, values.len());
            bytes.extend(values.iter().map(|value| value.cast_unsigned()));
        }
        Some(Ok(Output::Label { label, score_ppm })) => {
            bytes.push(LABEL);
            put_length(bytes, label.len());
            bytes.extend(label.as_bytes());
            put_number(bytes, *score_ppm);
        }
        Some(Ok(Output::Chunks(chunks))) => {
            bytes.push(CHUNKS);
            put_length(bytes, chunks.len());
            let mut before = 0;
            // Differences are small where offsets are not; most of them fit one byte.
            for chunk in chunks {
                put_number(bytes, chunk.start.wrapping_sub(before));
                put_number(bytes, chunk.end.wrapping_sub(chunk.start));
                put_number(bytes, chunk.tokens);
                before = chunk.start;
            }
        }
        Some(Ok(Output::Nothing)) => bytes.push(NOTHING),
        Some(Err(failure)) => {
            let place = FAILURES.iter().position(|known| known == failure).unwrap_or(FAILURES.len());
            bytes.push(FAILURE);
            put_length(bytes, place);
        }
    }
}

/// Lengths are those of vectors that were once messages: far below 2^32.
fn put_length(bytes: &mut Vec<u8>, length: usize) {
    put_number(bytes, u32::try_from(length).unwrap_or(u32::MAX));
}

/// Seven bits a byte, the lowest first; the last byte is below 128.
fn put_number(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn answer(&mut self) -> Option<Option<TextOutcome>> {
        Some(Some(match self.take(1)?[0] {
            UNKNOWN => return Some(None),
            EMBEDDING => {
                let scale = f32::from_le_bytes(self.take(4)?.try_into().ok()?);
                let length = self.length()?;
                let values = self.take(length)?.iter().map(|value| value.cast_signed()).collect();
                Ok(Output::Embedding(QuantizedVector { scale, values }))
            }
            LABEL => {
                let length = self.length()?;
                let label = String::from_utf8(self.take(length)?.to_vec()).ok()?;
                Ok(Output::Label { label, score_ppm: self.number()? })
            }
            CHUNKS => {
                let (mut chunks, mut before) = (Vec::new(), 0_u32);
                for _ in 0..self.length()? {
                    let start = before.wrapping_add(self.number()?);
                    let end = start.wrapping_add(self.number()?);
                    chunks.push(Chunk { start, end, tokens: self.number()? });
                    before = start;
                }
                Ok(Output::Chunks(chunks))
            }
            NOTHING => Ok(Output::Nothing),
            FAILURE => Err(*FAILURES.get(self.length()?)?),
            _ => return None,
        }))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn number(&mut self) -> Option<u32> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(number).ok();
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
