//! Workers that end before their work does.

use std::process::Command;
use std::time::{Duration, Instant};

use p2p_inference::{Cause, PoolConfig, PoolEvent, WorkOrder};
use p2p_types::{Output, TaskKind, TextFailure};

use crate::support::{
    Bench, GREETING, assets, bytes_before_orders, config, order, script, texts, until, worker, workers,
};

/// Enough texts to keep a worker busy for seconds.
fn much() -> Vec<String> {
    (0..400).map(|number| format!("{number} {}", "the river takes the meadow ".repeat(20 + number % 20))).collect()
}

fn signal(signal: &str, pid: u32) {
    let sent = Command::new("kill").args([signal, &pid.to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

fn kill(pid: u32) {
    signal("-9", pid);
}

async fn busy(bench: &mut Bench) {
    let event = tokio::time::timeout(Duration::from_secs(60), bench.events.recv()).await.expect("in time");
    assert!(matches!(event, Some(PoolEvent::Progress { .. })), "{event:?}");
}

#[tokio::test]
async fn killed_in_the_middle_the_result_still_comes() {
    let mut bench = Bench::new();
    let all = much()[..60].to_vec();
    bench.give(order(TaskKind::Embed, &all));
    busy(&mut bench).await;
    let first = workers();
    assert_eq!(first.len(), 1);
    kill(first[0]);
    let PoolEvent::Done { outcomes, .. } = bench.end().await else { panic!("no outcomes") };
    assert_eq!(outcomes.len(), all.len());
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_ne!(workers(), first);
}

#[tokio::test]
async fn killed_while_idle_the_next_order_is_done() {
    let mut bench = Bench::new();
    bench.outcomes(order(TaskKind::Noop, &texts(&["a"]))).await;
    let first = workers();
    kill(first[0]);
    until("its end", || workers().is_empty()).await;
    assert_eq!(bench.outcomes(order(TaskKind::Noop, &texts(&["b"]))).await, [Ok(Output::Nothing)]);
}

/// A process that is stopped has not ended: only its silence tells.
#[tokio::test]
async fn stopped_in_the_middle_the_result_still_comes() {
    let mut bench = Bench::new();
    let all = much()[..60].to_vec();
    bench.give(order(TaskKind::Embed, &all));
    busy(&mut bench).await;
    let first = workers();
    signal("-STOP", first[0]);
    let PoolEvent::Done { outcomes, .. } = bench.end().await else { panic!("no outcomes") };
    assert!(outcomes.len() == all.len() && outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert!(!workers().contains(&first[0]), "the stopped one is gone");
}

#[tokio::test]
async fn stopped_while_idle_the_next_order_is_done_soon() {
    let mut bench = Bench::new();
    bench.outcomes(order(TaskKind::Noop, &texts(&["a"]))).await;
    signal("-STOP", workers()[0]);
    let begun = Instant::now();
    assert_eq!(bench.outcomes(order(TaskKind::Noop, &texts(&["b"]))).await, [Ok(Output::Nothing)]);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

/// It greets and then says nothing more: that is a lost worker, long before the deadline.
#[tokio::test]
async fn a_worker_that_falls_silent_is_lost_and_not_late() {
    let folder = tempfile::tempdir().expect("a folder");
    let silent = script(folder.path(), &format!("printf '{GREETING}'; cat >/dev/null"));
    let mut bench = Bench::with(PoolConfig { worker: silent, ..config() });
    let begun = Instant::now();
    assert_eq!(bench.outcomes(order(TaskKind::Noop, &texts(&["a"]))).await, [Err(TextFailure::WorkerLost)]);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

/// The shell's limit of address space makes one long text more than the worker can hold, as a
/// text that hits a fault of the tokenizer would.
#[tokio::test]
async fn a_text_that_kills_workers_is_named_and_the_others_are_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let limited = format!("ulimit -v 76000\nexec '{}' \"$@\"", worker().display());
    let mut bench = Bench::with(PoolConfig { worker: script(folder.path(), &limited), ..config() });
    let poison = "unfathomable ".repeat(40_000);
    let outcomes = bench.outcomes(order(TaskKind::Chunk, &texts(&["one", &poison, "three"]))).await;
    assert!(matches!(outcomes[0], Ok(Output::Chunks(_))), "{:?}", outcomes[0]);
    assert!(matches!(outcomes[1], Err(TextFailure::WorkerLost)), "the long text has an answer");
    assert!(matches!(outcomes[2], Ok(Output::Chunks(_))), "{:?}", outcomes[2]);
    // Without the limit it is a text like any other.
    let outcomes = Bench::new().outcomes(order(TaskKind::Chunk, &texts(&[&poison]))).await;
    assert!(matches!(outcomes[0], Ok(Output::Chunks(_))), "it is the text itself that fails");
}

#[tokio::test]
async fn however_many_texts_kill_workers_the_others_are_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let limited = format!("ulimit -v 76000\nexec '{}' \"$@\"", worker().display());
    let mut bench = Bench::with(PoolConfig { worker: script(folder.path(), &limited), ..config() });
    let poison = "unfathomable ".repeat(40_000);
    let all = [[poison.as_str(); 5].as_slice(), &["last"]].concat();
    let outcomes = bench.outcomes(order(TaskKind::Chunk, &texts(&all))).await;
    assert!(outcomes[..5].iter().all(|outcome| *outcome == Err(TextFailure::WorkerLost)), "{outcomes:?}");
    assert!(matches!(outcomes[5], Ok(Output::Chunks(_))), "{:?}", outcomes[5]);
}

/// The first worker ends after an answer or before, and there is no program for a second one: it
/// is what happens where the memory is all used.
#[tokio::test]
async fn what_was_answered_is_kept_where_no_other_worker_starts() {
    // Progress of order 1: text 0 has no output. Before it, whatever the daemon says first.
    let answer = r"printf '\006\000\000\000\001\001\001\000\000\003'";
    let before = bytes_before_orders(&assets());
    for (says, answered) in [(answer, true), (":", false)] {
        let folder = tempfile::tempdir().expect("a folder");
        let body = format!("rm \"$0\"\nprintf '{GREETING}'\nhead -c {} >/dev/null\n{says}", before + 4);
        let mut bench = Bench::with(PoolConfig { worker: script(folder.path(), &body), ..config() });
        let both = order(TaskKind::Noop, &texts(&["a", "b"]));
        if answered {
            assert_eq!(bench.outcomes(both).await, [Ok(Output::Nothing), Err(TextFailure::WorkerLost)]);
        } else {
            assert_eq!(bench.unavailable(both).await.cause, Cause::Missing);
        }
    }
}

/// Two workers end, each over a text that has nothing to do with it.
#[tokio::test]
async fn a_text_is_not_blamed_for_one_worker() {
    let folder = tempfile::tempdir().expect("a folder");
    let count = folder.path().join("started");
    let body = format!(
        "echo x >> '{0}'\n[ $(wc -l < '{0}') -gt 2 ] || {{ printf '{GREETING}'; head -c 14 >/dev/null; exit 1; }}\nexec '{1}'",
        count.display(),
        worker().display()
    );
    let mut bench = Bench::with(PoolConfig { worker: script(folder.path(), &body), ..config() });
    let outcomes = bench.outcomes(order(TaskKind::Noop, &texts(&["a", "b"]))).await;
    assert_eq!(outcomes, [Ok(Output::Nothing), Ok(Output::Nothing)]);
}

#[tokio::test]
async fn the_deadline_ends_the_work_and_the_worker() {
    let mut bench = Bench::new();
    bench.outcomes(order(TaskKind::Embed, &texts(&["warm up"]))).await;
    let first = workers();
    let begun = Instant::now();
    let hasty = WorkOrder { timeout: Duration::from_millis(1500), ..order(TaskKind::Embed, &much()) };
    let outcomes = bench.outcomes(hasty).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(outcomes.len(), 400);
    assert!(outcomes.contains(&Err(TextFailure::Deadline)));
    assert!(outcomes.iter().any(Result::is_ok), "what was done in time is lost");
    assert!(!workers().contains(&first[0]), "the worker goes on for nobody");
    assert!(bench.outcomes(order(TaskKind::Embed, &texts(&["next"]))).await[0].is_ok());
}

#[tokio::test]
async fn a_stopped_order_makes_room_for_the_next() {
    let mut bench = Bench::new();
    let stopped = bench.give(order(TaskKind::Embed, &much()));
    busy(&mut bench).await;
    let waiting = bench.give(order(TaskKind::Noop, &texts(&["never"])));
    let last = bench.give(order(TaskKind::Noop, &texts(&["a"])));
    bench.pool.stop(waiting);
    bench.pool.stop(stopped);
    let begun = Instant::now();
    match bench.end().await {
        PoolEvent::Done { work_id, .. } => assert_eq!(work_id, last),
        other => panic!("{other:?}"),
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_worker_without_work_gives_its_memory_back() {
    let mut bench = Bench::with(PoolConfig { idle_after: Duration::from_millis(200), ..config() });
    bench.outcomes(order(TaskKind::Embed, &texts(&["a"]))).await;
    assert_eq!(workers().len(), 1);
    until("its end", || workers().is_empty()).await;
    assert!(bench.outcomes(order(TaskKind::Embed, &texts(&["a"]))).await[0].is_ok());
}

#[tokio::test]
async fn several_workers_share_the_orders_and_none_outlives_the_pool() {
    let mut bench = Bench::with(PoolConfig { workers: 2, ..config() });
    assert!(workers().is_empty(), "a pool starts without workers");
    let long = much();
    bench.give(order(TaskKind::Embed, &long));
    bench.give(order(TaskKind::Embed, &long));
    until("two workers", || workers().len() == 2).await;
    bench.pool.shutdown().await;
    assert!(workers().is_empty());
}

#[tokio::test]
async fn a_worker_that_is_not_needed_rests_until_it_ends() {
    let mut bench = Bench::with(PoolConfig { workers: 2, idle_after: Duration::from_secs(1), ..config() });
    let long = much()[..30].to_vec();
    bench.give(order(TaskKind::Embed, &long));
    bench.give(order(TaskKind::Embed, &long));
    until("two workers", || workers().len() == 2).await;
    bench.end().await;
    bench.end().await;
    // One order at a time, far more often than the workers grow tired.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        bench.outcomes(order(TaskKind::Noop, &texts(&["a"]))).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bench.outcomes(order(TaskKind::Noop, &texts(&["a"]))).await;
    assert_eq!(workers().len(), 1);
}

/// However soon the next order follows the answer, the worker that gave it is the first in line.
#[tokio::test]
async fn one_order_after_another_needs_one_worker() {
    let mut bench = Bench::with(PoolConfig { workers: 3, ..config() });
    for _ in 0..500 {
        bench.outcomes(order(TaskKind::Noop, &texts(&["a"]))).await;
    }
    assert_eq!(workers().len(), 1);
}
