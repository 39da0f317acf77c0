//! Messages to everybody who listens to a topic.
//!
//! A message is passed on only after the engine judged it. Its id is the hash of topic and
//! content, so the same message is passed on once, whoever sends it again. The heartbeat is slow
//! because an idle node should be idle; nothing waits for it in a small network: a peer joins
//! the mesh when it says what it listens to, and one's own messages go to every such peer.

use std::collections::HashMap;
use std::time::Duration;

use libp2p::PeerId;
use libp2p::gossipsub::{
    Config, ConfigBuilder, ConfigBuilderError, IdentTopic, Message, MessageId, PeerScoreParams, TopicScoreParams,
    ValidationMode,
};
use p2p_types::limits;
use tokio::time::Instant;

use crate::behaviour::Protocols;
use crate::stack::RPC_BYTES;

const HEARTBEAT: Duration = Duration::from_secs(10);
/// Longer than an envelope can be worth reading anywhere.
const REMEMBERED: Duration = Duration::from_secs(200);

pub(crate) fn config(protocols: &Protocols) -> Result<Config, ConfigBuilderError> {
    ConfigBuilder::default()
        .protocol_id_prefix(protocols.gossip.clone())
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(|message| MessageId::from(message_id(message).to_vec()))
        .heartbeat_interval(HEARTBEAT)
        .heartbeat_initial_delay(Duration::ZERO)
        .history_length(4)
        .history_gossip(3)
        .duplicate_cache_time(REMEMBERED)
        .flood_publish(true)
        .max_transmit_size(RPC_BYTES)
        .max_publish_messages(64)
        .max_control_messages_sent(256)
        .connection_handler_queue_len(256)
        .build()
}

/// Only misbehaviour counts: messages the engine rejected, broken promises, grafts against the
/// rules. Four rejected messages at once and a peer is not heard for a while. Being quiet, new
/// or on the same address is no fault in a network of home computers.
pub(crate) fn score(topics: &[IdentTopic]) -> PeerScoreParams {
    let topic = TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.0,
        first_message_deliveries_weight: 0.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -5.0,
        invalid_message_deliveries_decay: 0.7,
        ..TopicScoreParams::default()
    };
    PeerScoreParams {
        topics: topics.iter().map(|name| (name.hash(), topic.clone())).collect(),
        app_specific_weight: 0.0,
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_weight: -10.0,
        behaviour_penalty_threshold: 3.0,
        behaviour_penalty_decay: 0.7,
        slow_peer_weight: 0.0,
        decay_interval: HEARTBEAT,
        retain_score: Duration::from_secs(600),
        ..PeerScoreParams::default()
    }
}

pub(crate) fn message_id(message: &Message) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(message.topic.as_str().as_bytes()).update(&[0]).update(&message.data);
    *hasher.finalize().as_bytes()
}

/// Whether there is room for another message: of one peer, and of all together. A message waits
/// in memory until it is judged and a few heartbeats longer, so this bounds what peers can fill.
#[derive(Debug)]
pub(crate) struct Floodgate {
    all: Bucket,
    peers: HashMap<PeerId, Gate>,
}

#[derive(Debug)]
struct Gate {
    bucket: Bucket,
    turned_away: u32,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    Open,
    Closed,
    /// It has been closed for so many messages of this peer that the peer should go.
    Flood,
}

/// A peer is flooding when so many more of its messages were turned away than let in.
const FLOOD: u32 = 512;

impl Floodgate {
    pub(crate) fn new(now: Instant) -> Self {
        Self { all: Bucket::new(2048.0, 256.0, now), peers: HashMap::new() }
    }

    pub(crate) fn pass(&mut self, peer: PeerId, bytes: usize, now: Instant) -> Passage {
        if bytes > limits::PUBLISHED_BYTES {
            return Passage::Closed;
        }
        // A small message costs 1, the longest 17.
        let cost = 1.0 + bytes as f64 / 1024.0;
        let fresh = || Gate { bucket: Bucket::new(512.0, 64.0, now), turned_away: 0 };
        let gate = self.peers.entry(peer).or_insert_with(fresh);
        if gate.bucket.take(cost, now) {
            gate.turned_away = gate.turned_away.saturating_sub(1);
            return if self.all.take(cost, now) { Passage::Open } else { Passage::Closed };
        }
        gate.turned_away += 1;
        if gate.turned_away > FLOOD { Passage::Flood } else { Passage::Closed }
    }

    /// Forgets a peer without connection.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    burst: f64,
    per_second: f64,
    filled: Instant,
}

impl Bucket {
    const fn new(burst: f64, per_second: f64, now: Instant) -> Self {
        Self { tokens: burst, burst, per_second, filled: now }
    }

    fn take(&mut self, cost: f64, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = passed.mul_add(self.per_second, self.tokens).min(self.burst);
        self.filled = now;
        let enough = self.tokens >= cost;
        if enough {
            self.tokens -= cost;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use p2p_types::NetworkId;

    use super::*;

    #[test]
    fn the_parameters_are_valid() {
        config(&Protocols::of(&NetworkId([1; 32]))).expect("valid");
        score(&[IdentTopic::new("presence")]).validate().expect("valid");
    }

    #[test]
    fn the_id_depends_on_topic_and_content_only() {
        let message = |topic: &str, data: &[u8], source| Message {
            source,
            data: data.to_vec(),
            sequence_number: None,
            topic: IdentTopic::new(topic).hash(),
        };
        let id = message_id(&message("a", b"x", None));
        assert_eq!(id, message_id(&message("a", b"x", Some(PeerId::random()))));
        assert_ne!(id, message_id(&message("b", b"x", None)));
        assert_ne!(id, message_id(&message("a", b"y", None)));
    }

    #[test]
    fn one_peer_cannot_take_the_room_of_all() {
        let now = Instant::now();
        let mut gate = Floodgate::new(now);
        let (loud, quiet) = (PeerId::random(), PeerId::random());
        let passed = (0..2000).take_while(|_| gate.pass(loud, 100, now) != Passage::Flood);
        assert!(passed.count() < 1000, "it should go before it sent 2000");
        assert_eq!(gate.pass(quiet, 100, now), Passage::Open);
        assert_eq!(gate.pass(loud, 100, now + Duration::from_secs(1)), Passage::Open);
        assert_eq!(gate.pass(quiet, limits::PUBLISHED_BYTES + 1, now), Passage::Closed);
    }

    #[test]
    fn all_peers_together_are_bounded() {
        let now = Instant::now();
        let mut gate = Floodgate::new(now);
        let pass = |gate: &mut Floodgate| gate.pass(PeerId::random(), limits::PUBLISHED_BYTES, now) == Passage::Open;
        let bytes = (0..1000).filter(|_| pass(&mut gate)).count() * limits::PUBLISHED_BYTES;
        assert!(bytes <= 2 * 1024 * 1024, "{bytes}");
    }
}
