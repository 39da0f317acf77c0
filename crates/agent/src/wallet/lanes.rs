//! Whose lanes this computer has, and what lets it use them.

use std::sync::Arc;

use p2p_ledger::{LaneId, wire};
use p2p_platform::Keys;
use p2p_protocol::{Limits, Money, Network, Payer};
use p2p_types::{AccountId, DeviceId, Ed25519, NetworkId, Scheme, SecretKey, Signed};

/// The lanes of this computer in its network.
pub(crate) struct Lanes {
    pub(crate) owner: LaneId,
    /// On the computer that plays the canary issuer.
    pub(crate) issuer: Option<LaneId>,
    /// Under which the owner's rows and vouchers are kept: those of another account, before or after an import
    /// of its key, are none of its business.
    pub(crate) scope: NetworkId,
    /// Whether this computer is the notary.
    pub(crate) notary: bool,
    /// The device's key: it signs orders, votes and vouchers.
    pub(crate) scheme: Arc<dyn Scheme>,
    openings: (Vec<u8>, Option<Vec<u8>>),
}

impl Lanes {
    pub(crate) fn of(keys: &Keys, network: &Network) -> Self {
        let scheme = Ed25519::new(&keys.device);
        let device = DeviceId(scheme.public_key());
        let account = Ed25519::new(&keys.account);
        let lane = |account: &Ed25519| LaneId { account: AccountId(account.public_key()), device };
        let issuer = issuer_key(&keys.account);
        let plays = network.committee.contains(&device) && AccountId(issuer.public_key()) == network.economy.issuer;
        let issuer = plays.then_some(issuer);
        let opened = |account: &Ed25519| opening(account, &network.id, device);
        Self {
            owner: lane(&account),
            issuer: issuer.as_ref().map(lane),
            scope: scope(&network.id, &lane(&account)),
            notary: network.committee.contains(&device),
            openings: (opened(&account), issuer.as_ref().map(opened)),
            scheme: Arc::new(scheme),
        }
    }

    pub(crate) fn money(&self, limits: Limits) -> Money {
        let (opening, issuer) = self.openings.clone();
        Money { opening, issuer, limits }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (Payer, LaneId)> {
        [(Payer::Owner, Some(self.owner)), (Payer::Issuer, self.issuer)]
            .into_iter()
            .filter_map(|(payer, lane)| Some((payer, lane?)))
    }
}

/// Under which the rows and vouchers of a lane are kept.
pub(crate) fn scope(network: &NetworkId, lane: &LaneId) -> NetworkId {
    let mut hasher = blake3::Hasher::new_derive_key("p2p-agent wallet scope 1");
    hasher.update(&network.0).update(&lane.account.0).update(&lane.device.0);
    NetworkId(*hasher.finalize().as_bytes())
}

/// Who asks canaries in networks that this account founds. The key follows from the account's, so there is
/// none to lose; nobody else can tell that they belong together.
pub(crate) fn issuer_of(account: &SecretKey) -> AccountId {
    AccountId(issuer_key(account).public_key())
}

fn issuer_key(account: &SecretKey) -> Ed25519 {
    Ed25519::new(&SecretKey::new(blake3::derive_key("p2p-agent canary issuer 1", account.expose())))
}

fn opening(account: &Ed25519, network: &NetworkId, device: DeviceId) -> Vec<u8> {
    let opening = wire::LaneOpening { device: device.0.to_vec(), issued_ms: p2p_platform::now().0 };
    Signed::new(account, network, &opening).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_account_of_this_computer_has_rows_and_vouchers_of_its_own() {
        let lane = |account| LaneId { account: AccountId([account; 32]), device: DeviceId([3; 32]) };
        let (here, there) = (NetworkId([1; 32]), NetworkId([2; 32]));
        assert_eq!(scope(&here, &lane(1)), scope(&here, &lane(1)));
        assert_ne!(scope(&here, &lane(1)), scope(&here, &lane(2)));
        assert_ne!(scope(&here, &lane(1)), scope(&there, &lane(1)));
    }

    #[test]
    fn the_issuer_follows_from_the_account_and_is_another() {
        let key = SecretKey::new([7; 32]);
        let account = AccountId(Ed25519::new(&key).public_key());
        assert_eq!(issuer_of(&key), issuer_of(&key));
        assert_ne!(issuer_of(&key), account);
    }
}
