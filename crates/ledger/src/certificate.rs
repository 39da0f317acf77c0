//! That an order is final, checked by anybody who knows the committee, with nobody's help.

use p2p_types::{DeviceId, Hash, NetworkId, Scheme, SignError, Signed};
use thiserror::Error;

use crate::Refusal;
use crate::merkle;
use crate::order::{Order, hash};
use crate::wire;

/// The notaries of an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committee {
    notaries: Vec<DeviceId>,
}

impl Committee {
    /// `notaries` without repetitions.
    #[must_use]
    pub fn new(mut notaries: Vec<DeviceId>) -> Self {
        notaries.sort_unstable();
        notaries.dedup();
        Self { notaries }
    }

    #[must_use]
    pub fn has(&self, notary: &DeviceId) -> bool {
        self.notaries.binary_search(notary).is_ok()
    }

    /// Votes that make an order final: 2f+1 of 3f+1. Any two such groups share an honest notary as
    /// long as at most f are not. For numbers between, the next more careful count.
    #[must_use]
    pub fn quorum(&self) -> usize {
        let n = self.notaries.len();
        let f = n.saturating_sub(1) / 3;
        // With n = 3f+2 or 3f+3, two groups must still share f+1.
        (n + f) / 2 + 1
    }
}

/// Why a certificate proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    #[error(transparent)]
    Order(#[from] Refusal),
    #[error("a vote cannot be read: {0}")]
    Vote(#[from] SignError),
    #[error("a vote is by {0}, who is no notary")]
    NoNotary(DeviceId),
    #[error("a vote is not for this order")]
    OtherOrder,
    #[error("a vote is of epoch {vote}, the order of epoch {order}")]
    Epoch { vote: u64, order: u64 },
    #[error("{votes} of {quorum} votes")]
    TooFew { votes: usize, quorum: usize },
}

/// What every vote on an order is about.
#[must_use]
pub fn leaf(order: &Hash) -> Hash {
    merkle::leaf(&order.0)
}

/// The most votes that are looked at.
const MOST_VOTES: usize = 64;

/// Checks a certificate and gives the order that it makes final.
///
/// # Errors
/// With the first thing that is wrong.
pub fn verify(
    scheme: &dyn Scheme,
    network: &NetworkId,
    committee: &Committee,
    certificate: &wire::Certificate,
) -> Result<Order, CertificateError> {
    let signed = Signed::<wire::Order>::from_bytes(certificate.order.as_slice()).map_err(Refusal::from)?;
    let order = Order::read(scheme, network, &signed.verify(scheme, network).map_err(Refusal::from)?)?;
    let mut voters = Vec::new();
    for countersignature in certificate.votes.iter().take(MOST_VOTES) {
        let vote = Signed::<wire::Vote>::from_bytes(countersignature.vote.as_slice())?.verify(scheme, network)?;
        let notary = DeviceId(vote.signer());
        if !committee.has(&notary) {
            return Err(CertificateError::NoNotary(notary));
        }
        if vote.epoch != order.epoch && Some(vote.epoch) != order.epoch.checked_add(1) {
            return Err(CertificateError::Epoch { vote: vote.epoch, order: order.epoch });
        }
        let siblings: Vec<Hash> =
            countersignature.siblings.iter().map(|sibling| hash(sibling)).collect::<Result<_, _>>()?;
        let climbed = merkle::climb(leaf(&order.id), countersignature.index, vote.orders, &siblings);
        if climbed != Some(hash(&vote.root)?) {
            return Err(CertificateError::OtherOrder);
        }
        if !voters.contains(&notary) {
            voters.push(notary);
        }
    }
    let (votes, quorum) = (voters.len(), committee.quorum());
    if votes < quorum { Err(CertificateError::TooFew { votes, quorum }) } else { Ok(order) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_two_quorums_share_more_notaries_than_may_lie() {
        for n in 1..=64_u8 {
            let committee = Committee::new((0..n).map(|notary| DeviceId([notary; 32])).collect());
            let (n, quorum) = (usize::from(n), committee.quorum());
            let lying = (n - 1) / 3;
            assert!(2 * quorum - n > lying, "two of {quorum} of {n} share too few");
            assert!(quorum <= n - lying, "{quorum} of {n} cannot be reached without those who lie");
            if n % 3 == 1 {
                assert_eq!(quorum, 2 * lying + 1);
            }
        }
    }
}
