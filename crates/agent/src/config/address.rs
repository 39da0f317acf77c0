//! Addresses to knock at, by the rule of the network that will read them.

use std::net::{Ipv4Addr, Ipv6Addr};

use p2p_types::DeviceId;

/// More than this is no address.
const ADDRESS_BYTES: usize = 256;

/// Whether the network starts with this address: an IP, a port, TCP or QUIC, and maybe the device.
pub(super) fn is_dialable(text: &str) -> bool {
    if text.len() > ADDRESS_BYTES {
        return false;
    }
    let parts: Vec<&str> = text.split('/').collect();
    let ["", version, ip, rest @ ..] = parts.as_slice() else { return false };
    let ip = match *version {
        "ip4" => ip.parse::<Ipv4Addr>().is_ok(),
        "ip6" => ip.parse::<Ipv6Addr>().is_ok(),
        _ => false,
    };
    let (["tcp", port, device @ ..] | ["udp", port, "quic-v1", device @ ..]) = rest else { return false };
    let device = match device {
        [] => true,
        ["p2p", id] => id.parse::<DeviceId>().is_ok(),
        _ => false,
    };
    ip && port.parse::<u16>().is_ok() && device
}

#[cfg(test)]
mod tests {
    use p2p_net::{Net, NetConfig, NetError};
    use p2p_types::{NetworkId, SecretKey};

    use super::*;

    /// Whether the network itself can read it. An address that nothing can read ends the start
    /// before any socket is opened, and the error names the first of those.
    fn the_network_reads(text: &str) -> bool {
        const LAST: &str = "the last one";
        let config = NetConfig {
            secret: SecretKey::new([1; 32]),
            network: NetworkId([2; 32]),
            network_name: "test".into(),
            listen: Vec::new(),
            bootstrap: vec![text.to_owned(), LAST.to_owned()],
            topics: Vec::new(),
            nearby: false,
            agent_version: "test".into(),
            max_peers: 1,
        };
        match Net::start(config).map(drop).expect_err("the last one is no address") {
            NetError::Address { text, .. } => text == LAST,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn what_is_taken_is_what_the_network_reads() {
        let device = p2p_types::Scheme::public_key(&p2p_types::Ed25519::new(&SecretKey::new([3; 32])));
        let named = format!("/ip4/192.0.2.1/tcp/9000/p2p/{}", DeviceId(device));
        for text in [&named, "/ip4/192.0.2.1/tcp/9000", "/ip6/2001:db8::1/tcp/1", "/ip4/127.0.0.1/udp/65535/quic-v1"] {
            assert!(is_dialable(text) && the_network_reads(text), "{text}");
        }
        let refused = [
            "",
            "/",
            "/x\u{1b}[31m",
            "192.0.2.1:9000",
            "/ip4/192.0.2.1",
            "/ip4/192.0.2.256/tcp/1",
            "/ip4/::1/tcp/1",
            "/ip6/192.0.2.1/tcp/1",
            "/ip4/192.0.2.1/tcp/65536",
            "/ip4/192.0.2.1/tcp/1/",
            "/ip4/192.0.2.1/tcp/1/p2p/",
            "/ip4/192.0.2.1/tcp/1/p2p/nobody",
            "/ip4/192.0.2.1/tcp/1/ws",
            "/ip4/192.0.2.1/tcp/1 ",
            "/ip4/192.0.2.1/udp/1",
            "/ip4/192.0.2.1/udp/1/quic",
            "/dns4/example.org/tcp/1",
            "/memory/7",
        ];
        for text in refused {
            assert!(!is_dialable(text) && !the_network_reads(text), "{text}");
        }
        assert!(!is_dialable(&"/ip4/192.0.2.1".repeat(100)));
    }
}
