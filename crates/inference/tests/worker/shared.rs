//! Real sentences. They stand beside the repository and not in it: without them these tests
//! skip, aloud.
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

use std::fs;
use std::path::Path;

use p2p_types::{Output, TaskKind};

use crate::support::{Bench, order};

/// Labels and texts of a task's dev split.
fn dev(task: &str) -> Option<Vec<(String, String)>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/tasks").join(task).join("dev.tsv");
    let Ok(content) = fs::read_to_string(&path) else {
        println!("SKIPPED: {} is missing", path.display());
        return None;
    };
    let rows = content.lines().skip(1).filter_map(|line| line.split_once('\t'));
    Some(rows.map(|(label, text)| (label.to_owned(), text.to_owned())).collect())
}

#[tokio::test]
async fn sentiment_is_right_for_four_in_five() {
    let Some(rows) = dev("sentiment") else { return };
    let texts: Vec<String> = rows.iter().map(|(_, text)| text.clone()).collect();
    let outcomes = Bench::new().outcomes(order(TaskKind::Sentiment, &texts)).await;
    let right = |((expected, _), outcome): &(&(String, String), _)| matches!(outcome, Ok(Output::Label { label, .. }) if label == expected);
    let right = rows.iter().zip(outcomes).filter(right).count();
    println!("{right} of {} right", rows.len());
    assert!(right * 100 >= rows.len() * 80, "{right} of {}", rows.len());
}

#[tokio::test]
async fn real_sentences_have_one_answer_whatever_their_company() {
    let mut bench = Bench::new();
    for task in ["sentiment", "news-topic"] {
        let Some(rows) = dev(task) else { return };
        let texts: Vec<String> = rows.into_iter().map(|(_, text)| text).take(100).collect();
        let together = bench.embed(&texts).await;
        let mut equal = 0;
        for (text, expected) in texts.iter().zip(&together) {
            equal += usize::from(bench.embed(std::slice::from_ref(text)).await[0] == *expected);
        }
        assert!(equal >= 99, "{task}: {equal} of 100");
    }
}
