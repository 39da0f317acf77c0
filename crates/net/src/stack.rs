//! Puts transports, protocols and their limits together.

use std::error::Error;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::num::NonZeroUsize;
use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::metrics::Registry;
use libp2p::{
    Multiaddr, Swarm, SwarmBuilder, allow_block_list, connection_limits, gossipsub, identify, kad, noise, ping, tcp,
    tls, yamux,
};
use p2p_types::limits;

use crate::address::{self, Endpoint, Transport};
use crate::behaviour::{Behaviour, Gossip, IDENTITY, Protocols};
use crate::direct::Direct;
use crate::groups::GroupLimit;
use crate::{NetConfig, NetError, groups, providers, topics};

type Failure = Box<dyn Error + Send + Sync>;

/// A node says little while nothing happens: this often it checks that a peer is still there.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIME: Duration = Duration::from_secs(10);
/// What was said at the beginning is repeated this often; changes are pushed at once.
const IDENTIFY_EVERY: Duration = Duration::from_secs(3600);
/// A connection that carries no stream is closed after this. Longer than
/// [`ADMISSION_TIME`](crate::config::ADMISSION_TIME), so that a silent peer is refused and not just gone.
const IDLE_TIME: Duration = Duration::from_secs(20);
/// Streams of one connection, both directions together. Each may hold 256 KiB unread.
const STREAMS: usize = 64;
/// Streams of one connection that are still agreeing on a protocol.
const NEGOTIATING: usize = 32;
/// Connections that this node dials at one time.
const DIALING: u32 = 128;
/// All that knock, whoever they are. [`GroupLimit`] gives each address its share of them.
const KNOCKING: u32 = groups::KNOCKING as u32;

/// Builds the swarm. Listens nowhere yet.
pub(crate) fn build(
    config: &NetConfig,
    keypair: Keypair,
    protocols: &Protocols,
    registry: &mut Registry,
) -> Result<Swarm<Behaviour>, NetError> {
    let failed = |error: &dyn Error| NetError::Stack(error.to_string());
    let swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        // A dialer offers the first of the two ways to encrypt.
        .with_tcp(tcp::Config::new().nodelay(true), (noise::Config::new, tls::Config::new), || {
            let mut config = yamux::Config::default();
            config.set_max_num_streams(STREAMS);
            config
        })
        .map_err(|error| failed(&error))?
        .with_quic_config(|mut config| {
            config.keep_alive_interval = Duration::from_secs(10);
            config.max_idle_timeout = 30_000;
            config.max_concurrent_stream_limit = STREAMS as u32;
            config.max_stream_data = 2 * 1024 * 1024;
            config.max_connection_data = 4 * 1024 * 1024;
            config
        })
        .with_bandwidth_metrics(registry)
        .with_behaviour(|keypair| behaviour(config, keypair, protocols))
        .map_err(|error| failed(&error))?
        .with_swarm_config(|config| {
            config.with_idle_connection_timeout(IDLE_TIME).with_max_negotiating_inbound_streams(NEGOTIATING)
        })
        .build();
    Ok(swarm)
}

/// Says which listen port is taken, before anything listens. libp2p shares TCP ports between
/// processes of the same user, so it would not notice.
pub(crate) fn check_free(addresses: &[Multiaddr]) -> Result<(), NetError> {
    for address in addresses {
        let Some(endpoint) = address::endpoint(address) else { continue };
        if endpoint.socket.port() == 0 {
            continue;
        }
        let bound = match endpoint.transport {
            Transport::Tcp => TcpListener::bind(endpoint.socket).map(drop),
            Transport::Quic => UdpSocket::bind(endpoint.socket).map(drop),
        };
        bound.map_err(|error| refused(endpoint, &error))?;
    }
    Ok(())
}

pub(crate) fn listen(swarm: &mut Swarm<Behaviour>, addresses: &[Multiaddr]) -> Result<(), NetError> {
    for address in addresses {
        swarm.listen_on(address.clone()).map_err(|error| match address::endpoint(address) {
            Some(endpoint) => refused(endpoint, &error),
            None => NetError::Listen { address: address.to_string(), reason: error.to_string() },
        })?;
    }
    Ok(())
}

fn refused(endpoint: Endpoint, error: &(dyn Error + 'static)) -> NetError {
    let Endpoint { socket, transport } = endpoint;
    let kind = match transport {
        Transport::Tcp => "TCP",
        Transport::Quic => "UDP",
    };
    let address = format!("{kind} port {} of {}", socket.port(), socket.ip());
    match root(error) {
        Some(io::ErrorKind::AddrInUse) => NetError::PortInUse { address },
        _ => NetError::Listen { address, reason: error.to_string() },
    }
}

/// The kind of the first plain I/O error in the chain; libp2p wraps them in others.
fn root(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return match error.get_ref() {
            Some(inner) => root(inner),
            None => Some(error.kind()),
        };
    }
    root(error.source()?)
}

fn behaviour(config: &NetConfig, keypair: &Keypair, protocols: &Protocols) -> Result<Behaviour, Failure> {
    let me = keypair.public().to_peer_id();
    let identify = identify::Config::new(IDENTITY.into(), keypair.public())
        .with_agent_version(config.agent_version.clone())
        .with_interval(IDENTIFY_EVERY)
        .with_push_listen_addr_updates(true)
        .with_cache_size(0);
    Ok(Behaviour {
        bans: allow_block_list::Behaviour::default(),
        limits: connection_limits::Behaviour::new(connection_limits(config.max_peers)),
        groups: GroupLimit::new(config.max_peers),
        direct: Direct::new(me, protocols.direct.clone()),
        identify: identify::Behaviour::new(identify),
        ping: ping::Behaviour::new(ping::Config::new().with_interval(PING_EVERY).with_timeout(PING_TIME)),
        gossip: gossip(config, protocols)?,
        kad: kademlia(keypair, protocols),
    })
}

/// A quarter of the places is kept for peers that this node chose itself.
fn connection_limits(max_peers: usize) -> connection_limits::ConnectionLimits {
    let peers = u32::try_from(max_peers.max(1)).unwrap_or(u32::MAX);
    // The machine lets the newest go above three quarters of the places: those who come by themselves
    // must be able to take more, or it never would, and a full hub would shut newcomers out.
    let inbound = peers - peers / 8;
    connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(KNOCKING))
        .with_max_pending_outgoing(Some(DIALING))
        .with_max_established_incoming(Some(inbound))
        .with_max_established_outgoing(Some(peers))
        .with_max_established(Some(peers))
        // The second one is for a peer that lost the first and comes back.
        .with_max_established_per_peer(Some(2))
}

fn gossip(config: &NetConfig, protocols: &Protocols) -> Result<Gossip, Failure> {
    let names: Vec<_> = config.topics.iter().map(|topic| gossipsub::IdentTopic::new(*topic)).collect();
    let filter = gossipsub::WhitelistSubscriptionFilter(names.iter().map(gossipsub::IdentTopic::hash).collect());
    // Our own envelope says who wrote a message and signs it.
    let author = gossipsub::MessageAuthenticity::Anonymous;
    let mut gossip = Gossip::new_with_subscription_filter(author, topics::config(protocols)?, filter)?;
    gossip.with_peer_score(topics::score(&names), gossipsub::PeerScoreThresholds::default())?;
    for name in &names {
        gossip.subscribe(name)?;
    }
    Ok(gossip)
}

fn kademlia(keypair: &Keypair, protocols: &Protocols) -> kad::Behaviour<MemoryStore> {
    let me = keypair.public().to_peer_id();
    let store = MemoryStoreConfig {
        // Only providers are kept, never values.
        max_records: 0,
        max_value_bytes: 0,
        max_providers_per_key: 20,
        max_provided_keys: providers::KEYS,
    };
    let mut config = kad::Config::new(protocols.kad.clone());
    config
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_kbucket_inserts(kad::BucketInserts::Manual)
        .set_caching(kad::Caching::Disabled)
        .disjoint_query_paths(true)
        .set_replication_interval(None)
        .set_publication_interval(None)
        .set_provider_record_ttl(Some(Duration::from_secs(12 * 3600)))
        .set_provider_publication_interval(Some(Duration::from_secs(4 * 3600)))
        .set_periodic_bootstrap_interval(Some(Duration::from_secs(1800)))
        .set_query_timeout(providers::QUERY_TIME)
        .set_replication_factor(NonZeroUsize::new(20).expect("not zero"));
    let mut kad = kad::Behaviour::with_config(me, MemoryStore::with_config(me, store), config);
    // Until somebody reached this node it asks, and is not asked.
    kad.set_mode(Some(kad::Mode::Client));
    kad
}

/// Messages on topics have the room of one message and its wrapping.
pub(crate) const RPC_BYTES: usize = limits::PUBLISHED_BYTES + 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named() {
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let tcp_port = tcp.local_addr().expect("bound").port();
        let udp_port = udp.local_addr().expect("bound").port();
        for (taken, said) in [
            (format!("/ip4/127.0.0.1/tcp/{tcp_port}"), format!("TCP port {tcp_port} of 127.0.0.1")),
            (format!("/ip4/127.0.0.1/udp/{udp_port}/quic-v1"), format!("UDP port {udp_port} of 127.0.0.1")),
        ] {
            let checked = check_free(&[taken.parse().expect("an address")]);
            assert_eq!(checked, Err(NetError::PortInUse { address: said }));
        }
        assert_eq!(check_free(&["/ip4/127.0.0.1/tcp/0".parse().expect("an address")]), Ok(()));
        let elsewhere = check_free(&["/ip4/192.0.2.1/tcp/9000".parse().expect("an address")]);
        assert!(matches!(elsewhere, Err(NetError::Listen { .. })), "{elsewhere:?}");
    }

    #[test]
    fn wrapped_errors_are_unwrapped() {
        let taken = io::Error::from(io::ErrorKind::AddrInUse);
        let wrapped = io::Error::other(io::Error::other(taken));
        assert_eq!(root(&wrapped), Some(io::ErrorKind::AddrInUse));
        assert_eq!(root(&std::fmt::Error), None);
    }
}
