//! Devices that may not connect, and until when.

use std::collections::HashMap;

use libp2p::PeerId;
use libp2p::allow_block_list::{Behaviour, BlockedPeers};
use tokio::time::Instant;

/// Bans at one time. The one that ends first makes room for another.
const BANS: usize = 4096;

/// Keeps the block list of the swarm in time.
#[derive(Debug, Default)]
pub(crate) struct Bans {
    until: HashMap<PeerId, Ban>,
}

#[derive(Debug)]
struct Ban {
    until: Instant,
    reported: bool,
}

impl Bans {
    pub(crate) fn add(&mut self, list: &mut Behaviour<BlockedPeers>, peer: PeerId, until: Instant) {
        if self.until.len() >= BANS && !self.until.contains_key(&peer) {
            let first = self.until.iter().min_by_key(|(_, ban)| ban.until).map(|(peer, _)| *peer);
            first.into_iter().for_each(|peer| self.lift(list, &peer));
        }
        self.until.insert(peer, Ban { until, reported: false });
        list.block_peer(peer);
    }

    /// Lifts what has ended.
    pub(crate) fn end(&mut self, list: &mut Behaviour<BlockedPeers>, now: Instant) {
        let over: Vec<_> = self.until.iter().filter(|(_, ban)| ban.until <= now).map(|(peer, _)| *peer).collect();
        over.iter().for_each(|peer| self.lift(list, peer));
    }

    /// Whether this is the first knock of `peer` during its ban.
    pub(crate) fn first_knock(&mut self, peer: &PeerId) -> bool {
        self.until.get_mut(peer).is_some_and(|ban| !std::mem::replace(&mut ban.reported, true))
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.until.values().map(|ban| ban.until).min()
    }

    fn lift(&mut self, list: &mut Behaviour<BlockedPeers>, peer: &PeerId) {
        self.until.remove(peer);
        list.unblock_peer(*peer);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_ban_ends_and_reports_one_knock() {
        let (mut list, mut bans, now) = (Behaviour::default(), Bans::default(), Instant::now());
        let peer = PeerId::random();
        bans.add(&mut list, peer, now + Duration::from_secs(5));
        assert!(list.blocked_peers().contains(&peer));
        assert!(bans.first_knock(&peer) && !bans.first_knock(&peer));
        bans.end(&mut list, now + Duration::from_secs(4));
        assert!(list.blocked_peers().contains(&peer));
        bans.end(&mut list, now + Duration::from_secs(5));
        assert!(!list.blocked_peers().contains(&peer));
        assert_eq!(bans.deadline(), None);
    }

    #[test]
    fn the_list_is_bounded() {
        let (mut list, mut bans, now) = (Behaviour::default(), Bans::default(), Instant::now());
        for number in 0..BANS as u64 + 10 {
            bans.add(&mut list, PeerId::random(), now + Duration::from_secs(number));
        }
        assert_eq!(list.blocked_peers().len(), BANS);
        assert_eq!(bans.deadline(), Some(now + Duration::from_secs(10)));
    }
}
