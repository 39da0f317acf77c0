//! Who else is there: hellos, presence, addresses, trust and strikes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use p2p_types::{AccountId, DeviceId, Hash, Monotonic, Now, TaskKind, Timestamp, limits};

use crate::bucket::{Bucket, Rate};
use crate::io::Restored;
use crate::wire;

mod reach;

pub(crate) use reach::clean_addresses;

/// Where nodes tell what they can do.
pub const PRESENCE_TOPIC: &str = "presence";
/// Connected nodes below which new ones are dialed as they are heard of.
const WANTED_PEERS: usize = 24;
/// A dial counts as a connection for this time: it may become one.
const DIALING_MS: u64 = 5000;
/// Of the places there are, those above which the newest are let go again, once they know others: a
/// node with no place free would shut newcomers out of the whole network. The transport keeps more
/// than these for nodes that come by themselves.
const fn comfortable(max_peers: usize) -> usize {
    let places = max_peers - max_peers / 4;
    if places == 0 { 1 } else { places }
}
/// How long a newcomer stays at least, and how long it stays away after it was let go.
const STAY_MS: u64 = 10_000;
pub(crate) const AWAY_MS: u64 = 60_000;
/// A node that was dialed is not dialed again within this time.
const REDIAL_MS: u64 = 30_000;
/// It is, after this time, where an address was heard of at which it was not dialed yet.
const REDIAL_ELSEWHERE_MS: u64 = 2000;
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
    /// When the connection began.
    up_at: Option<Monotonic>,
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
    /// Addresses that others tell of it, beside its own.
    rumours: Vec<String>,
    /// An address was heard of since it was dialed.
    untried: bool,
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
    fn come(&mut self, now: Now, our_hello: u64) {
        self.connected = true;
        self.connected_since = Some(now.wall);
        self.greeted = false;
        self.leaving = false;
        self.up_at = Some(now.mono);
        self.our_hello = our_hello;
        self.rumours.clear();
    }

    /// The connection ended.
    fn go(&mut self) {
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
    /// Those of them that are connected.
    up: BTreeSet<DeviceId>,
    /// Dials that may yet become connections, oldest first.
    dialing: VecDeque<Monotonic>,
    trusted: BTreeSet<DeviceId>,
    distrusted: BTreeSet<DeviceId>,
    members_trusted: bool,
    comfortable: usize,
}

impl Peers {
    pub(crate) fn new(restored: &Restored, members_trusted: bool, max_peers: usize) -> Self {
        let remembered = restored.peers.iter().take(limits::KNOWN_PEERS);
        let all =
            remembered.map(|(device, addresses)| (*device, Peer { addresses: addresses.clone(), ..Peer::default() }));
        Self {
            all: all.collect(),
            up: BTreeSet::new(),
            dialing: VecDeque::new(),
            trusted: restored.trusted.clone(),
            distrusted: restored.distrusted.clone(),
            members_trusted,
            comfortable: comfortable(max_peers),
        }
    }

    pub(crate) fn get(&self, device: &DeviceId) -> Option<&Peer> {
        self.all.get(device)
    }

    pub(crate) fn iter(&self) -> std::collections::btree_map::Iter<'_, DeviceId, Peer> {
        self.all.iter()
    }

    /// Those that are connected.
    pub(crate) fn up(&self) -> impl Iterator<Item = (&DeviceId, &Peer)> + Clone {
        self.up.iter().filter_map(|device| Some((device, self.all.get(device)?)))
    }

    pub(crate) fn connected(&self) -> usize {
        self.up.len()
    }

    /// A connection began; `our_hello` is the sequence of the hello sent on it.
    pub(crate) fn come(&mut self, device: DeviceId, now: Now, our_hello: u64) -> &mut Peer {
        self.up.insert(device);
        let peer = self.entry(device, now);
        peer.come(now, our_hello);
        peer
    }

    /// The connection ended.
    pub(crate) fn go(&mut self, device: &DeviceId) {
        self.up.remove(device);
        if let Some(peer) = self.all.get_mut(device) {
            peer.go();
        }
    }

    /// Who is let go to keep places free for newcomers: the newest that has stayed long enough to
    /// hear of others, is not trusted and not `busy`.
    pub(crate) fn to_let_go(&self, now: Now, busy: impl Fn(&DeviceId) -> bool) -> Option<DeviceId> {
        if self.staying() <= self.comfortable {
            return None;
        }
        let free = self.up().filter(|(device, peer)| peer.ready() && !self.trusted.contains(device) && !busy(device));
        let stayed = free.filter(|(_, peer)| peer.up_at.is_some_and(|at| at.plus_ms(STAY_MS) <= now.mono));
        stayed.max_by_key(|(device, peer)| (peer.up_at, **device)).map(|(device, _)| *device)
    }

    /// Whether somebody may have to be let go.
    pub(crate) fn is_crowded(&self) -> bool {
        self.staying() > self.comfortable
    }

    fn staying(&self) -> usize {
        self.up().filter(|(_, peer)| !peer.leaving).count()
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
        while self.dialing.front().is_some_and(|at| now.mono.since(*at) >= DIALING_MS * 1000) {
            self.dialing.pop_front();
        }
        if self.connected() + self.dialing.len() >= WANTED_PEERS {
            return false;
        }
        let Some(peer) = self.all.get_mut(&device) else { return false };
        let rest_ms = if peer.untried { REDIAL_ELSEWHERE_MS } else { REDIAL_MS };
        let recently = peer.dialed_at.is_some_and(|at| now.mono.since(at) < rest_ms * 1000);
        if peer.connected || recently || peer.addresses.is_empty() {
            return false;
        }
        peer.dialed_at = Some(now.mono);
        peer.untried = false;
        self.dialing.push_back(now.mono);
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
        let waiting = self.up().filter(|(_, peer)| !peer.greeted && !peer.leaving);
        waiting.filter_map(|(_, peer)| peer.up_at).map(|at| at.plus_ms(HELLO_MS)).min()
    }

    pub(crate) fn silent(&self, now: Now) -> Vec<DeviceId> {
        let late = |peer: &Peer| {
            !peer.greeted && !peer.leaving && peer.up_at.is_some_and(|at| at.plus_ms(HELLO_MS) <= now.mono)
        };
        self.up().filter(|(_, peer)| late(peer)).map(|(device, _)| *device).collect()
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
    peer.told_addresses(clean_addresses(&presence.addresses));
}

/// A version text as it may be shown: short and printable.
pub(crate) fn clean_version(version: &str) -> String {
    version.chars().filter(char::is_ascii_graphic).take(VERSION_CHARS).collect()
}

#[cfg(test)]
mod tests;
