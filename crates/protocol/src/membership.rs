//! Closed networks: who was let in, shown without asking anybody.
//!
//! The founder admits a key until a time; the key travels inside the invite; whoever holds it
//! signs their own account in. What a peer then shows is that chain.

use p2p_types::{AccountId, Ed25519, NetworkId, PublicKey, Scheme, Signed, Timestamp};

use crate::network::{Network, NetworkKind};
use crate::wire;

/// How an account came to be a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// The network asks for nothing.
    Anybody,
    Founder,
    Invited,
}

/// The founder's word that whoever holds the secret of `key` may bring in members until `expires`.
#[must_use]
pub fn make_admission(founder: &Ed25519, network: &NetworkId, key: PublicKey, expires: Timestamp) -> Vec<u8> {
    let admission = wire::Admission { key: key.to_vec(), expires_ms: expires.0 };
    Signed::new(founder, network, &admission).into_bytes()
}

/// The admitted key's word that `account` is a member.
#[must_use]
pub fn make_membership(
    admitted: &Ed25519,
    network: &NetworkId,
    account: AccountId,
    admission: Vec<u8>,
    now: Timestamp,
) -> Vec<u8> {
    let membership = wire::Membership { account: account.0.to_vec(), admission, issued_ms: now.0 };
    Signed::new(admitted, network, &membership).into_bytes()
}

/// Whether `account` may be in `network`, by what it shows.
///
/// # Errors
/// What is missing or wrong, in words.
pub fn check_membership(
    shown: &[u8],
    scheme: &dyn Scheme,
    network: &Network,
    account: AccountId,
) -> Result<Admitted, &'static str> {
    if network.kind != NetworkKind::Closed {
        return Ok(Admitted::Anybody);
    }
    if account == network.founder {
        return Ok(Admitted::Founder);
    }
    let membership = Signed::<wire::Membership>::from_bytes(shown)
        .and_then(|signed| signed.verify(scheme, &network.id))
        .map_err(|_| "it shows no membership of this closed network")?;
    let admission = Signed::<wire::Admission>::from_bytes(membership.admission.as_slice())
        .and_then(|signed| signed.verify(scheme, &network.id))
        .map_err(|_| "its membership rests on no admission")?;
    let claims = [
        (membership.account == account.0, "its membership is another account's"),
        (admission.signer() == network.founder.0, "its admission is not the founder's"),
        (admission.key == membership.signer(), "its membership was signed by a key that was not admitted"),
        (membership.issued_ms <= admission.expires_ms, "its invite had expired when it was used"),
    ];
    match claims.iter().find(|(holds, _)| !holds) {
        Some((_, why)) => Err(why),
        None => Ok(Admitted::Invited),
    }
}

#[cfg(test)]
mod tests {
    use p2p_types::{DeviceId, SecretKey};

    use super::*;
    use crate::network::{Charter, found_network};

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn key(seed: u8) -> Ed25519 {
        Ed25519::new(&SecretKey::new([seed; 32]))
    }

    fn closed() -> Network {
        let charter = Charter {
            name: "team".into(),
            kind: NetworkKind::Closed,
            members_trusted: false,
            unpaid: true,
            notary: DeviceId([2; 32]),
            issuer: AccountId([3; 32]),
            nonce: [3; 32],
        };
        found_network(&key(1), &charter, NOW).expect("a network")
    }

    #[test]
    fn the_chain_holds_for_the_invited_account_only() {
        let (network, guest) = (closed(), AccountId([9; 32]));
        let admission = make_admission(&key(1), &network.id, key(5).public_key(), NOW.plus_ms(1000));
        let shown = make_membership(&key(5), &network.id, guest, admission.clone(), NOW);
        assert_eq!(check_membership(&shown, &key(1), &network, guest), Ok(Admitted::Invited));
        assert!(check_membership(&shown, &key(1), &network, AccountId([8; 32])).is_err());
        assert_eq!(check_membership(&[], &key(1), &network, network.founder), Ok(Admitted::Founder));
        assert!(check_membership(&[], &key(1), &network, guest).is_err());

        let late = make_membership(&key(5), &network.id, guest, admission.clone(), NOW.plus_ms(1001));
        assert!(check_membership(&late, &key(1), &network, guest).is_err());
        let not_admitted = make_membership(&key(6), &network.id, guest, admission, NOW);
        assert!(check_membership(&not_admitted, &key(1), &network, guest).is_err());
        let self_made = make_admission(&key(5), &network.id, key(5).public_key(), NOW.plus_ms(1000));
        let shown = make_membership(&key(5), &network.id, guest, self_made, NOW);
        assert!(check_membership(&shown, &key(1), &network, guest).is_err());
    }
}
