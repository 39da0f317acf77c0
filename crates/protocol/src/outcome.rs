//! Answers to and from the wire, checked against what was asked.

use p2p_types::{Chunk, Output, QuantizedVector, TaskKind, TextFailure, limits};

use crate::digest::failure_number;
use crate::wire;
use crate::wire::outcome::Outcome as Wire;

/// What became of one text.
pub type TextOutcome = Result<Output, TextFailure>;

/// Dimensions of the embeddings of the pinned base model.
const DIMENSIONS: usize = 384;
/// Longest name of a label, in bytes.
const LABEL_BYTES: usize = 64;
/// Most tokens of one chunk, as in [`crate::ChunkSizes`].
const CHUNK_TOKENS: u32 = 512;

pub(crate) fn to_wire(outcome: &TextOutcome) -> wire::Outcome {
    let outcome = match outcome {
        Ok(Output::Embedding(QuantizedVector { scale, values })) => Wire::Embedding(wire::Vector {
            scale: *scale,
            values: values.iter().map(|value| value.cast_unsigned()).collect(),
        }),
        Ok(Output::Label { label, score_ppm }) => {
            Wire::Label(wire::Label { label: label.clone(), score_ppm: *score_ppm })
        }
        Ok(Output::Chunks(chunks)) => Wire::Chunks(wire::Chunks {
            bounds: chunks.iter().flat_map(|chunk| [chunk.start, chunk.end, chunk.tokens]).collect(),
        }),
        Ok(Output::Nothing) => Wire::Nothing(wire::Nothing {}),
        Err(failure) => Wire::Failure(i32::from(failure_number(*failure))),
    };
    wire::Outcome { outcome: Some(outcome) }
}

/// What a peer answered for `text`; `None` where it is no answer to `kind` of that text.
pub(crate) fn from_wire(outcome: wire::Outcome, kind: TaskKind, text: &str) -> Option<TextOutcome> {
    let outcome = match outcome.outcome? {
        Wire::Failure(number) => Err(failure(number)?),
        Wire::Embedding(wire::Vector { scale, values }) => {
            Ok(Output::Embedding(QuantizedVector { scale, values: values.into_iter().map(u8::cast_signed).collect() }))
        }
        Wire::Label(wire::Label { label, score_ppm }) => Ok(Output::Label { label, score_ppm }),
        Wire::Chunks(wire::Chunks { bounds }) => Ok(Output::Chunks(chunks(&bounds)?)),
        Wire::Nothing(wire::Nothing {}) => Ok(Output::Nothing),
    };
    is_sound(&outcome, kind, text).then_some(outcome)
}

/// Whether `outcome` can be an answer to `kind` of `text`: what a requester accepts, and so what a
/// provider sends.
pub(crate) fn is_sound(outcome: &TextOutcome, kind: TaskKind, text: &str) -> bool {
    match (outcome, kind) {
        (Err(_), _) | (Ok(Output::Nothing), TaskKind::Noop) => true,
        (Ok(Output::Embedding(QuantizedVector { scale, values })), TaskKind::Embed) => {
            // The largest value it can stand for must be a number, too.
            values.len() == DIMENSIONS && *scale >= 0.0 && (scale * 128.0).is_finite()
        }
        (Ok(Output::Label { label, score_ppm }), TaskKind::Sentiment) => {
            let printable = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_graphic());
            printable && label.len() <= LABEL_BYTES && *score_ppm <= 1_000_000
        }
        (Ok(Output::Chunks(chunks)), TaskKind::Chunk) => {
            let in_text = |at: u32| text.is_char_boundary(at as usize);
            let sound = |chunk: &Chunk| {
                chunk.start < chunk.end && in_text(chunk.start) && in_text(chunk.end) && chunk.tokens <= CHUNK_TOKENS
            };
            let in_order = chunks.is_sorted_by(|one, next| one.start < next.start && one.end <= next.end);
            chunks.len() <= limits::CHUNKS_PER_TEXT && in_order && chunks.iter().all(sound)
        }
        (Ok(Output::Embedding(_) | Output::Label { .. } | Output::Chunks(_) | Output::Nothing), _) => false,
    }
}

fn failure(number: i32) -> Option<TextFailure> {
    match wire::Failure::try_from(number).ok()? {
        wire::Failure::Unspecified => None,
        wire::Failure::Empty => Some(TextFailure::Empty),
        wire::Failure::TooLong => Some(TextFailure::TooLong),
        wire::Failure::WorkerLost => Some(TextFailure::WorkerLost),
        wire::Failure::Deadline => Some(TextFailure::Deadline),
        wire::Failure::Model => Some(TextFailure::Model),
    }
}

fn chunks(bounds: &[u32]) -> Option<Vec<Chunk>> {
    let (triples, rest) = bounds.as_chunks::<3>();
    let chunk = |&[start, end, tokens]: &[u32; 3]| Chunk { start, end, tokens };
    rest.is_empty().then(|| triples.iter().map(chunk).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_round_trip() {
        let vector = QuantizedVector { scale: 0.5, values: vec![-127; DIMENSIONS] };
        let cases = [
            (TaskKind::Embed, Ok(Output::Embedding(vector))),
            (TaskKind::Sentiment, Ok(Output::Label { label: "positive".into(), score_ppm: 900_000 })),
            (TaskKind::Chunk, Ok(Output::Chunks(vec![Chunk { start: 0, end: 3, tokens: 1 }]))),
            (TaskKind::Noop, Ok(Output::Nothing)),
            (TaskKind::Embed, Err(TextFailure::WorkerLost)),
        ];
        for (kind, outcome) in cases {
            assert_eq!(from_wire(to_wire(&outcome), kind, "abc"), Some(outcome));
        }
    }

    #[test]
    fn answers_to_another_question_are_none() {
        let label = to_wire(&Ok(Output::Label { label: "x".into(), score_ppm: 1 }));
        assert_eq!(from_wire(label, TaskKind::Embed, "abc"), None);
        let short = to_wire(&Ok(Output::Embedding(QuantizedVector { scale: 1.0, values: vec![1; 383] })));
        assert_eq!(from_wire(short, TaskKind::Embed, "abc"), None);
        let impossible = to_wire(&Ok(Output::Label { label: "x".into(), score_ppm: 1_000_001 }));
        assert_eq!(from_wire(impossible, TaskKind::Sentiment, "abc"), None);
        for chunk in [Chunk { start: 2, end: 1, tokens: 1 }, Chunk { start: 0, end: 9, tokens: 1 }] {
            let outside = to_wire(&Ok(Output::Chunks(vec![chunk])));
            assert_eq!(from_wire(outside, TaskKind::Chunk, "abc"), None);
        }
        let inside_a_letter = to_wire(&Ok(Output::Chunks(vec![Chunk { start: 0, end: 1, tokens: 1 }])));
        assert_eq!(from_wire(inside_a_letter, TaskKind::Chunk, "é"), None);
        assert_eq!(from_wire(wire::Outcome { outcome: None }, TaskKind::Noop, ""), None);
    }

    /// A finite scale is not enough: 127 times the largest float is no number.
    #[test]
    fn vectors_that_stand_for_no_numbers_are_none() {
        for scale in [f32::MAX, f32::MAX / 100.0, f32::INFINITY, f32::NAN, -1.0] {
            let vector = to_wire(&Ok(Output::Embedding(QuantizedVector { scale, values: vec![127; DIMENSIONS] })));
            assert_eq!(from_wire(vector, TaskKind::Embed, "abc"), None, "{scale}");
        }
    }

    #[test]
    fn labels_are_words_and_chunks_go_forward() {
        for label in ["", "posi\ntive", "\u{202e}evitisop", &"x".repeat(65)] {
            let label = to_wire(&Ok(Output::Label { label: (*label).to_owned(), score_ppm: 1 }));
            assert_eq!(from_wire(label, TaskKind::Sentiment, "abc"), None);
        }
        let chunk = |start, end| Chunk { start, end, tokens: 1 };
        let answered = |chunks: &[Chunk]| {
            from_wire(to_wire(&Ok(Output::Chunks(chunks.to_vec()))), TaskKind::Chunk, "abcdef").is_some()
        };
        assert!(answered(&[chunk(0, 3), chunk(2, 6)]));
        assert!(!answered(&[chunk(2, 6), chunk(0, 3)]));
        assert!(!answered(&[chunk(0, 3), chunk(0, 3)]));
        assert!(!answered(&[chunk(1, 1)]));
        assert!(!answered(&[Chunk { start: 0, end: 6, tokens: 513 }]));
    }
}
