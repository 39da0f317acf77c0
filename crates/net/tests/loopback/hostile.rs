//! Peers that break the rules. Whatever they do, they go and the node stays.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use futures::{AsyncWriteExt, StreamExt};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{Multiaddr, PeerId, StreamProtocol, Swarm, SwarmBuilder, identify, noise, tcp, tls, yamux};
use p2p_net::{NetEvent, SendError};
use p2p_types::{DeviceId, limits};
use tokio::net::TcpSocket;

use crate::node::{HOME, Node, connect, device, ordered};

#[derive(NetworkBehaviour)]
struct Raw {
    identify: identify::Behaviour,
    stream: libp2p_stream::Behaviour,
}

/// A peer that speaks our protocols and does with them what a test wants.
struct Hostile {
    id: DeviceId,
    control: libp2p_stream::Control,
    incoming: libp2p_stream::IncomingStreams,
    node: PeerId,
}

fn direct() -> StreamProtocol {
    StreamProtocol::try_from_owned(format!("/p2p-agent/{}/direct/1", HOME.short())).expect("a name")
}

impl Hostile {
    /// Connects to `node` and does no more.
    fn connect(seed: u8, node: &Node) -> Self {
        let keypair = libp2p::identity::Keypair::ed25519_from_bytes([seed; 32]).expect("32 bytes");
        let mut swarm: Swarm<Raw> = SwarmBuilder::with_existing_identity(keypair.clone())
            .with_tokio()
            .with_tcp(tcp::Config::default(), (tls::Config::new, noise::Config::new), yamux::Config::default)
            .expect("TCP")
            .with_behaviour(|_| Raw {
                identify: identify::Behaviour::new(identify::Config::new("/p2p-agent/1".into(), keypair.public())),
                stream: libp2p_stream::Behaviour::new(),
            })
            .expect("a behaviour")
            .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
            .build();
        let mut control = swarm.behaviour().stream.new_control();
        let incoming = control.accept(direct()).expect("nobody else accepts it");
        let address: Multiaddr = node.addresses[0].parse().expect("an address");
        swarm.dial(address).expect("it dials");
        tokio::spawn(async move {
            loop {
                swarm.select_next_some().await;
            }
        });
        let node = node.id.to_string().parse().expect("a peer id");
        Self { id: device(seed), control, incoming, node }
    }

    /// Greets as it should, whoever of the two has to begin.
    async fn greet(&mut self, node: &mut Node) -> (libp2p::Stream, libp2p::Stream) {
        let begins = self.id < node.id;
        let streams = async {
            if begins {
                tokio::time::sleep(Duration::from_millis(200)).await;
                let out = self.control.open_stream(self.node, direct()).await.expect("it is accepted");
                (self.incoming.next().await.expect("an answer").1, out)
            } else {
                let inbound = self.incoming.next().await.expect("it begins").1;
                (inbound, self.control.open_stream(self.node, direct()).await.expect("it is accepted"))
            }
        };
        let id = self.id;
        let ((inbound, outbound), _) = tokio::join!(streams, node.up(id));
        (inbound, outbound)
    }
}

/// What a peer sends that it should not, and what is said of it.
async fn breaks_a_rule(seeds: (u8, u8), bytes: Vec<u8>, said: &str) {
    let mut node = Node::start(seeds.0).await;
    let mut hostile = Hostile::connect(seeds.1, &node);
    let (_inbound, mut outbound) = hostile.greet(&mut node).await;
    outbound.write_all(&4_u32.to_be_bytes()).await.expect("it is read");
    outbound.write_all(b"good").await.expect("it is read");
    assert_eq!(node.received().await, b"good");
    outbound.write_all(&bytes).await.expect("it is read");
    outbound.flush().await.expect("it is read");
    assert!(node.down(hostile.id).await.contains(said));
    let (device, reason) = node.refused().await;
    assert_eq!(device, Some(hostile.id));
    assert!(reason.contains(said), "{reason}");
    let mut friend = Node::start(seeds.0 + 1).await;
    connect(&mut friend, &mut node).await;
}

#[tokio::test]
async fn oversized_frames() {
    let length = u32::try_from(limits::FRAME_BYTES + 1).expect("it fits");
    breaks_a_rule((90, 94), length.to_be_bytes().to_vec(), "at most 1048576 are allowed").await;
    breaks_a_rule((92, 95), u32::MAX.to_be_bytes().to_vec(), "at most 1048576 are allowed").await;
}

#[tokio::test]
async fn empty_frames() {
    breaks_a_rule((96, 98), vec![0; 4], "an empty frame").await;
}

#[tokio::test]
async fn garbage() {
    breaks_a_rule((99, 102), b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100), "at most 1048576").await;
}

#[tokio::test]
async fn frames_that_are_never_finished() {
    let partial = [&1000_u32.to_be_bytes()[..], b"half"].concat();
    breaks_a_rule((103, 106), partial, "did not finish it within 20 s").await;
}

#[tokio::test]
async fn silence_instead_of_a_greeting() {
    let (smaller, larger) = ordered(107, 108);
    for (node, hostile) in [(smaller, larger), (larger, smaller)] {
        let mut node = Node::start(node).await;
        let hostile = Hostile::connect(hostile, &node);
        let (device, reason) = node.refused().await;
        assert_eq!(device, Some(hostile.id));
        assert!(reason.contains("did not greet within 15 s"), "{reason}");
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_fills_its_outbox_and_nothing_else() {
    let mut node = Node::start(109).await;
    let mut hostile = Hostile::connect(110, &node);
    let (inbound, _outbound) = hostile.greet(&mut node).await;
    let mut taken = 0_usize;
    let mut full = 0;
    while full < 50 {
        match node.net.send(hostile.id, vec![0; 256 * 1024]) {
            Ok(()) => taken += 256 * 1024,
            Err(SendError::Full) => {
                full += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(error) => panic!("{error}"),
        }
        assert!(taken < 64 * 1024 * 1024, "{taken} bytes wait for a peer that does not read");
    }
    let mut friend = Node::start(111).await;
    connect(&mut friend, &mut node).await;
    friend.net.send(node.id, vec![1]).expect("it is up");
    assert_eq!(node.received().await, [1]);
    drop(inbound);
}

#[tokio::test]
async fn no_libp2p_at_all() {
    let mut node = Node::start(112).await;
    let port = node.addresses[0].split('/').nth(4).expect("a port").to_owned();
    let knocks = tokio::task::spawn_blocking(move || {
        let connect = || TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens");
        let half_open: Vec<_> = (0..100).map(|_| connect()).collect();
        let mut loud = connect();
        loud.write_all(&[0xff; 4096]).expect("sent");
        loud.set_read_timeout(Some(Duration::from_secs(15))).expect("a time");
        // It is shown the door: the end, a reset, or bytes and then the end.
        while matches!(loud.read(&mut [0; 1024]), Ok(1..)) {}
        half_open
    });
    let half_open = knocks.await.expect("it ran");
    let mut friend = Node::start(113).await;
    connect(&mut friend, &mut node).await;
    drop(half_open);
    node.nothing(Duration::from_millis(200), |event| matches!(event, NetEvent::PeerDown { .. })).await;
}

#[tokio::test]
async fn one_address_cannot_shut_the_others_out() {
    let mut node = Node::start(116).await;
    let port: u16 = node.addresses[0].split('/').nth(4).expect("a port").parse().expect("a number");
    let mut half_open = Vec::new();
    for _ in 0..300 {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 2], 0).into()).expect("an address of this computer");
        half_open.push(socket.connect(([127, 0, 0, 1], port).into()).await.expect("it listens"));
    }
    let begun = Instant::now();
    let mut friend = Node::start(117).await;
    connect(&mut friend, &mut node).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop(half_open);
}

#[tokio::test]
async fn many_streams_and_no_end() {
    let mut node = Node::start(114).await;
    let mut hostile = Hostile::connect(115, &node);
    let (_inbound, mut outbound) = hostile.greet(&mut node).await;
    let mut held = Vec::new();
    for _ in 0..100 {
        let opened =
            tokio::time::timeout(Duration::from_millis(200), hostile.control.open_stream(hostile.node, direct()));
        held.extend(opened.await.ok().and_then(Result::ok));
    }
    for stream in &mut held {
        // Reset by the node, which has one already; what was sent there is not heard.
        let _ = stream.write_all(&[0, 0, 0, 1, 9]).await;
        let _ = stream.flush().await;
    }
    outbound.write_all(&[0, 0, 0, 1, 7]).await.expect("it is read");
    outbound.flush().await.expect("it is read");
    assert_eq!(node.received().await, [7]);
}
