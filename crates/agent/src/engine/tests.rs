use p2p_control::Reply;
use p2p_control::api::{ErrorCode, NodeState, PauseRequest, PeerDetails, Status, SubmitTask, TrustPeer};
use p2p_store::StoreError;
use p2p_types::{Placement, Priority, Privacy};
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
        Self::on(InitNetwork::None)
    }

    fn on(network: InitNetwork) -> Self {
        let mut bench = Bench::new(network);
        let (_, calls) = mpsc::channel(1);
        let (pool, pool_events) = Pool::start(no_workers());
        let committed = std::mem::replace(&mut bench.committed, mpsc::channel(1).1);
        let (events, numbers) = (Events::new(), Numbers::default());
        let (rules, alarm) = (Rules::unwatched(&bench.config, now()), Alarm::new().expect("a timer"));
        let computer = Computer::begin(bench.home(), p2p_platform::Meter::here(), now());
        let sources = Sources { calls, committed, pool, pool_events, rules, alarm, computer, events, numbers };
        Self { sources, bench }
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

/// Asks for a pause, or its end.
fn order(
    engine: &mut Engine<'_>,
    call: impl FnOnce(Reply<Status>) -> Call,
) -> oneshot::Receiver<Result<Status, Problem>> {
    let (reply, answer) = oneshot::channel();
    engine.on_call(call(reply));
    answer
}

#[tokio::test]
async fn a_pause_and_its_end_are_confirmed_once_they_are_on_disk() {
    let mut desk = Desk::new();
    let mut engine = desk.engine();
    for paused in [true, false] {
        let mut answer = if paused {
            order(&mut engine, |reply| Call::Pause(PauseRequest::default(), reply))
        } else {
            order(&mut engine, Call::Resume)
        };
        assert_eq!(engine.parts.node.paused().is_some(), paused, "it is heeded at once");
        assert!(answer.try_recv().is_err(), "nothing was written yet");
        // The change of verdict is written down too.
        let status = loop {
            let committed = engine.sources.committed.recv().await.expect("a completion");
            engine.on_committed(committed);
            if let Ok(status) = answer.try_recv() {
                break status.expect("kept");
            }
        };
        assert_eq!(engine.parts.store.load().expect("readable").paused.is_some(), paused);
        assert_eq!(status.state == NodeState::Paused, paused);
    }
}

#[tokio::test]
async fn a_pause_ends_when_the_rules_say_so_and_not_by_the_calendar() {
    let mut desk = Desk::new();
    let mut engine = desk.engine();
    let request = PauseRequest { for_ms: Some(50), ..PauseRequest::default() };
    drop(order(&mut engine, |reply| Call::Pause(request, reply)));
    engine.on_time();
    assert!(engine.parts.node.paused().is_some());
    // What is on disk says an hour ago, as after a calendar that was set forward.
    engine.feed(Input::Pause { until: Some(Timestamp(now().wall.0 - 3_600_000)) });
    engine.on_time();
    let kept = engine.parts.node.paused().flatten().expect("it lasts");
    assert!(kept > Timestamp(now().wall.0 - 1000), "and what is on disk follows the rules");
    tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    engine.on_time();
    assert_eq!(engine.parts.node.paused(), None);
    assert_eq!(engine.status().paused_until_ms, None);
}

#[tokio::test]
async fn a_process_that_could_not_say_goodbye_worked_until_its_last_note() {
    let mut desk = Desk::new();
    let died = Timestamp(now().wall.0 - 600_000);
    let mut engine = desk.engine();
    let note = p2p_store::Usage { at: died, ..p2p_store::Usage::default() };
    engine.usage = usage::Counted::new(Some(note));
    engine.begin_rules();
    let first = engine.sources.committed.recv().await.expect("a completion");
    assert!(first.result.is_ok());
    let decisions = engine.parts.store.decisions(Timestamp(0)).await.expect("readable");
    let ended = decisions.iter().find(|kept| kept.document == crate::rules::Kept::ENDED.to_bytes());
    assert_eq!(ended.map(|kept| kept.at), Some(died));
}

#[tokio::test]
async fn a_pause_that_cannot_be_written_is_said_not_to_outlast_the_daemon() {
    let mut desk = Desk::new();
    let mut engine = desk.engine();
    let mut answer = order(&mut engine, |reply| Call::Pause(PauseRequest::default(), reply));
    let problem = loop {
        let committed = engine.sources.committed.recv().await.expect("a completion");
        engine.on_committed(Committed { token: committed.token, result: Err(StoreError::Full) });
        if let Ok(answer) = answer.try_recv() {
            break answer.expect_err("not kept");
        }
    };
    assert_eq!(problem.code, ErrorCode::Storage);
    assert!(problem.detail.contains("until the daemon ends"), "{problem}");
    let mut nonsense =
        order(&mut engine, |reply| Call::Pause(PauseRequest { for_ms: Some(0), ..PauseRequest::default() }, reply));
    assert_eq!(nonsense.try_recv().expect("an answer").expect_err("none").code, ErrorCode::BadRequest);
}

#[tokio::test]
async fn a_text_that_nobody_may_see_is_refused_at_once_with_the_way_to_trust() {
    let mut desk = Desk::on(InitNetwork::New { name: "home".into() });
    let mut engine = desk.engine();
    let request = |placement| SubmitTask {
        kind: TaskKind::Sentiment,
        texts: vec!["a fine day".to_owned()],
        privacy: Privacy::Trusted,
        placement,
        priority: Priority::Normal,
        deadline_ms: None,
        chunk: None,
    };
    let refused = engine.submit(request(Placement::Network)).expect_err("nobody is trusted");
    assert_eq!(refused.code, ErrorCode::NoProvider);
    assert!(refused.hint.contains("`p2p-agent peer trust ID`"), "{refused}");
    assert!(engine.submit(request(Placement::Auto)).is_ok(), "it may be computed here");
    engine.feed(Input::PeerUp { device: FRIEND, addresses: Vec::new(), protocols: Vec::new() });
    assert!(engine.submit(request(Placement::Network)).is_err(), "a stranger is no help");
    drop(trust(&mut engine, true));
    // Nothing stands against it any more but that strangers are paid, and there is nothing yet.
    let refused = engine.submit(request(Placement::Network)).expect_err("it cannot be paid");
    assert_eq!(refused.code, ErrorCode::NotEnough);
    assert!(refused.detail.contains("1.412 credits, and 0 are there"), "{refused}");
    assert_eq!(engine.owners_tasks().filter(|task| task.placement == Placement::Network).count(), 0);
}

#[tokio::test]
async fn only_where_nobody_is_to_be_expected_the_node_is_the_first() {
    let mut desk = Desk::on(InitNetwork::New { name: "home".into() });
    let mut engine = desk.engine();
    assert!(engine.status().sentence.starts_with("You are the first here"));
    engine.expects_others = true;
    assert!(engine.status().sentence.starts_with("Looking for other computers"));
    engine.looking_until = Some(now().mono);
    engine.node_changed = false;
    engine.on_time();
    assert!(engine.node_changed, "whoever listens hears of it");
    assert!(engine.status().sentence.starts_with("Cannot reach anybody"));
}

#[tokio::test]
async fn who_did_not_found_a_network_or_has_addresses_expects_others() {
    let desk = Desk::on(InitNetwork::New { name: "home".into() });
    let mut parts = desk.bench.parts();
    assert!(!alone::expects_others(&parts));
    parts.known = vec![(FRIEND, Vec::new(), Timestamp(1))];
    assert!(alone::expects_others(&parts));
    parts.known.clear();
    parts.config.network.bootstrap = vec!["/ip4/127.0.0.1/tcp/1".to_owned()];
    assert!(alone::expects_others(&parts));
    parts.config.network.bootstrap.clear();
    parts.identity.account_id = p2p_types::AccountId([9; 32]);
    assert!(alone::expects_others(&parts), "somebody else founded it");
    assert!(!alone::expects_others(&Desk::new().bench.parts()), "in no network nobody is expected");
}

/// What the control API says of the computer.
fn computer(engine: &mut Engine<'_>) -> p2p_control::api::Computer {
    let (reply, mut answer) = oneshot::channel();
    engine.on_call(Call::Computer(reply));
    answer.try_recv().expect("at once").expect("an answer")
}

#[tokio::test]
async fn what_is_computed_here_counts_for_the_day_and_outlives_the_process() {
    let mut desk = Desk::new();
    let mut engine = desk.engine();
    engine.parts.abilities.insert(TaskKind::Noop, Hash([1; 32]));
    engine.be_able();
    assert_eq!(computer(&mut engine).energy.tasks_today, 0);
    let request = SubmitTask {
        kind: TaskKind::Noop,
        texts: vec!["a".to_owned(), "b".to_owned()],
        privacy: Privacy::Local,
        placement: Placement::Local,
        priority: Priority::Normal,
        deadline_ms: None,
        chunk: None,
    };
    engine.submit(request).expect("taken");
    let work_id = engine.running.first().copied().expect("a worker has it");
    let outcomes = vec![Ok(p2p_types::Output::Nothing); 2];
    engine.on_pool_counted(PoolEvent::Progress { work_id, done: 1 });
    assert_eq!(computer(&mut engine).energy.tasks_today, 0, "it is not done");
    engine.on_pool_counted(PoolEvent::Done { work_id, outcomes, queued_us: 1, compute_us: 2 });
    let energy = computer(&mut engine).energy;
    assert_eq!((energy.tasks_today, energy.texts_today, energy.tasks_for_others_today), (1, 2, 0));
    engine.end_computer();
    drop(engine);
    desk.sources.computer = Computer::begin(desk.bench.home(), p2p_platform::Meter::here(), now());
    assert_eq!(computer(&mut desk.engine()).energy.tasks_today, 1);
}

#[tokio::test]
async fn another_price_counts_at_once() {
    let mut desk = Desk::new();
    let mut engine = desk.engine();
    let price = |engine: &mut Engine<'_>| {
        let energy = computer(engine).energy;
        (energy.price_per_kwh, energy.currency)
    };
    assert_eq!(price(&mut engine), (0.3, "EUR".to_owned()));
    for (key, value) in [("price_per_kwh", serde_json::json!(0.22)), ("currency", serde_json::json!("CHF"))] {
        let key = format!("energy.{key}");
        let (reply, mut answer) = oneshot::channel();
        engine.on_call(Call::SetConfig(key, p2p_control::api::ConfigValue { value }, reply));
        assert!(!answer.try_recv().expect("at once").expect("kept").needs_restart);
    }
    assert_eq!(price(&mut engine), (0.22, "CHF".to_owned()));
}
