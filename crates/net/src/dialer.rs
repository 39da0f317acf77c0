//! Whom to dial, where and when. It decides; the swarm dials.
//!
//! Two kinds of targets: devices, of which addresses are known, and places, which are addresses
//! where somebody unknown may answer. What was asked for, and a peer that dropped, is dialed
//! again with growing waits and forgotten after [`TRIES`] failures; what stands in the
//! configuration is never forgotten, but rests while other peers are there: a place at once,
//! since it may lead to one of them, a device after as many failures as any other.

use std::collections::HashMap;
use std::time::Duration;

use libp2p::Multiaddr;
use p2p_types::{DeviceId, limits};
use tokio::time::Instant;

use crate::address::{self, Transport};
use crate::backoff;

/// Failures after which a target that is not configured is forgotten.
const TRIES: u32 = 10;
/// Dials at one time.
const DIALS: usize = 16;
/// Places at one time, the configured ones included.
const PLACES: usize = 64;
/// The device with the larger id lets the other dial first: when two devices hear of each other
/// at the same moment, one connection is enough.
const COURTESY: Duration = Duration::from_millis(300);
/// When to look again while there is no room for another peer.
const NO_ROOM: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Device(DeviceId),
    Place(u64),
}

/// One dial to make now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dial {
    pub(crate) target: Target,
    pub(crate) addresses: Vec<Multiaddr>,
}

#[derive(Debug)]
pub(crate) struct Dialer {
    me: DeviceId,
    entries: HashMap<Target, Entry>,
    connected: usize,
    next_place: u64,
    earliest: Option<Instant>,
}

#[derive(Debug)]
struct Entry {
    addresses: Vec<Multiaddr>,
    configured: bool,
    state: State,
    failures: u32,
    not_before: Option<Instant>,
    touched: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Resting,
    Waiting(Instant),
    Dialing,
    Connected,
}

impl Dialer {
    /// Knocks at the configured addresses at once.
    pub(crate) fn new(me: DeviceId, configured: Vec<(Multiaddr, Option<DeviceId>)>, now: Instant) -> Self {
        let mut dialer = Self { me, entries: HashMap::new(), connected: 0, next_place: 0, earliest: None };
        for (address, device) in configured {
            let Some(target) = dialer.target(device, &address) else { continue };
            let entry = dialer.entries.entry(target).or_insert_with(|| Entry::new(now));
            entry.configured = true;
            entry.state = State::Waiting(now);
            entry.add(address);
        }
        dialer.settle();
        dialer
    }

    /// Somebody wants a connection to `device` at `address`, or to whoever answers there.
    pub(crate) fn wish(&mut self, device: Option<DeviceId>, address: Multiaddr, now: Instant) {
        let Some(target) = self.target(device, &address) else { return };
        if !self.make_room(target) {
            return;
        }
        let courtesy = if device.is_some_and(|device| self.me > device) { COURTESY } else { Duration::ZERO };
        let entry = self.entries.entry(target).or_insert_with(|| Entry::new(now));
        entry.add(address);
        entry.touched = now;
        if matches!(entry.state, State::Resting | State::Waiting(_)) {
            entry.failures = 0;
            entry.wait_until(now + courtesy);
        }
        self.settle();
    }

    /// `device` said where it can be reached.
    pub(crate) fn learn(&mut self, device: DeviceId, addresses: Vec<Multiaddr>, now: Instant) {
        let target = Target::Device(device);
        if device == self.me || !self.make_room(target) {
            return;
        }
        let entry = self.entries.entry(target).or_insert_with(|| Entry::new(now));
        addresses.into_iter().for_each(|address| entry.add(address));
        entry.touched = now;
    }

    /// `device` is up. `via` is the target whose dial led to it.
    pub(crate) fn up(&mut self, device: DeviceId, via: Option<Target>, now: Instant) {
        let target = Target::Device(device);
        if let Some(place) = via.filter(|via| *via != target) {
            self.answered(place);
        }
        if self.make_room(target) {
            let entry = self.entries.entry(target).or_insert_with(|| Entry::new(now));
            entry.failures = 0;
            entry.touched = now;
            entry.state = State::Connected;
        }
        self.connected += 1;
        self.settle();
    }

    /// `device` is down again; it is dialed after a wait if an address of it is known.
    pub(crate) fn down(&mut self, device: DeviceId, now: Instant) {
        self.connected = self.connected.saturating_sub(1);
        let target = Target::Device(device);
        let courtesy = if self.me > device { COURTESY } else { Duration::ZERO };
        let wait = backoff::wait(&self.me, &device.0, 0) + courtesy;
        if let Some(entry) = self.entries.get_mut(&target) {
            if entry.addresses.is_empty() {
                self.entries.remove(&target);
            } else {
                entry.wait_until(now + wait);
            }
        }
        if self.connected == 0 {
            let me = self.me;
            for (target, entry) in &mut self.entries {
                if entry.configured && entry.state == State::Resting {
                    let wait = backoff::wait(&me, &target.key(), entry.failures);
                    entry.wait_until(now + wait);
                }
            }
        }
        self.settle();
    }

    /// A dial led to a peer that is up, on this connection or another one.
    pub(crate) fn answered(&mut self, target: Target) {
        match self.entries.get_mut(&target) {
            Some(entry) if entry.state != State::Dialing => {}
            Some(entry) if entry.configured => (entry.state, entry.failures) = (State::Resting, 0),
            // A place has done its work, and the device it led to has an entry of its own.
            _ => drop(self.entries.remove(&target)),
        }
        self.settle();
    }

    /// A dial led nowhere.
    pub(crate) fn failed(&mut self, target: Target, now: Instant) {
        let (me, alone) = (self.me, self.connected == 0);
        let Some(entry) = self.entries.get_mut(&target) else { return };
        if entry.state != State::Dialing {
            return;
        }
        entry.failures += 1;
        let wait = backoff::wait(&me, &target.key(), entry.failures - 1);
        let enough = matches!(target, Target::Place(_)) || entry.failures >= TRIES;
        if entry.configured && !alone && enough {
            entry.state = State::Resting;
        } else if entry.configured || entry.failures < TRIES {
            entry.wait_until(now + wait);
        } else {
            self.entries.remove(&target);
        }
        self.settle();
    }

    /// Who answers there is not to be dialed before `until`.
    pub(crate) fn forbid(&mut self, target: Target, until: Instant, now: Instant) {
        if !self.make_room(target) {
            return;
        }
        let entry = self.entries.entry(target).or_insert_with(|| Entry::new(now));
        entry.not_before = Some(until);
        entry.touched = now;
        entry.state = if entry.configured { State::Waiting(until) } else { State::Resting };
        self.settle();
    }

    pub(crate) fn is_forbidden(&self, device: &DeviceId, now: Instant) -> bool {
        let entry = self.entries.get(&Target::Device(*device));
        entry.and_then(|entry| entry.not_before).is_some_and(|until| now < until)
    }

    /// This very node answers there.
    pub(crate) fn is_self(&mut self, target: Target) {
        self.entries.remove(&target);
        self.settle();
    }

    /// Do not dial it by ourselves, unless it is configured and nobody else is left.
    pub(crate) fn leave(&mut self, device: DeviceId) {
        let target = Target::Device(device);
        match self.entries.get_mut(&target) {
            Some(entry) if entry.configured => entry.state = State::Resting,
            _ => drop(self.entries.remove(&target)),
        }
        self.settle();
    }

    /// The dials to make now, when `room` more peers are welcome.
    pub(crate) fn due(&mut self, room: usize, now: Instant) -> Vec<Dial> {
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return Vec::new();
        }
        let dialing = self.entries.values().filter(|entry| entry.state == State::Dialing).count();
        let mut free = room.min(DIALS).saturating_sub(dialing);
        let mut dials = Vec::new();
        for (target, entry) in &mut self.entries {
            let State::Waiting(at) = entry.state else { continue };
            if at > now {
                continue;
            }
            if free == 0 {
                entry.state = State::Waiting(now + NO_ROOM);
                continue;
            }
            free -= 1;
            entry.state = State::Dialing;
            dials.push(Dial { target: *target, addresses: entry.worth_a_try() });
        }
        self.settle();
        dials
    }

    /// When [`Self::due`] has something to say again.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.earliest
    }

    /// The target of an address; an address that is known already keeps its place.
    fn target(&mut self, device: Option<DeviceId>, address: &Multiaddr) -> Option<Target> {
        if let Some(device) = device {
            return (device != self.me).then_some(Target::Device(device));
        }
        let mut places = self.entries.iter().filter(|(target, _)| matches!(target, Target::Place(_)));
        if let Some((known, _)) = places.find(|(_, entry)| entry.addresses.contains(address)) {
            return Some(*known);
        }
        self.next_place += 1;
        Some(Target::Place(self.next_place))
    }

    /// Whether there is an entry for `target` or room for one, made by forgetting the one that
    /// was of no use for longest.
    fn make_room(&mut self, target: Target) -> bool {
        if self.entries.contains_key(&target) {
            return true;
        }
        let is_place = |target: &Target| matches!(target, Target::Place(_));
        let limit = if is_place(&target) { PLACES } else { limits::KNOWN_PEERS };
        let alike = || self.entries.iter().filter(|(other, _)| is_place(other) == is_place(&target));
        if alike().count() < limit {
            return true;
        }
        let useless = alike()
            .filter(|(_, entry)| !entry.configured && matches!(entry.state, State::Resting | State::Waiting(_)))
            .min_by_key(|(_, entry)| entry.touched)
            .map(|(target, _)| *target);
        useless.is_some_and(|useless| self.entries.remove(&useless).is_some())
    }

    fn settle(&mut self) {
        self.earliest = self
            .entries
            .values()
            .filter_map(|entry| match entry.state {
                State::Waiting(at) => Some(at),
                _ => None,
            })
            .min();
    }
}

impl Target {
    fn key(&self) -> Vec<u8> {
        match self {
            Self::Device(device) => device.0.to_vec(),
            Self::Place(place) => place.to_le_bytes().to_vec(),
        }
    }
}

impl Entry {
    const fn new(now: Instant) -> Self {
        Self {
            addresses: Vec::new(),
            configured: false,
            state: State::Resting,
            failures: 0,
            not_before: None,
            touched: now,
        }
    }

    fn wait_until(&mut self, at: Instant) {
        self.state = State::Waiting(self.not_before.map_or(at, |forbidden| at.max(forbidden)));
    }

    /// TCP alone first, every other time all there is: on TCP the end of a process is noticed
    /// at once, and QUIC, where both are open, would always win the race.
    fn worth_a_try(&self) -> Vec<Multiaddr> {
        let is_tcp = |address: &&Multiaddr| address::endpoint(address).is_some_and(|to| to.transport == Transport::Tcp);
        let tcp: Vec<_> = self.addresses.iter().filter(is_tcp).cloned().collect();
        if tcp.is_empty() || self.failures % 2 == 1 { self.addresses.clone() } else { tcp }
    }

    /// The newest address first; what is told last is most likely true.
    fn add(&mut self, address: Multiaddr) {
        self.addresses.retain(|known| *known != address);
        self.addresses.insert(0, address);
        self.addresses.truncate(limits::ADDRESSES_PER_PEER);
    }
}

#[cfg(test)]
mod tests;
