use super::*;

fn at(ms: u64) -> Now {
    Now { wall: Timestamp(ms), mono: Monotonic(ms * 1000) }
}

fn device(number: u16) -> DeviceId {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    DeviceId(bytes)
}

#[test]
fn strangers_cannot_crowd_out_the_connected_and_the_trusted() {
    let mut peers = Peers::new(&Restored::default(), false, limits::PEERS);
    peers.come(device(1), at(0), 1);
    peers.entry(device(2), at(0));
    peers.set_trust(device(2), true);
    for number in 0..5000 {
        peers.entry(device(1000 + number), at(1 + u64::from(number)));
    }
    assert_eq!(peers.all.len(), limits::KNOWN_PEERS);
    assert!(peers.get(&device(1)).is_some() && peers.get(&device(2)).is_some());
}

#[test]
fn invented_nodes_displace_nobody_who_once_greeted() {
    let mut peers = Peers::new(&Restored::default(), false, limits::PEERS);
    for number in 0..700 {
        peers.entry(device(number), at(0)).account = Some(AccountId([1; 32]));
    }
    for number in 0..5000 {
        peers.entry(device(10_000 + number), at(2));
    }
    assert_eq!(peers.all.len(), limits::KNOWN_PEERS);
    assert!((0..700).all(|number| peers.get(&device(number)).is_some()));
}

#[test]
fn mistakes_are_forgiven_now_and_then_and_strikes_in_time() {
    let mut peers = Peers::new(&Restored::default(), false, limits::PEERS);
    let one = device(1);
    peers.come(one, at(0), 1).greeted = true;
    let banned = Some(Farewell { ban_ms: Some(BAN_MS) });
    let mistakes = |peers: &mut Peers| (0..100).position(|_| peers.blame(at(9_000_000), &one, true).is_some());
    assert_eq!(mistakes(&mut peers), Some(64 + 3));
    assert_eq!([(); 4].map(|()| peers.blame(at(9_000_001), &one, false)), [None, None, None, banned]);
    let slowly = (10..40).map(|hour| peers.blame(at(hour * (STRIKES_MS + 1)), &one, false));
    assert!(slowly.into_iter().all(|farewell| farewell.is_none()));
    peers.entry(one, at(0)).greeted = false;
    assert_eq!(peers.blame(at(200_000_000), &one, true), Some(Farewell { ban_ms: None }));
    assert_eq!(peers.blame(at(200_000_000), &one, false), banned);
}

#[test]
fn trust_is_the_networks_word_until_the_owner_speaks() {
    let mut peers = Peers::new(&Restored::default(), true, limits::PEERS);
    assert!(peers.trusts(&device(1)));
    peers.set_trust(device(1), false);
    assert!(!peers.trusts(&device(1)));
    peers.set_trust(device(1), true);
    assert!(peers.trusts(&device(1)));
}

#[test]
fn nobody_is_dialed_twice_in_a_row() {
    let mut peers = Peers::new(&Restored::default(), false, limits::PEERS);
    peers.entry(device(1), at(0)).addresses = vec!["/ip4/127.0.0.1/tcp/1".into()];
    assert!(peers.should_dial(device(1), at(0)));
    assert!(!peers.should_dial(device(1), at(REDIAL_MS - 1)));
    assert!(peers.should_dial(device(1), at(REDIAL_MS)));
    assert!(!peers.should_dial(device(2), at(0)), "it was never heard of");
}

/// Or a node that began anew at another port would be lost until the next time its turn comes.
#[test]
fn a_new_address_is_worth_a_dial_soon() {
    let mut peers = Peers::new(&Restored::default(), false, limits::PEERS);
    let address = |port: u16| vec![format!("/ip4/127.0.0.1/tcp/{port}")];
    peers.entry(device(1), at(0)).told_addresses(address(1));
    assert!(peers.should_dial(device(1), at(0)));
    for (port, ms) in [(2, REDIAL_ELSEWHERE_MS), (3, 2 * REDIAL_ELSEWHERE_MS)] {
        peers.entry(device(1), at(ms)).rumoured_addresses(address(port));
        assert!(!peers.should_dial(device(1), at(ms - 1)), "not twice in a moment");
        assert!(peers.should_dial(device(1), at(ms)));
        peers.entry(device(1), at(ms)).rumoured_addresses(address(port));
        assert!(!peers.should_dial(device(1), at(ms + REDIAL_ELSEWHERE_MS)), "that is no news any more");
    }
}

#[test]
fn presence_is_taken_within_bounds() {
    let mut peer = Peer::default();
    let presence = wire::Presence {
        capabilities: (0..1000)
            .map(|_| wire::Capability { kind: "sentiment".into(), model: vec![1; 32] })
            .chain([wire::Capability { kind: "mining".into(), model: vec![1; 32] }])
            .collect(),
        slots: u32::MAX,
        addresses: vec![
            "/ip4/1.2.3.4".to_owned() + &"x".repeat(1000),
            "http://x".into(),
            "/ip4/127.0.0.1/tcp/1".into(),
        ],
        ..Default::default()
    };
    apply_presence(&mut peer, &presence);
    assert_eq!(peer.kinds.len(), 1);
    assert_eq!((peer.slots, peer.addresses.len()), (64, 1));
    assert_eq!(clean_version("0.1.0\u{202e}<script>\n"), "0.1.0<script>");
}

#[test]
fn dials_under_way_count_until_they_came_to_nothing() {
    let mut peers = Peers::new(&Restored::default(), false, limits::PEERS);
    for number in 0..100 {
        peers.entry(device(number), at(0)).addresses = vec!["/ip4/127.0.0.1/tcp/1".into()];
    }
    let dialed = |peers: &mut Peers, ms| (0..100).filter(|number| peers.should_dial(device(*number), at(ms))).count();
    assert_eq!(dialed(&mut peers, 0), WANTED_PEERS);
    assert_eq!(dialed(&mut peers, DIALING_MS - 1), 0);
    (0..10).for_each(|number| peers.come(device(number), at(1), 1).greeted = true);
    assert_eq!(dialed(&mut peers, DIALING_MS), WANTED_PEERS - 10);
}

#[test]
fn a_full_house_lets_the_newest_idle_stranger_go_after_a_while() {
    let mut peers = Peers::new(&Restored::default(), false, limits::PEERS);
    for number in 0..=comfortable(limits::PEERS) as u16 {
        peers.come(device(number), at(u64::from(number)), 1).greeted = true;
    }
    let newest = comfortable(limits::PEERS) as u16;
    let later = at(u64::from(newest) + STAY_MS);
    assert!(peers.is_crowded());
    assert_eq!(peers.to_let_go(at(STAY_MS - 1), |_| false), None, "nobody has stayed long enough");
    assert_eq!(peers.to_let_go(later, |_| false), Some(device(newest)));
    peers.set_trust(device(newest), true);
    assert_eq!(peers.to_let_go(later, |_| false), Some(device(newest - 1)));
    assert_eq!(peers.to_let_go(later, |busy| *busy == device(newest - 1)), Some(device(newest - 2)));
    peers.go(&device(0));
    assert_eq!(peers.to_let_go(later, |_| false), None, "there is room again");
}
