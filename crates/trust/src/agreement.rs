//! Whether an answer is the expected one. Processors round differently, so a little is forgiven.

use p2p_types::{Output, QuantizedVector, TextFailure};
use thiserror::Error;

use crate::rounds::Outcome;

/// How far two probabilities of one label may be apart, in millionths.
const SCORE_PPM: u32 = 20_000;
/// Smallest cosine of two embeddings of one text, in hundredths. The same model rounded on another
/// processor stays above 0.999; another model, or another text, is far below.
const COSINE_PERCENT: u128 = 99;
/// How far the lengths of two embeddings of one text may be apart: a cosine says nothing of them,
/// and a vector of the right direction under a wrong scale would spoil every distance.
const LENGTH_SHARE: f64 = 0.1;

/// Two answers to one task, compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreement {
    Same,
    Differs(Difference),
}

/// The first thing in which they differ. `text` counts from 0.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Difference {
    #[error("{got} answers came back for {expected} texts")]
    Count { expected: usize, got: usize },
    #[error("text {text} has no answer: {failure}")]
    Failed { text: usize, failure: TextFailure },
    #[error("text {text} was answered with something else than was asked for")]
    Kind { text: usize },
    #[error("text {text} is {expected:?}, not {got:?}")]
    Label { text: usize, expected: String, got: String },
    #[error("text {text} has a score of {expected} millionths, not {got}")]
    Score { text: usize, expected: u32, got: u32 },
    #[error("the vector of text {text} has {got} dimensions, not {expected}")]
    Dimensions { text: usize, expected: usize, got: usize },
    #[error("the vector of text {text} points elsewhere")]
    Direction { text: usize },
    #[error("the vector of text {text} has another length")]
    Length { text: usize },
}

/// Compares what came back with what should have. A failure agrees with nothing.
#[must_use]
pub fn agree(expected: &[Output], got: &[Result<Output, TextFailure>]) -> Agreement {
    if expected.len() != got.len() {
        return Agreement::Differs(Difference::Count { expected: expected.len(), got: got.len() });
    }
    let pairs = expected.iter().zip(got).enumerate();
    let first = pairs.into_iter().find_map(|(text, (expected, got))| match got {
        Ok(got) => difference(text, expected, got),
        Err(failure) => Some(Difference::Failed { text, failure: *failure }),
    });
    first.map_or(Agreement::Same, Agreement::Differs)
}

/// What an answer says of who gave it. A text that failed is no lie: a worker may be lost, a
/// deadline pass. So it is wrong only where something that was answered differs, and nothing where
/// all that was answered is right and something is missing.
#[must_use]
pub fn judge(expected: &[Output], got: &[Result<Output, TextFailure>]) -> Outcome {
    if expected.len() != got.len() {
        return Outcome::Wrong;
    }
    let answered = expected.iter().zip(got).filter_map(|(expected, got)| Some((expected, got.as_ref().ok()?)));
    if answered.into_iter().any(|(expected, got)| difference(0, expected, got).is_some()) {
        Outcome::Wrong
    } else if expected.is_empty() || got.iter().any(Result::is_err) {
        Outcome::Nothing
    } else {
        Outcome::Passed
    }
}

fn difference(text: usize, expected: &Output, got: &Output) -> Option<Difference> {
    match (expected, got) {
        (Output::Label { label, score_ppm }, Output::Label { label: other, score_ppm: other_ppm }) => {
            if label != other {
                Some(Difference::Label { text, expected: label.clone(), got: other.clone() })
            } else if score_ppm.abs_diff(*other_ppm) > SCORE_PPM {
                Some(Difference::Score { text, expected: *score_ppm, got: *other_ppm })
            } else {
                None
            }
        }
        (Output::Embedding(expected), Output::Embedding(got)) => vectors(text, expected, got),
        (Output::Chunks(expected), Output::Chunks(got)) => (expected != got).then_some(Difference::Kind { text }),
        (Output::Nothing, Output::Nothing) => None,
        (Output::Embedding(_) | Output::Chunks(_) | Output::Label { .. } | Output::Nothing, _) => {
            Some(Difference::Kind { text })
        }
    }
}

fn vectors(text: usize, expected: &QuantizedVector, got: &QuantizedVector) -> Option<Difference> {
    let (one, other) = (&expected.values, &got.values);
    if one.len() != other.len() {
        return Some(Difference::Dimensions { text, expected: one.len(), got: other.len() });
    }
    if expected == got {
        return None;
    }
    // In whole numbers, so that every computer judges alike: dot² / (a² b²) >= 0.99².
    let (dot, one, other) = (product(one, other), product(one, one), product(other, other));
    let near = dot.unsigned_abs().pow(2).saturating_mul(10_000);
    let far = one.unsigned_abs().saturating_mul(other.unsigned_abs()).saturating_mul(COSINE_PERCENT.pow(2));
    if dot <= 0 || near < far {
        return Some(Difference::Direction { text });
    }
    let length =
        |squares: i128, scale: f32| f64::from(i32::try_from(squares).unwrap_or(i32::MAX)).sqrt() * f64::from(scale);
    let (expected, got) = (length(one, expected.scale), length(other, got.scale));
    // Written so that no number (NaN) is a difference too.
    let alike = (expected - got).abs() <= LENGTH_SHARE * expected;
    (!alike).then_some(Difference::Length { text })
}

fn product(one: &[i8], other: &[i8]) -> i128 {
    one.iter().zip(other).map(|(one, other)| i128::from(*one) * i128::from(*other)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(label: &str, score_ppm: u32) -> Output {
        Output::Label { label: label.to_owned(), score_ppm }
    }

    fn vector(floats: &[f32]) -> Output {
        Output::Embedding(QuantizedVector::from_floats(floats).expect("finite"))
    }

    fn differs(expected: &Output, got: Output) -> Option<Difference> {
        match agree(std::slice::from_ref(expected), &[Ok(got)]) {
            Agreement::Same => None,
            Agreement::Differs(why) => Some(why),
        }
    }

    #[test]
    fn labels_agree_by_name_and_within_two_hundredths() {
        let expected = label("positive", 900_000);
        for near in [880_000, 900_000, 920_000] {
            assert_eq!(differs(&expected, label("positive", near)), None);
        }
        for far in [879_999, 920_001] {
            assert!(matches!(differs(&expected, label("positive", far)), Some(Difference::Score { .. })));
        }
        assert!(matches!(differs(&expected, label("negative", 900_000)), Some(Difference::Label { .. })));
    }

    #[test]
    fn vectors_agree_by_direction_and_length() {
        let floats: Vec<f32> = (0..384_u16).map(|i| f32::from(i % 29) / 29.0 - 0.4).collect();
        let changed = |change: &dyn Fn(usize, f32) -> f32| {
            vector(&floats.iter().enumerate().map(|(at, value)| change(at, *value)).collect::<Vec<_>>())
        };
        let expected = vector(&floats);
        assert_eq!(differs(&expected, expected.clone()), None);
        assert_eq!(differs(&expected, changed(&|at, v| v + if at % 2 == 0 { 0.01 } else { -0.01 })), None);
        let elsewhere = Some(Difference::Direction { text: 0 });
        assert_eq!(differs(&expected, changed(&|_, v| -v)), elsewhere);
        assert_eq!(differs(&expected, changed(&|at, v| if at % 12 == 0 { -v } else { v })), elsewhere);
        assert_eq!(differs(&expected, vector(&[0.0; 384])), elsewhere);
        assert_eq!(differs(&expected, changed(&|_, v| v * 2.0)), Some(Difference::Length { text: 0 }));
        assert!(matches!(differs(&expected, vector(&floats[1..])), Some(Difference::Dimensions { .. })));
        let Output::Embedding(nonsense) = &expected else { unreachable!() };
        let nonsense = QuantizedVector { scale: f32::NAN, values: nonsense.values.clone() };
        assert_eq!(differs(&expected, Output::Embedding(nonsense)), Some(Difference::Length { text: 0 }));
    }

    /// Just above and just below 0.99, in two dimensions where the cosine is known.
    #[test]
    fn the_border_of_directions_is_where_it_says() {
        let expected = Output::Embedding(QuantizedVector { scale: 0.01, values: vec![100, 0] });
        let turned = |x, y| Output::Embedding(QuantizedVector { scale: 0.01, values: vec![x, y] });
        assert_eq!(differs(&expected, turned(100, 14)), None, "cosine 0.99034");
        assert_eq!(differs(&expected, turned(100, 15)), Some(Difference::Direction { text: 0 }), "cosine 0.98894");
    }

    #[test]
    fn failures_and_other_counts_never_agree() {
        let expected = [label("positive", 900_000), label("negative", 700_000)];
        let right = || vec![Ok(label("positive", 900_000)), Ok(label("negative", 700_000))];
        assert_eq!(agree(&expected, &right()), Agreement::Same);
        for failure in [TextFailure::Model, TextFailure::WorkerLost, TextFailure::TooLong] {
            let got = vec![right().remove(0), Err(failure)];
            assert_eq!(agree(&expected, &got), Agreement::Differs(Difference::Failed { text: 1, failure }));
        }
        assert_eq!(agree(&expected, &right()[..1]), Agreement::Differs(Difference::Count { expected: 2, got: 1 }));
        assert!(matches!(differs(&expected[0], Output::Nothing), Some(Difference::Kind { .. })));
    }

    #[test]
    fn a_failure_is_nothing_but_half_a_lie_is_a_lie() {
        let expected = [label("positive", 900_000), label("negative", 700_000)];
        let (right, wrong) = (|| Ok(label("positive", 900_000)), || Ok(label("negative", 900_000)));
        let lost = || Err(TextFailure::WorkerLost);
        assert_eq!(judge(&expected, &[right(), Ok(label("negative", 700_000))]), Outcome::Passed);
        assert_eq!(judge(&expected, &[right(), lost()]), Outcome::Nothing);
        assert_eq!(judge(&expected, &[lost(), lost()]), Outcome::Nothing);
        assert_eq!(judge(&expected, &[wrong(), lost()]), Outcome::Wrong);
        assert_eq!(judge(&expected, &[right()]), Outcome::Wrong);
        assert_eq!(judge(&[], &[]), Outcome::Nothing, "nothing asked, nothing proven");
    }
}
