//! Orders end before whoever gave them stops waiting: what is finished by then is kept.

use p2p_types::{Placement, TaskId, TaskKind, TextFailure};

use super::world::{Workers, World, computed};
use crate::io::Input;
use crate::outcome::TextOutcome;
use crate::requester::State;

const TEXTS: [&str; 3] = ["a good day", "a bad day", "a long story"];

/// Texts to be computed within so many milliseconds, here or elsewhere.
fn within(world: &mut World, placement: Placement, ms: u64) -> TaskId {
    let mut request = world.request(TaskKind::Sentiment, &TEXTS);
    (request.placement, request.deadline_ms) = (placement, Some(ms));
    world.submit(0, request)
}

/// How long the order that the workers of `at` have may take.
fn timeout(world: &World, at: usize) -> u64 {
    world.seats[at].running.values().next().expect("an order").0.timeout_ms
}

/// The order's time is over when the workers of `at` have finished the first `done` of its texts.
fn run_out(world: &mut World, at: usize, done: usize) {
    let (work_id, (work, _)) = world.seats[at].running.pop_first().expect("an order");
    let outcome = |(number, text): (usize, &String)| {
        if number < done { computed(work.kind, text) } else { Err(TextFailure::Deadline) }
    };
    let outcomes = work.texts.iter().enumerate().map(outcome).collect();
    world.input(at, Input::WorkDone { work_id, outcomes, queued_us: 0, compute_us: 1000 });
}

fn two_of_three() -> Vec<Option<TextOutcome>> {
    let good = TEXTS[..2].iter().map(|text| Some(computed(TaskKind::Sentiment, text)));
    good.chain([Some(Err(TextFailure::Deadline))]).collect()
}

#[test]
fn what_own_workers_finished_by_the_deadline_is_kept() {
    let mut world = World::new(1);
    world.seats[0].workers = Workers::Wait;
    let id = within(&mut world, Placement::Local, 4000);
    let ends = timeout(&world, 0);
    assert!((3000..4000).contains(&ends), "{ends} ms");
    world.pass(ends);
    run_out(&mut world, 0, 2);
    let task = world.task(0, id);
    assert_eq!((task.state, &task.results), (State::Partial, &two_of_three()));
    world.pass(1000);
    assert_eq!(world.task(0, id).results, two_of_three(), "the deadline takes nothing back");
}

#[test]
fn what_a_provider_finished_by_the_deadline_is_kept() {
    let mut world = World::new(2);
    world.input(0, Input::Latency { device: world.device(1), rtt_us: 300_000 });
    world.seats[1].workers = Workers::Wait;
    let id = within(&mut world, Placement::Network, 4000);
    world.pass(20);
    let ends = timeout(&world, 1);
    assert!((3000..=3500).contains(&ends), "{ends} ms: the road takes 300");
    world.pass(ends);
    assert!(!world.task(0, id).state.is_final());
    run_out(&mut world, 1, 2);
    let task = world.task(0, id);
    assert_eq!((task.state, &task.results), (State::Partial, &two_of_three()));
    assert_eq!(task.receipts.len(), 1, "it was signed for as it is");
    assert!(world.misbehaved(0).is_empty());
}

/// Without a deadline, too: a provider that takes too long hands over what it has, and only the
/// rest is computed again.
#[test]
fn a_part_that_takes_too_long_is_handed_over_before_it_is_given_up() {
    let mut world = World::new(3);
    world.seats[1].workers = Workers::Wait;
    world.seats[2].workers = Workers::Wait;
    let request = world.request(TaskKind::Sentiment, &TEXTS);
    let id = world.submit(0, request);
    world.pass(20);
    let slow = if world.seats[1].running.is_empty() { 2 } else { 1 };
    world.pass(timeout(&world, slow));
    run_out(&mut world, slow, 2);
    // The other's bid is long over; it is asked anew within a second.
    world.pass(1500);
    let left = &world.seats[3 - slow].running.values().next().expect("the rest").0;
    assert_eq!(left.texts, TEXTS[2..]);
    world.answer(3 - slow);
    assert_eq!(world.task(0, id).state, State::Done);
}

#[test]
fn waiting_for_a_worker_is_part_of_the_time() {
    // A guest waits behind the provider's own work.
    let mut world = World::new(2);
    world.seats[1].workers = Workers::Wait;
    let mut own = world.request(TaskKind::Sentiment, &["mine"]);
    own.placement = Placement::Local;
    world.submit(1, own);
    within(&mut world, Placement::Network, 10_000);
    world.pass(3000);
    world.answer(1);
    let ends = timeout(&world, 1);
    assert!((5000..7000).contains(&ends), "{ends} ms");

    // So does a task behind another of the same owner.
    let mut world = World::new(1);
    world.seats[0].workers = Workers::Wait;
    let mut first = world.request(TaskKind::Sentiment, &["first"]);
    first.placement = Placement::Local;
    world.submit(0, first);
    within(&mut world, Placement::Local, 10_000);
    world.pass(3000);
    world.answer(0);
    let ends = timeout(&world, 0);
    assert!((5000..7000).contains(&ends), "{ends} ms");
}

#[test]
fn a_short_deadline_leaves_the_workers_most_of_it() {
    let mut world = World::new(1);
    world.seats[0].workers = Workers::Wait;
    within(&mut world, Placement::Local, 100);
    assert_eq!(timeout(&world, 0), 75);
}
