//! Who provides what, across three nodes.

use std::time::Duration;

use p2p_net::NetEvent;
use p2p_types::{DeviceId, Hash};

use crate::node::{Node, connect};

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
