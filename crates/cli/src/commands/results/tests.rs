use p2p_control::api::{Chunk, TextError};
use p2p_types::{Placement, Priority, TaskId, TaskKind};

use super::*;

fn task(state: TaskState, results: Vec<Option<TaskResult>>) -> Task {
    Task {
        task_id: TaskId([1; 16]),
        kind: TaskKind::Sentiment,
        privacy: Privacy::Local,
        placement: Placement::Auto,
        priority: Priority::Normal,
        state,
        stages: Vec::new(),
        texts: u32::try_from(results.len()).expect("a few"),
        finished: 0,
        submitted_ms: 0,
        duration_us: None,
        results,
        providers: Vec::new(),
        receipts: Vec::new(),
        error: None,
    }
}

fn drawn(task: &Task, texts: &[&str]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let mut page = Page::new(false);
    table(&mut page, task, &texts);
    page.text().to_owned()
}

#[test]
fn every_text_has_its_row_and_failures_are_named_in_place() {
    let error = TextError { code: ErrorCode::TextTooLong, message: "the text is too long".to_owned() };
    let results = vec![
        Some(TaskResult::Label { label: "positive".to_owned(), score: 0.973 }),
        Some(TaskResult::Error { error }),
        None,
    ];
    let text = drawn(&task(TaskState::Partial, results), &["I like\nit", "long", "last"]);
    let expected = "\
#  RESULT                              TEXT
1  positive                    97.3 %  I like it
2  E2003 the text is too long          long
3  not yet                             last
";
    assert_eq!(text, expected);
}

#[test]
fn chunks_are_rows_of_their_own() {
    let chunks = vec![Chunk { start: 0, end: 4, tokens: 1 }, Chunk { start: 3, end: 9, tokens: 2 }];
    let text = drawn(&task(TaskState::Done, vec![Some(TaskResult::Chunks { chunks })]), &["one two three"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "1  bytes 0-4   1 token  one");
    assert_eq!(lines[2], "1  bytes 3-9  2 tokens  two t");
}

#[test]
fn long_texts_are_cut_and_short_ones_are_not() {
    assert_eq!(shorten(&"é".repeat(60)), "é".repeat(60));
    assert_eq!(shorten(&"é".repeat(61)), format!("{}...", "é".repeat(60)));
}

#[test]
fn a_failed_task_says_why() {
    let mut failed = task(TaskState::Failed, Vec::new());
    failed.error = Some(TextError { code: ErrorCode::NoProvider, message: "nobody answered".to_owned() });
    assert_eq!(why(&failed).code, ErrorCode::NoProvider);
    assert_eq!(why(&task(TaskState::Cancelled, Vec::new())).code, ErrorCode::Cancelled);
}

#[test]
fn nothing_is_said_twice() {
    let error = TextError { code: ErrorCode::Cancelled, message: "the task was cancelled".to_owned() };
    let good = TaskResult::Label { label: "positive".to_owned(), score: 0.9 };
    let results = vec![Some(good), Some(TaskResult::Error { error: error.clone() }), None];
    let mut cancelled = task(TaskState::Cancelled, results);
    cancelled.error = Some(error);
    let said = why(&cancelled).to_string();
    assert_eq!(said, "The task was cancelled - 1 of 3 texts has an answer - Submit it again [E2011]");
}

#[test]
fn where_nobody_trusted_took_it_the_way_to_trust_is_named() {
    let mut failed = task(TaskState::Failed, Vec::new());
    failed.error = Some(TextError { code: ErrorCode::NoProvider, message: "nobody took it".to_owned() });
    assert!(!why(&failed).hint.contains("peer trust"), "trust would not help");
    failed.privacy = Privacy::Trusted;
    assert!(why(&failed).hint.contains("`p2p-agent peer trust ID`"));
}
