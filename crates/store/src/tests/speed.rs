//! Figures, printed (`--no-capture`). The bounds are loose, for machines that do other work.

use std::time::{Duration, Instant};

use super::*;

fn quantiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

#[test]
fn a_commit_is_quick() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    let document = [b'x'; 600];
    let mut time = |record: &dyn Fn(u64) -> Record, commits: u64| {
        let one = |number| {
            let batch = vec![record(number)];
            let start = Instant::now();
            node.keep(batch);
            start.elapsed()
        };
        quantiles((0..commits).map(one).collect())
    };
    let (normal, normal_99) = time(&|number| task(number, true, &document), 5000);
    let (durable, durable_99) = time(&|reserved| Record::Sequence { lane: "direct", reserved }, 300);
    println!(
        "commit to completion, p50 / p99: small record {normal:?} / {normal_99:?}, with the disk {durable:?} / {durable_99:?}"
    );

    let start = Instant::now();
    let mut taken = 0;
    for token in 0..20_000 {
        while node.store.commit(token, vec![task(token, true, &document)]).is_err() {
            node.completed.blocking_recv().expect("a completion");
            taken += 1;
        }
    }
    (taken..20_000).for_each(|_| drop(node.completed.blocking_recv()));
    println!("in groups: {:.0} commits a second", 20_000.0 / start.elapsed().as_secs_f64());

    assert!(normal < Duration::from_millis(2), "{normal:?}");
}
