//! Messages to everybody: passed on from node to node after each judged them.

use std::rc::Rc;

use super::{Fabric, Motion, PortEvent};
use crate::{MS, Schedule};

/// Peers that a message is passed on to.
const MESH: usize = 4;
/// Messages that a node remembers to have seen.
const SEEN: usize = 4096;
/// Messages of one node that wait for its judgement.
const UNJUDGED: usize = 256;

impl Fabric {
    /// Tells all peers.
    pub fn publish<E: From<Motion>>(&mut self, node: usize, message: Vec<u8>, schedule: &mut Schedule<E>) {
        let name = name_of(&message);
        self.remember(node, name);
        let message: Rc<[u8]> = message.into();
        for peer in self.ports[node].up.clone() {
            self.gossip(node, peer, name, &message, schedule);
        }
    }

    /// What a node says of a message it heard. A good one goes on to a few peers.
    pub fn judge<E: From<Motion>>(&mut self, node: usize, id: u64, accept: bool, schedule: &mut Schedule<E>) {
        let Some((source, name, message)) = self.ports[node].unjudged.remove(&id) else { return };
        if !accept {
            return;
        }
        let mut peers: Vec<usize> = self.ports[node].up.iter().copied().filter(|peer| *peer != source).collect();
        for _ in 0..MESH.min(peers.len()) {
            let chosen = self.dice.index(peers.len());
            let peer = peers.swap_remove(chosen);
            self.gossip(node, peer, name, &message, schedule);
        }
    }

    fn gossip<E: From<Motion>>(
        &mut self,
        from: usize,
        to: usize,
        name: u64,
        message: &Rc<[u8]>,
        schedule: &mut Schedule<E>,
    ) {
        let times = 1 + u32::from(self.dice.permille(self.links.twice_permille));
        for _ in 0..times {
            if self.dice.permille(self.links.loss_permille) {
                continue;
            }
            let late = self.dice.below(self.links.jitter_us * 10 + MS);
            let latency = self.pair(from, to).latency_us;
            schedule.after(latency + late, Motion::Gossip { from, to, name, message: Rc::clone(message) }.into());
        }
    }

    pub(super) fn gossiped(
        &mut self,
        from: usize,
        to: usize,
        name: u64,
        message: &Rc<[u8]>,
    ) -> Vec<(usize, PortEvent)> {
        let reachable = self.ports[to].up.contains(&from) && self.pair(from, to).cut.is_none();
        // A memory that is full or old lets a message in twice.
        let again = self.dice.permille(self.links.twice_permille);
        if !reachable || (!self.remember(to, name) && !again) {
            return Vec::new();
        }
        let port = &mut self.ports[to];
        let id = port.next_published;
        port.next_published += 1;
        if port.unjudged.len() >= UNJUDGED {
            port.unjudged.pop_first();
        }
        port.unjudged.insert(id, (from, name, Rc::clone(message)));
        vec![(to, PortEvent::Published { id, message: message.to_vec() })]
    }

    /// `true` when it is new to `node`.
    fn remember(&mut self, node: usize, name: u64) -> bool {
        let port = &mut self.ports[node];
        let new = port.seen.insert(name);
        if new {
            port.seen_order.push_back(name);
            if port.seen_order.len() > SEEN
                && let Some(oldest) = port.seen_order.pop_front()
            {
                port.seen.remove(&oldest);
            }
        }
        new
    }
}

fn name_of(message: &[u8]) -> u64 {
    let hash = blake3::hash(message);
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight of 32 bytes"))
}
