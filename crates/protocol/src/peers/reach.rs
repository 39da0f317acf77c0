//! Where another node can be reached: by its own word, and by what others say of it.

use p2p_types::limits;

use super::Peer;

/// Longest address that is kept, in bytes.
const ADDRESS_BYTES: usize = 256;
/// Addresses that others tell of a node which told its own.
const RUMOURS: usize = limits::ADDRESSES_PER_PEER / 2;

impl Peer {
    /// It can be reached there: it says so, or a connection to it does.
    pub(crate) fn told_addresses(&mut self, addresses: Vec<String>) {
        if addresses.is_empty() {
            return;
        }
        if addresses.iter().any(|address| !self.addresses.contains(address)) {
            self.untried = true;
            self.rumours.clear();
        }
        self.addresses = addresses;
    }

    /// Others say that it can be reached there. That may be news of a node that began anew at
    /// another address, or an invention: worth a dial where its own word leaves room for one.
    pub(crate) fn rumoured_addresses(&mut self, addresses: Vec<String>) {
        if self.addresses.is_empty() {
            self.told_addresses(addresses);
            return;
        }
        if self.connected {
            return;
        }
        let known = |address: &String| self.addresses.contains(address) || self.rumours.contains(address);
        let mut news: Vec<String> = addresses.into_iter().filter(|address| !known(address)).take(RUMOURS).collect();
        if news.is_empty() {
            return;
        }
        news.append(&mut self.rumours);
        news.truncate(RUMOURS);
        self.rumours = news;
        self.untried = true;
    }

    /// Where to look for it: where it says, and then where others say, as far as there is room.
    /// Rumours never take the place of its own word, so nobody can talk a node out of reach.
    pub(crate) fn worth_a_dial(&self) -> Vec<String> {
        self.addresses.iter().chain(&self.rumours).take(limits::ADDRESSES_PER_PEER).cloned().collect()
    }
}

pub(crate) fn clean_addresses(addresses: &[String]) -> Vec<String> {
    let sound = |address: &&String| address.starts_with('/') && address.len() <= ADDRESS_BYTES;
    addresses.iter().filter(sound).take(limits::ADDRESSES_PER_PEER).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(from: u16, to: u16) -> Vec<String> {
        (from..to).map(|port| format!("/ip4/127.0.0.1/tcp/{port}")).collect()
    }

    #[test]
    fn rumours_are_tried_beside_the_nodes_own_word_and_never_in_its_place() {
        let mut peer = Peer::default();
        peer.told_addresses(addresses(1, 7));
        peer.rumoured_addresses(addresses(5, 11));
        assert_eq!(peer.addresses, addresses(1, 7));
        assert_eq!(peer.worth_a_dial(), addresses(1, 9));
        peer.rumoured_addresses(addresses(100, 200));
        assert_eq!(peer.worth_a_dial(), [addresses(1, 7), addresses(100, 102)].concat());
        peer.told_addresses(addresses(1, 9));
        peer.rumoured_addresses(addresses(100, 200));
        assert_eq!(peer.worth_a_dial(), addresses(1, 9), "its own word leaves no room");
    }

    #[test]
    fn its_own_word_ends_all_rumours() {
        let mut peer = Peer::default();
        peer.rumoured_addresses(addresses(1, 2));
        assert_eq!(peer.addresses, addresses(1, 2), "nothing better is known");
        peer.rumoured_addresses(addresses(2, 3));
        peer.told_addresses(addresses(3, 4));
        assert_eq!(peer.worth_a_dial(), addresses(3, 4));
        peer.told_addresses(Vec::new());
        peer.connected = true;
        peer.rumoured_addresses(addresses(4, 5));
        assert_eq!(peer.worth_a_dial(), addresses(3, 4), "it is there already");
    }
}
