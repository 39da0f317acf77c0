//! Texts that were finished before a worker ended stay finished.

use std::path::Path;
use std::time::Duration;

use p2p_inference::{PoolConfig, WorkOrder};
use p2p_types::{Output, TaskKind, TextFailure};

use crate::support::{Bench, GREETING, bytes_before_orders, config, order, script, texts, worker};

/// A hello and, once the order is there, the word that its first text is empty: an outcome that
/// no worker of ours has for it.
fn one_of_two() -> String {
    let order = bytes_before_orders(Path::new("/nowhere")) + 1;
    format!("printf '{GREETING}'\nhead -c {order} >/dev/null\nprintf '{}'", r"\006\000\000\000\001\001\001\000\001\000")
}

#[tokio::test]
async fn at_the_deadline_only_the_unfinished_texts_fail() {
    let folder = tempfile::tempdir().expect("a folder");
    let slow = script(folder.path(), &format!("{}\ncat >/dev/null", one_of_two()));
    let mut bench = Bench::with(PoolConfig { worker: slow, assets: "/nowhere".into(), ..config() });
    let hasty = WorkOrder { timeout: Duration::from_secs(3), ..order(TaskKind::Noop, &texts(&["a", "b"])) };
    assert_eq!(bench.outcomes(hasty).await, [Err(TextFailure::Empty), Err(TextFailure::Deadline)]);
}

#[tokio::test]
async fn a_lost_worker_takes_no_finished_text_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("started");
    let body =
        format!("[ ! -e '{0}' ] || exec '{1}'\ntouch '{0}'\n{2}", mark.display(), worker().display(), one_of_two());
    let mut bench =
        Bench::with(PoolConfig { worker: script(folder.path(), &body), assets: "/nowhere".into(), ..config() });
    let outcomes = bench.outcomes(order(TaskKind::Noop, &texts(&["a", "b"]))).await;
    assert_eq!(outcomes, [Err(TextFailure::Empty), Ok(Output::Nothing)]);
}

#[tokio::test]
async fn a_worker_that_answers_twice_is_not_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let again = r"printf '\006\000\000\000\001\001\001\000\000\003'; cat >/dev/null";
    let twice = script(folder.path(), &format!("{}\n{again}", one_of_two()));
    let mut bench = Bench::with(PoolConfig { worker: twice, assets: "/nowhere".into(), ..config() });
    let outcomes = bench.outcomes(order(TaskKind::Noop, &texts(&["a", "b"]))).await;
    // What it said first stands; asked for the second text, it says the same of it.
    assert_eq!(outcomes, [Err(TextFailure::Empty), Err(TextFailure::Empty)]);
}
