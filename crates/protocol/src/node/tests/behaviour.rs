//! What a task does where nothing goes wrong.

use p2p_types::{Output as Answer, Placement, Privacy, TaskKind, TextFailure};

use super::world::{Workers, World, computed};
use crate::io::{Durable, Output, Rejection};
use crate::requester::{Stage, State};
use crate::wire::envelope::Message;

fn label(task: &crate::Task, at: usize) -> &str {
    match task.results[at].as_ref().expect("a result").as_ref().expect("a good one") {
        Answer::Label { label, .. } => label,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sentence_crosses_the_network() {
    let mut world = World::new(3);
    let id = world.ask(0, &["a good day"]);
    world.pass(100);
    let task = world.task(0, id);
    assert_eq!(task.state, State::Done);
    assert_eq!(label(task, 0), "positive");
    assert_eq!(world.stages(0, id), [Stage::Searching, Stage::Assigned, Stage::Computing, Stage::Done]);
    let elapsed: Vec<u64> = task.stages.iter().map(|record| record.elapsed_us).collect();
    assert!(elapsed.is_sorted(), "{elapsed:?}");

    let provider = task.providers[0];
    assert_ne!(provider, world.device(0));
    let receipt = &task.receipts[0];
    assert_eq!((receipt.provider, receipt.requester), (provider, world.device(0)));
    assert_eq!((receipt.first_text, receipt.texts, receipt.task), (0, 1, id));
    assert_eq!(receipt.input, crate::input_hash(TaskKind::Sentiment, Default::default(), &["a good day".to_owned()]));
    assert_eq!(receipt.output, crate::output_hash(&[computed(TaskKind::Sentiment, "a good day")]));
    assert_eq!(receipt.compute_us, 5000);

    let kept: Vec<_> = world.kept(0).collect();
    assert!(
        kept.iter()
            .any(|durable| matches!(durable, Durable::Departure { to, texts: 1, bytes: 10, .. } if *to == provider))
    );
    assert!(kept.iter().any(|durable| matches!(durable, Durable::Receipt { .. })));
    assert!(kept.iter().any(|durable| matches!(durable, Durable::Task { finished: true, .. })));
    let at = world.seats.iter().position(|seat| seat.device == provider).expect("a seat");
    assert_eq!(world.seats[at].node.counts(), (0, 0, 1));
    assert!(world.kept(at).any(|durable| matches!(durable, Durable::GuestReceipt { .. })));
}

#[test]
fn every_kind_crosses_the_network() {
    let mut world = World::new(2);
    for kind in TaskKind::ALL {
        let request = world.request(*kind, &["a good day"]);
        let id = world.submit(0, request);
        world.pass(100);
        assert_eq!(world.task(0, id).results, [Some(computed(*kind, "a good day"))]);
    }
}

#[test]
fn a_local_text_never_leaves() {
    let mut world = World::new(3);
    world.heard.clear();
    let mut request = world.request(TaskKind::Sentiment, &["secret"]);
    (request.privacy, request.placement) = (Privacy::Local, Placement::Auto);
    let id = world.submit(0, request);
    world.pass(10_000);
    assert_eq!(world.task(0, id).state, State::Done);
    assert_eq!(world.task(0, id).providers, [world.device(0)]);
    assert_eq!(world.stages(0, id), [Stage::Searching, Stage::Assigned, Stage::Computing, Stage::Done]);
    assert!(world.heard.is_empty(), "{:?}", world.heard);
    assert!(!world.kept(0).any(|durable| matches!(durable, Durable::Departure { .. })));
}

#[test]
fn auto_computes_here_when_alone_and_says_so() {
    let mut world = World::new(1);
    let mut request = world.request(TaskKind::Sentiment, &["a good day"]);
    request.placement = Placement::Auto;
    let id = world.submit(0, request);
    world.pass(5);
    let task = world.task(0, id);
    assert_eq!((task.state, task.duration_us), (State::Done, Some(5000)));
    assert_eq!(task.stages[1].detail, "Computed on this computer: no other computer can take it now");
    assert!(task.receipts.is_empty());
}

#[test]
fn auto_goes_to_others_where_there_are_any_and_comes_back_when_they_will_not() {
    let mut world = World::new(2);
    let mut request = world.request(TaskKind::Sentiment, &["a good day"]);
    request.placement = Placement::Auto;
    let id = world.submit(0, request.clone());
    world.pass(50);
    assert_eq!(world.task(0, id).providers, [world.device(1)]);

    // The other one is paused, and this node has not heard of it yet.
    world.seats[1].node.handle(world.now, crate::Input::Pause { until: None });
    world.pass(20_000);
    world.seats[1].node.handle(world.now, crate::Input::Resume);
    world.pass(1500);
    world.seats[1].node.handle(world.now, crate::Input::Pause { until: None });
    request.id = p2p_types::TaskId([99; 16]);
    let id = world.submit(0, request);
    assert_eq!(world.count_heard(|message| matches!(message, Message::Decline(_))), 1);
    world.pass(10);
    let task = world.task(0, id);
    assert_eq!((task.state, task.providers[0]), (State::Done, world.device(0)));
    assert!(task.stages[1].detail.ends_with("no other computer took it"));
}

#[test]
fn network_with_nobody_there_fails_after_the_search_and_says_why() {
    let mut world = World::new(1);
    let id = world.ask(0, &["a good day"]);
    world.pass(9_999);
    assert_eq!(world.task(0, id).state, State::Searching);
    world.pass(1);
    let task = world.task(0, id);
    assert_eq!((task.state, &task.results[0]), (State::Failed, &Some(Err(TextFailure::NoProvider))));
    assert_eq!(task.why_failed.as_deref(), Some("no other computer could be reached within 10 s"));
    assert!(world.seats[0].ticks < 20, "{} ticks", world.seats[0].ticks);
}

#[test]
fn who_comes_during_the_search_is_asked() {
    let mut world = World::apart(2, crate::NetworkKind::Open, false);
    let id = world.ask(0, &["a good day"]);
    world.pass(7000);
    world.connect(0, 1);
    world.pass(100);
    assert_eq!(world.task(0, id).state, State::Done);
}

#[test]
fn a_node_without_a_network_works_for_itself() {
    let key = std::sync::Arc::new(super::world::key_of(1));
    let config = crate::Config {
        network: None,
        account: p2p_types::AccountId([1; 32]),
        certificate: Vec::new(),
        membership: Vec::new(),
        agent_version: "0.1.0".to_owned(),
        max_peers: p2p_types::limits::PEERS,
        money: crate::Money::default(),
    };
    let mut node = crate::Node::new(config, key, &crate::Restored::default());
    let mut world = World::new(1);
    let mut request = world.request(TaskKind::Sentiment, &["a good day"]);
    assert_eq!(node.submit(world.now, request.clone()), Err(Rejection::NoNetwork));
    request.placement = Placement::Auto;
    node.submit(world.now, request.clone()).expect("its own work");
    assert_eq!(node.submit(world.now, request.clone()), Err(Rejection::Duplicate));
    // Nothing was said of what it is able to do.
    assert_eq!(node.task(&request.id).expect("the task").state, State::Searching);
    let kinds = std::iter::once((TaskKind::Sentiment, super::world::MODEL)).collect();
    node.handle(world.now, crate::Input::Able { kinds, slots: 1 });
    let outputs: Vec<_> = std::iter::from_fn(|| node.poll_output()).collect();
    assert!(outputs.iter().any(|output| matches!(output, Output::Run(_))), "{outputs:?}");
    assert!(!outputs.iter().any(|output| matches!(output, Output::Send { .. } | Output::Publish { .. })));
    assert_eq!(node.next_deadline(p2p_types::Now::default()), None);
}

#[test]
fn failures_of_single_texts_are_named_and_the_order_is_kept() {
    let mut world = World::new(2);
    let long = "x".repeat(p2p_types::limits::TEXT_BYTES + 1);
    let id = world.ask(0, &["a good day", " ", "poison", &long, "a bad day"]);
    world.pass(1000);
    let task = world.task(0, id);
    assert_eq!(task.state, State::Partial);
    assert_eq!((label(task, 0), label(task, 4)), ("positive", "negative"));
    let failed: Vec<_> = [1, 2, 3].map(|at| task.results[at].clone().expect("settled").expect_err("failed")).into();
    assert_eq!(failed, [TextFailure::Empty, TextFailure::WorkerLost, TextFailure::TooLong]);
    assert_eq!(task.stages.last().expect("a stage").detail, "2 of 5 done, the others failed");
}

#[test]
fn a_standing_offer_is_used_again_without_a_word() {
    let mut world = World::new(3);
    for _ in 0..10 {
        let id = world.ask(0, &["a good day"]);
        world.pass(3000);
        assert_eq!(world.task(0, id).state, State::Done);
    }
    // Once to each; what is used stays valid.
    assert_eq!(world.count_heard(|message| matches!(message, Message::Announcement(_))), 2);
    world.pass(20_000);
    world.ask(0, &["a good day"]);
    assert_eq!(world.count_heard(|message| matches!(message, Message::Announcement(_))), 4);
}

#[test]
fn a_slow_part_tells_that_it_is_alive() {
    let mut world = World::new(2);
    world.seats[1].workers = Workers::Take(30_000);
    let id = world.ask(0, &["a good day"]);
    world.pass(1200);
    assert_eq!(world.task(0, id).state, State::Computing);
    world.pass(40_000);
    assert_eq!(world.task(0, id).state, State::Done);
    let told = world.count_heard(|message| matches!(message, Message::Progress(_)));
    assert!((28..=32).contains(&told), "{told}");
}

#[test]
fn the_owners_own_work_goes_before_guests() {
    let mut world = World::new(2);
    world.seats[1].workers = Workers::Wait;
    let guest = world.ask(0, &["a good day"]);
    let second = world.ask(0, &["a bad day"]);
    let mut own = world.request(TaskKind::Sentiment, &["mine"]);
    own.placement = Placement::Local;
    let own = world.submit(1, own);
    (0..2).for_each(|_| world.answer(1));
    assert_eq!(world.task(0, guest).state, State::Done, "it was running");
    assert_eq!(world.task(1, own).state, State::Done);
    assert_ne!(world.task(0, second).state, State::Done, "it waited");
}

#[test]
fn finished_tasks_are_forgotten_but_for_the_last() {
    let mut world = World::new(1);
    let mut request = world.request(TaskKind::Noop, &["x"]);
    request.placement = Placement::Local;
    for number in 0..100 {
        request.id = p2p_types::TaskId([number; 16]);
        world.submit(0, request.clone());
        world.pass(10);
    }
    let shown: Vec<u8> = world.seats[0].node.tasks().map(|task| task.id.0[0]).collect();
    assert_eq!(shown.len(), p2p_types::limits::SHOWN_TASKS + 1);
    assert_eq!((shown[0], shown[1]), (99, 98));
    assert!(world.seats[0].node.tasks().all(|task| task.state == State::Done));
}

#[test]
fn texts_of_open_tasks_have_a_limit_together() {
    let mut world = World::new(1);
    world.seats[0].workers = Workers::Wait;
    let big = "x".repeat(p2p_types::limits::TEXT_BYTES);
    let mut request = world.request(TaskKind::Noop, &vec![big.as_str(); 100]);
    request.placement = Placement::Local;
    let mut taken = 0;
    let refused = loop {
        request.id = p2p_types::TaskId([taken; 16]);
        match world.seats[0].node.submit(world.now, request.clone()) {
            Ok(()) => taken += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!((taken, refused), (10, Rejection::TooManyTasks { open: 10 }));
}

#[test]
fn workers_that_cannot_start_end_the_task_with_the_reason() {
    let mut world = World::new(1);
    world.seats[0].workers = Workers::CannotStart;
    let mut request = world.request(TaskKind::Sentiment, &["a good day"; 70]);
    request.placement = Placement::Auto;
    let id = world.submit(0, request.clone());
    world.pass(10);
    let task = world.task(0, id);
    assert_eq!((task.state, task.why_failed.as_deref()), (State::Failed, Some("no runtime")));
    request.id = p2p_types::TaskId([77; 16]);
    request.placement = Placement::Local;
    let id = world.submit(0, request);
    assert_eq!(world.task(0, id).state, State::Failed);
}

#[test]
fn an_answer_of_the_own_workers_that_is_too_short_still_ends_the_task() {
    let mut world = World::new(1);
    world.seats[0].workers = Workers::Wait;
    let mut request = world.request(TaskKind::Noop, &["a", "b"]);
    request.placement = Placement::Local;
    let id = world.submit(0, request);
    let outcomes = vec![Ok(Answer::Nothing)];
    world.input(0, crate::Input::WorkDone { work_id: 1, outcomes, queued_us: 0, compute_us: 1 });
    assert_eq!(world.task(0, id).results, [Some(Ok(Answer::Nothing)), Some(Err(TextFailure::Model))]);
}
