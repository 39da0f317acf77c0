//! Who provides what, across three nodes.

use std::time::{Duration, Instant};

use p2p_net::{NetConfig, NetEvent};
use p2p_types::{DeviceId, Hash};

use crate::node::{Node, config, connect};

async fn find(node: &mut Node, key: Hash) -> Vec<DeviceId> {
    node.net.find_providers(key);
    node.until("providers", |event| match event {
        NetEvent::Providers { key: answered, devices } if *answered == key => Some(devices.clone()),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn what_one_provides_another_finds_through_a_third() {
    let (mut hub, mut provider, mut seeker) = (Node::start(80).await, Node::start(81).await, Node::start(82).await);
    connect(&mut provider, &mut hub).await;
    let key = Hash::of(b"an adapter");
    provider.net.provide(key);
    tokio::time::sleep(Duration::from_millis(500)).await;
    connect(&mut seeker, &mut hub).await;
    assert_eq!(find(&mut seeker, key).await, [provider.id]);
    assert_eq!(find(&mut provider, key).await, []);
    assert_eq!(find(&mut seeker, Hash::of(b"nothing")).await, []);
}

#[tokio::test]
async fn every_question_is_answered_even_alone() {
    let mut node = Node::start(83).await;
    let keys: Vec<_> = (0..50_u8).map(|number| Hash::of(&[number])).collect();
    keys.iter().for_each(|key| node.net.find_providers(*key));
    let mut answered = 0;
    node.until("all answers", |event| {
        answered += usize::from(matches!(event, NetEvent::Providers { .. }));
        (answered == keys.len()).then_some(())
    })
    .await;
}

/// Provider and seeker hear of each other from the third and dial each other at the same moment:
/// the question must not be lost with the connection that is not needed. Which one that is depends
/// on the ids, so several pairs are tried.
#[tokio::test]
async fn a_question_is_not_lost_with_a_second_connection() {
    for turn in 0..6 {
        let seed = 150 + 3 * turn;
        let hub = Node::start(seed).await;
        let join = |seed| Node::with(NetConfig { bootstrap: vec![hub.addresses[0].clone()], ..config(seed) });
        let mut provider = join(seed + 1).await.expect("it starts");
        let mut seeker = join(seed + 2).await.expect("it starts");
        tokio::join!(provider.up(hub.id), seeker.up(hub.id));
        let key = Hash::of(b"an adapter");
        provider.net.provide(key);
        let begun = Instant::now();
        // Asked before the record arrived, nobody knows it yet: that is an answer, too.
        let mut found = find(&mut seeker, key).await;
        while found.is_empty() && begun.elapsed() < Duration::from_secs(3) {
            found = find(&mut seeker, key).await;
        }
        assert_eq!(found, [provider.id]);
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
}
