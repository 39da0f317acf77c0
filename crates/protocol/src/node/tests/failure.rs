//! Providers that fail, and what becomes of the work they had.

use p2p_types::{Placement, TaskKind, TextFailure};

use super::world::{MODEL, Way, Workers, World, computed};
use crate::io::{Input, Output};
use crate::requester::{Stage, State};
use crate::wire::{self, Reason, envelope::Message};

/// A world in which the workers of all others wait, with one task of node 0; who got it, who did not.
fn one_on_the_way(nodes: usize) -> (World, p2p_types::TaskId, usize, usize) {
    let mut world = World::new(nodes);
    world.seats.iter_mut().for_each(|seat| seat.workers = Workers::Wait);
    let id = world.ask(0, &["a good day"]);
    world.pass(20);
    let busy = (1..nodes).find(|at| !world.seats[*at].running.is_empty()).expect("assigned");
    let other = (1..nodes).find(|at| *at != busy).unwrap_or(busy);
    (world, id, busy, other)
}

fn retried(world: &World, id: p2p_types::TaskId) -> Vec<String> {
    let stages = world.task(0, id).stages.iter();
    stages.filter(|record| record.stage == Stage::Retrying).map(|record| record.detail.clone()).collect()
}

fn failed(world: &World, at: usize) -> u64 {
    world.seats[0].node.peer(&world.device(at)).expect("known").failed
}

#[test]
fn a_provider_that_vanishes_is_replaced_at_once() {
    let (mut world, id, busy, other) = one_on_the_way(3);
    world.kill(busy);
    assert_eq!(world.seats[other].running.len(), 1, "in the same moment");
    assert!(retried(&world, id)[0].ends_with("vanished; 1 text goes elsewhere"));
    world.answer(other);
    let task = world.task(0, id);
    assert_eq!((task.state, &task.providers), (State::Done, &vec![world.device(other)]));
    assert_eq!(task.receipts[0].provider, world.device(other));
    assert_eq!(failed(&world, busy), 1);
}

#[test]
fn the_only_provider_is_asked_again_when_it_comes_back() {
    let (mut world, id, _, _) = one_on_the_way(2);
    world.part(0, 1);
    assert_eq!(world.task(0, id).state, State::Searching);
    assert!(world.seats[1].running.is_empty(), "its requester is gone, and so is the work");
    world.pass(2000);
    world.connect(0, 1);
    world.pass(1000);
    world.answer(1);
    assert_eq!(world.task(0, id).state, State::Done);
}

#[test]
fn a_provider_that_goes_quiet_is_left_after_five_seconds() {
    let (mut world, id, busy, other) = one_on_the_way(3);
    world.road(move |from, _, _| if from == busy { Way::Lost } else { Way::Straight });
    world.pass(4_900);
    assert!(world.seats[other].running.is_empty());
    world.pass(600);
    assert_eq!(world.seats[other].running.len(), 1);
    assert!(retried(&world, id)[0].contains("went quiet"));
    assert!(world.seats[busy].running.is_empty(), "it could still hear that it should stop");
    world.answer(other);
    assert_eq!(world.task(0, id).state, State::Done);
}

#[test]
fn all_parts_of_a_quiet_provider_go_elsewhere_together() {
    let mut world = World::new(3);
    world.seats[1].workers = Workers::Wait;
    world.road(|from, _, envelope| match envelope.message {
        Some(Message::Progress(_)) if from == 1 => Way::Lost,
        _ => Way::Straight,
    });
    let id = world.ask(0, &["a good day"; 128]);
    world.pass(8000);
    assert_eq!(world.task(0, id).state, State::Done);
    assert_eq!(retried(&world, id).len(), 1, "{:?}", retried(&world, id));
    assert_eq!(failed(&world, 1), 2);
}

#[test]
fn a_provider_that_says_it_works_for_ever_is_left_after_a_minute() {
    let (mut world, id, busy, other) = one_on_the_way(3);
    world.pass(59_000);
    assert!(world.seats[other].running.is_empty(), "it was alive all the time");
    world.pass(1_500);
    assert_eq!(world.seats[other].running.len(), 1);
    assert!(retried(&world, id)[0].contains("took too long"));
    assert!(world.seats[busy].running.is_empty());
}

#[test]
fn a_task_ends_even_if_all_providers_hold_it_for_ever() {
    let (mut world, id, _, _) = one_on_the_way(3);
    world.pass(5 * 60_000);
    let task = world.task(0, id);
    assert_eq!((task.state, &task.results[0]), (State::Failed, &Some(Err(TextFailure::NoProvider))));
    assert!(world.seats.iter().all(|seat| seat.running.is_empty()));
    assert_eq!(
        world.seats[0].node.next_deadline(world.now),
        world.seats[0].node.next_deadline(world.now).max(Some(world.now.mono))
    );
}

#[test]
fn a_refused_part_goes_elsewhere_and_the_others_stay() {
    let mut world = World::new(3);
    world.seats[1].workers = Workers::Wait;
    world.seats[2].workers = Workers::Wait;
    let id = world.ask(0, &["a good day"; 128]);
    world.pass(20);
    assert_eq!(world.seats[1].node.counts().1, 2);
    // Node 1 refuses the part that waits there, and goes on with the other.
    let part = world.heard.iter().rev().find_map(|(_, to, message)| match message {
        Message::Assignment(assignment) if *to == 1 => Some(assignment.part),
        _ => None,
    });
    let refusal = wire::Refusal { task: id.0.to_vec(), part: part.expect("assigned"), reason: Reason::Busy.into() };
    let frame = world.forge(1, 0, Message::Refusal(refusal), |_| {});
    world.inject(1, 0, frame);
    assert!(retried(&world, id)[0].contains("is busy"));
    world.answer(1);
    assert!(world.misbehaved(0).is_empty(), "{:?}", world.misbehaved(0));
    assert_eq!(world.task(0, id).receipts.len(), 1, "its honest answer counts");
}

#[test]
fn an_offer_that_is_forgotten_is_asked_for_again() {
    let mut world = World::new(2);
    let first = world.ask(0, &["a good day"]);
    world.pass(100);
    assert_eq!(world.task(0, first).state, State::Done);
    // A pause that node 0 does not hear of takes all offers with it.
    world.seats[1].node.handle(world.now, Input::Pause { until: None });
    world.seats[1].node.handle(world.now, Input::Resume);
    let id = world.ask(0, &["a good day"]);
    world.pass(100);
    assert!(retried(&world, id)[0].contains("no longer stands by its offer"));
    assert_eq!((world.task(0, id).state, failed(&world, 1)), (State::Done, 0));
}

#[test]
fn bids_that_lead_nowhere_lead_to_an_end() {
    let spoil: [fn(&mut Message); 4] = [
        |message| {
            if let Message::Bid(bid) = message {
                bid.valid_ms = 0
            }
        },
        |message| {
            if let Message::Bid(bid) = message {
                bid.model = vec![8; 32]
            }
        },
        |message| {
            if let Message::Bid(bid) = message {
                bid.kind = "embed".to_owned()
            }
        },
        |message| {
            if let Message::Bid(bid) = message {
                bid.task.clear()
            }
        },
    ];
    for spoil in spoil {
        let mut world = World::new(2);
        world.road(move |_, _, envelope| {
            envelope.message.as_mut().map(spoil);
            Way::Changed
        });
        let id = world.ask(0, &["a good day"]);
        world.pass(12_000);
        assert_eq!(world.task(0, id).results, [Some(Err(TextFailure::NoProvider))]);
        assert!(world.seats[0].ticks < 60, "{} ticks", world.seats[0].ticks);
    }
}

#[test]
fn numbers_of_any_size_overflow_nothing() {
    let mut world = World::new(2);
    world.road(|_, _, envelope| {
        match envelope.message.as_mut() {
            Some(Message::Bid(bid)) => {
                (bid.slots, bid.queued, bid.text_us, bid.valid_ms) = (u32::MAX, u32::MAX, u64::MAX, u64::MAX);
                // Its price follows from what was announced, and one too high would not be taken.
                assert_eq!(std::mem::take(&mut bid.price), p2p_types::Credits::MAX.micro());
            }
            Some(Message::Announcement(said)) => {
                (said.texts, said.bytes, said.priority) = (u32::MAX, u64::MAX, u32::MAX)
            }
            Some(Message::Assignment(said)) => (said.timeout_ms, said.priority) = (u64::MAX, u32::MAX),
            Some(Message::Progress(said)) => (said.part, said.done) = (u32::MAX, u32::MAX),
            Some(Message::Hello(hello)) => {
                let presence = hello.presence.as_mut().expect("told");
                (presence.slots, presence.busy) = (u32::MAX, u32::MAX);
            }
            _ => return Way::Straight,
        }
        Way::Changed
    });
    world.part(0, 1);
    world.connect(0, 1);
    world.input(0, Input::Latency { device: world.device(1), rtt_us: u64::MAX });
    world.input(0, Input::Latency { device: world.device(1), rtt_us: u64::MAX });
    let id = world.ask(0, &["a good day"; 100]);
    world.pass(3000);
    assert_eq!(world.task(0, id).state, State::Done);
}

type Lie = fn(&mut wire::TaskResult, &World);

/// What a liar may do to an answer, and the word for it.
fn lies() -> Vec<(&'static str, Lie)> {
    fn again(result: &mut wire::TaskResult, world: &World, signer: usize, change: impl FnOnce(&mut wire::Receipt)) {
        let signed = p2p_types::Signed::<wire::Receipt>::from_bytes(result.receipt.clone()).expect("signed");
        let mut receipt = signed.peek().expect("a receipt");
        change(&mut receipt);
        result.receipt = p2p_types::Signed::new(&world.seats[signer].key, &world.network.id, &receipt).into_bytes();
    }
    vec![
        ("no answer to the question", |result, _| {
            result.outcomes[0].outcome = Some(wire::outcome::Outcome::Nothing(wire::Nothing {}));
        }),
        ("fewer or more texts", |result, _| result.outcomes.clear()),
        ("fewer or more texts", |result, _| result.outcomes.push(result.outcomes[0].clone())),
        ("does not fit the answer", |result, _| {
            let label = wire::Label { label: "negative".to_owned(), score_ppm: 1 };
            result.outcomes[0].outcome = Some(wire::outcome::Outcome::Label(label));
        }),
        ("not signed as it should be", |result, _| result.receipt[40] ^= 1),
        ("not signed as it should be", |result, _| result.receipt.clear()),
        ("signed by somebody else", |result, world| again(result, world, 0, |_| {})),
        ("another input", |result, world| again(result, world, 1, |receipt| receipt.input = vec![1; 32])),
        ("another requester", |result, world| again(result, world, 1, |receipt| receipt.requester = vec![1; 32])),
        ("another model", |result, world| again(result, world, 1, |receipt| receipt.model = vec![1; 32])),
        ("another part", |result, world| again(result, world, 1, |receipt| receipt.part = 7)),
        ("another part", |result, world| again(result, world, 1, |receipt| receipt.task = vec![77; 16])),
        ("another kind", |result, world| again(result, world, 1, |receipt| receipt.kind = "embed".to_owned())),
        ("counts other texts", |result, world| again(result, world, 1, |receipt| receipt.texts = 2)),
        ("more time than has passed", |result, world| again(result, world, 1, |receipt| receipt.compute_us = u64::MAX)),
        ("more time than has passed", |result, world| again(result, world, 1, |receipt| receipt.queued_us = 2_000_000)),
        ("times that cannot be", |result, world| again(result, world, 1, |receipt| receipt.finished_ms = u64::MAX)),
        ("times that cannot be", |result, world| again(result, world, 1, |receipt| receipt.finished_ms = 0)),
    ]
}

#[test]
fn a_wrong_answer_is_a_strike_and_goes_elsewhere() {
    for (word, lie) in lies() {
        let mut world = World::new(3);
        world.seats[1].workers = Workers::Wait;
        world.seats[2].workers = Workers::Wait;
        let id = world.ask(0, &["a good day"; 64]);
        world.pass(20);
        let work = world.seats[1].running.values().next().expect("an order").0.clone();
        let mut held = Vec::new();
        world.seats[1].node.handle(
            world.now,
            Input::WorkDone {
                work_id: work.work_id,
                outcomes: work.texts.iter().map(|text| computed(work.kind, text)).collect(),
                queued_us: 0,
                compute_us: 10,
            },
        );
        world.seats[1].running.clear();
        while let Some(output) = world.seats[1].node.poll_output() {
            if let Output::Send { frame, .. } = output {
                held.push(frame);
            }
        }
        let signed = p2p_types::Signed::<wire::Envelope>::from_bytes(held.remove(0)).expect("signed");
        let Some(Message::TaskResult(mut result)) = signed.peek().expect("an envelope").message else { panic!() };
        lie(&mut result, &world);
        let frame = world.forge(1, 0, Message::TaskResult(result), |_| {});
        world.inject(1, 0, frame);
        assert!(
            world.misbehaved(0).first().is_some_and(|reason| reason.contains(word)),
            "{word}: {:?}",
            world.misbehaved(0)
        );
        assert!(retried(&world, id)[0].contains(word));
        assert!(world.task(0, id).results.iter().all(Option::is_none), "{word}: nothing of it is believed");
        assert_eq!(world.seats[1].node.counts().1, 0, "{word}: all was taken from it");
        // It is not given the task again, even when it is the only one left.
        world.kill(2);
        world.pass(15_000);
        assert_eq!(world.task(0, id).state, State::Failed, "{word}");
    }
}

#[test]
fn texts_that_one_provider_fails_at_go_to_another() {
    for claimed in [wire::Failure::Empty, wire::Failure::TooLong, wire::Failure::Model, wire::Failure::WorkerLost] {
        let mut world = World::new(3);
        // The workers of node 1 fail at everything; its receipt says so, honestly signed.
        world.seats[1].workers = Workers::Wait;
        world.seats[2].workers = Workers::Wait;
        let id = world.ask(0, &["a good day"; 40]);
        world.pass(20);
        let (work_id, count) = {
            let work = &world.seats[1].running.values().next().expect("an order").0;
            (work.work_id, work.texts.len())
        };
        world.seats[1].running.clear();
        let failure = match claimed {
            wire::Failure::Empty => TextFailure::Empty,
            wire::Failure::TooLong => TextFailure::TooLong,
            wire::Failure::WorkerLost => TextFailure::WorkerLost,
            _ => TextFailure::Model,
        };
        let outcomes = vec![Err(failure); count];
        world.input(1, Input::WorkDone { work_id, outcomes, queued_us: 0, compute_us: 1 });
        assert!(retried(&world, id)[0].contains("failed at"), "{:?}", retried(&world, id));
        world.seats[2].workers = Workers::Take(1);
        while !world.seats[2].running.is_empty() {
            world.answer(2);
        }
        assert_eq!(world.task(0, id).state, State::Done, "{claimed:?}");
    }
}

#[test]
fn what_everybody_fails_at_fails_by_its_name() {
    let mut world = World::new(5);
    let id = world.ask(0, &["poison", "a good day"]);
    world.pass(5000);
    let task = world.task(0, id);
    assert_eq!(task.results[0], Some(Err(TextFailure::WorkerLost)));
    assert_eq!((task.state, task.receipts.len()), (State::Partial, 3), "three had a try");
    let mut request = world.request(TaskKind::Sentiment, &["poison"]);
    request.placement = Placement::Auto;
    let id = world.submit(0, request);
    world.pass(5000);
    assert_eq!(world.task(0, id).results, [Some(Err(TextFailure::WorkerLost))]);
}

/// Parts that wait while others of the task are already computed here are computed here too.
#[test]
fn a_task_that_came_home_never_strands_what_is_lost_later() {
    let mut world = World::new(3);
    world.seats.iter_mut().for_each(|seat| seat.workers = Workers::Wait);
    let mut request = world.request(TaskKind::Sentiment, &["a good day"; 128]);
    request.placement = Placement::Auto;
    let id = world.submit(0, request);
    world.pass(20);
    // Node 1 is paused: its parts wait for node 2, which then vanishes: all that is left comes home.
    world.input(1, Input::Pause { until: None });
    world.kill(2);
    world.pass(3000);
    world.kill(1);
    for _ in 0..10 {
        if !world.seats[0].running.is_empty() {
            world.answer(0);
        }
        world.pass(100);
    }
    assert_eq!(world.task(0, id).state, State::Done);
    assert_eq!(world.task(0, id).providers, [world.device(0)]);
}

#[test]
fn parts_elsewhere_that_are_lost_after_the_rest_came_home_come_home_too() {
    let mut world = World::new(2);
    world.seats.iter_mut().for_each(|seat| seat.workers = Workers::Wait);
    let mut request = world.request(TaskKind::Sentiment, &["a good day"; 64]);
    request.placement = Placement::Auto;
    let id = world.submit(0, request);
    world.pass(20);
    assert_eq!(world.seats[1].node.counts().1, 2);
    // One part is refused for good, so it is computed here while the other is still at node 1.
    for _ in 0..4 {
        let refusal = wire::Refusal { task: id.0.to_vec(), part: 1, reason: Reason::NoOffer.into() };
        let frame = world.forge(1, 0, Message::Refusal(refusal), |_| {});
        world.inject(1, 0, frame);
        world.pass(20);
    }
    assert_eq!(world.seats[0].running.len(), 1, "{:?}", world.task(0, id).stages);
    world.kill(1);
    (0..2).for_each(|_| world.answer(0));
    assert_eq!(world.task(0, id).state, State::Done);
}

#[test]
fn cancel_reaches_the_provider() {
    let (mut world, id, busy, _) = one_on_the_way(3);
    world.input(0, Input::Cancel { task: id });
    let task = world.task(0, id);
    assert_eq!((task.state, &task.results[0]), (State::Cancelled, &Some(Err(TextFailure::Cancelled))));
    assert!(world.seats[busy].running.is_empty());
    assert!(world.seats[busy].outputs.iter().any(|output| matches!(output, Output::Stop { .. })));
    assert_eq!(world.seats[busy].node.counts().1, 0);
    // Twice is no harm, and neither is a late answer.
    world.input(0, Input::Cancel { task: id });
    assert_eq!(world.task(0, id).stages.iter().filter(|record| record.stage == Stage::Cancelled).count(), 1);
    assert!(world.misbehaved(0).is_empty());
}

#[test]
fn an_answer_that_comes_after_the_part_went_elsewhere_is_no_offence() {
    let (mut world, id, busy, other) = one_on_the_way(3);
    // Node `busy` hears nothing and is not heard for a while, then answers.
    world.road(move |from, to, _| if from == busy || to == busy { Way::Lost } else { Way::Straight });
    world.pass(6000);
    assert_eq!(world.seats[other].running.len(), 1);
    world.road(|_, _, _| Way::Straight);
    world.answer(busy);
    assert!(world.misbehaved(0).is_empty(), "{:?}", world.misbehaved(0));
    world.answer(other);
    assert_eq!(world.task(0, id).providers, [world.device(other)]);
}

#[test]
fn a_model_that_changes_releases_the_guests_that_wanted_the_old_one() {
    let (mut world, id, busy, other) = one_on_the_way(3);
    let kinds = [(TaskKind::Sentiment, p2p_types::Hash([8; 32])), (TaskKind::Noop, MODEL)].into();
    world.input(busy, Input::Able { kinds, slots: 1 });
    assert!(world.seats[busy].running.is_empty());
    world.answer(other);
    assert_eq!(world.task(0, id).state, State::Done);
}

#[test]
fn workers_that_cannot_start_make_a_provider_withdraw() {
    let mut world = World::new(3);
    world.seats[1].workers = Workers::CannotStart;
    world.seats[2].workers = Workers::CannotStart;
    let id = world.ask(0, &["a good day"]);
    world.pass(2000);
    assert!(retried(&world, id)[0].contains("cannot compute it"));
    let able = |world: &World, at: usize| world.seats[0].node.peer(&world.device(at)).expect("known").accepting;
    assert!(!able(&world, 1) && !able(&world, 2));
    world.pass(10_000);
    assert_eq!(world.task(0, id).results, [Some(Err(TextFailure::NoProvider))]);
}

#[test]
fn a_provider_never_sends_what_a_requester_would_take_for_a_lie() {
    let (mut world, id, busy, _) = one_on_the_way(2);
    let work_id = *world.seats[busy].running.keys().next().expect("an order");
    let wrong = vec![Ok(p2p_types::Output::Label { label: "no\nlabel".to_owned(), score_ppm: 2_000_000 })];
    world.input(busy, Input::WorkDone { work_id, outcomes: wrong, queued_us: 0, compute_us: 1 });
    assert!(world.misbehaved(0).is_empty());
    assert_eq!(world.task(0, id).results, [Some(Err(TextFailure::Model))]);
    let id = world.ask(0, &["a good day"]);
    world.pass(20);
    let work_id = *world.seats[busy].running.keys().next_back().expect("an order");
    world.input(busy, Input::WorkDone { work_id, outcomes: Vec::new(), queued_us: 0, compute_us: 1 });
    assert!(world.misbehaved(0).is_empty());
    assert!(retried(&world, id)[0].contains("cannot compute it"));
}
