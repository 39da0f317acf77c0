//! The protocols of a node, as one libp2p behaviour.

use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::kad::store::MemoryStore;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{StreamProtocol, connection_limits, gossipsub, identify, kad, ping};
use p2p_types::NetworkId;

use crate::direct::Direct;
use crate::groups::GroupLimit;

/// What every node of this protocol says first of itself.
pub(crate) const IDENTITY: &str = "/p2p-agent/1";

pub(crate) type Gossip = gossipsub::Behaviour<gossipsub::IdentityTransform, gossipsub::WhitelistSubscriptionFilter>;

/// Those that turn connections away come first, so that the others never hear of them.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) bans: allow_block_list::Behaviour<BlockedPeers>,
    pub(crate) limits: connection_limits::Behaviour,
    pub(crate) groups: GroupLimit,
    pub(crate) direct: Direct,
    pub(crate) identify: identify::Behaviour,
    pub(crate) ping: ping::Behaviour,
    pub(crate) gossip: Gossip,
    pub(crate) kad: kad::Behaviour<MemoryStore>,
}

/// The protocol names of one network. Nodes of another one have no word in common with these.
#[derive(Debug, Clone)]
pub(crate) struct Protocols {
    pub(crate) direct: StreamProtocol,
    pub(crate) kad: StreamProtocol,
    /// What the name of the topics' protocol begins with.
    pub(crate) gossip: String,
}

impl Protocols {
    pub(crate) fn of(network: &NetworkId) -> Self {
        let name = |what: &str| format!("/p2p-agent/{}/{what}", network.short());
        let protocol = |what: &str| StreamProtocol::try_from_owned(name(what)).expect("it starts with a slash");
        Self { direct: protocol("direct/1"), kad: protocol("kad/1"), gossip: name("gossip") }
    }

    /// The short id of another network whose direct protocol is among `theirs`.
    pub(crate) fn other_network(theirs: &[StreamProtocol]) -> Option<&str> {
        theirs.iter().find_map(|protocol| protocol.as_ref().strip_prefix("/p2p-agent/")?.strip_suffix("/direct/1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_carry_the_network() {
        let protocols = Protocols::of(&NetworkId([0xab; 32]));
        let short = "ab".repeat(16);
        assert_eq!(protocols.direct.as_ref(), format!("/p2p-agent/{short}/direct/1"));
        assert_eq!(protocols.kad.as_ref(), format!("/p2p-agent/{short}/kad/1"));
        let theirs = [StreamProtocol::new("/ipfs/ping/1.0.0"), protocols.direct];
        assert_eq!(Protocols::other_network(&theirs), Some(short.as_str()));
        assert_eq!(Protocols::other_network(&theirs[..1]), None);
    }
}
