//! Addresses and ids as libp2p writes them, and ours.

use std::net::{IpAddr, SocketAddr};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use p2p_types::DeviceId;

use crate::NetError;

/// What stands before the key in an Ed25519 peer id.
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
/// Longest text that is read as an address.
const ADDRESS_CHARS: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Quic,
}

/// Where a node listens or is dialed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) socket: SocketAddr,
    pub(crate) transport: Transport,
}

pub(crate) fn peer_id(device: &DeviceId) -> PeerId {
    let bytes = [PEER_ID_PREFIX.as_slice(), &device.0].concat();
    PeerId::from_bytes(&bytes).expect("an identity multihash of 36 bytes")
}

/// The device behind a peer id; `None` for a key that is not Ed25519.
pub(crate) fn device_id(peer: &PeerId) -> Option<DeviceId> {
    let bytes = peer.to_bytes();
    Some(DeviceId(bytes.strip_prefix(&PEER_ID_PREFIX)?.try_into().ok()?))
}

/// Reads an address that has an IP, a port and a transport we speak, and maybe `/p2p/DEVICE`,
/// which is returned apart.
pub(crate) fn parse(text: &str) -> Result<(Multiaddr, Option<DeviceId>), NetError> {
    let wrong = |reason: String| NetError::Address { text: text.chars().take(100).collect(), reason };
    if text.len() > ADDRESS_CHARS {
        return Err(wrong(format!("it has more than {ADDRESS_CHARS} characters")));
    }
    let address: Multiaddr = text.parse().map_err(|error: libp2p::multiaddr::Error| wrong(error.to_string()))?;
    let (address, peer) = without_peer(address);
    let device = match peer {
        None => None,
        Some(peer) => Some(device_id(&peer).ok_or_else(|| wrong("the id after /p2p/ is not a device id".into()))?),
    };
    if endpoint(&address).is_none() {
        return Err(wrong("it is neither TCP nor QUIC at an IP address".into()));
    }
    Ok((address, device))
}

/// Takes a trailing `/p2p/...` off.
pub(crate) fn without_peer(mut address: Multiaddr) -> (Multiaddr, Option<PeerId>) {
    match address.pop() {
        Some(Protocol::P2p(peer)) => (address, Some(peer)),
        Some(last) => (address.with(last), None),
        None => (address, None),
    }
}

/// What an address without `/p2p/` points to; `None` for anything but TCP and QUIC over IP.
pub(crate) fn endpoint(address: &Multiaddr) -> Option<Endpoint> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    let (port, transport) = match (parts.next()?, parts.next()) {
        (Protocol::Tcp(port), None) => (port, Transport::Tcp),
        (Protocol::Udp(port), Some(Protocol::QuicV1)) => (port, Transport::Quic),
        _ => return None,
    };
    parts.next().is_none().then_some(Endpoint { socket: SocketAddr::new(ip, port), transport })
}

/// The multiaddress of an endpoint.
pub(crate) fn multiaddr(endpoint: Endpoint) -> Multiaddr {
    let address = Multiaddr::empty().with(endpoint.socket.ip().into());
    match endpoint.transport {
        Transport::Tcp => address.with(Protocol::Tcp(endpoint.socket.port())),
        Transport::Quic => address.with(Protocol::Udp(endpoint.socket.port())).with(Protocol::QuicV1),
    }
}

/// The full text of an address of `device`.
pub(crate) fn text(address: &Multiaddr, device: &DeviceId) -> String {
    format!("{address}/p2p/{device}")
}

/// The IP of the other end of a connection.
pub(crate) fn ip(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(ip)),
        _ => None,
    }
}

/// Whether an address that a peer claims, told over a connection to `via`, is worth a dial from
/// here: loopback only from loopback, never "any", multicast, link-local or port 0.
pub(crate) fn is_useful(address: &Multiaddr, via: Option<IpAddr>) -> bool {
    let Some(Endpoint { socket, .. }) = endpoint(address) else {
        return false;
    };
    let ip = socket.ip();
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    let loopback_fits = !ip.is_loopback() || via.is_some_and(|via| via.is_loopback());
    socket.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !link_local && loopback_fits
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::*;

    #[test]
    fn a_peer_id_and_a_device_id_are_one_text() {
        let secret = [5; 32];
        let peer = Keypair::ed25519_from_bytes(secret).expect("32 bytes").public().to_peer_id();
        let device = device_id(&peer).expect("Ed25519");
        assert_eq!(device.to_string(), peer.to_string());
        assert_eq!(peer_id(&device), peer);
        let scheme = p2p_types::Ed25519::new(&p2p_types::SecretKey::new(secret));
        assert_eq!(p2p_types::Scheme::public_key(&scheme), device.0);
    }

    #[test]
    fn addresses_are_read_with_and_without_a_device() {
        let device = DeviceId([7; 32]);
        for plain in ["/ip4/127.0.0.1/tcp/9000", "/ip6/::1/udp/9000/quic-v1"] {
            let address: Multiaddr = plain.parse().expect("an address");
            assert_eq!(parse(plain), Ok((address.clone(), None)));
            let full = text(&address, &device);
            assert_eq!(parse(&full), Ok((address.clone(), Some(device))));
            assert_eq!(multiaddr(endpoint(&address).expect("TCP or QUIC")), address);
        }
    }

    #[test]
    fn other_texts_are_refused_by_name() {
        for text in
            ["", "127.0.0.1:9000", "/ip4/127.0.0.1", "/dns4/example.org/tcp/1", "/ip4/1.2.3.4/udp/5", "/memory/7"]
        {
            assert!(matches!(parse(text), Err(NetError::Address { .. })), "{text}");
        }
        assert!(parse(&"/ip4/1.2.3.4".repeat(1000)).is_err());
    }

    #[test]
    fn claimed_addresses_are_sifted() {
        let loopback = Some("127.0.0.1".parse().expect("an IP"));
        let elsewhere = Some("192.0.2.7".parse().expect("an IP"));
        let useful = |text: &str, via| is_useful(&text.parse().expect("an address"), via);
        assert!(useful("/ip4/127.0.0.1/tcp/9000", loopback));
        assert!(!useful("/ip4/127.0.0.1/tcp/9000", elsewhere));
        assert!(useful("/ip4/192.168.1.4/udp/9000/quic-v1", elsewhere));
        for text in ["/ip4/0.0.0.0/tcp/9000", "/ip4/192.168.1.4/tcp/0", "/ip4/224.0.0.251/tcp/1", "/ip6/fe80::1/tcp/1"]
        {
            assert!(!useful(text, elsewhere), "{text}");
        }
    }
}
