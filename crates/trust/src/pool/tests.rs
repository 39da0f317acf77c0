use std::collections::BTreeSet;

use p2p_types::QuantizedVector;

use super::*;
use crate::{BrokenCopy, Texts};

const MODEL: Hash = Hash([5; 32]);
const BOTH: [TaskKind; 2] = [TaskKind::Embed, TaskKind::Sentiment];

fn fresh() -> Pool {
    let mut pool = Pool::new(Mark::default());
    BOTH.iter().for_each(|kind| pool.answers_with(*kind, MODEL));
    pool
}

fn answered(number: Number) -> Canary {
    let texts = Texts::new([1; 32]).task(number).texts;
    let output = |_: &String| match number.kind {
        TaskKind::Embed => Output::Embedding(QuantizedVector { scale: 0.001, values: vec![-9, 100, 3] }),
        _ => Output::Label { label: "positive".to_owned(), score_ppm: 900_000 },
    };
    let expected = texts.iter().map(output).collect();
    Canary { number, model: MODEL, texts, expected }
}

fn fill(pool: &mut Pool, idle: bool) {
    while let Some(number) = pool.begin(idle) {
        assert_eq!(pool.add(answered(number)), Ok(()));
    }
}

/// What the engine does: the mark on disk, then the task.
fn take(pool: &mut Pool, disk: &mut Mark) -> Option<Number> {
    if let Some(mark) = pool.reserve() {
        *disk = mark;
        pool.reserved(mark);
    }
    pool.take(&BOTH).map(|canary| canary.number)
}

#[test]
fn a_new_pool_wants_twenty_at_once_and_five_hundred_in_time() {
    let mut pool = fresh();
    assert_eq!((pool.wants(false), pool.wants(true)), (20, 500));
    fill(&mut pool, false);
    assert_eq!((pool.ready(), pool.wants(false), pool.wants(true)), (20, 0, 480));
    fill(&mut pool, true);
    assert_eq!((pool.ready(), pool.wants(true), pool.begin(true)), (500, 0, None), "bounded");
    let sentiment = pool.shelves.iter().find(|shelf| shelf.kind == TaskKind::Sentiment).expect("there");
    assert_eq!(sentiment.ready.len(), 400, "mostly sentiment");
}

#[test]
fn what_is_being_made_is_not_wanted_twice() {
    let mut pool = fresh();
    let begun: Vec<Number> = std::iter::from_fn(|| pool.begin(false)).collect();
    assert_eq!((begun.len(), pool.wants(false)), (20, 0));
    pool.give_up(begun[0]);
    assert_eq!(pool.wants(false), 1);
    assert_eq!(pool.add(answered(begun[0])), Err(NotAdded::NotBegun));
    assert_eq!(pool.add(answered(begun[1])), Ok(()));
    assert_eq!(pool.add(answered(begun[1])), Err(NotAdded::NotBegun), "once");
}

#[test]
fn nothing_is_taken_before_the_mark_is_on_disk() {
    let mut pool = fresh();
    assert_eq!(pool.reserve(), None, "nothing to set aside");
    fill(&mut pool, false);
    assert_eq!(pool.take(&BOTH), None);
    let mark = pool.reserve().expect("nothing is set aside yet");
    assert_eq!(pool.take(&BOTH), None, "asked for, but not on disk");
    pool.reserved(mark);
    assert!(pool.take(&BOTH).is_some());
    assert_eq!(pool.reserve(), None, "there is enough for a while");
}

#[test]
fn each_is_used_once_and_kinds_come_as_they_are_made() {
    let (mut pool, mut disk) = (fresh(), Mark::default());
    fill(&mut pool, true);
    let taken: Vec<Number> = std::iter::from_fn(|| take(&mut pool, &mut disk)).collect();
    assert_eq!(taken.len(), 500);
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), 500);
    let embeds = taken[..50].iter().filter(|number| number.kind == TaskKind::Embed).count();
    assert!((8..=12).contains(&embeds), "{embeds}");
}

#[test]
fn only_kinds_that_the_worker_does_are_taken() {
    let mut pool = fresh();
    fill(&mut pool, false);
    pool.reserved(pool.reserve().expect("to set aside"));
    assert_eq!(pool.take(&[TaskKind::Embed]).map(|canary| canary.number.kind), Some(TaskKind::Embed));
    assert_eq!(pool.take(&[TaskKind::Chunk, TaskKind::Noop]), None);
    assert_eq!(pool.take(&[]), None);
}

#[test]
fn a_copy_brings_back_what_was_there() {
    let mut pool = fresh();
    fill(&mut pool, false);
    let back = Pool::from_bytes(&pool.to_bytes(), Mark::default()).expect("whole");
    assert_eq!(back.ready(), 20);
    for (one, other) in pool.shelves.iter().zip(&back.shelves) {
        assert_eq!((&one.ready, one.next), (&other.ready, other.next));
    }
    let mut damaged = pool.to_bytes();
    damaged[100] ^= 1;
    assert_eq!(Pool::from_bytes(&damaged, Mark::default()), Err(BrokenCopy::Damaged));
    assert_eq!(Pool::from_bytes(b"", Mark::default()), Err(BrokenCopy::Damaged));
}

/// Whatever copy is restored, and however often the process dies, nothing comes twice.
#[test]
fn nothing_comes_again_after_a_restart_from_an_older_copy() {
    for every in [1, 3, 7, 20] {
        let (mut pool, mut disk, mut seen) = (fresh(), Mark::default(), BTreeSet::new());
        fill(&mut pool, false);
        let older = pool.to_bytes();
        for step in 1..200 {
            if let Some(number) = take(&mut pool, &mut disk) {
                assert!(seen.insert(number), "{number:?} came again");
            }
            if step % every == 0 {
                // One time of three the copy is lost altogether.
                let lost = step % (3 * every) == 0;
                pool = if lost { Pool::new(disk) } else { Pool::from_bytes(&older, disk).expect("whole") };
                BOTH.iter().for_each(|kind| pool.answers_with(*kind, MODEL));
            }
            fill(&mut pool, false);
        }
        assert_eq!(seen.len(), 199);
    }
}

#[test]
fn what_comes_late_unclear_or_from_another_model_is_refused() {
    let (mut pool, mut disk) = (fresh(), Mark::default());
    let begun: Vec<Number> = std::iter::from_fn(|| pool.begin(false)).collect();
    let of = |kind, at: usize| *begun.iter().filter(|number| number.kind == kind).nth(at).expect("begun");
    let sentiment = |at| of(TaskKind::Sentiment, at);

    let other = Canary { model: Hash([6; 32]), ..answered(sentiment(2)) };
    assert_eq!(pool.add(other), Err(NotAdded::OtherModel));

    let mut unclear = answered(sentiment(3));
    unclear.expected = vec![Output::Label { label: "positive".to_owned(), score_ppm: 549_999 }; unclear.texts.len()];
    assert_eq!(pool.add(unclear), Err(NotAdded::Unclear));
    let mut short = answered(sentiment(4));
    short.expected.clear();
    assert_eq!(pool.add(short), Err(NotAdded::Unclear));
    let zeros = Output::Embedding(QuantizedVector { scale: 0.0, values: vec![0; 3] });
    let nothing = Canary { texts: vec!["a".into()], expected: vec![zeros], ..answered(of(TaskKind::Embed, 0)) };
    assert_eq!(pool.add(nothing), Err(NotAdded::Unclear));

    assert_eq!(pool.add(answered(sentiment(1))), Ok(()));
    assert_eq!(take(&mut pool, &mut disk), Some(sentiment(1)));
    assert_eq!(pool.add(answered(sentiment(0))), Err(NotAdded::Late));
}

#[test]
fn texts_without_a_clear_answer_are_left_out() {
    let mut pool = fresh();
    let number = std::iter::from_fn(|| pool.begin(false)).find(|n| n.kind == TaskKind::Sentiment).expect("one");
    let label = |score_ppm| Output::Label { label: "negative".to_owned(), score_ppm };
    let texts = vec!["clear".to_owned(), "a hair".to_owned()];
    let canary = Canary { number, model: MODEL, texts, expected: vec![label(800_000), label(510_000)] };
    assert_eq!(pool.add(canary), Ok(()));
    pool.reserved(pool.reserve().expect("one"));
    let taken = pool.take(&BOTH).expect("there");
    assert_eq!((taken.texts, taken.expected), (vec!["clear".to_owned()], vec![label(800_000)]));
}

#[test]
fn another_model_answers_anew() {
    let mut pool = fresh();
    fill(&mut pool, false);
    pool.answers_with(TaskKind::Sentiment, MODEL);
    assert_eq!(pool.ready(), 20, "the same model");
    pool.answers_with(TaskKind::Sentiment, Hash([6; 32]));
    assert_eq!((pool.ready(), pool.wants(false)), (4, 16));
    assert_eq!(Pool::new(Mark::default()).wants(true), 0, "no model, no answers");
}
