//! Pauses, deadlines, calendars that jump, and numbers that are never used twice.

use p2p_types::{Placement, TaskKind, TextFailure, Timestamp};

use super::world::{Workers, World};
use crate::io::{Durable, Input, Restored, TaskRequest};
use crate::requester::State;
use crate::wire::envelope::Message;

const HOUR_MS: u64 = 3_600_000;

#[test]
fn a_pause_releases_guests_and_keeps_own_work() {
    let mut world = World::new(3);
    world.seats[1].workers = Workers::Wait;
    world.seats[2].workers = Workers::Wait;
    let mut own = world.request(TaskKind::Sentiment, &["mine"]);
    own.placement = Placement::Local;
    let id = world.ask(0, &["a good day"]);
    world.pass(20);
    let busy = if world.seats[1].running.is_empty() { 2 } else { 1 };
    let own = world.submit(busy, own);
    world.input(busy, Input::Pause { until: None });
    assert_eq!(world.seats[busy].node.counts(), (1, 0, 0));
    assert_eq!(world.seats[busy].running.len(), 1, "its own work goes on");
    assert_eq!(world.seats[3 - busy].running.len(), 1, "the guest's went elsewhere at once");
    assert!(world.task(0, id).stages.iter().any(|record| record.detail.contains("was paused by its owner")));
    assert_eq!(world.seats[0].node.peer(&world.device(busy)).expect("known").failed, 0);
    world.answer(busy);
    world.answer(3 - busy);
    assert_eq!((world.task(0, id).state, world.task(busy, own).state), (State::Done, State::Done));
}

#[test]
fn what_the_rules_forbid_is_released_and_nobody_is_asked_to_wait() {
    let mut world = World::new(3);
    world.seats[1].workers = Workers::Wait;
    world.seats[2].workers = Workers::Wait;
    let id = world.ask(0, &["a good day"]);
    world.pass(20);
    let busy = if world.seats[1].running.is_empty() { 2 } else { 1 };
    world.input(busy, Input::Rules { guests: false, own_work: true, duties: true });
    assert!(world.seats[busy].running.is_empty());
    assert_eq!(world.seats[busy].node.paused(), None, "nobody paused it");
    assert_eq!(world.seats[3 - busy].running.len(), 1, "the work went elsewhere at once");
    world.pass(1100);
    assert!(!world.seats[0].node.peer(&world.device(busy)).expect("known").accepting);
    world.answer(3 - busy);
    assert_eq!(world.task(0, id).state, State::Done);
    world.input(busy, Input::Rules { guests: true, own_work: true, duties: true });
    world.pass(1100);
    assert!(world.seats[0].node.peer(&world.device(busy)).expect("known").accepting);
    assert!(!world.kept(busy).any(|durable| matches!(durable, Durable::Paused { .. })));
}

#[test]
fn a_pause_with_an_end_lasts_until_the_rules_say_that_it_is_over() {
    let mut world = World::new(2);
    let until = Timestamp(world.now.wall.0 + 60_000);
    world.input(1, Input::Pause { until: Some(until) });
    world.pass(10 * 60_000);
    assert_eq!(world.seats[1].node.paused(), Some(Some(until)), "the calendar decides nothing here");
    world.input(1, Input::Resume);
    assert_eq!(world.seats[1].node.paused(), None);
    let kept: Vec<_> = world.kept(1).filter(|durable| matches!(durable, Durable::Paused { .. })).cloned().collect();
    assert_eq!(kept.last(), Some(&Durable::Paused { paused: false, until: None }));
    world.pass(1100);
    let id = world.ask(0, &["a good day"]);
    world.pass(100);
    assert_eq!(world.task(0, id).state, State::Done);
}

#[test]
fn a_pause_outlives_the_process() {
    let mut world = World::new(2);
    let until = Timestamp(world.now.wall.0 + 5000);
    let restored = Restored { paused: Some(Some(until)), sequence: 1_000_000, ..Restored::default() };
    world.restart(1, &restored);
    assert_eq!(world.seats[1].node.paused(), Some(Some(until)));
    world.pass(1);
    assert!(!world.seats[0].node.peer(&world.device(1)).expect("known").accepting);
    world.input(1, Input::Resume);
    world.pass(1100);
    assert!(world.seats[0].node.peer(&world.device(1)).expect("known").accepting);
}

#[test]
fn what_the_computer_cannot_bear_waits_and_is_done_when_it_can() {
    let mut world = World::new(1);
    world.input(0, Input::Rules { guests: false, own_work: false, duties: true });
    let here = TaskRequest { placement: Placement::Local, ..world.request(TaskKind::Sentiment, &["a good day"]) };
    let id = world.submit(0, here);
    world.pass(1000);
    assert!(!world.task(0, id).state.is_final(), "it waits");
    assert!(world.seats[0].running.is_empty(), "and no worker was asked");
    world.input(0, Input::Rules { guests: false, own_work: true, duties: true });
    world.pass(100);
    assert_eq!(world.task(0, id).state, State::Done);
}

#[test]
fn a_deadline_ends_what_is_missing() {
    let mut world = World::new(2);
    world.seats[1].workers = Workers::Take(400);
    let mut request = world.request(TaskKind::Sentiment, &["a good day"; 40]);
    request.deadline_ms = Some(15_000);
    let id = world.submit(0, request);
    world.pass(14_999);
    assert!(!world.task(0, id).state.is_final());
    world.pass(1);
    let task = world.task(0, id);
    assert_eq!(task.state, State::Partial);
    let late = task.results.iter().flatten().filter(|result| **result == Err(TextFailure::Deadline)).count();
    assert_eq!(late, 8, "the second part");
    assert!(world.seats[1].running.is_empty(), "the provider was told");
    // The provider knew how long it could take.
    let timeouts: Vec<u64> = world
        .heard
        .iter()
        .filter_map(|(_, _, message)| match message {
            Message::Assignment(assignment) => Some(assignment.timeout_ms),
            _ => None,
        })
        .collect();
    assert!(timeouts.iter().all(|timeout| *timeout <= 15_000), "{timeouts:?}");
}

#[test]
fn a_deadline_holds_for_own_workers_too() {
    let mut world = World::new(1);
    world.seats[0].workers = Workers::Wait;
    let mut request = world.request(TaskKind::Sentiment, &["a good day"]);
    (request.placement, request.deadline_ms) = (Placement::Local, Some(100));
    let id = world.submit(0, request);
    world.pass(100);
    assert_eq!(world.task(0, id).results, [Some(Err(TextFailure::Deadline))]);
    assert!(world.seats[0].running.is_empty());
}

/// The calendar of node 0 jumps while a task is on its way: whatever it does, no timer fires early
/// or late by it, nobody is banned for it, and all is well when it is right again.
#[test]
fn a_calendar_that_jumps_harms_nothing_for_long() {
    for back in [true, false] {
        let mut world = World::new(3);
        let jump = move |world: &mut World, back: bool| {
            let wall = world.now.wall.0;
            world.now.wall = Timestamp(if back { wall - HOUR_MS } else { wall + HOUR_MS });
        };
        // All of them live by one calendar here, so the jump is put into what the others send.
        world.road(move |from, _, envelope| {
            if from == 0 {
                return super::world::Way::Straight;
            }
            let shift = |ms: u64| if back { ms + HOUR_MS } else { ms - HOUR_MS };
            (envelope.sent_ms, envelope.expires_ms) = (shift(envelope.sent_ms), shift(envelope.expires_ms));
            super::world::Way::Changed
        });
        let id = world.ask(0, &["a good day"]);
        world.pass(9_000);
        assert_eq!(world.task(0, id).state, State::Searching, "nobody is understood");
        world.road(|_, _, _| super::world::Way::Straight);
        world.pass(2_000);
        assert_eq!(world.task(0, id).state, State::Done, "back: {back}");
        assert!(world.misbehaved(0).iter().any(|reason| reason.contains("one of the two clocks is wrong")));
        assert_eq!(world.seats[0].connected.len(), 2, "nobody was shown out");

        // A jump of everybody's calendar moves no timer.
        let mut request = world.request(TaskKind::Sentiment, &["a good day"]);
        (request.placement, request.deadline_ms) = (Placement::Local, Some(5000));
        world.seats[0].workers = Workers::Wait;
        let id = world.submit(0, request);
        jump(&mut world, back);
        world.input(0, Input::Tick);
        world.pass(4_999);
        assert!(!world.task(0, id).state.is_final());
        world.pass(1);
        assert_eq!(world.task(0, id).results, [Some(Err(TextFailure::Deadline))]);
    }
}

#[test]
fn numbers_go_on_after_a_crash() {
    let mut world = World::new(2);
    let used = |world: &World| {
        world.heard.len();
        world.seats[1].node.peer(&world.device(0)).expect("known").direct_sequence
    };
    let before = used(&world);
    let reserved = world.kept(0).filter_map(|durable| match durable {
        Durable::Sequence { reserved } => Some(*reserved),
        _ => None,
    });
    let sequence = reserved.last().expect("reserved");
    assert!(sequence >= before);
    world.restart(0, &Restored { sequence, ..Restored::default() });
    assert!(used(&world) > sequence);
    let id = world.ask(0, &["a good day"]);
    world.pass(100);
    assert_eq!(world.task(0, id).state, State::Done, "and is believed");
}

#[test]
fn an_idle_node_wakes_for_its_heartbeat_alone() {
    let mut world = World::new(3);
    world.pass(2000);
    let before: Vec<u64> = world.seats.iter().map(|seat| seat.ticks).collect();
    world.pass(600_000);
    for (seat, before) in world.seats.iter().zip(before) {
        assert_eq!(seat.ticks - before, 20);
    }
}
