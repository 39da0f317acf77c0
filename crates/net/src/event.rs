//! What the network tells the engine.

use std::fmt;
use std::time::Duration;

use p2p_types::{DeviceId, Hash, NetworkId, limits};
use thiserror::Error;

/// Something happened in the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetEvent {
    /// Where this node can be reached changed. It can be at `address`, a multiaddress that ends in
    /// `/p2p/DEVICE`: a new one, or the best that is left when another is gone; it is
    /// empty where none is left. [`Net::listening`](crate::Net::listening) has all that count.
    Listening { address: String },
    /// Frames can be exchanged with `device` from now on. Nothing of it arrived before.
    PeerUp {
        device: DeviceId,
        /// Where it says it can be reached, useful ones only, each ending in `/p2p/DEVICE`.
        addresses: Vec<String>,
        /// What it says it is, printable and short.
        agent: String,
        /// Names of the protocols it speaks.
        protocols: Vec<String>,
    },
    /// No frame of `device` arrives after this, until it is up again. What was sent to it and
    /// not answered may be lost.
    PeerDown { device: DeviceId, reason: String },
    /// One frame, as it was sent: 1 to [`limits::FRAME_BYTES`] bytes.
    Received { from: DeviceId, frame: Vec<u8> },
    /// A message on a topic. [`Net::judge`](crate::Net::judge) decides whether it is passed on.
    Published {
        topic: String,
        id: PublishedId,
        /// Who passed it on; who wrote it is in the message.
        source: DeviceId,
        message: Vec<u8>,
    },
    /// A round trip to `device` took this long: once when it comes up, then every 30 s.
    Latency { device: DeviceId, rtt: Duration },
    /// The answer to [`Net::find_providers`](crate::Net::find_providers), without this node.
    Providers { key: Hash, devices: Vec<DeviceId> },
    /// Another network was announced nearby. The name is not checked by anybody.
    Nearby { id: NetworkId, name: String },
    /// A peer was turned away; `reason` says what it did.
    Refused { device: Option<DeviceId>, reason: String },
}

/// Names one message on a topic until it is judged.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublishedId {
    pub(crate) message: [u8; 32],
    pub(crate) source: DeviceId,
}

impl fmt::Debug for PublishedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublishedId({} from {})", Hash(self.message), self.source)
    }
}

/// Why a frame was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendError {
    #[error("the device is not connected")]
    NotConnected,
    #[error("too much is waiting for the device already")]
    Full,
    #[error("a frame has 1 to {limit} bytes, not {bytes}", limit = limits::FRAME_BYTES)]
    Length { bytes: usize },
}
