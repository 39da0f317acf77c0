//! Why nobody is connected: the first node of a network, one that looks, or one that finds nobody.

use super::{Engine, Parts};
use crate::home;
use crate::sentence::Alone;

/// Connections take a moment after the start. Others that can be reached are there by then.
pub(super) const LOOKING_MS: u64 = 5_000;

/// Whether the network has other nodes, as far as can be told without meeting one: somebody else
/// founded it, addresses of others were given, or others were met before.
pub(super) fn expects_others(parts: &Parts) -> bool {
    let Some(network) = parts.node.network() else { return false };
    network.founder != parts.identity.account_id
        || !network.bootstrap.is_empty()
        || !parts.config.network.bootstrap.is_empty()
        || !parts.known.is_empty()
        || home::invited_to(&parts.home).is_ok_and(|addresses| !addresses.is_empty())
}

impl Engine<'_> {
    pub(super) fn alone(&self) -> Alone {
        if !self.expects_others && self.parts.node.peers().next().is_none() {
            Alone::First
        } else if self.looking_until.is_some() {
            Alone::Looking
        } else {
            Alone::Unreached
        }
    }
}
