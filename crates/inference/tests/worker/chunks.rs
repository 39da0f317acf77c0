//! Long texts, split by the real tokenizer.

use std::time::{Duration, Instant};

use p2p_inference::{Cause, ChunkOptions, WorkOrder};
use p2p_types::{Chunk, Output, TaskKind, TextFailure, limits};

use crate::support::{Bench, order, texts};

fn split(text: &str, tokens: u32, overlap: u32) -> WorkOrder {
    WorkOrder { chunk: ChunkOptions { tokens, overlap }, ..order(TaskKind::Chunk, &texts(&[text])) }
}

async fn chunks(bench: &mut Bench, text: &str, tokens: u32, overlap: u32) -> Vec<Chunk> {
    match bench.outcomes(split(text, tokens, overlap)).await.remove(0) {
        Ok(Output::Chunks(chunks)) => chunks,
        other => panic!("no chunks: {other:?}"),
    }
}

fn check(text: &str, chunks: &[Chunk], tokens: u32) {
    assert_eq!(chunks[0].start, 0);
    assert_eq!(chunks[chunks.len() - 1].end as usize, text.len());
    for pair in chunks.windows(2) {
        assert!(pair[1].start <= pair[0].end && pair[1].start > pair[0].start, "{pair:?}");
    }
    for chunk in chunks {
        assert!(text.get(chunk.start as usize..chunk.end as usize).is_some(), "{chunk:?}");
        assert!((1..=tokens).contains(&chunk.tokens), "{chunk:?}");
    }
}

#[tokio::test]
async fn a_text_in_many_scripts_is_covered() {
    let text = "Straße, déjà vu — 東京と서울 🙂 don't antidisestablishmentarianism. ".repeat(40);
    let mut bench = Bench::new();
    for (tokens, overlap) in [(8, 0), (8, 3), (64, 16), (512, 255)] {
        let made = chunks(&mut bench, &text, tokens, overlap).await;
        check(&text, &made, tokens);
        assert!(made.len() > 1);
    }
    let short = chunks(&mut bench, "  short  ", 64, 8).await;
    assert_eq!(short, [Chunk { start: 0, end: 9, tokens: 1 }]);
}

#[tokio::test]
async fn a_chunk_has_no_more_tokens_than_it_says() {
    let text = "The kettle was still warm when she came down to the unfathomable kitchen. ".repeat(30);
    let mut bench = Bench::new();
    let made = chunks(&mut bench, &text, 32, 8).await;
    let first = &text[made[0].start as usize..made[0].end as usize];
    let again = chunks(&mut bench, first, 512, 0).await;
    assert_eq!(again, [Chunk { start: 0, end: made[0].end, tokens: made[0].tokens }]);
}

#[tokio::test]
async fn the_longest_text_is_quick_and_a_longer_one_refused() {
    let mut bench = Bench::new();
    let sentence = "Every year the river takes a little more of the meadow. ";
    let longest = sentence.repeat(limits::CHUNKED_TEXT_BYTES / sentence.len());
    let begun = Instant::now();
    let made = chunks(&mut bench, &longest, 128, 16).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    check(&longest, &made, 128);
    let longer = sentence.repeat(limits::CHUNKED_TEXT_BYTES / sentence.len() + 1);
    assert_eq!(bench.outcomes(split(&longer, 128, 16)).await, [Err(TextFailure::TooLong)]);
    assert_eq!(bench.outcomes(split(" ", 128, 16)).await, [Err(TextFailure::Empty)]);
    // As many chunks as that would fill no frame.
    assert_eq!(bench.outcomes(split(&"a ".repeat(200_000), 8, 3)).await, [Err(TextFailure::TooLong)]);
}

#[tokio::test]
async fn impossible_options_are_named() {
    let mut bench = Bench::new();
    for (tokens, overlap) in [(7, 0), (513, 1), (16, 8)] {
        let why = bench.unavailable(split("text", tokens, overlap)).await;
        assert!(why.cause == Cause::Order && why.reason.contains(" - "), "{why:?}");
    }
}
