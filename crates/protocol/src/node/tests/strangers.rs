//! Presence, address lists, membership: what is taken from those one does not know.

use p2p_types::{DeviceId, Scheme as _, Signed, limits};

use super::world::{World, key_of};
use crate::io::{Input, Output, Restored};
use crate::network::NetworkKind;
use crate::wire::{self, envelope::Message};

fn judged(world: &World, at: usize) -> Vec<bool> {
    let outputs = world.seats[at].outputs.iter();
    outputs
        .filter_map(|output| match output {
            Output::Judge { accept, .. } => Some(*accept),
            _ => None,
        })
        .collect()
}

fn presence(world: &World, from: usize, change: impl FnOnce(&mut wire::Envelope)) -> Vec<u8> {
    let presence = wire::Presence { accepting: true, slots: 9, ..wire::Presence::default() };
    world.forge(from, 0, Message::Presence(presence), |envelope| {
        envelope.recipient.clear();
        envelope.topic = crate::PRESENCE_TOPIC.to_owned();
        envelope.sequence += 100;
        change(envelope);
    })
}

#[test]
fn presence_is_heard_and_passed_on_once() {
    let mut world = World::new(2);
    world.seats[0].outputs.clear();
    let message = presence(&world, 1, |_| {});
    world.input(0, Input::Published { id: 1, message: message.clone() });
    assert_eq!(world.seats[0].node.peer(&world.device(1)).expect("known").slots, 9);
    world.input(0, Input::Published { id: 2, message });
    assert_eq!(judged(&world, 0), [true], "a replay is neither passed on nor held against anybody");
}

#[test]
fn bad_presence_is_judged_by_whose_fault_it_is() {
    type Change = fn(&mut wire::Envelope);
    let cases: [(Option<bool>, Change); 8] = [
        (Some(false), |envelope| envelope.network = vec![3; 32]),
        (Some(false), |envelope| envelope.topic = "gossip".to_owned()),
        (Some(false), |envelope| envelope.recipient = vec![1; 32]),
        (Some(false), |envelope| envelope.expires_ms = u64::MAX),
        (None, |envelope| (envelope.sent_ms, envelope.expires_ms) = (1, 2)),
        (None, |envelope| (envelope.sent_ms, envelope.expires_ms) = (u64::MAX, u64::MAX)),
        (None, |envelope| envelope.sequence = 0),
        (None, |envelope| envelope.message = None),
    ];
    for (expected, change) in cases {
        let mut world = World::new(2);
        world.seats[0].outputs.clear();
        let message = presence(&world, 1, change);
        world.input(0, Input::Published { id: 1, message });
        assert_eq!(judged(&world, 0), expected.into_iter().collect::<Vec<_>>());
        assert_eq!(world.seats[0].node.peer(&world.device(1)).expect("known").slots, 1);
    }
    let mut world = World::new(2);
    world.seats[0].outputs.clear();
    for message in [vec![1; 500], vec![0; 5], vec![1; limits::PUBLISHED_BYTES + 1]] {
        world.input(0, Input::Published { id: 1, message });
    }
    assert_eq!(judged(&world, 0), [false, false, false]);
}

#[test]
fn what_was_published_before_the_hello_is_old_news() {
    let mut world = World::new(2);
    let message = presence(&world, 1, |envelope| envelope.sequence -= 99);
    world.pass(1500);
    world.part(0, 1);
    // Node 0 begins anew and remembers no numbers; node 1 greets it with a later one.
    world.restart(0, &Restored { sequence: 1_000_000, ..Restored::default() });
    world.connect(0, 1);
    world.input(0, Input::Published { id: 77, message });
    assert_eq!(world.seats[0].node.peer(&world.device(1)).expect("known").slots, 1);
}

#[test]
fn a_chatterbox_is_not_passed_on() {
    let mut world = World::new(2);
    world.seats[0].outputs.clear();
    for number in 0..100 {
        let message = presence(&world, 1, |envelope| envelope.sequence += number);
        world.input(0, Input::Published { id: number, message });
    }
    assert!(judged(&world, 0).len() <= 8);
    assert!(judged(&world, 0).iter().all(|accept| *accept));
}

#[test]
fn strangers_heard_of_are_called_within_bounds() {
    let mut world = World::new(2);
    world.seats[0].outputs.clear();
    for list in 0..100_u8 {
        let entry = |number: u8| wire::PeerAddress {
            device: [&[list, number], [7; 30].as_slice()].concat(),
            addresses: vec![format!("/ip4/10.0.{list}.{number}/tcp/1"), "nonsense".to_owned()],
        };
        let list = wire::PeerList { peers: (0..200).map(entry).collect() };
        let frame = world.forge(1, 0, Message::PeerList(list), |_| {});
        world.inject(1, 0, frame);
    }
    let dials: Vec<_> = world.seats[0].outputs.iter().filter(|output| matches!(output, Output::Dial { .. })).collect();
    // Four lists were read, 32 entries of each, and no more dialed than there is a wish for.
    assert_eq!(world.seats[0].node.peers().count(), 1 + 4 * limits::PEER_LIST);
    assert_eq!(dials.len(), 24 - 1);
}

#[test]
fn a_list_brings_nodes_together() {
    let mut world = World::apart(3, NetworkKind::Open, false);
    world.connect(0, 1);
    world.connect(1, 2);
    let third = world.device(2);
    let dialed = world.seats[2].outputs.iter().any(|output| {
        matches!(output, Output::Dial { device, addresses } if *device == world.device(0) && !addresses.is_empty())
    });
    assert!(dialed, "{:?}", world.seats[2].outputs);
    assert!(world.seats[0].node.peer(&third).is_none(), "it is told as it connects");
}

fn dialed(world: &World, at: usize, device: DeviceId) -> Vec<&[String]> {
    let outputs = world.seats[at].outputs.iter();
    let dials = outputs.filter_map(|output| match output {
        Output::Dial { device: dialed, addresses } if *dialed == device => Some(addresses.as_slice()),
        _ => None,
    });
    dials.collect()
}

#[test]
fn a_list_with_a_newer_address_of_a_lost_node_is_worth_a_dial() {
    let mut world = World::new(3);
    let lost = world.device(2);
    world.kill(2);
    world.pass(10_000);
    world.seats[0].outputs.clear();
    let elsewhere = "/ip4/127.0.0.1/tcp/7777".to_owned();
    let entry = wire::PeerAddress { device: lost.0.to_vec(), addresses: vec![elsewhere.clone()] };
    let frame = world.forge(1, 0, Message::PeerList(wire::PeerList { peers: vec![entry] }), |_| {});
    world.inject(1, 0, frame);
    let before = "/ip4/127.0.0.1/tcp/9002".to_owned();
    assert_eq!(dialed(&world, 0, lost), [[before.clone(), elsewhere]]);
    assert_eq!(world.seats[0].node.peer(&lost).expect("known").addresses, [before], "its own word stands");
}

/// What a node publishes before its first connection carries the topic is heard by nobody.
#[test]
fn presence_is_told_again_to_newcomers_once_they_can_hear_it() {
    let mut world = World::apart(2, NetworkKind::Open, false);
    world.input(0, Input::Tick);
    world.pass(5000);
    world.connect(0, 1);
    world.seats[1].outputs.clear();
    world.pass(1499);
    assert!(judged(&world, 1).is_empty());
    world.pass(1);
    assert_eq!(judged(&world, 1), [true], "and not at the next heartbeat only");
}

#[test]
fn a_closed_network_lets_only_members_in() {
    let mut world = World::apart(2, NetworkKind::Closed, true);
    let stranger = world.sit(&Restored::default(), false);
    world.connect(0, 1);
    assert!(world.seats[0].node.peer(&world.device(1)).expect("known").account.is_some());
    world.connect(0, stranger);
    assert!(world.seats[0].connected.contains(&1) && !world.seats[0].connected.contains(&stranger));
    assert!(world.misbehaved(0)[0].contains("no membership of this closed network"));
    let banned = Output::Disconnect { device: world.device(stranger), ban_ms: Some(600_000) };
    assert!(world.seats[0].outputs.contains(&banned));
    // Nor does it get work, though all members are trusted.
    let id = world.ask(0, &["a good day"]);
    world.pass(1000);
    assert_eq!(world.task(0, id).providers, [world.device(1)]);
}

#[test]
fn a_node_of_another_network_is_not_understood() {
    let mut world = World::new(2);
    let hello = Message::Hello(wire::Hello::default());
    let envelope = wire::Envelope {
        network: vec![3; 32],
        recipient: world.device(0).0.to_vec(),
        sequence: 1_000,
        sent_ms: world.now.wall.0,
        expires_ms: world.now.wall.0 + 1000,
        message: Some(hello),
        ..wire::Envelope::default()
    };
    let foreign = key_of(77);
    let device = DeviceId(foreign.public_key());
    world.input(0, Input::PeerUp { device, addresses: Vec::new(), protocols: Vec::new() });
    let frame = Signed::new(&foreign, &p2p_types::NetworkId([3; 32]), &envelope).into_bytes();
    world.seats[0].node.handle(world.now, Input::Received { from: device, frame });
    let outputs: Vec<_> = std::iter::from_fn(|| world.seats[0].node.poll_output()).collect();
    assert!(outputs.contains(&Output::Disconnect { device, ban_ms: Some(600_000) }), "{outputs:?}");
}

/// A node with no place free would shut newcomers out of the whole network.
#[test]
fn a_crowded_node_lets_newcomers_go_once_they_know_others() {
    let mut world = World::apart(60, NetworkKind::Open, false);
    world.input(0, Input::Trust { device: world.device(59), trusted: true });
    for other in 1..60 {
        world.connect(0, other);
        world.pass(1);
    }
    assert_eq!(world.seats[0].connected.len(), 59);
    world.pass(40_000);
    assert_eq!(world.seats[0].connected.len(), limits::PEERS * 3 / 4);
    assert!(world.seats[0].connected.contains(&59), "trusted ones stay");
    assert!(world.seats[0].connected.contains(&1) && !world.seats[0].connected.contains(&58), "old ones stay");
    assert!(world.misbehaved(0).is_empty(), "nobody did wrong");
    let lists = world.heard.iter().filter(|(_, to, message)| *to == 58 && matches!(message, Message::PeerList(_)));
    assert_eq!(lists.count(), 1);
    let ticks = world.seats[0].ticks;
    world.pass(60_000);
    assert_eq!(world.seats[0].ticks - ticks, 2, "and then it rests");
}
