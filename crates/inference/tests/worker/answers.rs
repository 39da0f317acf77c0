//! What the worker answers, against the golden file that is committed.

use p2p_types::{Output, QuantizedVector, TaskKind, TextFailure, limits};
use serde::Deserialize;

use crate::support::{Bench, order, texts};

#[derive(Deserialize)]
struct Golden {
    texts: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    text: String,
    quantised: Option<Values>,
    exact: Option<Values>,
}

#[derive(Deserialize)]
struct Values {
    scale: f32,
    values: Vec<i8>,
}

fn golden() -> Vec<(String, QuantizedVector, QuantizedVector)> {
    let golden: Golden = serde_json::from_str(include_str!("golden.json")).expect("a golden file");
    let vector = |Values { scale, values }| QuantizedVector { scale, values };
    let both = |entry: Entry| Some((entry.text, vector(entry.quantised?), vector(entry.exact?)));
    golden.texts.into_iter().filter_map(both).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[tokio::test]
async fn embeddings_are_the_golden_ones() {
    let golden = golden();
    assert_eq!(golden.len(), 5);
    let texts: Vec<String> = golden.iter().map(|(text, ..)| text.clone()).collect();
    let outcomes = Bench::new().outcomes(order(TaskKind::Embed, &texts)).await;
    for (outcome, (text, quantised, exact)) in outcomes.iter().zip(&golden) {
        let Ok(Output::Embedding(vector)) = outcome else { panic!("{text}: {outcome:?}") };
        let length = vector.to_floats().iter().map(|value| value * value).sum::<f32>();
        assert!((length - 1.0).abs() < 0.01, "{text}: {length}");
        // Another processor may round a value the other way.
        assert!((vector.scale / quantised.scale - 1.0).abs() < 0.02, "{text}");
        let far = vector.values.iter().zip(&quantised.values).filter(|(a, b)| a.abs_diff(**b) > 2).count();
        assert_eq!(far, 0, "{text}");
        assert!(cosine(&vector.to_floats(), &exact.to_floats()) >= 0.99, "{text}");
    }
}

#[tokio::test]
async fn a_text_has_one_answer_whatever_its_company() {
    let sentences: Vec<String> =
        include_str!("../../../../models/bench/sentences.txt").lines().map(str::to_owned).collect();
    assert_eq!(sentences.len(), 100);
    let mut bench = Bench::new();
    let together = bench.embed(&sentences).await;
    let mut equal = 0;
    for (sentence, expected) in sentences.iter().zip(&together) {
        equal += usize::from(bench.embed(std::slice::from_ref(sentence)).await[0] == *expected);
    }
    assert!(equal >= 99, "{equal} of 100 alone");
    let equal_in_parts = {
        let mut parts = Vec::new();
        for part in sentences.chunks(7) {
            parts.extend(bench.embed(part).await);
        }
        parts.iter().zip(&together).filter(|(a, b)| a == b).count()
    };
    assert!(equal_in_parts >= 99, "{equal_in_parts} of 100 in other batches");
}

#[tokio::test]
async fn sentiment_names_a_label_and_how_sure_it_is() {
    let outcomes = Bench::new()
        .outcomes(order(
            TaskKind::Sentiment,
            &texts(&["A wonderful, moving and funny film.", "A dull, stupid, boring mess of a movie."]),
        ))
        .await;
    for (outcome, expected) in outcomes.iter().zip(["positive", "negative"]) {
        let Ok(Output::Label { label, score_ppm }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(label, expected);
        assert!((500_000..=1_000_000).contains(score_ppm), "{score_ppm}");
    }
}

#[tokio::test]
async fn what_fails_is_named_and_the_rest_is_answered() {
    let mut bench = Bench::new();
    let long = "long ".repeat(limits::TEXT_BYTES / 5 + 1);
    let mixed = vec![String::new(), "fine".to_owned(), " \n\t ".to_owned(), long, "also fine".to_owned()];
    for kind in [TaskKind::Embed, TaskKind::Sentiment] {
        let outcomes = bench.outcomes(order(kind, &mixed)).await;
        assert_eq!(outcomes[0], Err(TextFailure::Empty));
        assert_eq!(outcomes[2], Err(TextFailure::Empty));
        assert_eq!(outcomes[3], Err(TextFailure::TooLong));
        assert!(outcomes[1].is_ok() && outcomes[4].is_ok(), "{outcomes:?}");
    }
    let outcomes = bench.outcomes(order(TaskKind::Noop, &texts(&["", "a"]))).await;
    assert_eq!(outcomes, [Ok(Output::Nothing), Ok(Output::Nothing)]);
    assert_eq!(bench.outcomes(order(TaskKind::Embed, &[])).await, []);
}

#[tokio::test]
async fn strange_texts_have_answers_too() {
    let strange = ["\u{0}\u{7}", "🙂", "東京", "e\u{301}\u{327}", "\u{202e}rtl", "[SEP][CLS]", "각각", "\u{feff}", "ﷺ"];
    let outcomes = Bench::new().outcomes(order(TaskKind::Embed, &texts(&strange))).await;
    for (text, outcome) in strange.iter().zip(outcomes) {
        assert!(matches!(outcome, Ok(Output::Embedding(_)) | Err(TextFailure::Empty)), "{text:?}: {outcome:?}");
    }
}
