//! What may leave this computer, and to whom.

use p2p_types::{Placement, Privacy, TaskKind, TextFailure};

use super::world::{Workers, World};
use crate::io::{Durable, Input, Rejection};
use crate::network::NetworkKind;
use crate::requester::{Stage, State};
use crate::wire::envelope::Message;

const SECRET: &str = "the good secret";

/// Who heard the text, by seat; a test of a test: no other message may carry it either.
fn heard_by(world: &World) -> Vec<usize> {
    let mut heard = Vec::new();
    for (_, to, message) in &world.heard {
        match message {
            Message::Assignment(assignment) => {
                if assignment.texts.iter().any(|text| text == SECRET) {
                    heard.push(*to);
                }
            }
            other => assert!(!format!("{other:?}").contains(SECRET), "{other:?}"),
        }
    }
    heard.sort_unstable();
    heard.dedup();
    heard
}

fn announced_to(world: &World) -> Vec<usize> {
    let heard = world.heard.iter().filter(|(_, _, message)| matches!(message, Message::Announcement(_)));
    heard.map(|(_, to, _)| *to).collect()
}

/// Seat 1 is trusted, seats 2 and 3 are not.
#[test]
fn the_matrix() {
    let cases = [
        // privacy, where, who is connected and trusted: may leave, ends well
        (Privacy::Local, Placement::Auto, true, false, true),
        (Privacy::Local, Placement::Local, true, false, true),
        (Privacy::Trusted, Placement::Auto, true, true, true),
        (Privacy::Trusted, Placement::Auto, false, false, true),
        (Privacy::Trusted, Placement::Local, true, false, true),
        (Privacy::Trusted, Placement::Network, true, true, true),
        (Privacy::Trusted, Placement::Network, false, false, false),
        (Privacy::Public, Placement::Auto, false, true, true),
        (Privacy::Public, Placement::Network, false, true, true),
        (Privacy::Public, Placement::Local, true, false, true),
    ];
    for (privacy, placement, trusts, leaves, ends_well) in cases {
        let case = format!("{privacy} {placement} trusts: {trusts}");
        let mut world = World::new(4);
        if trusts {
            world.input(0, Input::Trust { device: world.device(1), trusted: true });
        }
        let mut request = world.request(TaskKind::Sentiment, &[SECRET]);
        (request.privacy, request.placement) = (privacy, placement);
        let id = world.submit(0, request);
        world.pass(15_000);
        let heard = heard_by(&world);
        assert_eq!(!heard.is_empty(), leaves, "{case}");
        assert_eq!(world.task(0, id).state == State::Done, ends_well, "{case}");
        if privacy == Privacy::Trusted {
            assert!(heard.iter().chain(&announced_to(&world)).all(|at| *at == 1), "{case}: {heard:?}");
        }
        let departures: Vec<_> = world.kept(0).filter(|durable| matches!(durable, Durable::Departure { .. })).collect();
        assert_eq!(departures.len(), heard.len(), "{case}: what left is written down");
        if !ends_well {
            let task = world.task(0, id);
            assert_eq!(task.results[0], Some(Err(TextFailure::NoProvider)));
            let why = task.why_failed.as_deref();
            assert_eq!(why, Some("none of 3 connected computers is trusted and took it within 10 s"));
        }
    }
}

#[test]
fn a_local_text_for_the_network_is_refused_at_once() {
    let mut world = World::new(2);
    let mut request = world.request(TaskKind::Sentiment, &[SECRET]);
    request.privacy = Privacy::Local;
    assert_eq!(world.seats[0].node.submit(world.now, request), Err(Rejection::PrivacyForbids));
}

#[test]
fn all_members_are_trusted_where_the_network_says_so_but_not_whom_the_owner_names() {
    let mut world = World::of_kind(3, NetworkKind::Local, true);
    world.input(0, Input::Trust { device: world.device(1), trusted: false });
    for _ in 0..20 {
        let mut request = world.request(TaskKind::Sentiment, &[SECRET]);
        request.privacy = Privacy::Trusted;
        world.submit(0, request);
    }
    world.pass(5000);
    assert_eq!(heard_by(&world), [2]);
    assert!(world.seats[0].node.tasks().all(|task| task.state == State::Done));
}

#[test]
fn trust_taken_back_takes_the_work_back() {
    let mut world = World::new(3);
    for at in [1, 2] {
        world.input(0, Input::Trust { device: world.device(at), trusted: true });
    }
    world.seats[1].workers = Workers::Wait;
    world.seats[2].workers = Workers::Wait;
    let mut request = world.request(TaskKind::Sentiment, &[SECRET]);
    request.privacy = Privacy::Trusted;
    let id = world.submit(0, request);
    world.pass(20);
    let first = heard_by(&world)[0];
    let other = 3 - first;
    world.input(0, Input::Trust { device: world.device(first), trusted: false });
    assert!(world.seats[first].running.is_empty(), "it was told to stop");
    assert_eq!(world.seats[other].running.len(), 1);
    assert!(world.stages(0, id).contains(&Stage::Retrying));
    assert_eq!(world.seats[0].node.peer(&world.device(first)).expect("known").failed, 0, "it did nothing wrong");
    world.answer(other);
    assert_eq!(world.task(0, id).providers, [world.device(other)]);

    // With nobody left to trust, it waits for somebody.
    world.input(0, Input::Trust { device: world.device(other), trusted: false });
    let mut request = world.request(TaskKind::Sentiment, &[SECRET]);
    request.privacy = Privacy::Trusted;
    let id = world.submit(0, request);
    world.pass(5000);
    assert_eq!(world.task(0, id).state, State::Searching);
    world.seats[first].workers = Workers::Take(5);
    world.input(0, Input::Trust { device: world.device(first), trusted: true });
    world.pass(1000);
    assert_eq!(world.task(0, id).state, State::Done);
}

#[test]
fn a_public_task_does_not_mind_lost_trust() {
    let mut world = World::new(2);
    world.seats[1].workers = Workers::Wait;
    let id = world.ask(0, &["a good day"]);
    world.input(0, Input::Trust { device: world.device(1), trusted: false });
    world.answer(1);
    assert_eq!(world.task(0, id).state, State::Done);
}
