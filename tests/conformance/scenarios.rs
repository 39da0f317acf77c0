//! The contract, scenario by scenario.

use crate::{Heard, Ports};

/// Long enough for anything that should happen: the slowest, a search for providers, has 30 s.
const SOON_MS: u64 = 40_000;
/// Long enough to believe that something does not.
const WHILE_MS: u64 = 1500;

/// Waits until `node` hears something that `wanted` makes a value of; what else it hears is passed over.
async fn until<P: Ports, T>(ports: &mut P, node: usize, mut wanted: impl FnMut(Heard) -> Option<T>) -> T {
    loop {
        let heard = ports.next(node, SOON_MS).await;
        let heard = heard.unwrap_or_else(|| panic!("node {node} heard nothing of it"));
        if let Some(value) = wanted(heard) {
            return value;
        }
    }
}

async fn up<P: Ports>(ports: &mut P, node: usize, peer: usize) {
    until(ports, node, |heard| (heard == Heard::Up(peer)).then_some(())).await;
}

async fn down<P: Ports>(ports: &mut P, node: usize, peer: usize) {
    until(ports, node, |heard| (heard == Heard::Down(peer)).then_some(())).await;
}

/// Everything that `node` hears until it hears nothing for a while.
async fn rest<P: Ports>(ports: &mut P, node: usize) -> Vec<Heard> {
    let mut all = Vec::new();
    while let Some(heard) = ports.next(node, WHILE_MS).await {
        all.push(heard);
    }
    all
}

/// A star of nodes, all up at node 0.
async fn star<P: Ports>(nodes: usize) -> P {
    let mut ports = P::start(nodes).await;
    for node in 1..nodes {
        up(&mut ports, node, 0).await;
    }
    let mut missing: Vec<usize> = (1..nodes).collect();
    while !missing.is_empty() {
        let peer = until(&mut ports, 0, |heard| if let Heard::Up(peer) = heard { Some(peer) } else { None }).await;
        missing.retain(|node| *node != peer);
    }
    ports
}

pub(crate) async fn peers_come_up_before_they_are_heard<P: Ports>() {
    let mut ports = P::start(2).await;
    up(&mut ports, 1, 0).await;
    ports.send(1, 0, b"first words".to_vec()).await;
    let first = ports.next(0, SOON_MS).await;
    assert_eq!(first, Some(Heard::Up(1)));
    let frame = ports.next(0, SOON_MS).await;
    assert_eq!(frame, Some(Heard::Frame { from: 1, frame: b"first words".to_vec() }));
}

pub(crate) async fn frames_arrive_once_and_in_order<P: Ports>() {
    let mut ports = star::<P>(2).await;
    let sizes = [1, 100, 4096, 100_000];
    let frame = |number: usize| {
        let mut frame = vec![0; sizes[number % sizes.len()] + 8];
        frame[..8].copy_from_slice(&(number as u64).to_le_bytes());
        frame
    };
    for number in 0..100 {
        ports.send(0, 1, frame(number)).await;
        ports.send(1, 0, frame(number)).await;
    }
    for (node, peer) in [(0, 1), (1, 0)] {
        for number in 0..100 {
            let heard = until(&mut ports, node, |heard| match heard {
                Heard::Frame { from, frame } => Some((from, frame)),
                Heard::Down(_) => panic!("it went down"),
                _ => None,
            });
            assert_eq!(heard.await, (peer, frame(number)), "frame {number} of node {peer}");
        }
        let more = rest(&mut ports, node).await;
        assert!(!more.iter().any(|heard| matches!(heard, Heard::Frame { .. })), "{more:?}");
    }
}

pub(crate) async fn a_lost_peer_goes_down_and_is_silent<P: Ports>() {
    let mut ports = star::<P>(3).await;
    ports.stop(1).await;
    ports.send(0, 1, b"are you there?".to_vec()).await;
    down(&mut ports, 0, 1).await;
    ports.send(0, 1, b"nobody hears this".to_vec()).await;
    let after = rest(&mut ports, 0).await;
    let of_the_lost = |heard: &Heard| matches!(heard, Heard::Frame { from: 1, .. } | Heard::Up(1) | Heard::Down(1));
    assert!(!after.iter().any(of_the_lost), "{after:?}");
    // The others are not touched.
    ports.send(0, 2, b"and you?".to_vec()).await;
    until(&mut ports, 2, |heard| matches!(heard, Heard::Frame { from: 0, .. }).then_some(())).await;
}

pub(crate) async fn a_broken_connection_is_made_again_and_brings_nothing_old<P: Ports>() {
    let mut ports = star::<P>(2).await;
    ports.disconnect(0, 1, None).await;
    down(&mut ports, 0, 1).await;
    ports.send(0, 1, b"too late".to_vec()).await;
    down(&mut ports, 1, 0).await;
    ports.dial(1, 0).await;
    up(&mut ports, 1, 0).await;
    up(&mut ports, 0, 1).await;
    ports.send(0, 1, b"anew".to_vec()).await;
    let frame = until(&mut ports, 1, |heard| if let Heard::Frame { frame, .. } = heard { Some(frame) } else { None });
    assert_eq!(frame.await, b"anew");
}

pub(crate) async fn the_banned_do_not_come_back<P: Ports>() {
    let mut ports = star::<P>(2).await;
    ports.disconnect(0, 1, Some(60_000)).await;
    down(&mut ports, 0, 1).await;
    down(&mut ports, 1, 0).await;
    ports.dial(1, 0).await;
    ports.dial(0, 1).await;
    let heard = [rest(&mut ports, 0).await, rest(&mut ports, 1).await].concat();
    assert!(!heard.iter().any(|heard| matches!(heard, Heard::Up(_) | Heard::Frame { .. })), "{heard:?}");
}

/// Publishes until `node` hears it from `from`: listening is told a moment after coming up. What
/// `through` hears on the way is judged as good.
async fn warm_up<P: Ports>(ports: &mut P, from: usize, through: Option<usize>, node: usize) {
    for number in 0..50_u8 {
        ports.publish(from, vec![0, number, u8::try_from(from).expect("few nodes")]).await;
        if let Some(through) = through {
            while let Some(heard) = ports.next(through, 200).await {
                if let Heard::Published { id, .. } = heard {
                    ports.judge(through, id, true).await;
                }
            }
        }
        while let Some(heard) = ports.next(node, 200).await {
            if let Heard::Published { id, .. } = heard {
                ports.judge(node, id, true).await;
                return;
            }
        }
    }
    panic!("node {node} never heard node {from}");
}

pub(crate) async fn what_is_published_reaches_everybody_but_its_sender<P: Ports>() {
    let mut ports = star::<P>(3).await;
    warm_up(&mut ports, 0, None, 1).await;
    warm_up(&mut ports, 0, None, 2).await;
    ports.publish(0, b"to all".to_vec()).await;
    for node in [1, 2] {
        until(&mut ports, node, |heard| {
            matches!(heard, Heard::Published { message, .. } if message == b"to all").then_some(())
        })
        .await;
    }
    let own = rest(&mut ports, 0).await;
    assert!(!own.iter().any(|heard| matches!(heard, Heard::Published { .. })), "{own:?}");
}

pub(crate) async fn only_what_was_accepted_goes_on<P: Ports>() {
    let mut ports = star::<P>(3).await;
    // They may have been introduced to each other; here the only way from 1 to 2 is through 0.
    ports.disconnect(1, 2, Some(600_000)).await;
    ports.disconnect(2, 1, Some(600_000)).await;
    warm_up(&mut ports, 1, Some(0), 2).await;
    for (message, verdict) in [(b"good", Some(true)), (b"evil", Some(false)), (b"late", None)] {
        ports.publish(1, message.to_vec()).await;
        let id = until(&mut ports, 0, |heard| match heard {
            Heard::Published { id, message: heard } if heard == message => Some(id),
            _ => None,
        });
        let id = id.await;
        if let Some(accept) = verdict {
            ports.judge(0, id, accept).await;
        }
        let heard = rest(&mut ports, 2).await;
        let arrived =
            heard.iter().any(|heard| matches!(heard, Heard::Published { message: heard, .. } if heard == message));
        assert_eq!(arrived, verdict == Some(true), "judged {verdict:?}: {heard:?}");
    }
}

pub(crate) async fn who_provides_is_found<P: Ports>() {
    let mut ports = star::<P>(3).await;
    ports.provide(1, 7).await;
    let mut found = Vec::new();
    for _ in 0..20 {
        ports.find(2, 7).await;
        found =
            until(&mut ports, 2, |heard| if let Heard::Providers { nodes } = heard { Some(nodes) } else { None }).await;
        if !found.is_empty() {
            break;
        }
        rest(&mut ports, 2).await;
    }
    assert_eq!(found, [1]);
    for (node, key) in [(2, 8), (1, 7)] {
        ports.find(node, key).await;
        let found =
            until(&mut ports, node, |heard| if let Heard::Providers { nodes } = heard { Some(nodes) } else { None });
        assert_eq!(found.await, [0_usize; 0], "nobody else provides {key}");
    }
}
