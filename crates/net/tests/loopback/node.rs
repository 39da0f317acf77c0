//! A node under test.

use std::fmt::Debug;
use std::time::Duration;

use p2p_net::{Net, NetConfig, NetError, NetEvent};
use p2p_types::{DeviceId, Ed25519, NetworkId, Scheme, SecretKey};
use tokio::sync::mpsc;
use tokio::time::timeout;

pub(crate) const HOME: NetworkId = NetworkId([0x11; 32]);
pub(crate) const ELSEWHERE: NetworkId = NetworkId([0x22; 32]);
pub(crate) const TOPIC: &str = "presence";
pub(crate) const TCP: &str = "/ip4/127.0.0.1/tcp/0";
pub(crate) const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) struct Node {
    pub(crate) net: Net,
    pub(crate) id: DeviceId,
    /// Full multiaddresses, TCP first.
    pub(crate) addresses: Vec<String>,
    pub(crate) events: mpsc::Receiver<NetEvent>,
    seen: Vec<NetEvent>,
}

pub(crate) fn device(seed: u8) -> DeviceId {
    DeviceId(Ed25519::new(&SecretKey::new([seed; 32])).public_key())
}

pub(crate) fn config(seed: u8) -> NetConfig {
    NetConfig {
        secret: SecretKey::new([seed; 32]),
        network: HOME,
        network_name: "home".into(),
        listen: vec![TCP.into()],
        bootstrap: vec![],
        topics: vec![TOPIC],
        nearby: false,
        agent_version: format!("test/{seed}"),
        max_peers: 64,
    }
}

/// Two seeds, that of the smaller device id first.
pub(crate) fn ordered(one: u8, other: u8) -> (u8, u8) {
    if device(one) < device(other) { (one, other) } else { (other, one) }
}

impl Node {
    pub(crate) async fn start(seed: u8) -> Self {
        Self::with(config(seed)).await.expect("it starts")
    }

    pub(crate) async fn with(config: NetConfig) -> Result<Self, NetError> {
        let id = DeviceId(Ed25519::new(&config.secret).public_key());
        let listening = config.listen.len();
        let (net, events) = Net::start(config)?;
        let mut node = Self { net, id, addresses: vec![], events, seen: vec![] };
        while node.addresses.len() < listening {
            let address = node.until("listening", |event| match event {
                NetEvent::Listening { address } => Some(address.clone()),
                _ => None,
            });
            let address = address.await;
            node.addresses.push(address);
        }
        Ok(node)
    }

    /// The first event from now on that `pick` takes.
    pub(crate) async fn until<T>(&mut self, what: &str, mut pick: impl FnMut(&NetEvent) -> Option<T>) -> T {
        let id = self.id.short();
        let waited = timeout(PATIENCE, async {
            while let Some(event) = self.events.recv().await {
                let picked = pick(&event);
                self.seen.push(event);
                if let Some(picked) = picked {
                    return picked;
                }
            }
            panic!("{id}: the network ended before {what}");
        });
        match waited.await {
            Ok(picked) => picked,
            Err(_) => panic!("{id}: no {what}; seen: {:?}", self.seen),
        }
    }

    pub(crate) async fn up(&mut self, peer: DeviceId) -> NetEvent {
        self.until("peer up", |event| match event {
            NetEvent::PeerUp { device, .. } if *device == peer => Some(event.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn down(&mut self, peer: DeviceId) -> String {
        self.until("peer down", |event| match event {
            NetEvent::PeerDown { device, reason } if *device == peer => Some(reason.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn received(&mut self) -> Vec<u8> {
        self.until("frame", |event| match event {
            NetEvent::Received { frame, .. } => Some(frame.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn refused(&mut self) -> (Option<DeviceId>, String) {
        self.until("refusal", |event| match event {
            NetEvent::Refused { device, reason } => Some((*device, reason.clone())),
            _ => None,
        })
        .await
    }

    /// Fails if an event comes within `time` that `wrong` names.
    pub(crate) async fn nothing(&mut self, time: Duration, mut wrong: impl FnMut(&NetEvent) -> bool) {
        let came = timeout(time, async {
            while let Some(event) = self.events.recv().await {
                if wrong(&event) {
                    return event;
                }
            }
            panic!("the network ended");
        });
        if let Ok(event) = came.await {
            panic!("{}: {event:?} should not have come", self.id.short());
        }
    }

    pub(crate) fn dial(&self, other: &Self) {
        self.net.dial(Some(other.id), other.addresses.clone());
    }
}

pub(crate) async fn connect(one: &mut Node, other: &mut Node) {
    one.dial(other);
    both_up(one, other).await;
}

pub(crate) async fn both_up(one: &mut Node, other: &mut Node) {
    let (one_id, other_id) = (one.id, other.id);
    tokio::join!(one.up(other_id), other.up(one_id));
}

impl Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({})", self.id.short())
    }
}
