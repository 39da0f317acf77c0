//! The ports of the real network, on loopback.

use std::collections::BTreeMap;
use std::time::Duration;

use p2p_net::{Net, NetConfig, NetEvent, PublishedId};
use p2p_types::{DeviceId, Ed25519, Hash, NetworkId, Scheme as _, SecretKey};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::{Heard, Ports};

const TOPIC: &str = "conformance";
/// Long enough to find a free port and listen on it.
const LISTENING: Duration = Duration::from_secs(10);

pub(crate) struct Real {
    nodes: Vec<Node>,
}

struct Node {
    device: DeviceId,
    /// `None` once it was stopped.
    net: Option<Net>,
    events: mpsc::Receiver<NetEvent>,
    address: String,
    published: BTreeMap<u64, PublishedId>,
}

fn secret(node: usize) -> SecretKey {
    SecretKey::new([u8::try_from(node).expect("few nodes") + 1; 32])
}

async fn node(number: usize, bootstrap: Vec<String>) -> Node {
    let config = NetConfig {
        secret: secret(number),
        network: NetworkId([9; 32]),
        network_name: "conformance".to_owned(),
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        bootstrap,
        topics: vec![TOPIC],
        nearby: false,
        agent_version: "p2p-agent/test".to_owned(),
        max_peers: 16,
    };
    let (net, mut incoming) = Net::start(config).expect("a network");
    let address = timeout(LISTENING, async {
        loop {
            if let Some(NetEvent::Listening { address }) = incoming.recv().await {
                break address;
            }
        }
    });
    let address = address.await.expect("it listens");
    // The network waits for whoever does not listen to it; the scenarios look at one node at a time.
    let (keep, events) = mpsc::channel(8192);
    tokio::spawn(async move {
        while let Some(event) = incoming.recv().await {
            if keep.send(event).await.is_err() {
                break;
            }
        }
    });
    let device = DeviceId(Ed25519::new(&secret(number)).public_key());
    Node { device, net: Some(net), events, address, published: BTreeMap::new() }
}

impl Real {
    fn net(&self, node: usize) -> &Net {
        self.nodes[node].net.as_ref().expect("it runs")
    }

    fn number(&self, device: DeviceId) -> usize {
        self.nodes.iter().position(|node| node.device == device).expect("one of ours")
    }

    fn heard(&mut self, node: usize, event: NetEvent) -> Option<Heard> {
        Some(match event {
            NetEvent::PeerUp { device, .. } => Heard::Up(self.number(device)),
            NetEvent::PeerDown { device, .. } => Heard::Down(self.number(device)),
            NetEvent::Received { from, frame } => Heard::Frame { from: self.number(from), frame },
            NetEvent::Published { id, message, .. } => {
                let published = &mut self.nodes[node].published;
                let number = published.len() as u64;
                published.insert(number, id);
                Heard::Published { id: number, message }
            }
            NetEvent::Providers { devices, .. } => {
                let mut nodes: Vec<usize> = devices.into_iter().map(|device| self.number(device)).collect();
                nodes.sort_unstable();
                Heard::Providers { nodes }
            }
            NetEvent::Listening { .. }
            | NetEvent::Latency { .. }
            | NetEvent::Nearby { .. }
            | NetEvent::Refused { .. } => return None,
        })
    }
}

impl Ports for Real {
    async fn start(nodes: usize) -> Self {
        let first = node(0, Vec::new()).await;
        let address = first.address.clone();
        let mut real = Self { nodes: vec![first] };
        for number in 1..nodes {
            real.nodes.push(node(number, vec![address.clone()]).await);
        }
        real
    }

    async fn send(&mut self, from: usize, to: usize, frame: Vec<u8>) {
        // A peer that is gone is one of the scenarios; a full outbox waits its turn.
        let device = self.nodes[to].device;
        while self.net(from).send(device, frame.clone()) == Err(p2p_net::SendError::Full) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn publish(&mut self, node: usize, message: Vec<u8>) {
        self.net(node).publish(TOPIC, message);
    }

    async fn judge(&mut self, node: usize, id: u64, accept: bool) {
        let published = self.nodes[node].published[&id];
        self.net(node).judge(published, accept);
    }

    async fn dial(&mut self, node: usize, peer: usize) {
        let (device, address) = (self.nodes[peer].device, self.nodes[peer].address.clone());
        self.net(node).dial(Some(device), vec![address]);
    }

    async fn disconnect(&mut self, node: usize, peer: usize, ban_ms: Option<u64>) {
        self.net(node).disconnect(self.nodes[peer].device, ban_ms);
    }

    async fn provide(&mut self, node: usize, key: u8) {
        self.net(node).provide(Hash([key; 32]));
    }

    async fn find(&mut self, node: usize, key: u8) {
        self.net(node).find_providers(Hash([key; 32]));
    }

    async fn stop(&mut self, node: usize) {
        if let Some(net) = self.nodes[node].net.take() {
            net.shutdown().await;
        }
    }

    async fn next(&mut self, node: usize, wait_ms: u64) -> Option<Heard> {
        timeout(Duration::from_millis(wait_ms), async {
            loop {
                let event = self.nodes[node].events.recv().await?;
                if let Some(heard) = self.heard(node, event) {
                    return Some(heard);
                }
            }
        })
        .await
        .ok()
        .flatten()
    }
}
