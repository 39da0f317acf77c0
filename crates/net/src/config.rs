//! What a node is told about its network, and the limits it keeps.

use std::time::Duration;

use p2p_types::{NetworkId, SecretKey};
use thiserror::Error;

/// What a node needs to know before it speaks to anybody.
#[derive(Debug, Clone)]
pub struct NetConfig {
    /// The device's key: its public half is the device id, and the libp2p peer id.
    pub secret: SecretKey,
    /// The network this node belongs to; its id is in every protocol name.
    pub network: NetworkId,
    /// What the network is called when it is announced nearby.
    pub network_name: String,
    /// Multiaddresses to listen on: `/ip4/127.0.0.1/tcp/0`, `/ip4/0.0.0.0/udp/9000/quic-v1`.
    pub listen: Vec<String>,
    /// Multiaddresses to knock at while nobody else is known, with or without `/p2p/DEVICE`.
    pub bootstrap: Vec<String>,
    /// Topics that are heard and may be published to. No other topic exists for this node.
    pub topics: Vec<&'static str>,
    /// Whether to announce this network nearby and to look for others. Without effect on loopback.
    pub nearby: bool,
    /// Told to peers, for example `p2p-agent/0.1.0`.
    pub agent_version: String,
    /// Most peers at one time, at least 1.
    pub max_peers: usize,
}

/// Why the network did not start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NetError {
    #[error("cannot listen on {address} - another program uses that port - end it or choose another listen port")]
    PortInUse {
        /// For people: `TCP port 9000 of 127.0.0.1`.
        address: String,
    },
    #[error(
        "{text:?} is not an address - {reason} - write it as /ip4/192.0.2.1/tcp/9000 or /ip4/192.0.2.1/udp/9000/quic-v1"
    )]
    Address {
        /// As it was written, cut to 100 characters.
        text: String,
        reason: String,
    },
    #[error("cannot listen on {address} - {reason} - choose an address of this computer")]
    Listen { address: String, reason: String },
    #[error("the device key cannot be used - {0} - create the keys again")]
    Key(String),
    #[error("the network stack did not start - {0} - report this")]
    Stack(String),
}

/// Events that wait for the engine. A reader waits when there are more.
pub(crate) const EVENTS: usize = 64;
/// Commands that wait for the swarm's task. More are dropped and counted.
pub(crate) const COMMANDS: usize = 1024;
/// Bytes that wait for one peer, beside [`p2p_types::limits::OUTBOX_FRAMES`].
pub(crate) const OUTBOX_BYTES: usize = 8 * 1024 * 1024;
/// A started frame must be complete after this.
pub(crate) const FRAME_TIME: Duration = Duration::from_secs(20);
/// A peer must take what is written to it within this.
pub(crate) const WRITE_TIME: Duration = Duration::from_secs(30);
/// A connection on which the peer is not up after this is closed.
pub(crate) const ADMISSION_TIME: Duration = Duration::from_secs(15);
/// A second connection to a peer within this time of the first is the other half of a
/// simultaneous dial; later, it is a peer that lost the first one.
pub(crate) const SIMULTANEOUS_TIME: Duration = Duration::from_secs(10);
/// How long a second connection that is not needed stays open for what was begun on it.
pub(crate) const SURPLUS_GRACE: Duration = Duration::from_secs(2);
/// A node of another network is not cut off at once: it needs this long to find out by itself,
/// or it would dial again.
pub(crate) const FOREIGN_GRACE: Duration = Duration::from_secs(2);
/// How long a node of another network is not dialed again.
pub(crate) const FOREIGN_TIME: Duration = Duration::from_secs(600);
/// How long a peer that broke the rules of the stream is not dialed again.
pub(crate) const FAULT_TIME: Duration = Duration::from_secs(60);
/// Bytes of a peer's description of itself that are shown.
pub(crate) const AGENT_CHARS: usize = 64;
