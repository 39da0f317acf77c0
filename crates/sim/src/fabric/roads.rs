//! What cuts roads and mends them: partitions, sleep, stops.

use super::{Fabric, Motion, side};
use crate::{MS, Schedule};

impl Fabric {
    /// Nodes of different groups cannot reach each other from now on.
    pub fn partition<E: From<Motion>>(&mut self, groups: &[u8], schedule: &mut Schedule<E>) {
        for (port, group) in self.ports.iter_mut().zip(groups) {
            port.group = *group;
        }
        self.look_at_roads(|_, _| true, schedule);
    }

    /// All are in one group again.
    pub fn heal<E: From<Motion>>(&mut self, schedule: &mut Schedule<E>) {
        let groups = vec![0; self.ports.len()];
        self.partition(&groups, schedule);
    }

    /// The node begins to run, and knocks at its bootstrap nodes.
    pub fn start<E: From<Motion>>(&mut self, node: usize, schedule: &mut Schedule<E>) {
        self.ports[node].running = true;
        self.look_at_roads(|one, other| one == node || other == node, schedule);
        self.knock(node, schedule);
    }

    /// The node's process ends. Politely, its system tells the peers; else they notice in time.
    pub fn stop<E: From<Motion>>(&mut self, node: usize, politely: bool, schedule: &mut Schedule<E>) {
        let mut told = Vec::new();
        for peer in std::mem::take(&mut self.ports[node].up) {
            let pair = self.pair(node, peer);
            pair.sides[side(node, peer)] = None;
            if pair.cut.is_none()
                && let Some(epoch) = pair.sides[side(peer, node)]
            {
                told.push((pair.latency_us, peer, epoch));
            }
        }
        let port = &mut self.ports[node];
        port.running = false;
        port.asleep = false;
        port.wishes.clear();
        port.seen.clear();
        port.seen_order.clear();
        port.unjudged.clear();
        port.provides.clear();
        port.banned.clear();
        self.look_at_roads(|one, other| one == node || other == node, schedule);
        for (latency, peer, epoch) in told.into_iter().filter(|_| politely) {
            schedule.after(latency, Motion::Down { node: peer, peer: node, epoch }.into());
        }
    }

    /// The computer sleeps: nothing arrives, nothing leaves, and it notices nothing.
    pub fn sleep<E: From<Motion>>(&mut self, node: usize, schedule: &mut Schedule<E>) {
        self.ports[node].asleep = true;
        self.look_at_roads(|one, other| one == node || other == node, schedule);
    }

    /// The computer wakes.
    pub fn wake<E: From<Motion>>(&mut self, node: usize, schedule: &mut Schedule<E>) {
        self.ports[node].asleep = false;
        self.look_at_roads(|one, other| one == node || other == node, schedule);
    }

    /// Cuts and mends roads as the state of their ends asks.
    fn look_at_roads<E: From<Motion>>(&mut self, which: impl Fn(usize, usize) -> bool, schedule: &mut Schedule<E>) {
        let concerned: Vec<(usize, usize)> =
            self.pairs.keys().copied().filter(|(one, other)| which(*one, *other)).collect();
        for (one, other) in concerned {
            let separated = self.separated(one, other);
            let was = self.pair(one, other).cut.is_some();
            if separated && !was {
                self.next_cut += 1;
                let cut = self.next_cut;
                self.pair(one, other).cut = Some(cut);
                self.notice_later(one, other, schedule);
                self.notice_later(other, one, schedule);
            } else if !separated && was {
                self.mend(one, other, schedule);
            }
        }
    }

    /// What is unreachable is missed in time, by whoever is awake.
    pub(super) fn notice_later<E: From<Motion>>(&mut self, node: usize, peer: usize, schedule: &mut Schedule<E>) {
        if self.ports[node].asleep || !self.ports[node].running {
            return;
        }
        let wait = self.dice.between(self.links.timeout_us.0, self.links.timeout_us.1);
        let pair = self.pair(node, peer);
        if let (Some(epoch), Some(cut)) = (pair.sides[side(node, peer)], pair.cut) {
            schedule.after(wait, Motion::Notice { node, peer, epoch, cut }.into());
        }
    }

    /// What waited goes on its way; a side whose other side is gone hears so.
    fn mend<E: From<Motion>>(&mut self, one: usize, other: usize, schedule: &mut Schedule<E>) {
        let now = schedule.now();
        let pair = self.pair(one, other);
        pair.cut = None;
        let (latency, sides) = (pair.latency_us, pair.sides);
        let mut late = Vec::new();
        for (from, to) in [(one, other), (other, one)] {
            let way = &mut pair.ways[side(from, to)];
            way.last = way.last.max(now + latency);
            late.extend(way.owed.drain(..).map(|epoch| (way.last, Motion::Deliver { from, to, epoch })));
        }
        late.into_iter().for_each(|(at, motion)| schedule.at(at, motion.into()));
        for (node, peer) in [(one, other), (other, one)] {
            let (mine, theirs) = (sides[side(node, peer)], sides[side(peer, node)]);
            if let Some(epoch) = mine.filter(|_| theirs != mine) {
                let wait = latency + self.dice.below(100 * MS);
                schedule.after(wait, Motion::Down { node, peer, epoch }.into());
            }
        }
    }
}
