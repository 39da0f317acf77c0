//! Sending a peer away.

use std::time::Duration;

use p2p_net::{NetEvent, SendError};

use crate::node::{Node, connect};

#[tokio::test]
async fn a_banned_peer_stays_away_for_its_time() {
    let (mut one, mut other) = (Node::start(60).await, Node::start(61).await);
    connect(&mut one, &mut other).await;
    one.net.disconnect(other.id, Some(5_000));
    let banned = std::time::Instant::now();
    assert_eq!(one.down(other.id).await, "banned by this node");
    assert_eq!(one.net.send(other.id, vec![1]), Err(SendError::NotConnected));
    other.down(one.id).await;
    // It comes back by itself, is turned away and reported once, and is let in when the ban ends.
    let (device, reason) = one.refused().await;
    assert_eq!(device, Some(other.id));
    assert!(reason.contains("banned"), "{reason}");
    let mut reported_again = false;
    one.until("peer up", |event| {
        reported_again |= matches!(event, NetEvent::Refused { .. });
        matches!(event, NetEvent::PeerUp { .. }).then_some(())
    })
    .await;
    assert!(banned.elapsed() >= Duration::from_secs(5), "{:?}", banned.elapsed());
    assert!(!reported_again);
}

#[tokio::test]
async fn a_peer_that_was_disconnected_is_not_dialed_by_ourselves() {
    let (mut one, mut other) = (Node::start(62).await, Node::start(63).await);
    connect(&mut one, &mut other).await;
    one.net.disconnect(other.id, None);
    other.net.disconnect(one.id, None);
    one.down(other.id).await;
    let up = |event: &NetEvent| matches!(event, NetEvent::PeerUp { .. });
    one.nothing(Duration::from_secs(3), up).await;
    connect(&mut one, &mut other).await;
}
