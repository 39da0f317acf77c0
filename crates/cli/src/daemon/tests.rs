use std::cell::Cell;

use super::*;

#[tokio::test(flavor = "current_thread")]
async fn an_engine_is_driven_until_it_has_handed_back_its_work() {
    let asked = Cell::new(false);
    let engine = async {
        while !asked.get() {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        Ok(())
    };
    tokio::pin!(engine);
    let stop = async {
        asked.set(true);
        Ok(())
    };
    assert_eq!(stop_gracefully(&mut engine, stop).await, Ok(()));
}

#[tokio::test(flavor = "current_thread")]
async fn an_engine_that_cannot_be_asked_is_dropped() {
    let engine = std::future::pending();
    tokio::pin!(engine);
    let stop = std::future::ready(Err(Problem::new(ErrorCode::NotRunning, "")));
    assert_eq!(stop_gracefully(&mut engine, stop).await, Ok(()));
}
