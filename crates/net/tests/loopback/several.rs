//! More than two nodes, and nodes of another network.

use std::collections::BTreeSet;
use std::time::Duration;

use p2p_net::{NetConfig, NetEvent};

use crate::node::{ELSEWHERE, Node, QUIC, TCP, config, connect};
use crate::pair::bare;

#[tokio::test]
async fn five_nodes_meet_through_one() {
    let mut nodes = vec![Node::start(30).await];
    let bootstrap = vec![bare(&nodes[0].addresses[0])];
    for seed in 31..35 {
        let listen = vec![TCP.into(), QUIC.into()];
        let config = NetConfig { bootstrap: bootstrap.clone(), listen, ..config(seed) };
        nodes.push(Node::with(config).await.expect("it starts"));
    }
    // What peer exchange would do: everybody hears of everybody at the same moment.
    for one in &nodes[1..] {
        for other in &nodes[1..] {
            one.dial(other);
        }
    }
    let all: BTreeSet<_> = nodes.iter().map(|node| node.id).collect();
    let meet = |node: Node| {
        let mut missing: BTreeSet<_> = all.iter().copied().filter(|id| *id != node.id).collect();
        async move {
            let mut node = node;
            node.until("all peers up", |event| {
                match event {
                    NetEvent::PeerUp { device, .. } => drop(missing.remove(device)),
                    NetEvent::PeerDown { device, .. } => drop(missing.insert(*device)),
                    _ => {}
                }
                missing.is_empty().then_some(())
            })
            .await;
            node
        }
    };
    let mut nodes = futures::future::join_all(nodes.into_iter().map(meet)).await;
    for sender in 0..5 {
        for receiver in (0..5).filter(|receiver| *receiver != sender) {
            let to = nodes[receiver].id;
            nodes[sender].net.send(to, vec![sender as u8, receiver as u8]).expect("it is up");
            assert_eq!(nodes[receiver].received().await, [sender as u8, receiver as u8]);
        }
    }
}

#[tokio::test]
async fn another_network_is_refused_by_both_and_left_alone() {
    let mut ours = Node::start(36).await;
    let mut theirs = Node::with(NetConfig { network: ELSEWHERE, ..config(37) }).await.expect("it starts");
    ours.dial(&theirs);
    let (device, reason) = ours.refused().await;
    assert_eq!(device, Some(theirs.id));
    assert!(reason.contains("of another network"), "{reason}");
    let (device, reason) = theirs.refused().await;
    assert_eq!(device, Some(ours.id));
    assert!(reason.contains("of another network"), "{reason}");
    // Both have cut the connection by now.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    for _ in 0..3 {
        ours.dial(&theirs);
        ours.net.dial(None, theirs.addresses.clone());
    }
    let any = |event: &NetEvent| !matches!(event, NetEvent::Listening { .. });
    tokio::join!(ours.nothing(Duration::from_secs(3), any), theirs.nothing(Duration::from_secs(3), any));
}

#[tokio::test]
async fn a_node_of_another_network_as_bootstrap_is_left_alone() {
    let mut theirs = Node::with(NetConfig { network: ELSEWHERE, ..config(38) }).await.expect("it starts");
    let bootstrap = vec![bare(&theirs.addresses[0])];
    let mut ours = Node::with(NetConfig { bootstrap, ..config(39) }).await.expect("it starts");
    ours.refused().await;
    theirs.refused().await;
    let any = |event: &NetEvent| !matches!(event, NetEvent::Listening { .. });
    tokio::join!(ours.nothing(Duration::from_secs(4), any), theirs.nothing(Duration::from_secs(4), any));
}

#[tokio::test]
async fn a_node_takes_no_more_peers_than_it_may() {
    let mut hub = Node::with(NetConfig { max_peers: 4, ..config(40) }).await.expect("it starts");
    let mut others = Vec::new();
    for seed in 41..49 {
        others.push(Node::start(seed).await);
        others.last().expect("just pushed").dial(&hub);
    }
    let mut up = 0_usize;
    hub.nothing(Duration::from_secs(4), |event| {
        match event {
            NetEvent::PeerUp { .. } => up += 1,
            NetEvent::PeerDown { .. } => up -= 1,
            _ => {}
        }
        up > 4
    })
    .await;
    assert!(up >= 2, "only {up} of 8 were let in");
}

#[tokio::test]
async fn a_device_that_answers_at_the_address_of_another_is_reported() {
    let (mut one, other) = (Node::start(50).await, Node::start(51).await);
    let third = Node::start(52).await;
    one.net.dial(Some(other.id), third.addresses.iter().map(|full| bare(full)).collect());
    let (device, reason) = one.refused().await;
    assert_eq!(device, Some(other.id));
    assert!(reason.contains(&third.id.to_string()), "{reason}");
    let mut third = third;
    connect(&mut one, &mut third).await;
}
