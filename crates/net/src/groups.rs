//! No part of the internet may take all places: connections are counted by group of addresses.

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

/// Denies a connection when its group has enough. Loopback has no group.
#[derive(Debug)]
pub(crate) struct GroupLimit {
    public: usize,
    private: usize,
    members: HashMap<ConnectionId, Group>,
    knocking: HashMap<ConnectionId, Group>,
}

/// Connections of one group that may be shaking hands at one time.
const KNOCKING: usize = 16;

#[derive(Debug, Error)]
#[error("there are {limit} connections to that group of addresses already")]
pub(crate) struct GroupFull {
    limit: usize,
}

impl GroupLimit {
    /// An eighth of the places for a group of public addresses, half of them for the own
    /// network at home, where everybody is in one group.
    pub(crate) fn new(max_peers: usize) -> Self {
        Self {
            public: (max_peers / 8).max(2),
            private: (max_peers / 2).max(2),
            members: HashMap::new(),
            knocking: HashMap::new(),
        }
    }

    fn admit(&mut self, connection: ConnectionId, remote: &Multiaddr) -> Result<(), ConnectionDenied> {
        self.knocking.remove(&connection);
        let Some(ip) = address::ip(remote) else { return Ok(()) };
        let limit = if is_private(ip) { self.private } else { self.public };
        count(&mut self.members, connection, ip, limit)
    }
}

/// Counts `connection` in, unless its group has `limit` already.
fn count(
    counted: &mut HashMap<ConnectionId, Group>,
    connection: ConnectionId,
    ip: IpAddr,
    limit: usize,
) -> Result<(), ConnectionDenied> {
    let Some(group) = group(ip) else { return Ok(()) };
    if counted.values().filter(|other| **other == group).count() >= limit {
        return Err(ConnectionDenied::new(GroupFull { limit }));
    }
    counted.insert(connection, group);
    Ok(())
}

fn group(ip: IpAddr) -> Option<Group> {
    match ip.to_canonical() {
        ip if ip.is_loopback() => None,
        IpAddr::V4(ip) => Some(Group::V4(ip.octets()[..3].try_into().expect("three of four"))),
        IpAddr::V6(ip) => Some(Group::V6(ip.octets()[..6].try_into().expect("six of sixteen"))),
    }
}

fn is_private(ip: IpAddr) -> bool {
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
        address::ip(remote).map_or(Ok(()), |ip| count(&mut self.knocking, connection, ip, KNOCKING))
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
        assert_eq!(admitted, 32);
    }

    #[test]
    fn one_group_cannot_hold_the_door() {
        let mut limit = GroupLimit::new(64);
        let remote: Multiaddr = "/ip4/203.0.113.9/tcp/1".parse().expect("an address");
        let mut knock = |number| {
            limit.handle_pending_inbound_connection(ConnectionId::new_unchecked(number), &remote, &remote).is_ok()
        };
        assert_eq!((0..100).filter(|number| knock(*number)).count(), KNOCKING);
        assert!(admit(&mut limit, 0, "203.0.113.9"));
        let again = limit.handle_pending_inbound_connection(ConnectionId::new_unchecked(200), &remote, &remote);
        assert!(again.is_ok(), "who is in does not knock any more");
    }

    #[test]
    fn loopback_is_not_counted() {
        let mut limit = GroupLimit::new(8);
        assert!((0..100).all(|n| admit(&mut limit, n, "127.0.0.1") && admit(&mut limit, n, "::1")));
    }
}
