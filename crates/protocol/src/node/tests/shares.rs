//! Big tasks: how they spread, and the limits they keep.

use p2p_types::{Priority, TaskKind, limits};

use super::world::{Workers, World};
use crate::requester::State;
use crate::wire::envelope::Message;

/// Parts that `to` was assigned.
fn assigned(world: &World, to: usize) -> usize {
    world.heard.iter().filter(|(_, at, message)| *at == to && matches!(message, Message::Assignment(_))).count()
}

#[test]
fn a_batch_spreads_over_the_providers() {
    let mut world = World::new(5);
    let texts: Vec<String> = (0..500).map(|number| format!("a good day, number {number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let id = world.ask(0, &texts);
    world.pass(60_000);
    let task = world.task(0, id);
    assert_eq!((task.state, task.receipts.len(), task.providers.len()), (State::Done, 16, 4));
    for at in 1..5 {
        assert!((3..=5).contains(&assigned(&world, at)), "node {at}: {}", assigned(&world, at));
    }
    // Four workers, 160 ms a part: no slower than one round more than needed.
    assert!(task.duration_us < Some(5 * 160_000 + 100_000), "{:?}", task.duration_us);
    let mut covered: Vec<_> = task.receipts.iter().map(|receipt| (receipt.first_text, receipt.texts)).collect();
    covered.sort_unstable();
    assert!(covered.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0), "{covered:?}");
}

#[test]
fn no_provider_holds_more_than_it_can_soon_compute() {
    let mut world = World::new(2);
    world.seats[1].workers = Workers::Wait;
    world.able(1, 3);
    world.pass(2000);
    world.ask(0, &["a good day"; 32 * 20]);
    world.pass(15);
    // One worker and one ahead, until it has proven that it finishes what it takes.
    assert_eq!(assigned(&world, 1), 2);
    for done in 1..=8 {
        world.answer(1);
        world.pass(1);
        let held = world.seats[1].node.counts().1;
        assert_eq!(held, (2 + done).min(4), "after {done}");
    }
}

#[test]
fn who_claims_many_workers_gets_no_whole_batch_to_sit_on() {
    let mut world = World::new(3);
    world.seats[1].workers = Workers::Wait;
    world.road(|from, _, envelope| {
        if let (1, Some(Message::Bid(bid))) = (from, &mut envelope.message) {
            (bid.slots, bid.text_us, bid.queued) = (64, 0, 0);
            return super::world::Way::Changed;
        }
        super::world::Way::Straight
    });
    let id = world.ask(0, &["a good day"; 500]);
    world.pass(5000);
    assert!(assigned(&world, 1) <= 2, "{}", assigned(&world, 1));
    world.pass(120_000);
    assert_eq!(world.task(0, id).state, State::Done);
}

#[test]
fn the_largest_tasks_there_may_be_fit_the_limits() {
    let mut world = World::new(4);
    world.seats.iter_mut().for_each(|seat| seat.workers = Workers::Take(0));
    let large = "é".repeat(limits::CHUNKED_TEXT_BYTES / 2);
    let request = world.request(TaskKind::Chunk, &[large.as_str(); 16]);
    let chunks = world.submit(0, request);
    world.pass(1000);
    assert_eq!(world.task(0, chunks).state, State::Done);

    let request = world.request(TaskKind::Embed, &["x"; limits::TASK_TEXTS]);
    let many = world.submit(0, request);
    world.pass(10_000);
    let task = world.task(0, many);
    assert_eq!((task.state, task.receipts.len()), (State::Done, limits::TASK_TEXTS.div_ceil(limits::SUBTASK_TEXTS)));
    for (_, _, message) in &world.heard {
        if let Message::Assignment(assignment) = message {
            assert!(assignment.texts.len() <= limits::SUBTASK_TEXTS);
            let bytes: usize = assignment.texts.iter().map(String::len).sum();
            assert!(assignment.texts.len() == 1 || bytes <= limits::SUBTASK_BYTES);
        }
    }
}

#[test]
fn a_free_place_goes_to_the_more_urgent_task() {
    let mut world = World::new(2);
    world.seats[1].workers = Workers::Wait;
    let first = world.ask(0, &["a good day"; 64]);
    world.pass(600);
    let low = world.request(TaskKind::Sentiment, &["low"]);
    let low = world.submit(0, crate::TaskRequest { priority: Priority::Low, ..low });
    let high = world.request(TaskKind::Sentiment, &["high"]);
    let high = world.submit(0, crate::TaskRequest { priority: Priority::High, ..high });
    (0..3).for_each(|_| world.answer(1));
    assert_eq!(world.task(0, first).state, State::Done);
    assert_eq!(world.task(0, high).state, State::Done, "{:?}", world.task(0, high));
    assert_ne!(world.task(0, low).state, State::Done);
    world.answer(1);
    assert_eq!(world.task(0, low).state, State::Done);
}

#[test]
fn what_waits_uses_the_place_of_a_cancelled_task_at_once() {
    let mut world = World::new(2);
    world.seats[1].workers = Workers::Wait;
    let first = world.ask(0, &["a good day"; 64]);
    let second = world.ask(0, &["a bad day"]);
    world.pass(600);
    assert_eq!(assigned(&world, 1), 2);
    world.input(0, crate::Input::Cancel { task: first });
    assert_eq!(assigned(&world, 1), 3);
    assert_eq!(world.seats[1].node.counts().1, 1);
    world.answer(1);
    assert_eq!(world.task(0, second).state, State::Done);
}

#[test]
fn one_requester_cannot_fill_the_queue_of_a_provider() {
    let mut world = World::new(3);
    world.seats[1].workers = Workers::Wait;
    world.ask(0, &["a good day"]);
    world.pass(20);
    let texts = vec!["x".to_owned()];
    for part in 100..200 {
        let assignment = crate::wire::Assignment {
            task: vec![50; 16],
            part,
            kind: "sentiment".to_owned(),
            model: super::world::MODEL.0.to_vec(),
            texts: texts.clone(),
            timeout_ms: u64::MAX,
            ..Default::default()
        };
        let to = if world.seats[1].node.counts().1 > 0 { 1 } else { 2 };
        let frame = world.forge(0, to, Message::Assignment(assignment), |_| {});
        world.inject(0, to, frame);
    }
    let (busiest, _) = (world.seats[1].node.counts().1.max(world.seats[2].node.counts().1), ());
    assert!(busiest <= 1 + limits::GUEST_AHEAD, "{busiest}");
    assert!(world.count_heard(|message| matches!(message, Message::Refusal(_))) >= 90);
}
