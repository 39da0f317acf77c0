//! What a receipt hashes: inputs and outputs as bytes that every implementation writes alike.
//! `docs/formats.md` has the same rules in words.

use p2p_types::{Chunk, Hash, Output, TaskKind, TextFailure};

use crate::io::ChunkSizes;
use crate::outcome::TextOutcome;

/// The hash of what a provider was given.
#[must_use]
pub fn input_hash(kind: TaskKind, chunk: ChunkSizes, texts: &[String]) -> Hash {
    let mut bytes = Vec::from("p2p-agent/input/1");
    put_bytes(&mut bytes, kind.as_str().as_bytes());
    bytes.extend_from_slice(&chunk.tokens.to_le_bytes());
    bytes.extend_from_slice(&chunk.overlap.to_le_bytes());
    put_len(&mut bytes, texts.len());
    for text in texts {
        put_bytes(&mut bytes, text.as_bytes());
    }
    Hash::of(&bytes)
}

/// The hash of what a provider answered.
#[must_use]
pub fn output_hash(outcomes: &[TextOutcome]) -> Hash {
    let mut bytes = Vec::from("p2p-agent/output/1");
    put_len(&mut bytes, outcomes.len());
    for outcome in outcomes {
        match outcome {
            Ok(Output::Embedding(vector)) => {
                bytes.push(1);
                bytes.extend_from_slice(&vector.scale.to_bits().to_le_bytes());
                put_len(&mut bytes, vector.values.len());
                bytes.extend(vector.values.iter().map(|value| value.cast_unsigned()));
            }
            Ok(Output::Label { label, score_ppm }) => {
                bytes.push(2);
                put_bytes(&mut bytes, label.as_bytes());
                bytes.extend_from_slice(&score_ppm.to_le_bytes());
            }
            Ok(Output::Chunks(chunks)) => {
                bytes.push(3);
                put_len(&mut bytes, chunks.len());
                for Chunk { start, end, tokens } in chunks {
                    bytes.extend([start, end, tokens].into_iter().flat_map(|number| number.to_le_bytes()));
                }
            }
            Ok(Output::Nothing) => bytes.push(4),
            Err(failure) => bytes.extend([5, failure_number(*failure)]),
        }
    }
    Hash::of(&bytes)
}

/// The numbers of `Failure` in the wire format.
pub(crate) const fn failure_number(failure: TextFailure) -> u8 {
    match failure {
        TextFailure::Empty => 1,
        TextFailure::TooLong => 2,
        TextFailure::WorkerLost => 3,
        TextFailure::Deadline => 4,
        TextFailure::Model | TextFailure::NoProvider | TextFailure::Cancelled => 5,
    }
}

fn put_len(bytes: &mut Vec<u8>, len: usize) {
    bytes.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_bytes(bytes: &mut Vec<u8>, field: &[u8]) {
    put_len(bytes, field.len());
    bytes.extend_from_slice(field);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_border_between_texts_counts() {
        let hash = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
            input_hash(TaskKind::Sentiment, ChunkSizes::default(), &texts)
        };
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_ne!(hash(&["ab"]), hash(&["ab", ""]));
    }

    #[test]
    fn every_part_of_an_answer_counts() {
        let label = |label: &str, score_ppm| vec![Ok(Output::Label { label: label.into(), score_ppm })];
        assert_ne!(output_hash(&label("positive", 1)), output_hash(&label("positive", 2)));
        assert_ne!(output_hash(&label("positive", 1)), output_hash(&label("negative", 1)));
        assert_ne!(output_hash(&[Ok(Output::Nothing)]), output_hash(&[Err(TextFailure::Model)]));
    }
}
