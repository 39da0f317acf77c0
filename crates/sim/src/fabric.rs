//! A model of the ports that the machines know: direct frames, topics, provider lookup.
//!
//! Between two nodes there is a road with a latency, jitter and loss of its own. A connection
//! behaves like TCP: what is lost is sent again later and holds up what comes behind it, order is
//! kept, and after a long enough silence either end notices on its own that the other is gone.
//! Messages on the topic may be late, doubled, overtaken or lost. Roads are cut by partitions and
//! by nodes that sleep, stop or crash.

mod dial;
mod direct;
mod providers;
mod roads;
mod topic;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use p2p_types::{DeviceId, Hash};

use crate::dice::Dice;
use crate::{MS, Micros, SECOND, Schedule};
use dial::Wish;

/// How bad the roads are.
#[derive(Debug, Clone, Copy)]
pub struct Links {
    /// One way, at least and at most; each pair of nodes has its own between them.
    pub latency_us: (Micros, Micros),
    /// Added to each frame and message, at most.
    pub jitter_us: Micros,
    /// Frames and messages lost on the way, of a thousand. A lost frame is sent again.
    pub loss_permille: u64,
    /// Messages on the topic that arrive twice, of a thousand.
    pub twice_permille: u64,
    /// How long a silence lasts until a node takes the other for gone.
    pub timeout_us: (Micros, Micros),
    /// Peers that one node has at one time.
    pub max_peers: usize,
}

impl Default for Links {
    fn default() -> Self {
        Self {
            latency_us: (500, 40 * MS),
            jitter_us: 3 * MS,
            loss_permille: 0,
            twice_permille: 0,
            timeout_us: (8 * SECOND, 15 * SECOND),
            max_peers: p2p_types::limits::PEERS,
        }
    }
}

/// What a node hears of its ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortEvent {
    PeerUp { peer: DeviceId },
    PeerDown { peer: DeviceId },
    Received { from: DeviceId, frame: Vec<u8> },
    Published { id: u64, message: Vec<u8> },
    Latency { peer: DeviceId, rtt_us: Micros },
    Providers { key: Hash, devices: Vec<DeviceId> },
}

/// Something on its way. Comes back to [`Fabric::handle`] when its time has come.
#[derive(Debug, Clone)]
pub enum Motion {
    #[doc(hidden)]
    Deliver { from: usize, to: usize, epoch: u64 },
    #[doc(hidden)]
    Up { node: usize, peer: usize, epoch: u64 },
    #[doc(hidden)]
    Down { node: usize, peer: usize, epoch: u64 },
    #[doc(hidden)]
    Notice { node: usize, peer: usize, epoch: u64, cut: u64 },
    #[doc(hidden)]
    Dial { node: usize, peer: usize },
    #[doc(hidden)]
    Gossip { from: usize, to: usize, name: u64, message: Rc<[u8]> },
    #[doc(hidden)]
    Found { node: usize, key: Hash },
}

/// Two nodes and what is between them. Index 0 is the one with the smaller number.
#[derive(Debug)]
struct Pair {
    latency_us: Micros,
    /// The connection that each side believes to be up.
    sides: [Option<u64>; 2],
    /// A connection that is being made.
    pending: Option<u64>,
    ways: [Way; 2],
    /// Set while nothing gets through: names this cut.
    cut: Option<u64>,
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Way {
    /// Each with the connection it was sent on.
    frames: VecDeque<(u64, Vec<u8>)>,
    /// No frame arrives before this: order is kept.
    last: Micros,
    /// Arrivals that fell into a cut, by their connection.
    owed: Vec<u64>,
}

/// One node as the network sees it.
#[derive(Debug)]
struct Port {
    device: DeviceId,
    /// Whom it dials whenever it is alone.
    bootstrap: Vec<usize>,
    running: bool,
    asleep: bool,
    group: u8,
    /// Peers whose connection this side believes to be up.
    up: BTreeSet<usize>,
    wishes: BTreeMap<usize, Wish>,
    banned: BTreeMap<usize, Micros>,
    seen: BTreeSet<u64>,
    seen_order: VecDeque<u64>,
    unjudged: BTreeMap<u64, (usize, u64, Rc<[u8]>)>,
    next_published: u64,
    provides: BTreeSet<Hash>,
}

/// The network between all nodes.
#[derive(Debug)]
pub struct Fabric {
    links: Links,
    dice: Dice,
    ports: Vec<Port>,
    by_device: BTreeMap<DeviceId, usize>,
    pairs: BTreeMap<(usize, usize), Pair>,
    next_epoch: u64,
    next_cut: u64,
}

impl Fabric {
    #[must_use]
    pub fn new(seed: u64, links: Links) -> Self {
        Self {
            links,
            dice: Dice::new(seed, "fabric"),
            ports: Vec::new(),
            by_device: BTreeMap::new(),
            pairs: BTreeMap::new(),
            next_epoch: 1,
            next_cut: 1,
        }
    }

    /// One more node, which does not run yet. It knocks at `bootstrap` while it is alone.
    pub fn add(&mut self, device: DeviceId, bootstrap: Vec<usize>) -> usize {
        let node = self.ports.len();
        self.by_device.insert(device, node);
        self.ports.push(Port {
            device,
            bootstrap,
            running: false,
            asleep: false,
            group: 0,
            up: BTreeSet::new(),
            wishes: BTreeMap::new(),
            banned: BTreeMap::new(),
            seen: BTreeSet::new(),
            seen_order: VecDeque::new(),
            unjudged: BTreeMap::new(),
            next_published: 1,
            provides: BTreeSet::new(),
        });
        node
    }

    #[must_use]
    pub fn device(&self, node: usize) -> DeviceId {
        self.ports[node].device
    }

    /// Whether `node` believes to be connected to `peer`.
    #[must_use]
    pub fn is_up(&self, node: usize, peer: usize) -> bool {
        self.ports[node].up.contains(&peer)
    }

    /// Something arrived where it was going: what that means for nodes.
    pub fn handle<E: From<Motion>>(&mut self, motion: Motion, schedule: &mut Schedule<E>) -> Vec<(usize, PortEvent)> {
        match motion {
            Motion::Deliver { from, to, epoch } => self.delivered(from, to, epoch, schedule),
            Motion::Up { node, peer, epoch } => self.came_up(node, peer, epoch, schedule),
            Motion::Down { node, peer, epoch } => self.went_down(node, peer, epoch, schedule),
            Motion::Notice { node, peer, epoch, cut } => {
                let same = self.pair(node, peer).cut == Some(cut);
                if same { self.went_down(node, peer, epoch, schedule) } else { Vec::new() }
            }
            Motion::Dial { node, peer } => {
                self.dialed(node, peer, schedule);
                Vec::new()
            }
            Motion::Gossip { from, to, name, message } => self.gossiped(from, to, name, &message),
            Motion::Found { node, key } => self.found(node, key),
        }
    }

    fn pair(&mut self, one: usize, other: usize) -> &mut Pair {
        let key = (one.min(other), one.max(other));
        let separated = self.separated(one, other);
        let (dice, links, next_cut) = (&mut self.dice, &self.links, &mut self.next_cut);
        self.pairs.entry(key).or_insert_with(|| {
            let cut = separated.then(|| {
                *next_cut += 1;
                *next_cut
            });
            Pair {
                latency_us: dice.between(links.latency_us.0, links.latency_us.1),
                sides: [None; 2],
                pending: None,
                ways: Default::default(),
                cut,
            }
        })
    }

    /// Whether nothing gets from one to the other now.
    fn separated(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.ports[one], &self.ports[other]);
        one.group != other.group || [one, other].iter().any(|port| !port.running || port.asleep)
    }
}

/// The index of `node`'s side in its pair with `peer`.
const fn side(node: usize, peer: usize) -> usize {
    if node < peer { 0 } else { 1 }
}
