use p2p_control::api::{ErrorCode, TrustPeer};
use p2p_store::StoreError;
use tokio::sync::oneshot;

use super::*;
use crate::home::InitNetwork;
use crate::host::{Bench, no_workers};

const FRIEND: DeviceId = DeviceId([7; 32]);

/// An engine in no network, and its home, which must outlive it.
struct Desk {
    sources: Sources,
    bench: Bench,
}

impl Desk {
    fn new() -> Self {
        let mut bench = Bench::new(InitNetwork::None);
        let (_, calls) = mpsc::channel(1);
        let (pool, pool_events) = Pool::start(no_workers());
        let committed = std::mem::replace(&mut bench.committed, mpsc::channel(1).1);
        let (events, numbers) = (Events::new(), Numbers::default());
        Self { sources: Sources { calls, committed, pool, pool_events, events, numbers }, bench }
    }

    fn engine(&mut self) -> Engine<'_> {
        Engine::new(self.bench.parts(), &mut self.sources)
    }
}

type Answer = oneshot::Receiver<Result<PeerDetails, Problem>>;

fn trust(engine: &mut Engine<'_>, trusted: bool) -> Answer {
    let (reply, answer) = oneshot::channel();
    engine.on_call(Call::Trust(FRIEND, TrustPeer { trusted }, reply));
    answer
}

#[tokio::test]
async fn trust_is_confirmed_once_it_is_on_disk() {
    let mut desk = Desk::new();
    let mut engine = desk.engine();
    let mut answer = trust(&mut engine, true);
    assert!(engine.parts.node.trusts(&FRIEND), "it is heeded at once");
    assert!(answer.try_recv().is_err(), "nothing was written yet");
    let committed = engine.sources.committed.recv().await.expect("a completion");
    assert!(engine.parts.store.load().expect("readable").trusted.contains(&FRIEND));
    engine.on_committed(committed);
    assert!(answer.try_recv().expect("an answer").expect("kept").trusted);
}

#[tokio::test]
async fn trust_that_cannot_be_written_is_said_not_to_be() {
    let mut desk = Desk::new();
    let mut engine = desk.engine();
    let mut answer = trust(&mut engine, false);
    let committed = engine.sources.committed.recv().await.expect("a completion");
    engine.on_committed(Committed { token: committed.token, result: Err(StoreError::Full) });
    let problem = answer.try_recv().expect("an answer").expect_err("not kept");
    assert_eq!(problem.code, ErrorCode::Storage);
    assert!(problem.detail.contains("not on disk") && problem.detail.contains("the disk is full"), "{problem}");

    // A store that takes no more commits says so at once.
    engine.parts.store.clone().close();
    let problem = trust(&mut engine, false).try_recv().expect("an answer").expect_err("not kept");
    assert_eq!(problem.code, ErrorCode::Storage);
}
