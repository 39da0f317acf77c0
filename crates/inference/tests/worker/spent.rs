//! What the workers cost and how fast the model is, by the kernel's own clock.

use std::time::Duration;

use p2p_types::TaskKind;

use crate::support::{Bench, order, texts};

#[tokio::test]
async fn the_pool_knows_what_its_workers_used_and_how_fast_the_model_is() {
    let mut bench = Bench::new();
    assert_eq!(bench.pool.spent(), p2p_inference::Spent::default());
    bench.embed(&texts(&["the first of two sentences"; 64])).await;
    let first = bench.pool.spent();
    assert_eq!(first.tokens, 64 * 7);
    let model = Duration::from_micros(first.model_us);
    assert!(Duration::ZERO < model && model < first.cpu, "loading is no part of the model's time: {first:?}");
    bench.outcomes(order(TaskKind::Noop, &texts(&["x"]))).await;
    let second = bench.pool.spent();
    assert_eq!((second.tokens, second.model_us), (first.tokens, first.model_us), "noop needs no model");
    assert!(second.cpu >= first.cpu);
}
