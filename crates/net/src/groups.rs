//! No part of the internet may take all places: connections are counted by group of addresses,
//! and those that are still shaking hands by the single address as well.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    dummy,
};
use libp2p::{Multiaddr, PeerId};
use thiserror::Error;

use crate::address;

/// Addresses that one owner easily gets together: a /24 of IPv4, a /48 of IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Group {
    V4([u8; 3]),
    V6([u8; 6]),
}

/// One owner's address: a host of IPv4, a /64 of IPv6, of which a host has every address it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    V4([u8; 4]),
    V6([u8; 8]),
}

/// Denies a connection when its group has enough. Loopback has no group.
#[derive(Debug)]
pub(crate) struct GroupLimit {
    public: usize,
    private: usize,
    members: HashMap<ConnectionId, Group>,
    knocking: HashMap<ConnectionId, IpAddr>,
}

/// Connections that may be shaking hands at one time, inbound. Shares of them follow; no share is
/// all of them, so nobody holds the door alone.
pub(crate) const KNOCKING: usize = 256;
/// Those of one address.
const KNOCKING_OF_SOURCE: usize = 16;
/// Those of one group: at home, where everybody is in one group, several may misbehave and the
/// others still come in.
const KNOCKING_OF_GROUP: usize = 64;
/// Those of one address of this computer, where many nodes may live.
const KNOCKING_OF_LOOPBACK: usize = 128;

#[derive(Debug, Error)]
#[error("there are {limit} connections to that group of addresses already")]
pub(crate) struct GroupFull {
    limit: usize,
}

#[derive(Debug, Error)]
#[error("there are {limit} connections of that address already that have not finished shaking hands")]
struct SourceFull {
    limit: usize,
}

impl GroupLimit {
    /// An eighth of the places for a group of public addresses. The own network at home, where everybody
    /// is in one group, is bounded by the places themselves: with fewer, a full node would never be
    /// crowded enough to let somebody go for a newcomer.
    pub(crate) fn new(max_peers: usize) -> Self {
        Self {
            public: (max_peers / 8).max(2),
            private: max_peers.max(2),
            members: HashMap::new(),
            knocking: HashMap::new(),
        }
    }

    fn admit(&mut self, connection: ConnectionId, remote: &Multiaddr) -> Result<(), ConnectionDenied> {
        self.knocking.remove(&connection);
        let Some(ip) = address::ip(remote) else { return Ok(()) };
        let limit = if is_private(ip) { self.private } else { self.public };
        let Some(group) = group(ip) else { return Ok(()) };
        if self.members.values().filter(|other| **other == group).count() >= limit {
            return Err(ConnectionDenied::new(GroupFull { limit }));
        }
        self.members.insert(connection, group);
        Ok(())
    }

    /// Counts `connection` among those that shake hands, unless its address or its group has
    /// its share of them already.
    fn knock(&mut self, connection: ConnectionId, remote: &Multiaddr) -> Result<(), ConnectionDenied> {
        let Some(ip) = address::ip(remote) else { return Ok(()) };
        let (group, source) = (group(ip), source(ip));
        let alike = |same: &dyn Fn(IpAddr) -> bool| self.knocking.values().filter(|other| same(**other)).count();
        let share = if group.is_some() { KNOCKING_OF_SOURCE } else { KNOCKING_OF_LOOPBACK };
        if alike(&|other| self::source(other) == source) >= share {
            return Err(ConnectionDenied::new(SourceFull { limit: share }));
        }
        if group.is_some() && alike(&|other| self::group(other) == group) >= KNOCKING_OF_GROUP {
            return Err(ConnectionDenied::new(GroupFull { limit: KNOCKING_OF_GROUP }));
        }
        self.knocking.insert(connection, ip);
        Ok(())
    }
}

fn source(ip: IpAddr) -> Source {
    match ip.to_canonical() {
        IpAddr::V4(ip) => Source::V4(ip.octets()),
        IpAddr::V6(ip) => Source::V6(ip.octets()[..8].try_into().expect("eight of sixteen")),
    }
}

fn group(ip: IpAddr) -> Option<Group> {
    match ip.to_canonical() {
        ip if ip.is_loopback() => None,
        IpAddr::V4(ip) => Some(Group::V4(ip.octets()[..3].try_into().expect("three of four"))),
        IpAddr::V6(ip) => Some(Group::V6(ip.octets()[..6].try_into().expect("six of sixteen"))),
    }
}

/// Whether an address is of a network at home or at work.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

impl NetworkBehaviour for GroupLimit {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.knock(connection, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(connection, remote)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        remote: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(connection, remote)?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(closed) => drop(self.members.remove(&closed.connection_id)),
            // Another behaviour may have denied what was admitted here.
            FromSwarm::DialFailure(failure) => drop(self.members.remove(&failure.connection_id)),
            FromSwarm::ListenFailure(failure) => {
                self.knocking.remove(&failure.connection_id);
                self.members.remove(&failure.connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(limit: &mut GroupLimit, number: usize, ip: &str) -> bool {
        let address = format!("/ip{}/{ip}/tcp/1", if ip.contains(':') { 6 } else { 4 });
        limit.admit(ConnectionId::new_unchecked(number), &address.parse().expect("an address")).is_ok()
    }

    #[test]
    fn one_group_takes_only_its_share() {
        let mut limit = GroupLimit::new(64);
        let admitted = (0..200).filter(|n| admit(&mut limit, *n, &format!("203.0.113.{n}"))).count();
        assert_eq!(admitted, 8);
        assert!(admit(&mut limit, 300, "203.0.114.1"));
        let admitted = (400..600).filter(|n| admit(&mut limit, *n, &format!("2001:db8:1:{n}::1"))).count();
        assert_eq!(admitted, 8);
        let admitted = (600..800).filter(|n| admit(&mut limit, *n, "192.168.1.7")).count();
        assert_eq!(admitted, 64);
    }

    fn knock(limit: &mut GroupLimit, number: usize, ip: &str) -> bool {
        let remote: Multiaddr =
            format!("/ip{}/{ip}/tcp/1", if ip.contains(':') { 6 } else { 4 }).parse().expect("an address");
        limit.handle_pending_inbound_connection(ConnectionId::new_unchecked(number), &remote, &remote).is_ok()
    }

    #[test]
    fn one_address_cannot_hold_the_door() {
        let mut limit = GroupLimit::new(64);
        assert_eq!((0..300).filter(|n| knock(&mut limit, *n, "192.168.1.9")).count(), KNOCKING_OF_SOURCE);
        assert!(knock(&mut limit, 300, "192.168.1.10"), "its neighbour at home still comes in");
        let many = (400..700).filter(|n| knock(&mut limit, *n, &format!("2001:db8:1:1::{n}"))).count();
        assert_eq!(many, KNOCKING_OF_SOURCE, "addresses of one /64 are one");
        assert!(knock(&mut limit, 700, "2001:db8:1:2::1"));
        let same = (800..900).filter(|n| knock(&mut limit, *n, "::ffff:192.168.1.9")).count();
        assert_eq!(same, 0, "however the address is written");
        assert!(admit(&mut limit, 0, "192.168.1.9"));
        assert!(knock(&mut limit, 900, "192.168.1.9"), "who is in does not knock any more");
    }

    #[test]
    fn one_group_cannot_hold_the_door() {
        let mut limit = GroupLimit::new(64);
        let many = (0..KNOCKING).filter(|n| knock(&mut limit, *n, &format!("203.0.113.{n}"))).count();
        assert_eq!(many, KNOCKING_OF_GROUP);
        assert!(knock(&mut limit, 300, "203.0.114.1"));
    }

    #[test]
    fn one_address_of_this_computer_cannot_hold_the_door_either() {
        let mut limit = GroupLimit::new(64);
        let many = (0..KNOCKING).filter(|n| knock(&mut limit, *n, "127.0.0.1")).count();
        assert_eq!(many, KNOCKING_OF_LOOPBACK);
        assert!(many < KNOCKING && knock(&mut limit, 300, "192.168.1.7") && knock(&mut limit, 301, "127.0.0.2"));
    }

    #[test]
    fn loopback_is_not_counted() {
        let mut limit = GroupLimit::new(8);
        assert!((0..100).all(|n| admit(&mut limit, n, "127.0.0.1") && admit(&mut limit, n, "::1")));
    }
}
