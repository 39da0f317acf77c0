//! Networks nearby: a DNS-SD service of our own, announced and looked for in the local network.
//!
//! libp2p's mDNS is not used: it announces one name for all networks. The library has one
//! thread of its own, asleep but for what is said on the network, a look at the interfaces and one
//! at what it holds, each once a minute. It keeps whatever is announced to it for as long as the announcement says, so a
//! flood of made-up services would fill the memory: [`Search`] is given up when it holds too
//! much, and begun anew after a rest.

mod search;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use libp2p::Multiaddr;
use mdns_sd::{ResolvedService, ServiceEvent, ServiceInfo};
use p2p_types::{DeviceId, NetworkId, is_hidden, limits};
use tokio::time::Instant;

use crate::address::{self, Endpoint, Transport};
use search::{Heard, Search};

const SERVICE: &str = "_p2p-agent._udp.local.";
/// All listening addresses are known by then.
const SETTLE: Duration = Duration::from_millis(500);
/// How long nothing is looked for after a flood or a failure.
const REST: Duration = Duration::from_secs(60);
/// Bytes of a network's name that are announced and shown.
const NAME_BYTES: usize = 100;
/// Other networks that are remembered, so as not to be told of again and again.
const OTHERS: usize = 64;
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A node of this network.
    Member { device: DeviceId, addresses: Vec<Multiaddr> },
    /// Another network.
    Other { id: NetworkId, name: String },
}

pub(crate) struct Nearby {
    state: State,
    me: DeviceId,
    network: NetworkId,
    name: String,
    ports: Ports,
    announce_at: Option<Instant>,
    told: HashMap<NetworkId, Instant>,
}

enum State {
    Looking(Search),
    RestingUntil(Instant),
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Ports {
    tcp: Option<u16>,
    quic: Option<u16>,
}

impl Nearby {
    /// Looks from now on. Announces when it is known where this node listens.
    pub(crate) fn new(me: DeviceId, network: NetworkId, name: &str, now: Instant) -> Self {
        let mut nearby = Self {
            state: State::RestingUntil(now),
            me,
            network,
            name: shorten(name),
            ports: Ports::default(),
            announce_at: None,
            told: HashMap::new(),
        };
        nearby.on_time(now);
        nearby
    }

    /// This node listens at `address`.
    pub(crate) fn on_listening(&mut self, address: &Multiaddr, now: Instant) {
        let Some(Endpoint { socket, transport }) = address::endpoint(address) else { return };
        if socket.ip().is_loopback() {
            return;
        }
        let port = match transport {
            Transport::Tcp => &mut self.ports.tcp,
            Transport::Quic => &mut self.ports.quic,
        };
        if port.replace(socket.port()) != Some(socket.port()) {
            self.announce_at = Some(now + SETTLE);
        }
    }

    /// When [`Self::on_time`] has something to do.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::RestingUntil(until) => Some(*until),
            State::Looking(_) => self.announce_at,
        }
    }

    pub(crate) fn on_time(&mut self, now: Instant) {
        match &mut self.state {
            State::RestingUntil(until) if *until <= now => match Search::start(SERVICE, now) {
                Ok(search) => {
                    self.state = State::Looking(search);
                    // What the last search announced ended with it.
                    self.announce_at = (self.ports != Ports::default()).then_some(now + SETTLE);
                }
                Err(error) => {
                    tracing::warn!(%error, "networks nearby cannot be found; another try follows");
                    self.rest(now);
                }
            },
            State::RestingUntil(_) => {}
            State::Looking(_) => {
                if self.announce_at.is_some_and(|at| at <= now) {
                    self.announce_at = None;
                    self.announce();
                }
            }
        }
    }

    fn announce(&self) {
        let State::Looking(search) = &self.state else { return };
        if let Err(error) = self.announcement().and_then(|service| search.announce(service)) {
            tracing::warn!(%error, "this network is not announced nearby");
        }
    }

    /// Ends the search with all that it holds.
    fn rest(&mut self, now: Instant) {
        self.state = State::RestingUntil(now + REST);
    }

    fn announcement(&self) -> mdns_sd::Result<ServiceInfo> {
        let text = |port: Option<u16>| port.map_or_else(String::new, |port| port.to_string());
        let properties = [
            ("id", self.network.to_string()),
            ("name", self.name.clone()),
            ("device", self.me.to_string()),
            ("tcp", text(self.ports.tcp)),
            ("quic", text(self.ports.quic)),
        ];
        let instance = self.me.short();
        let host = format!("{instance}.local.");
        let port = self.ports.quic.or(self.ports.tcp).unwrap_or_default();
        Ok(ServiceInfo::new(SERVICE, &instance, &host, "", port, &properties[..])?.enable_addr_auto())
    }

    async fn next(&mut self) -> Found {
        loop {
            let State::Looking(search) = &mut self.state else { return std::future::pending().await };
            match search.next().await {
                Heard::Event(ServiceEvent::ServiceResolved(service)) => {
                    let Some(found) = self.read(&service) else { continue };
                    if let Found::Other { id, .. } = &found
                        && !self.is_news(*id, Instant::now())
                    {
                        continue;
                    }
                    return found;
                }
                Heard::Event(_) => {}
                Heard::TooMuch => {
                    tracing::warn!("too much is announced nearby; the search rests for {} s", REST.as_secs());
                    self.rest(Instant::now());
                }
                Heard::End => {
                    tracing::warn!("the search for networks nearby ended; another one follows");
                    self.rest(Instant::now());
                }
            }
        }
    }

    fn read(&self, service: &ResolvedService) -> Option<Found> {
        let property = |key| service.get_property_val_str(key);
        let ips = service.get_addresses().iter().map(mdns_sd::ScopedIp::to_ip_addr);
        found(property, ips, &self.me, &self.network)
    }

    fn is_news(&mut self, id: NetworkId, now: Instant) -> bool {
        self.told.retain(|_, told| now - *told < TELL_AGAIN);
        if self.told.contains_key(&id) || self.told.len() >= OTHERS {
            return false;
        }
        self.told.insert(id, now);
        true
    }
}

/// The next thing that is found; never, where nobody looks.
pub(crate) async fn next(nearby: &mut Option<Nearby>) -> Found {
    match nearby {
        Some(looking) => looking.next().await,
        None => std::future::pending().await,
    }
}

/// What an announcement says, as far as it makes sense.
fn found<'a>(
    property: impl Fn(&'static str) -> Option<&'a str>,
    ips: impl Iterator<Item = IpAddr>,
    me: &DeviceId,
    network: &NetworkId,
) -> Option<Found> {
    let id: NetworkId = property("id")?.parse().ok()?;
    if id != *network {
        return Some(Found::Other { id, name: shorten(property("name").unwrap_or_default()) });
    }
    let device: DeviceId = property("device")?.parse().ok()?;
    if device == *me {
        return None;
    }
    let port = |key| property(key).and_then(|text| text.parse().ok()).filter(|port| *port != 0);
    let (tcp, quic): (Option<u16>, Option<u16>) = (port("tcp"), port("quic"));
    let endpoints = ips.flat_map(|ip| {
        let endpoint = move |port, transport| Endpoint { socket: SocketAddr::new(ip, port), transport };
        let tcp = tcp.map(|port| endpoint(port, Transport::Tcp));
        tcp.into_iter().chain(quic.map(|port| endpoint(port, Transport::Quic)))
    });
    let addresses: Vec<_> = endpoints
        .map(address::multiaddr)
        .filter(|address| address::is_useful(address, None))
        .take(limits::ADDRESSES_PER_PEER)
        .collect();
    (!addresses.is_empty()).then_some(Found::Member { device, addresses })
}

/// A name as it can be shown: all of it to be seen, and not longer than [`NAME_BYTES`].
fn shorten(name: &str) -> String {
    let mut short = String::new();
    for letter in name.chars().filter(|letter| !is_hidden(*letter)) {
        if short.len() + letter.len_utf8() > NAME_BYTES {
            break;
        }
        short.push(letter);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: DeviceId = DeviceId([1; 32]);
    const OTHER: DeviceId = DeviceId([2; 32]);
    const HOME: NetworkId = NetworkId([3; 32]);

    fn read(properties: &[(&'static str, String)], ips: &[&str]) -> Option<Found> {
        let property = |key| properties.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str());
        found(property, ips.iter().map(|ip| ip.parse().expect("an IP")), &ME, &HOME)
    }

    fn properties(id: NetworkId, device: DeviceId) -> Vec<(&'static str, String)> {
        let texts = [id.to_string(), "Home\u{7}\u{202e}".repeat(100), device.to_string(), "9000".into(), "9001".into()];
        ["id", "name", "device", "tcp", "quic"].into_iter().zip(texts).collect()
    }

    #[test]
    fn a_member_is_found_where_it_can_be_dialed() {
        let addresses = ["/ip4/192.168.1.4/tcp/9000", "/ip4/192.168.1.4/udp/9001/quic-v1"];
        let addresses = addresses.map(|text| text.parse().expect("an address")).to_vec();
        let found = read(&properties(HOME, OTHER), &["192.168.1.4", "fe80::1", "127.0.0.1"]);
        assert_eq!(found, Some(Found::Member { device: OTHER, addresses }));
        assert_eq!(read(&properties(HOME, OTHER), &["127.0.0.1"]), None);
        assert_eq!(read(&properties(HOME, ME), &["192.168.1.4"]), None);
    }

    #[test]
    fn another_network_is_named_and_nonsense_is_not() {
        let other = NetworkId([9; 32]);
        let name = "Home".repeat(25);
        assert_eq!(read(&properties(other, OTHER), &[]), Some(Found::Other { id: other, name }));
        assert_eq!(read(&[("id", "nonsense".into())], &["192.168.1.4"]), None);
        assert_eq!(read(&[], &[]), None);
        assert_eq!(read(&properties(HOME, OTHER)[..1], &["192.168.1.4"]), None);
    }
}
