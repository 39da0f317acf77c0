//! Messages on topics, along a chain of three nodes.

use std::time::Duration;

use p2p_net::{NetEvent, PublishedId};
use p2p_types::limits;

use crate::node::{Node, TOPIC, connect};

/// Left and right know only the middle: the table of the network would bring them together.
async fn chain(seed: u8) -> (Node, Node, Node) {
    let (mut left, mut middle, mut right) =
        (Node::start(seed).await, Node::start(seed + 1).await, Node::start(seed + 2).await);
    left.net.disconnect(right.id, Some(600_000));
    right.net.disconnect(left.id, Some(600_000));
    connect(&mut left, &mut middle).await;
    connect(&mut middle, &mut right).await;
    // They tell each other what they listen to.
    tokio::time::sleep(Duration::from_millis(300)).await;
    (left, middle, right)
}

async fn published(node: &mut Node) -> (PublishedId, Vec<u8>) {
    node.until("message", |event| match event {
        NetEvent::Published { topic, id, message, .. } if topic == TOPIC => Some((*id, message.clone())),
        _ => None,
    })
    .await
}

fn is_published(event: &NetEvent) -> bool {
    matches!(event, NetEvent::Published { .. })
}

#[tokio::test]
async fn a_message_goes_on_when_it_is_accepted() {
    let (left, mut middle, mut right) = chain(70).await;
    let longest = vec![7; limits::PUBLISHED_BYTES];
    for message in [b"short".to_vec(), longest] {
        left.net.publish(TOPIC, message.clone());
        let (id, heard) = published(&mut middle).await;
        assert!(heard == message);
        right.nothing(Duration::from_millis(300), is_published).await;
        middle.net.judge(id, true);
        assert!(published(&mut right).await.1 == message);
    }
    left.net.publish(TOPIC, vec![7; limits::PUBLISHED_BYTES + 1]);
    left.net.publish("unheard", vec![7]);
    left.net.publish(TOPIC, b"short".to_vec());
    middle.nothing(Duration::from_millis(500), is_published).await;
}

#[tokio::test]
async fn a_rejected_message_goes_nowhere_and_its_sender_is_heard_no_more() {
    let (left, mut middle, mut right) = chain(73).await;
    for number in 0..5_u8 {
        left.net.publish(TOPIC, vec![number]);
        let (id, _) = published(&mut middle).await;
        middle.net.judge(id, false);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    left.net.publish(TOPIC, b"after five lies".to_vec());
    let quiet = Duration::from_millis(500);
    tokio::join!(middle.nothing(quiet, is_published), right.nothing(quiet, is_published));
    right.net.publish(TOPIC, b"honest".to_vec());
    assert_eq!(published(&mut middle).await.1, b"honest");
}

#[tokio::test]
async fn a_flood_is_cut_and_its_sender_goes() {
    let (mut left, mut middle, right) = chain(76).await;
    let flood = async {
        for number in 0..4_000_u32 {
            left.net.publish(TOPIC, number.to_be_bytes().to_vec());
            if number % 64 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    };
    let mut heard = 0;
    let cut = middle.until("refusal", |event| {
        heard += usize::from(is_published(event));
        match event {
            NetEvent::Refused { device, reason } => Some((*device, reason.clone())),
            _ => None,
        }
    });
    let ((), (device, reason)) = tokio::join!(flood, cut);
    assert_eq!((device, reason.as_str()), (Some(left.id), "it floods topics"));
    assert!(heard < 1000, "{heard}");
    left.down(middle.id).await;
    right.net.publish(TOPIC, b"still here".to_vec());
    assert_eq!(published(&mut middle).await.1, b"still here");
}
