use super::*;

const ME: DeviceId = DeviceId([5; 32]);
const SMALLER: DeviceId = DeviceId([1; 32]);
const LARGER: DeviceId = DeviceId([9; 32]);

fn address(port: u16) -> Multiaddr {
    format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("an address")
}

fn targets(dials: Vec<Dial>) -> Vec<Target> {
    dials.into_iter().map(|dial| dial.target).collect()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn configured_places_are_tried_for_ever_while_alone() {
    let mut now = Instant::now();
    let mut dialer = Dialer::new(ME, vec![(address(1), None), (address(1), None)], now);
    for _ in 0..50 {
        let dials = dialer.due(8, now);
        assert_eq!(dials.len(), 1, "the same address is one place");
        dialer.failed(dials[0].target, now);
        let next = dialer.deadline().expect("another try");
        assert!(next >= now + seconds(1) && next <= now + seconds(60));
        assert_eq!(dialer.due(8, now), []);
        now = next;
    }
}

#[test]
fn configured_places_rest_while_somebody_is_there() {
    let now = Instant::now();
    let mut dialer = Dialer::new(ME, vec![(address(1), None), (address(2), Some(LARGER))], now);
    let dials = targets(dialer.due(8, now));
    let place = *dials.iter().find(|target| matches!(target, Target::Place(_))).expect("a place");
    dialer.up(SMALLER, Some(place), now);
    let mut later = now;
    for _ in 1..TRIES {
        dialer.failed(Target::Device(LARGER), later);
        later = dialer.deadline().expect("a device that was there is not given up at once");
        assert_eq!(targets(dialer.due(8, later)), [Target::Device(LARGER)]);
    }
    dialer.failed(Target::Device(LARGER), later);
    assert_eq!(dialer.deadline(), None);
    dialer.down(SMALLER, later);
    later += seconds(60);
    let again = targets(dialer.due(8, later));
    assert!(again.contains(&place) && again.contains(&Target::Device(LARGER)), "{again:?}");
    assert!(!again.contains(&Target::Device(SMALLER)), "no address of it is known");
}

#[test]
fn a_peer_that_dropped_is_dialed_again_and_then_forgotten() {
    let mut now = Instant::now();
    let mut dialer = Dialer::new(ME, vec![], now);
    dialer.up(LARGER, None, now);
    dialer.learn(LARGER, vec![address(3)], now);
    assert_eq!(dialer.deadline(), None);
    dialer.down(LARGER, now);
    for _ in 0..TRIES {
        now = dialer.deadline().expect("another try");
        assert_eq!(targets(dialer.due(8, now)), [Target::Device(LARGER)]);
        dialer.failed(Target::Device(LARGER), now);
    }
    assert_eq!(dialer.deadline(), None);
    assert!(dialer.entries.is_empty());
}

#[test]
fn the_larger_id_lets_the_other_dial_first() {
    let now = Instant::now();
    let mut dialer = Dialer::new(ME, vec![], now);
    dialer.wish(Some(LARGER), address(1), now);
    dialer.wish(Some(SMALLER), address(2), now);
    assert_eq!(targets(dialer.due(8, now)), [Target::Device(LARGER)]);
    assert_eq!(targets(dialer.due(8, now + COURTESY)), [Target::Device(SMALLER)]);
    dialer.wish(Some(ME), address(9), now);
    assert_eq!(dialer.deadline(), None, "never oneself");
}

#[test]
fn the_forbidden_are_left_alone_until_their_time() {
    let now = Instant::now();
    let mut dialer = Dialer::new(ME, vec![(address(1), None)], now);
    let place = targets(dialer.due(8, now))[0];
    dialer.forbid(place, now + seconds(600), now);
    dialer.forbid(Target::Device(LARGER), now + seconds(600), now);
    assert!(dialer.is_forbidden(&LARGER, now + seconds(599)));
    dialer.wish(Some(LARGER), address(1), now);
    assert_eq!(dialer.due(8, now + seconds(599)), []);
    assert_eq!(dialer.due(8, now + seconds(600)).len(), 2);
    assert!(!dialer.is_forbidden(&LARGER, now + seconds(600)));
}

#[test]
fn without_room_nobody_is_dialed_and_nothing_spins() {
    let now = Instant::now();
    let mut dialer = Dialer::new(ME, vec![], now);
    dialer.wish(Some(LARGER), address(1), now);
    assert_eq!(dialer.due(0, now), []);
    assert_eq!(dialer.deadline(), Some(now + NO_ROOM));
}

#[test]
fn what_others_can_fill_is_bounded() {
    let now = Instant::now();
    let mut dialer = Dialer::new(ME, vec![(address(1), None)], now);
    for number in 0..2 * limits::KNOWN_PEERS {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_le_bytes());
        let port = u16::try_from(number).expect("small") + 2;
        dialer.wish(Some(DeviceId(id)), address(port), now);
        dialer.wish(None, address(port), now);
        dialer.wish(Some(LARGER), address(port), now);
    }
    let places = dialer.entries.keys().filter(|target| matches!(target, Target::Place(_))).count();
    assert_eq!((places, dialer.entries.len()), (PLACES, PLACES + limits::KNOWN_PEERS));
    assert!(dialer.entries.values().any(|entry| entry.configured));
    assert!(dialer.entries.values().all(|entry| entry.addresses.len() <= limits::ADDRESSES_PER_PEER));
}

#[test]
fn tcp_comes_first_and_then_all() {
    let now = Instant::now();
    let quic: Multiaddr = "/ip4/127.0.0.1/udp/1/quic-v1".parse().expect("an address");
    let mut dialer = Dialer::new(ME, vec![(address(1), Some(LARGER)), (quic.clone(), Some(LARGER))], now);
    assert_eq!(dialer.due(8, now)[0].addresses, [address(1)]);
    dialer.failed(Target::Device(LARGER), now);
    let later = now + seconds(2);
    assert_eq!(dialer.due(8, later)[0].addresses, [quic.clone(), address(1)]);
    let mut dialer = Dialer::new(ME, vec![(quic.clone(), Some(LARGER))], now);
    assert_eq!(dialer.due(8, now)[0].addresses, [quic]);
}

#[test]
fn who_is_sent_away_is_left_alone() {
    let now = Instant::now();
    let mut dialer = Dialer::new(ME, vec![(address(1), Some(LARGER))], now);
    dialer.up(LARGER, None, now);
    dialer.up(SMALLER, None, now);
    dialer.learn(SMALLER, vec![address(2)], now);
    for device in [SMALLER, LARGER] {
        dialer.down(device, now);
        dialer.leave(device);
    }
    assert_eq!(dialer.deadline(), None);
    assert_eq!(dialer.entries.len(), 1, "what is configured is kept for when this node is alone");
}
