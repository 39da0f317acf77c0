//! Making connections, and making them again: what the dialer of a real node does.

use p2p_types::DeviceId;

use super::{Fabric, Motion, side};
use crate::{MS, Micros, SECOND, Schedule};

/// Failures after which a peer is not dialed again, unless it stands in the configuration.
const TRIES: u32 = 10;
/// How long a dial into nothing takes.
const NO_ANSWER_US: Micros = 3 * SECOND;

/// A peer that somebody wants to be connected to.
#[derive(Debug)]
pub(super) struct Wish {
    failures: u32,
}

impl Fabric {
    /// Dials a device until it is up, or ten dials failed.
    pub fn dial<E: From<Motion>>(&mut self, node: usize, device: DeviceId, schedule: &mut Schedule<E>) {
        if let Some(&peer) = self.by_device.get(&device) {
            self.wish(node, peer, schedule);
        }
    }

    fn wish<E: From<Motion>>(&mut self, node: usize, peer: usize, schedule: &mut Schedule<E>) {
        if node == peer || self.ports[node].up.contains(&peer) || self.is_banned(node, peer, schedule.now()) {
            return;
        }
        if self.ports[node].wishes.insert(peer, Wish { failures: 0 }).is_none() {
            // The one with the larger number lets the other dial first.
            let courtesy = if node > peer { 300 * MS } else { 0 };
            let wait = courtesy + self.dice.below(20 * MS);
            schedule.after(wait, Motion::Dial { node, peer }.into());
        }
    }

    /// A node that begins, or is alone, knocks where its configuration says.
    pub(super) fn knock<E: From<Motion>>(&mut self, node: usize, schedule: &mut Schedule<E>) {
        for peer in self.ports[node].bootstrap.clone() {
            self.wish(node, peer, schedule);
        }
    }

    /// A peer went down: it is dialed again after a wait.
    pub(super) fn redial<E: From<Motion>>(&mut self, node: usize, peer: usize, schedule: &mut Schedule<E>) {
        let connected = self.ports[node].up.contains(&peer);
        if !self.ports[node].running || connected || self.is_banned(node, peer, schedule.now()) {
            return;
        }
        if self.ports[node].wishes.insert(peer, Wish { failures: 0 }).is_none() {
            let wait = self.backoff(0);
            schedule.after(wait, Motion::Dial { node, peer }.into());
        }
        if self.ports[node].up.is_empty() {
            self.knock(node, schedule);
        }
    }

    pub(super) fn dialed<E: From<Motion>>(&mut self, node: usize, peer: usize, schedule: &mut Schedule<E>) {
        if !self.ports[node].running || !self.ports[node].wishes.contains_key(&peer) {
            return;
        }
        let now = schedule.now();
        if self.ports[node].asleep {
            schedule.after(SECOND, Motion::Dial { node, peer }.into());
            return;
        }
        let pair = self.pair(node, peer);
        if pair.sides[side(node, peer)].is_some() || pair.pending.is_some() {
            self.ports[node].wishes.remove(&peer);
            return;
        }
        let latency = pair.latency_us;
        if pair.cut.is_some() {
            self.dial_failed(node, peer, NO_ANSWER_US, schedule);
            return;
        }
        let full = |port: usize| self.ports[port].up.len() >= self.links.max_peers;
        if full(node) || full(peer) || self.is_banned(peer, node, now) || self.is_banned(node, peer, now) {
            self.dial_failed(node, peer, 2 * latency, schedule);
            return;
        }
        let epoch = self.next_epoch;
        self.next_epoch += 1;
        self.pair(node, peer).pending = Some(epoch);
        self.ports[node].wishes.remove(&peer);
        // Three ways for the handshake; then each side knows, a moment apart.
        let first = now + 3 * latency;
        schedule.at(first, Motion::Up { node: peer, peer: node, epoch }.into());
        schedule.at(first + latency / 2, Motion::Up { node, peer, epoch }.into());
    }

    fn dial_failed<E: From<Motion>>(&mut self, node: usize, peer: usize, took: Micros, schedule: &mut Schedule<E>) {
        let configured = self.ports[node].bootstrap.contains(&peer) && self.ports[node].up.is_empty();
        let Some(wish) = self.ports[node].wishes.get_mut(&peer) else { return };
        wish.failures += 1;
        let failures = wish.failures;
        if failures >= TRIES && !configured {
            self.ports[node].wishes.remove(&peer);
            return;
        }
        let wait = took + self.backoff(failures);
        schedule.after(wait, Motion::Dial { node, peer }.into());
    }

    fn is_banned(&self, node: usize, peer: usize, now: Micros) -> bool {
        self.ports[node].banned.get(&peer).is_some_and(|until| *until > now)
    }

    /// From 1 s to 60 s, doubling, a third of it by chance.
    fn backoff(&mut self, failures: u32) -> Micros {
        let longest = (SECOND * 3 / 2).saturating_mul(1 << failures.min(16)).min(60 * SECOND);
        self.dice.between(longest * 2 / 3, longest)
    }
}
