//! Two nodes and what happens between them.

use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

use p2p_net::{NetConfig, NetError, NetEvent, SendError};
use p2p_types::limits;

use crate::node::{HOME, Node, QUIC, TCP, both_up, config, connect, device, ordered};

async fn exchange(one: &mut Node, other: &mut Node) {
    for length in [1, 2, 1000, 16_384, 100_000, limits::FRAME_BYTES] {
        one.net.send(other.id, vec![length as u8; length]).expect("it is up");
        other.net.send(one.id, vec![!length as u8; length]).expect("it is up");
        assert_eq!(other.received().await, vec![length as u8; length]);
        assert_eq!(one.received().await, vec![!length as u8; length]);
    }
}

async fn exchange_over(listen: &str) {
    for (one, other) in [ordered(1, 2), (ordered(1, 2).1, ordered(1, 2).0)] {
        let mut one = Node::start(one).await;
        let mut other =
            Node::with(NetConfig { listen: vec![listen.into()], ..config(other) }).await.expect("it starts");
        connect(&mut one, &mut other).await;
        exchange(&mut one, &mut other).await;
        one.net.shutdown().await;
        other.net.shutdown().await;
    }
}

#[tokio::test]
async fn frames_of_all_lengths_over_tcp() {
    exchange_over(TCP).await;
}

#[tokio::test]
async fn frames_of_all_lengths_over_quic() {
    exchange_over(QUIC).await;
}

#[tokio::test]
async fn many_frames_arrive_in_order_both_ways() {
    let (mut one, mut other) = (Node::start(3).await, Node::start(4).await);
    connect(&mut one, &mut other).await;
    let (one_id, other_id) = (one.id, other.id);
    let send = |from: p2p_net::Net, to| async move {
        for number in 0..5_000_u32 {
            while from.send(to, number.to_be_bytes().to_vec()) == Err(SendError::Full) {
                tokio::task::yield_now().await;
            }
        }
    };
    let receive = async |node: &mut Node| {
        for number in 0..5_000_u32 {
            assert_eq!(node.received().await, number.to_be_bytes());
        }
    };
    let (one_net, other_net) = (one.net.clone(), other.net.clone());
    tokio::join!(send(one_net, other_id), send(other_net, one_id), receive(&mut one), receive(&mut other));
    let metrics = one.net.metrics();
    assert!(metrics.contains("p2p_net_frames_received_total 5000"), "{metrics}");
    assert!(metrics.contains("libp2p_bandwidth_bytes_total"), "{metrics}");
}

#[tokio::test]
async fn a_peer_says_who_it_is_and_how_far_away() {
    let (mut one, mut other) = (Node::start(5).await, Node::start(6).await);
    one.dial(&other);
    let up = one.up(other.id).await;
    let NetEvent::PeerUp { addresses, agent, protocols, .. } = up else { panic!("{up:?}") };
    assert_eq!((addresses, agent.as_str()), (other.addresses.clone(), "test/6"));
    let direct = format!("/p2p-agent/{}/direct/1", HOME.short());
    assert!(protocols.contains(&direct), "{protocols:?}");
    let rtt = one.until("latency", |event| match event {
        NetEvent::Latency { rtt, .. } => Some(*rtt),
        _ => None,
    });
    assert!(rtt.await < Duration::from_secs(1));
    other.up(one.id).await;
}

#[tokio::test]
async fn nobody_is_reached_who_is_not_up() {
    let one = Node::start(7).await;
    assert_eq!(one.net.send(device(8), vec![1]), Err(SendError::NotConnected));
    assert_eq!(one.net.send(device(8), vec![]), Err(SendError::Length { bytes: 0 }));
}

#[tokio::test]
async fn two_that_dial_each_other_at_once_speak_on_one_connection() {
    for round in 0..8_u8 {
        let listen = vec![TCP.into(), QUIC.into()];
        let start = |seed| Node::with(NetConfig { listen: listen.clone(), ..config(seed) });
        let (mut one, mut other) =
            (start(100 + 2 * round).await.expect("it starts"), start(101 + 2 * round).await.expect("it starts"));
        // Without a device there is no courtesy: both dial every address at the same moment.
        one.net.dial(None, other.addresses.iter().map(|full| bare(full)).collect());
        other.net.dial(None, one.addresses.iter().map(|full| bare(full)).collect());
        both_up(&mut one, &mut other).await;
        exchange(&mut one, &mut other).await;
        let flap = |event: &NetEvent| {
            matches!(event, NetEvent::PeerDown { .. } | NetEvent::PeerUp { .. } | NetEvent::Refused { .. })
        };
        let quiet = Duration::from_millis(500);
        tokio::join!(one.nothing(quiet, flap), other.nothing(quiet, flap));
        exchange(&mut one, &mut other).await;
    }
}

/// An address without its device.
pub(crate) fn bare(full: &str) -> String {
    full.split("/p2p/").next().expect("a first part").into()
}

#[tokio::test]
async fn a_peer_that_ends_is_down_and_up_again_when_it_is_back() {
    for listen in [TCP, QUIC] {
        let mut one = Node::start(11).await;
        let mut other = Node::with(NetConfig { listen: vec![listen.into()], ..config(12) }).await.expect("it starts");
        connect(&mut one, &mut other).await;
        let (id, listen) = (other.id, other.addresses.iter().map(|full| bare(full)).collect());
        one.net.send(id, vec![1]).expect("it is up");
        other.net.clone().shutdown().await;
        one.down(id).await;
        assert_eq!(one.net.send(id, vec![1]), Err(SendError::NotConnected));
        // The same device at the same address: it is found again without being told.
        let mut other = Node::with(NetConfig { listen, ..config(12) }).await.expect("the port is free again");
        both_up(&mut one, &mut other).await;
        exchange(&mut one, &mut other).await;
    }
}

/// A runtime that is dropped takes its sockets along, like a process that is killed.
#[tokio::test]
async fn a_peer_that_is_killed_is_down_at_once() {
    let mut one = Node::start(13).await;
    let addresses = one.addresses.clone();
    let (kill, killed) = tokio::sync::oneshot::channel::<()>();
    let other = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let other = Node::with(NetConfig { bootstrap: addresses, ..config(14) }).await.expect("it starts");
            killed.await.expect("killed in the end");
            std::mem::forget(other);
        });
    });
    one.up(device(14)).await;
    kill.send(()).expect("it lives");
    let since = std::time::Instant::now();
    one.down(device(14)).await;
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    other.join().expect("it ended");
}

#[tokio::test]
async fn a_node_ends_though_nobody_takes_its_events() {
    let (mut one, mut other) = (Node::start(21).await, Node::start(22).await);
    connect(&mut one, &mut other).await;
    for number in 0..200_u32 {
        other.net.send(one.id, number.to_be_bytes().to_vec()).expect("it is up");
        // Answers that nobody takes: the swarm's task waits as the readers do.
        one.net.find_providers(p2p_types::Hash::of(&number.to_be_bytes()));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let ended = tokio::time::timeout(Duration::from_secs(3), one.net.clone().shutdown());
    assert!(ended.await.is_ok());
    other.down(one.id).await;
}

#[tokio::test]
async fn a_bootstrap_address_is_tried_until_somebody_is_there() {
    let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound").port();
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    let mut early = Node::with(NetConfig { bootstrap: vec![address.clone()], ..config(15) }).await.expect("it starts");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut late = Node::with(NetConfig { listen: vec![address], ..config(16) }).await.expect("it starts");
    both_up(&mut early, &mut late).await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let ports = (tcp.local_addr().expect("bound").port(), udp.local_addr().expect("bound").port());
    for (listen, named) in [
        (format!("/ip4/127.0.0.1/tcp/{}", ports.0), format!("TCP port {} of 127.0.0.1", ports.0)),
        (format!("/ip4/127.0.0.1/udp/{}/quic-v1", ports.1), format!("UDP port {} of 127.0.0.1", ports.1)),
    ] {
        let started = Node::with(NetConfig { listen: vec![listen], ..config(17) }).await;
        assert_eq!(started.err(), Some(NetError::PortInUse { address: named }));
    }
    // Another node's port as well, though libp2p would share it.
    let node = Node::start(18).await;
    let started = Node::with(NetConfig { listen: vec![bare(&node.addresses[0])], ..config(19) }).await;
    assert!(matches!(started.err(), Some(NetError::PortInUse { .. })));
    let started = Node::with(NetConfig { bootstrap: vec!["nonsense".into()], ..config(19) }).await;
    assert!(matches!(started.err(), Some(NetError::Address { .. })));
}

#[tokio::test]
async fn ones_own_address_is_no_peer() {
    let node = Node::start(20).await;
    let listen = vec![bare(&node.addresses[0])];
    node.net.clone().shutdown().await;
    drop(node);
    let mut node = Node::with(NetConfig { bootstrap: listen.clone(), listen, ..config(20) }).await.expect("it starts");
    node.nothing(Duration::from_secs(2), |event| !matches!(event, NetEvent::Listening { .. })).await;
}
