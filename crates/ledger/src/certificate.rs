//! That an order is final, checked by anybody who knows the committee, with nobody's help.

use std::collections::HashSet;

use p2p_types::{DeviceId, Hash, NetworkId, Scheme, Signed, Timestamp};
use prost::Message as _;
use thiserror::Error;

use crate::Refusal;
use crate::merkle;
use crate::order::{Order, hash, id};
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
    /// Votes that do not hold, are of others or for other orders are not counted.
    #[error("{votes} of {quorum} votes")]
    TooFew { votes: usize, quorum: usize },
    #[error("it is longer than {CERTIFICATE_BYTES} bytes")]
    TooLong,
    #[error("it cannot be read")]
    Record,
}

/// A certificate as it is kept and sent. Nothing of it is checked.
///
/// # Errors
/// When it is none.
pub fn decode(bytes: &[u8]) -> Result<wire::Certificate, CertificateError> {
    if bytes.len() > CERTIFICATE_BYTES {
        return Err(CertificateError::TooLong);
    }
    wire::Certificate::decode(bytes).map_err(|_| CertificateError::Record)
}

/// What [`decode`] reads.
#[must_use]
pub fn encode(certificate: &wire::Certificate) -> Vec<u8> {
    certificate.encode_to_vec()
}

/// What every vote on an order is about.
#[must_use]
pub fn leaf(order: &Hash) -> Hash {
    merkle::leaf(&order.0)
}

/// When an order was carried out, as its votes say; of several the middle one. To be asked of a certificate that
/// was verified. `None` without votes.
#[must_use]
pub fn voted_at(certificate: &wire::Certificate) -> Option<Timestamp> {
    let votes = certificate.votes.iter().take(MOST_VOTES);
    let votes = votes.filter_map(|vote| Signed::<wire::Vote>::from_bytes(vote.vote.as_slice()).ok()?.peek().ok());
    let mut times: Vec<u64> = votes.map(|vote| vote.at_ms).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().map(Timestamp)
}

/// The most votes that are looked at.
const MOST_VOTES: usize = 64;
/// The longest certificate: an order, and the votes of the largest committee.
pub const CERTIFICATE_BYTES: usize = 96 * 1024;

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
    let (mut voters, mut looked_at) = (HashSet::new(), HashSet::new());
    for countersignature in certificate.votes.iter().take(MOST_VOTES) {
        // One that proves nothing does not spoil the others: anybody on the way may have added it. Nor
        // does it cost anything: of each notary, one signature is looked at.
        if let Some(notary) = claimed(countersignature)
            && committee.has(&notary)
            && looked_at.insert(notary)
            && voter(scheme, network, &order, countersignature) == Some(notary)
        {
            voters.insert(notary);
        }
    }
    let (votes, quorum) = (voters.len(), committee.quorum());
    if votes < quorum { Err(CertificateError::TooFew { votes, quorum }) } else { Ok(order) }
}

/// Whose vote it says that it is.
fn claimed(countersignature: &wire::Countersignature) -> Option<DeviceId> {
    let vote = Signed::<wire::Vote>::from_bytes(countersignature.vote.as_slice()).ok()?;
    Some(DeviceId(vote.claimed_signer()))
}

/// Whose vote for this order it is, where it is one.
fn voter(
    scheme: &dyn Scheme,
    network: &NetworkId,
    order: &Order,
    countersignature: &wire::Countersignature,
) -> Option<DeviceId> {
    let vote = Signed::<wire::Vote>::from_bytes(countersignature.vote.as_slice()).ok()?.verify(scheme, network).ok()?;
    let of_its_time = vote.epoch == order.epoch || Some(vote.epoch) == order.epoch.checked_add(1);
    let siblings: Vec<Hash> =
        countersignature.siblings.iter().map(|sibling| hash(sibling)).collect::<Result<_, _>>().ok()?;
    let climbed = merkle::climb(leaf(&order.id), countersignature.index, vote.orders, &siblings)?;
    (of_its_time && climbed.0[..] == vote.root[..]).then(|| DeviceId(vote.signer()))
}

/// The certificates that a record of a notary's log holds, each with its order's id: for whoever lost
/// them between the disk and the answer. Checks no signature.
///
/// # Errors
/// When the record cannot be read.
pub fn of_record(network: &NetworkId, record: &[u8]) -> Result<Vec<(Hash, wire::Certificate)>, CertificateError> {
    let record = wire::Record::decode(record).map_err(|_| CertificateError::Record)?;
    let Some(wire::record::Kind::Batch(batch)) = record.kind else { return Ok(Vec::new()) };
    let signed = batch.orders.iter().map(|order| Signed::<wire::Order>::from_bytes(order.as_slice()));
    let ids = signed.map(|order| order.map(|order| id(network, &order))).collect::<Result<Vec<_>, _>>();
    let ids = ids.map_err(|_| CertificateError::Record)?;
    let tree = merkle::Tree::new(ids.iter().map(leaf).collect());
    let all = ids.into_iter().zip(batch.orders).enumerate().map(|(index, (id, order))| {
        (id, wire::Certificate { order, votes: vec![countersigned(&batch.vote, &tree, index)] })
    });
    Ok(all.collect())
}

/// A vote, and where under it an order stands.
pub(crate) fn countersigned(vote: &[u8], tree: &merkle::Tree, index: usize) -> wire::Countersignature {
    let siblings = tree.path(index).into_iter().map(|hash| hash.0.to_vec()).collect();
    let index = u32::try_from(index).expect("a batch is small");
    wire::Countersignature { vote: vote.to_vec(), index, siblings }
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
