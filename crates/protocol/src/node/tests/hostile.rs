//! Frames that should not be: each is refused by name, a few are forgiven, more lead outside.

use p2p_types::{DeviceId, limits};

use super::world::{Workers, World, key_of};
use crate::io::{Input, Output};
use crate::requester::State;
use crate::wire::{self, envelope::Message};

fn cancel() -> Message {
    Message::Cancel(wire::Cancel { task: vec![1; 16] })
}

fn shown_out(world: &World, at: usize) -> Vec<Option<u64>> {
    let outputs = world.seats[at].outputs.iter();
    outputs
        .filter_map(|output| match output {
            Output::Disconnect { ban_ms, .. } => Some(*ban_ms),
            _ => None,
        })
        .collect()
}

/// The node still does its work for others.
fn assert_works(world: &mut World, at: usize, provider: usize) {
    world.seats[provider].workers = Workers::Take(1);
    let id = world.ask(at, &["a good day"]);
    world.pass(1000);
    assert_eq!(world.task(at, id).state, State::Done);
}

#[test]
fn each_kind_of_bad_frame_is_refused_by_name() {
    type Change = fn(&mut wire::Envelope);
    let cases: [(&str, Change); 8] = [
        ("another network", |envelope| envelope.network = vec![3; 32]),
        ("addressed to somebody else", |envelope| envelope.recipient = vec![3; 32]),
        ("addressed to somebody else", |envelope| envelope.topic = "presence".to_owned()),
        ("expired", |envelope| (envelope.sent_ms, envelope.expires_ms) = (1, 2)),
        ("in the future", |envelope| (envelope.sent_ms, envelope.expires_ms) = (u64::MAX - 9, u64::MAX)),
        ("longer than 60000 ms", |envelope| envelope.expires_ms = u64::MAX),
        ("seen before", |envelope| envelope.sequence = 0),
        ("an earlier connection", |envelope| envelope.session = 0),
    ];
    for (word, change) in cases {
        let mut world = World::new(3);
        let frame = world.forge(1, 0, cancel(), change);
        world.inject(1, 0, frame);
        assert!(world.misbehaved(0)[0].contains(word), "{word}: {:?}", world.misbehaved(0));
        assert!(shown_out(&world, 0).is_empty(), "{word}: once is no reason");
        assert_works(&mut world, 0, 2);
    }
}

#[test]
fn garbage_is_refused_whatever_its_size() {
    let mut world = World::new(3);
    let frames: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0; 10],
        vec![1; 97],
        vec![1; limits::FRAME_BYTES],
        vec![1; limits::FRAME_BYTES + 1],
        b"GET / HTTP/1.1\r\n\r\n".repeat(20),
    ];
    for frame in &frames[..3] {
        world.input(0, Input::Received { from: world.device(1), frame: frame.clone() });
    }
    for frame in &frames[3..] {
        world.input(0, Input::Received { from: world.device(2), frame: frame.clone() });
    }
    assert_eq!(world.misbehaved(0).len(), frames.len());
    assert!(shown_out(&world, 0).is_empty());
}

#[test]
fn a_forged_frame_is_refused() {
    let mut world = World::new(3);
    // Signed by node 2, sent by node 1.
    let frame = world.forge(2, 0, cancel(), |_| {});
    world.inject(1, 0, frame);
    assert!(world.misbehaved(0)[0].contains("signed by"), "{:?}", world.misbehaved(0));
    // In the name of node 2, with a signature that is none.
    let mut frame = world.forge(2, 0, cancel(), |_| {});
    frame[50] ^= 1;
    world.inject(2, 0, frame);
    assert!(world.misbehaved(0)[1].contains("does not fit the envelope"));
}

#[test]
fn replays_are_never_read_twice() {
    let mut world = World::new(3);
    for _ in 0..5 {
        world.ask(0, &["a good day"; 40]);
        world.pass(500);
    }
    let frames = std::mem::take(&mut world.frames);
    let done = world.seats.iter().map(|seat| seat.node.counts().2).collect::<Vec<_>>();
    let outputs = world.seats[1].outputs.len();
    let to_one: Vec<_> = frames.iter().filter(|(from, to, _)| (*from, *to) == (0, 1)).collect();
    assert!(to_one.len() > 5);
    // The same peer again.
    for (_, _, frame) in &to_one {
        let from = world.device(0);
        world.seats[1].node.handle(world.now, Input::Received { from, frame: frame.clone() });
    }
    let refused = std::iter::from_fn(|| world.seats[1].node.poll_output());
    let refused =
        refused.filter(|output| matches!(output, Output::Misbehaved { reason, .. } if reason == "it was seen before"));
    assert_eq!(refused.count(), to_one.len());
    assert_eq!(world.seats[1].outputs.len(), outputs);
    // Another peer, to the same and to another node.
    for (_, _, frame) in to_one.iter().take(2) {
        world.inject(2, 1, frame.clone());
    }
    assert!(world.misbehaved(1).iter().all(|reason| reason.contains("signed by")), "{:?}", world.misbehaved(1));
    // After the receiver began anew, and remembers nobody's numbers.
    let sequence = 1_000_000;
    world.restart(1, &crate::Restored { sequence, ..crate::Restored::default() });
    world.seats[1].outputs.clear();
    let assignments = frames.iter().filter(|(from, to, _)| (*from, *to) == (0, 1));
    for (_, _, frame) in assignments {
        let from = world.device(0);
        world.seats[1].node.handle(world.now, Input::Received { from, frame: frame.clone() });
        let outputs = std::iter::from_fn(|| world.seats[1].node.poll_output());
        assert!(outputs.into_iter().all(|output| matches!(output, Output::Misbehaved { .. })));
    }
    assert_eq!(world.seats[1].node.counts(), (0, 0, 0));
    assert_eq!(done[0], 0);
}

/// A receiver that forgot everything still believes nothing of an earlier connection: messages
/// name the hello by which the receiver began this one.
#[test]
fn what_belongs_to_an_earlier_connection_is_refused_also_with_fresh_numbers() {
    let mut world = World::new(2);
    let frame = world.forge(0, 1, cancel(), |envelope| envelope.sequence += 500);
    world.part(0, 1);
    world.connect(0, 1);
    world.inject(0, 1, frame);
    assert!(world.misbehaved(1)[0].contains("earlier connection"), "{:?}", world.misbehaved(1));
}

#[test]
fn four_strikes_lead_outside() {
    let mut world = World::new(3);
    for strike in 1..=4 {
        assert!(world.seats[0].connected.contains(&1), "before strike {strike}");
        let frame = world.forge(1, 0, Message::Presence(wire::Presence::default()), |_| {});
        world.inject(1, 0, frame);
        if strike == 4 {
            assert_eq!(shown_out(&world, 0), [Some(600_000)]);
            // Until the connection is down, nothing of it is read and nothing is given to it.
            let said = world.misbehaved(0).len();
            let frame = world.forge(1, 0, cancel(), |_| {});
            world.inject(1, 0, frame);
            assert_eq!(world.misbehaved(0).len(), said);
        }
    }
    world.seats[2].workers = Workers::Wait;
    let id = world.ask(0, &["a good day"]);
    world.pass(600);
    assert_eq!(world.seats[2].running.len(), 1, "{:?}", world.task(0, id).stages);
}

#[test]
fn a_flood_leads_outside_before_it_costs_much() {
    let mut world = World::new(2);
    let mut frame = world.forge(1, 0, cancel(), |_| {});
    frame[90] ^= 1;
    let mut read = 0;
    for _ in 0..limits::FRAME_BURST + 200 {
        // Well-formed, so that each that is read costs a signature check.
        let frame = world.forge(1, 0, cancel(), |_| {});
        let from = world.device(1);
        world.seats[0].node.handle(world.now, Input::Received { from, frame });
        let said: Vec<_> = std::iter::from_fn(|| world.seats[0].node.poll_output()).collect();
        read += usize::from(!said.iter().any(|output| matches!(output, Output::Misbehaved { .. })));
        if said.iter().any(|output| matches!(output, Output::Disconnect { ban_ms: Some(_), .. })) {
            assert!(read <= limits::FRAME_BURST as usize, "{read}");
            return;
        }
    }
    panic!("nobody showed it out");
}

#[test]
fn who_does_not_say_hello_is_shown_out() {
    let mut world = World::new(2);
    world.part(0, 1);
    world.road(|from, _, _| if from == 1 { super::world::Way::Lost } else { super::world::Way::Straight });
    world.connect(0, 1);
    world.pass(9_999);
    assert!(shown_out(&world, 0).is_empty());
    world.pass(1);
    assert_eq!(shown_out(&world, 0), [None], "without a ban: the road may be at fault");
    assert!(world.misbehaved(0)[0].contains("hello"));
}

#[test]
fn who_speaks_before_its_hello_is_shown_out() {
    let mut world = World::new(2);
    world.part(0, 1);
    world.road(|from, _, envelope| match envelope.message {
        Some(Message::Hello(_)) if from == 1 => super::world::Way::Lost,
        _ => super::world::Way::Straight,
    });
    world.connect(0, 1);
    let frame = world.forge(1, 0, cancel(), |_| {});
    world.inject(1, 0, frame);
    assert_eq!(shown_out(&world, 0), [Some(600_000)]);
}

#[test]
fn a_second_hello_changes_nothing() {
    let mut world = World::new(2);
    let lists = |world: &World| world.count_heard(|message| matches!(message, Message::PeerList(_)));
    let before = (lists(&world), world.seats[0].outputs.len());
    for _ in 0..100 {
        let hello = wire::Hello { agent_version: "9".to_owned(), ..wire::Hello::default() };
        let frame = world.forge(1, 0, Message::Hello(hello), |_| {});
        world.inject(1, 0, frame);
    }
    assert_eq!((lists(&world), world.seats[0].outputs.len()), before);
    assert_eq!(world.seats[0].node.peer(&world.device(1)).expect("known").agent_version.as_deref(), Some("0.1.0"));
    assert_works(&mut world, 0, 1);
}

#[test]
fn a_hello_with_somebody_elses_certificate_leads_outside() {
    let mut world = World::new(2);
    world.part(0, 1);
    let stolen = crate::certify(&key_of(150), DeviceId([3; 32]), super::world::START).into_bytes();
    world.road(move |from, _, envelope| match envelope.message.as_mut() {
        Some(Message::Hello(hello)) if from == 1 => {
            hello.certificate.clone_from(&stolen);
            super::world::Way::Changed
        }
        _ => super::world::Way::Straight,
    });
    world.connect(0, 1);
    assert_eq!(shown_out(&world, 0), [Some(600_000)]);
    assert!(world.seats[0].connected.is_empty());
}

#[test]
fn an_unknown_message_of_a_later_version_is_let_pass() {
    let mut world = World::new(2);
    for _ in 0..10 {
        let frame = world.forge(1, 0, cancel(), |envelope| envelope.message = None);
        world.inject(1, 0, frame);
    }
    assert!(shown_out(&world, 0).is_empty());
    assert_works(&mut world, 0, 1);
}

#[test]
fn results_and_refusals_nobody_asked_for_change_nothing() {
    let mut world = World::new(2);
    let id = world.ask(0, &["a good day"]);
    world.pass(100);
    let stages = world.task(0, id).stages.clone();
    let task = id.0.to_vec();
    let uninvited = [
        Message::TaskResult(wire::TaskResult { task: task.clone(), part: 0, ..Default::default() }),
        Message::TaskResult(wire::TaskResult { task: vec![9; 16], part: 0, ..Default::default() }),
        Message::Refusal(wire::Refusal { task: task.clone(), part: 0, reason: 1 }),
        Message::Refusal(wire::Refusal { task: task.clone(), part: u32::MAX, reason: 99 }),
        Message::Progress(wire::Progress { task: task.clone(), part: 0, done: 1, started: true }),
        Message::Bid(wire::Bid { task: vec![9; 16], ..Default::default() }),
        Message::Decline(wire::Decline { task: task.clone(), reason: 1 }),
        Message::Cancel(wire::Cancel { task }),
    ];
    for message in uninvited {
        let frame = world.forge(1, 0, message, |_| {});
        world.inject(1, 0, frame);
    }
    assert_eq!(world.task(0, id).stages, stages);
    assert!(world.misbehaved(0).is_empty(), "{:?}", world.misbehaved(0));
}

#[test]
fn assignments_without_an_offer_or_beyond_the_limits_are_refused() {
    let mut world = World::new(2);
    let good = wire::Assignment {
        task: vec![5; 16],
        kind: "sentiment".to_owned(),
        model: super::world::MODEL.0.to_vec(),
        texts: vec!["x".to_owned()],
        timeout_ms: 1000,
        ..Default::default()
    };
    let reason = |world: &mut World, assignment: &wire::Assignment| {
        let frame = world.forge(0, 1, Message::Assignment(assignment.clone()), |_| {});
        world.inject(0, 1, frame);
        world.heard.iter().rev().find_map(|(from, _, message)| match message {
            Message::Refusal(refusal) if *from == 1 => Some(refusal.reason()),
            _ => None,
        })
    };
    assert_eq!(reason(&mut world, &good), Some(wire::Reason::NoOffer));
    world.seats[1].workers = Workers::Wait;
    world.ask(0, &["a good day"]);
    world.pass(20);
    let cases = [
        (wire::Assignment { task: vec![1; 3], ..good.clone() }, wire::Reason::Malformed),
        (wire::Assignment { kind: "mining".to_owned(), ..good.clone() }, wire::Reason::Unsupported),
        (wire::Assignment { model: vec![1; 32], ..good.clone() }, wire::Reason::Unsupported),
        (wire::Assignment { kind: "embed".to_owned(), ..good.clone() }, wire::Reason::NoOffer),
        (wire::Assignment { texts: Vec::new(), ..good.clone() }, wire::Reason::Malformed),
        (wire::Assignment { texts: vec!["x".to_owned(); 33], ..good.clone() }, wire::Reason::TooLarge),
        (wire::Assignment { texts: vec!["x".repeat(limits::TEXT_BYTES + 1)], ..good.clone() }, wire::Reason::TooLarge),
        (wire::Assignment { texts: vec!["x".repeat(60_000); 3], ..good.clone() }, wire::Reason::TooLarge),
    ];
    for (assignment, expected) in cases {
        world.heard.clear();
        assert_eq!(reason(&mut world, &assignment), Some(expected), "{assignment:?}");
    }
    world.input(1, Input::Pause { until: None });
    assert_eq!(reason(&mut world, &good), Some(wire::Reason::Paused));
}
