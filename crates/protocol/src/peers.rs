//! Who else is there: hellos, presence, addresses, trust and strikes.

use std::collections::{BTreeMap, BTreeSet};

use p2p_types::{AccountId, DeviceId, Hash, Monotonic, Now, TaskKind, Timestamp, limits};

use crate::bucket::{Bucket, Rate};
use crate::io::Restored;
use crate::wire;

/// Where nodes tell what they can do.
pub const PRESENCE_TOPIC: &str = "presence";
/// Connected nodes below which new ones are dialed as they are heard of.
const WANTED_PEERS: usize = 24;
/// A node that was dialed is not dialed again within this time.
const REDIAL_MS: u64 = 30_000;
/// A connection without a hello is closed after this time.
pub(crate) const HELLO_MS: u64 = 10_000;
/// Strikes that a connection survives.
const STRIKES: u32 = 3;
/// After this time without another, strikes are forgotten.
const STRIKES_MS: u64 = 3_600_000;
/// Messages that an honest node may send by mistake, and how often they are forgiven.
const EXCUSES: Rate = Rate { burst: 64, refill_us: 1_000_000 };
/// Direct frames that are read at all.
const FRAMES: Rate = Rate { burst: limits::FRAME_BURST, refill_us: 1_000_000 / limits::FRAMES_PER_SECOND };
/// Presence of one node that is listened to: it tells changes at most once a second.
const PRESENCES: Rate = Rate { burst: 8, refill_us: 500_000 };
/// Lists of addresses of one node that are read: it sends one as it greets.
const LISTS: Rate = Rate { burst: 4, refill_us: 10_000_000 };
/// How long a node that earned one more stays away.
const BAN_MS: u64 = 600_000;
/// Longest text of an agent's version that is kept, in characters.
const VERSION_CHARS: usize = 32;
/// Longest address that is kept, in bytes.
const ADDRESS_BYTES: usize = 256;

/// Another node as this one knows it.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    pub account: Option<AccountId>,
    pub connected: bool,
    pub connected_since: Option<Timestamp>,
    pub agent_version: Option<String>,
    pub protocols: Vec<String>,
    pub addresses: Vec<String>,
    pub kinds: BTreeMap<TaskKind, Hash>,
    pub slots: u32,
    pub busy: u32,
    pub accepting: bool,
    pub rtt_us: Option<u64>,
    /// Parts it computed for this node, and failed at.
    pub done: u64,
    pub failed: u64,
    /// Its hello came over this connection and was in order.
    pub(crate) greeted: bool,
    /// When the connection began, while the hello is missing.
    pub(crate) up_at: Option<Monotonic>,
    /// It is being shown out: nothing of it is read any more.
    pub(crate) leaving: bool,
    /// The sequence of our hello on this connection, which its messages name.
    pub(crate) our_hello: u64,
    pub(crate) direct_sequence: u64,
    pub(crate) topic_sequence: u64,
    strikes: u32,
    struck_at: Monotonic,
    excuses: Bucket,
    frames: Bucket,
    presences: Bucket,
    lists: Bucket,
    dialed_at: Option<Monotonic>,
    heard_at: Monotonic,
}

impl Peer {
    /// Whether work can be discussed with it.
    pub(crate) const fn ready(&self) -> bool {
        self.connected && self.greeted && !self.leaving
    }

    pub(crate) fn may_send_frame(&mut self, now: Now) -> bool {
        self.frames.take(now, FRAMES)
    }

    pub(crate) fn may_tell_presence(&mut self, now: Now) -> bool {
        self.presences.take(now, PRESENCES)
    }

    pub(crate) fn may_send_list(&mut self, now: Now) -> bool {
        self.lists.take(now, LISTS)
    }

    /// A connection began.
    pub(crate) fn come(&mut self, now: Now, our_hello: u64) {
        self.connected = true;
        self.connected_since = Some(now.wall);
        self.greeted = false;
        self.leaving = false;
        self.up_at = Some(now.mono);
        self.our_hello = our_hello;
    }

    /// The connection ended.
    pub(crate) fn go(&mut self) {
        self.connected = false;
        self.connected_since = None;
        self.greeted = false;
        self.leaving = false;
        self.up_at = None;
        self.protocols.clear();
    }
}

/// How a connection ends: with a ban, or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Farewell {
    pub(crate) ban_ms: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Peers {
    all: BTreeMap<DeviceId, Peer>,
    trusted: BTreeSet<DeviceId>,
    distrusted: BTreeSet<DeviceId>,
    members_trusted: bool,
}

impl Peers {
    pub(crate) fn new(restored: &Restored, members_trusted: bool) -> Self {
        let remembered = restored.peers.iter().take(limits::KNOWN_PEERS);
        let all =
            remembered.map(|(device, addresses)| (*device, Peer { addresses: addresses.clone(), ..Peer::default() }));
        Self {
            all: all.collect(),
            trusted: restored.trusted.clone(),
            distrusted: restored.distrusted.clone(),
            members_trusted,
        }
    }

    pub(crate) fn get(&self, device: &DeviceId) -> Option<&Peer> {
        self.all.get(device)
    }

    pub(crate) fn iter(&self) -> std::collections::btree_map::Iter<'_, DeviceId, Peer> {
        self.all.iter()
    }

    pub(crate) fn connected(&self) -> usize {
        self.all.values().filter(|peer| peer.connected).count()
    }

    /// The entry of `device`, made where there is none; another goes where there is no room. Those
    /// that were only heard of go before those that once greeted, so that lists full of invented
    /// nodes displace nobody but each other.
    pub(crate) fn entry(&mut self, device: DeviceId, now: Now) -> &mut Peer {
        if self.all.len() >= limits::KNOWN_PEERS && !self.all.contains_key(&device) {
            let needless = self.all.iter().filter(|(id, peer)| !peer.connected && !self.trusted.contains(id));
            let oldest = needless.min_by_key(|(_, peer)| (peer.account.is_some(), peer.heard_at)).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                self.all.remove(&oldest);
            }
        }
        let peer = self.all.entry(device).or_default();
        peer.heard_at = now.mono;
        peer
    }

    pub(crate) fn get_mut(&mut self, device: &DeviceId) -> Option<&mut Peer> {
        self.all.get_mut(device)
    }

    pub(crate) fn trusts(&self, device: &DeviceId) -> bool {
        self.trusted.contains(device) || (self.members_trusted && !self.distrusted.contains(device))
    }

    pub(crate) fn set_trust(&mut self, device: DeviceId, trusted: bool) {
        if trusted {
            self.distrusted.remove(&device);
            self.trusted.insert(device);
        } else {
            self.trusted.remove(&device);
            self.distrusted.insert(device);
        }
    }

    /// Somebody sent what they should not have. Says whether to end the connection, and for how
    /// long to keep the node away.
    pub(crate) fn blame(&mut self, now: Now, device: &DeviceId, may_be_honest: bool) -> Option<Farewell> {
        let peer = self.all.get_mut(device)?;
        let ready = peer.ready();
        if may_be_honest && peer.excuses.take(now, EXCUSES) {
            return (!ready).then_some(Farewell { ban_ms: None });
        }
        if now.mono.since(peer.struck_at) > STRIKES_MS * 1000 {
            peer.strikes = 0;
        }
        peer.strikes += 1;
        peer.struck_at = now.mono;
        if ready && peer.strikes <= STRIKES {
            return None;
        }
        peer.strikes = 0;
        Some(Farewell { ban_ms: Some(BAN_MS) })
    }

    /// Whether to dial `device` now that it was heard of; remembers that it was done.
    pub(crate) fn should_dial(&mut self, device: DeviceId, now: Now) -> bool {
        if self.connected() >= WANTED_PEERS {
            return false;
        }
        let Some(peer) = self.all.get_mut(&device) else { return false };
        let recently = peer.dialed_at.is_some_and(|at| now.mono.since(at) < REDIAL_MS * 1000);
        if peer.connected || recently || peer.addresses.is_empty() {
            return false;
        }
        peer.dialed_at = Some(now.mono);
        true
    }

    /// What `to` should know about the others: connected ones first.
    pub(crate) fn list_for(&self, to: &DeviceId) -> wire::PeerList {
        let useful = self.all.iter().filter(|(device, peer)| *device != to && !peer.addresses.is_empty());
        let (up, down): (Vec<_>, Vec<_>) = useful.partition(|(_, peer)| peer.connected);
        let peers = up.into_iter().chain(down).take(limits::PEER_LIST);
        let peers = peers
            .map(|(device, peer)| wire::PeerAddress { device: device.0.to_vec(), addresses: peer.addresses.clone() });
        wire::PeerList { peers: peers.collect() }
    }

    /// When the next connection without a hello has waited long enough.
    pub(crate) fn next_deadline(&self) -> Option<Monotonic> {
        let waiting = self.all.values().filter(|peer| peer.connected && !peer.greeted && !peer.leaving);
        waiting.filter_map(|peer| peer.up_at).map(|at| at.plus_ms(HELLO_MS)).min()
    }

    pub(crate) fn silent(&self, now: Now) -> Vec<DeviceId> {
        let late = |peer: &Peer| {
            peer.connected
                && !peer.greeted
                && !peer.leaving
                && peer.up_at.is_some_and(|at| at.plus_ms(HELLO_MS) <= now.mono)
        };
        self.all.iter().filter(|(_, peer)| late(peer)).map(|(device, _)| *device).collect()
    }
}

/// Takes what a node says of itself, within bounds.
pub(crate) fn apply_presence(peer: &mut Peer, presence: &wire::Presence) {
    peer.kinds = presence
        .capabilities
        .iter()
        .take(TaskKind::ALL.len())
        .filter_map(|capability| {
            let kind = capability.kind.parse().ok()?;
            Some((kind, Hash::try_from(capability.model.as_slice()).ok()?))
        })
        .collect();
    peer.slots = presence.slots.min(64);
    peer.busy = presence.busy;
    peer.accepting = presence.accepting;
    let told = clean_addresses(&presence.addresses);
    if !told.is_empty() {
        peer.addresses = told;
    }
}

pub(crate) fn clean_addresses(addresses: &[String]) -> Vec<String> {
    let sound = |address: &&String| address.starts_with('/') && address.len() <= ADDRESS_BYTES;
    addresses.iter().filter(sound).take(limits::ADDRESSES_PER_PEER).cloned().collect()
}

/// A version text as it may be shown: short and printable.
pub(crate) fn clean_version(version: &str) -> String {
    version.chars().filter(char::is_ascii_graphic).take(VERSION_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Now {
        Now { wall: Timestamp(ms), mono: Monotonic(ms * 1000) }
    }

    fn device(number: u16) -> DeviceId {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        DeviceId(bytes)
    }

    #[test]
    fn strangers_cannot_crowd_out_the_connected_and_the_trusted() {
        let mut peers = Peers::new(&Restored::default(), false);
        peers.entry(device(1), at(0)).connected = true;
        peers.entry(device(2), at(0));
        peers.set_trust(device(2), true);
        for number in 0..5000 {
            peers.entry(device(1000 + number), at(1 + u64::from(number)));
        }
        assert_eq!(peers.all.len(), limits::KNOWN_PEERS);
        assert!(peers.get(&device(1)).is_some() && peers.get(&device(2)).is_some());
    }

    #[test]
    fn invented_nodes_displace_nobody_who_once_greeted() {
        let mut peers = Peers::new(&Restored::default(), false);
        for number in 0..700 {
            peers.entry(device(number), at(0)).account = Some(AccountId([1; 32]));
        }
        for number in 0..5000 {
            peers.entry(device(10_000 + number), at(2));
        }
        assert_eq!(peers.all.len(), limits::KNOWN_PEERS);
        assert!((0..700).all(|number| peers.get(&device(number)).is_some()));
    }

    #[test]
    fn mistakes_are_forgiven_now_and_then_and_strikes_in_time() {
        let mut peers = Peers::new(&Restored::default(), false);
        let one = device(1);
        let peer = peers.entry(one, at(0));
        peer.come(at(0), 1);
        peer.greeted = true;
        let banned = Some(Farewell { ban_ms: Some(BAN_MS) });
        let mistakes = |peers: &mut Peers| (0..100).position(|_| peers.blame(at(9_000_000), &one, true).is_some());
        assert_eq!(mistakes(&mut peers), Some(64 + 3));
        assert_eq!([(); 4].map(|()| peers.blame(at(9_000_001), &one, false)), [None, None, None, banned]);
        let slowly = (10..40).map(|hour| peers.blame(at(hour * (STRIKES_MS + 1)), &one, false));
        assert!(slowly.into_iter().all(|farewell| farewell.is_none()));
        peers.entry(one, at(0)).greeted = false;
        assert_eq!(peers.blame(at(200_000_000), &one, true), Some(Farewell { ban_ms: None }));
        assert_eq!(peers.blame(at(200_000_000), &one, false), banned);
    }

    #[test]
    fn trust_is_the_networks_word_until_the_owner_speaks() {
        let mut peers = Peers::new(&Restored::default(), true);
        assert!(peers.trusts(&device(1)));
        peers.set_trust(device(1), false);
        assert!(!peers.trusts(&device(1)));
        peers.set_trust(device(1), true);
        assert!(peers.trusts(&device(1)));
    }

    #[test]
    fn nobody_is_dialed_twice_in_a_row() {
        let mut peers = Peers::new(&Restored::default(), false);
        peers.entry(device(1), at(0)).addresses = vec!["/ip4/127.0.0.1/tcp/1".into()];
        assert!(peers.should_dial(device(1), at(0)));
        assert!(!peers.should_dial(device(1), at(REDIAL_MS - 1)));
        assert!(peers.should_dial(device(1), at(REDIAL_MS)));
        assert!(!peers.should_dial(device(2), at(0)), "it was never heard of");
    }

    #[test]
    fn presence_is_taken_within_bounds() {
        let mut peer = Peer::default();
        let presence = wire::Presence {
            capabilities: (0..1000)
                .map(|_| wire::Capability { kind: "sentiment".into(), model: vec![1; 32] })
                .chain([wire::Capability { kind: "mining".into(), model: vec![1; 32] }])
                .collect(),
            slots: u32::MAX,
            addresses: vec![
                "/ip4/1.2.3.4".to_owned() + &"x".repeat(1000),
                "http://x".into(),
                "/ip4/127.0.0.1/tcp/1".into(),
            ],
            ..Default::default()
        };
        apply_presence(&mut peer, &presence);
        assert_eq!(peer.kinds.len(), 1);
        assert_eq!((peer.slots, peer.addresses.len()), (64, 1));
        assert_eq!(clean_version("0.1.0\u{202e}<script>\n"), "0.1.0<script>");
    }
}
