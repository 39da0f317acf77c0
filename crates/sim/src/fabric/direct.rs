//! Connections and the frames on them.

use p2p_types::DeviceId;

use super::{Fabric, Motion, PortEvent, side};
use crate::{MS, Micros, Schedule};

/// How soon a lost frame is sent again.
const RESEND_US: Micros = 200 * MS;

impl Fabric {
    /// Sends one frame. Without a connection nothing happens, as with a lost one.
    pub fn send<E: From<Motion>>(&mut self, node: usize, to: DeviceId, frame: Vec<u8>, schedule: &mut Schedule<E>) {
        let Some(&peer) = self.by_device.get(&to) else { return };
        if !self.ports[node].up.contains(&peer) {
            return;
        }
        let jitter = self.dice.below(self.links.jitter_us + 1);
        let mut late = 0;
        let mut again = RESEND_US;
        while self.dice.permille(self.links.loss_permille) {
            late += again;
            again *= 2;
        }
        let now = schedule.now();
        let pair = self.pair(node, peer);
        let Some(epoch) = pair.sides[side(node, peer)] else { return };
        let latency = pair.latency_us;
        let way = &mut pair.ways[side(node, peer)];
        way.last = way.last.max(now + latency + jitter + late);
        way.frames.push_back((epoch, frame));
        schedule.at(way.last, Motion::Deliver { from: node, to: peer, epoch }.into());
    }

    /// Ends the connection to `device`. With a ban it may not come back, nor is it dialed.
    pub fn disconnect<E: From<Motion>>(
        &mut self,
        node: usize,
        device: DeviceId,
        ban_ms: Option<u64>,
        schedule: &mut Schedule<E>,
    ) {
        let Some(&peer) = self.by_device.get(&device) else { return };
        if let Some(ms) = ban_ms {
            self.ports[node].banned.insert(peer, schedule.now() + ms * MS);
        }
        self.ports[node].wishes.remove(&peer);
        if let Some(epoch) = self.pair(node, peer).sides[side(node, peer)] {
            schedule.after(0, Motion::Down { node, peer, epoch }.into());
        }
    }

    /// The connection between two nodes breaks: each hears of it on its own.
    pub fn sever<E: From<Motion>>(&mut self, one: usize, other: usize, schedule: &mut Schedule<E>) {
        for (node, peer) in [(one, other), (other, one)] {
            if let Some(epoch) = self.pair(node, peer).sides[side(node, peer)] {
                let wait = self.dice.below(50 * MS);
                schedule.after(wait, Motion::Down { node, peer, epoch }.into());
            }
        }
    }

    pub(super) fn delivered<E: From<Motion>>(
        &mut self,
        from: usize,
        to: usize,
        epoch: u64,
        schedule: &mut Schedule<E>,
    ) -> Vec<(usize, PortEvent)> {
        let device = self.ports[from].device;
        let pair = self.pair(from, to);
        let receiver = pair.sides[side(to, from)];
        let cut = pair.cut.is_some();
        let latency = pair.latency_us;
        let way = &mut pair.ways[side(from, to)];
        if cut {
            way.owed.push(epoch);
            return Vec::new();
        }
        while way.frames.front().is_some_and(|(sent_on, _)| *sent_on < epoch) {
            way.frames.pop_front();
        }
        let Some((_, frame)) = way.frames.pop_front_if(|(sent_on, _)| *sent_on == epoch) else { return Vec::new() };
        if receiver == Some(epoch) {
            return vec![(to, PortEvent::Received { from: device, frame })];
        }
        // Nobody is there any more: the sender is told so.
        schedule.after(latency, Motion::Down { node: from, peer: to, epoch }.into());
        Vec::new()
    }

    pub(super) fn came_up<E: From<Motion>>(
        &mut self,
        node: usize,
        peer: usize,
        epoch: u64,
        schedule: &mut Schedule<E>,
    ) -> Vec<(usize, PortEvent)> {
        let mut events = Vec::new();
        let device = self.ports[peer].device;
        let running = self.ports[node].running;
        let pair = self.pair(node, peer);
        let is_first = pair.pending == Some(epoch);
        let stands = if is_first { pair.cut.is_none() } else { pair.sides[side(peer, node)] == Some(epoch) };
        if is_first {
            pair.pending = None;
        }
        if !stands || !running {
            // It broke before it was made.
            self.redial(node, peer, schedule);
            self.redial(peer, node, schedule);
            return events;
        }
        let rtt_us = pair.latency_us * 2;
        if pair.sides[side(node, peer)].replace(epoch).is_some() {
            events.push((node, PortEvent::PeerDown { peer: device }));
        }
        let port = &mut self.ports[node];
        port.up.insert(peer);
        port.wishes.remove(&peer);
        events.push((node, PortEvent::PeerUp { peer: device }));
        events.push((node, PortEvent::Latency { peer: device, rtt_us }));
        if self.pair(node, peer).cut.is_some() {
            self.notice_later(node, peer, schedule);
        }
        events
    }

    pub(super) fn went_down<E: From<Motion>>(
        &mut self,
        node: usize,
        peer: usize,
        epoch: u64,
        schedule: &mut Schedule<E>,
    ) -> Vec<(usize, PortEvent)> {
        let device = self.ports[peer].device;
        let pair = self.pair(node, peer);
        if pair.sides[side(node, peer)] != Some(epoch) {
            return Vec::new();
        }
        pair.sides[side(node, peer)] = None;
        let (latency, reachable) = (pair.latency_us, pair.cut.is_none());
        if pair.sides[side(peer, node)] == Some(epoch) && reachable {
            schedule.after(latency, Motion::Down { node: peer, peer: node, epoch }.into());
        }
        self.ports[node].up.remove(&peer);
        self.redial(node, peer, schedule);
        vec![(node, PortEvent::PeerDown { peer: device })]
    }
}
