//! Where this node listens now, and which of it is worth telling: interfaces come and go.

use std::collections::BTreeMap;
use std::net::IpAddr;

use libp2p::Multiaddr;
use p2p_types::{DeviceId, limits};

use crate::NetEvent;
use crate::address::{self, Endpoint, Transport};
use crate::groups::is_private;

#[derive(Debug, Default)]
pub(crate) struct Listening {
    /// In the order in which they came.
    all: Vec<Multiaddr>,
}

/// Addresses that are of the same use to others, the most useful first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sort {
    reach: Reach,
    v6: bool,
    quic: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Public,
    Private,
    Loopback,
}

impl Listening {
    /// False when it was known.
    pub(crate) fn add(&mut self, address: &Multiaddr) -> bool {
        let new = !self.all.contains(address);
        if new {
            self.all.push(address.clone());
        }
        new
    }

    /// False when it was not known.
    pub(crate) fn remove(&mut self, address: &Multiaddr) -> bool {
        let before = self.all.len();
        self.all.retain(|known| known != address);
        self.all.len() < before
    }

    /// As many as are kept of one node, best first. One of each sort before a second of any: a
    /// computer with ten addresses of one sort is still told of by the others. Addresses that
    /// nobody can dial are told only where there is nothing else.
    pub(crate) fn best(&self) -> Vec<Multiaddr> {
        let mut sorts = BTreeMap::<Sort, Vec<&Multiaddr>>::new();
        for address in &self.all {
            if let Some(sort) = sort(address) {
                sorts.entry(sort).or_default().push(address);
            }
        }
        let longest = sorts.values().map(Vec::len).max().unwrap_or_default();
        let turns = (0..longest).flat_map(|turn| sorts.values().filter_map(move |of_sort| of_sort.get(turn)));
        let best: Vec<_> = turns.take(limits::ADDRESSES_PER_PEER).map(|address| (*address).clone()).collect();
        if best.is_empty() { self.all.iter().take(limits::ADDRESSES_PER_PEER).cloned().collect() } else { best }
    }

    /// What others are to be told of, and the event that says so. There is one even where nothing
    /// is left: else what is gone would be told for ever. `new` is what was added.
    pub(crate) fn news(&self, new: Option<&Multiaddr>, me: &DeviceId) -> (Vec<String>, NetEvent) {
        let best: Vec<_> = self.best().iter().map(|address| address::text(address, me)).collect();
        let address = match new {
            Some(new) => address::text(new, me),
            None => best.first().cloned().unwrap_or_default(),
        };
        (best, NetEvent::Listening { address })
    }
}

fn sort(address: &Multiaddr) -> Option<Sort> {
    let Endpoint { socket, transport } = address::endpoint(address)?;
    let ip = socket.ip().to_canonical();
    // A node on this computer can use any of them, loopback included.
    if !address::is_useful(address, Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST))) {
        return None;
    }
    let reach = match ip {
        ip if ip.is_loopback() => Reach::Loopback,
        ip if is_private(ip) => Reach::Private,
        _ => Reach::Public,
    };
    Some(Sort { reach, v6: ip.is_ipv6(), quic: transport == Transport::Quic })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().expect("an address")
    }

    fn listening(texts: &[&str]) -> Listening {
        let mut listening = Listening::default();
        texts.iter().for_each(|text| assert!(listening.add(&address(text))));
        listening
    }

    #[test]
    fn what_is_gone_is_not_told_any_more() {
        let (wifi, cable) = (address("/ip4/192.168.1.4/tcp/9000"), address("/ip4/10.0.0.7/tcp/9000"));
        let mut listening = listening(&["/ip4/192.168.1.4/tcp/9000", "/ip4/10.0.0.7/tcp/9000"]);
        assert!(!listening.add(&wifi), "known already");
        assert!(listening.remove(&wifi) && !listening.remove(&wifi));
        assert_eq!(listening.best(), [cable]);
    }

    #[test]
    fn that_nothing_is_left_is_told_as_well() {
        let (me, first, second) = (DeviceId([1; 32]), "/ip4/10.0.0.1/tcp/9000", "/ip4/10.0.0.2/tcp/9000");
        let told = |text: &str| address::text(&address(text), &me);
        let event = |address: String| NetEvent::Listening { address };
        let mut listening = listening(&[first, second]);
        let both = vec![told(first), told(second)];
        assert_eq!(listening.news(Some(&address(second)), &me), (both, event(told(second))));
        listening.remove(&address(first));
        assert_eq!(listening.news(None, &me), (vec![told(second)], event(told(second))));
        listening.remove(&address(second));
        assert_eq!(listening.news(None, &me), (Vec::new(), event(String::new())));
    }

    #[test]
    fn many_addresses_of_one_sort_leave_room_for_the_others() {
        let mut listening = Listening::default();
        for number in 1..=20 {
            listening.add(&address(&format!("/ip4/172.17.0.{number}/tcp/9000")));
        }
        let late = ["/ip4/127.0.0.1/tcp/9000", "/ip4/172.17.0.1/udp/9000/quic-v1", "/ip6/2001:db8::1/tcp/9000"];
        late.iter().for_each(|text| assert!(listening.add(&address(text))));
        let best = listening.best();
        assert_eq!(best.len(), limits::ADDRESSES_PER_PEER);
        assert_eq!(best[0], address(late[2]), "the one that everybody can reach");
        assert_eq!(best[1], address("/ip4/172.17.0.1/tcp/9000"));
        assert!(late.iter().all(|text| best.contains(&address(text))), "{best:?}");
    }

    #[test]
    fn a_place_comes_free_for_those_that_had_none() {
        let texts: Vec<String> = (1..=9).map(|number| format!("/ip4/10.0.0.{number}/tcp/9000")).collect();
        let mut listening = listening(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(!listening.best().contains(&address(&texts[8])));
        listening.remove(&address(&texts[0]));
        assert!(listening.best().contains(&address(&texts[8])));
    }

    #[test]
    fn link_local_is_told_only_where_there_is_nothing_else() {
        let alone = listening(&["/ip6/fe80::1/tcp/9000"]);
        assert_eq!(alone.best().len(), 1);
        let mut both = alone;
        both.add(&address("/ip4/10.0.0.1/tcp/9000"));
        assert_eq!(both.best(), [address("/ip4/10.0.0.1/tcp/9000")]);
    }
}
