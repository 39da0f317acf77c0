//! An order as it is understood: parsed once, so that the rules meet no half-read message.

use std::fmt;

use p2p_types::{AccountId, Credits, DeviceId, Hash, NetworkId, Scheme, Signed, Timestamp, Verified};

use crate::Refusal;
use crate::amounts::Amounts;
use crate::wire;
use crate::wire::order::Body as WireBody;

/// One device of one owner: where credits are, and in whose order they move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId {
    pub account: AccountId,
    pub device: DeviceId,
}

impl fmt::Display for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.device)
    }
}

impl LaneId {
    /// As it is encoded.
    #[must_use]
    pub fn to_wire(self) -> wire::Lane {
        wire::Lane { account: self.account.0.to_vec(), device: self.device.0.to_vec() }
    }

    pub(crate) fn read(lane: Option<&wire::Lane>) -> Result<Self, Refusal> {
        let lane = lane.ok_or(Refusal::Malformed("no lane"))?;
        Ok(Self { account: AccountId(key(&lane.account)?), device: DeviceId(key(&lane.device)?) })
    }
}

/// What a device asks of the notaries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub id: Hash,
    pub lane: LaneId,
    pub epoch: u64,
    pub sequence: u64,
    pub expires: Timestamp,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The lane begins: its account says that the device is its own.
    Open,
    Transfer {
        payee: LaneId,
        amounts: Amounts,
        own: bool,
    },
    Hold {
        payee: LaneId,
        ceiling: Amounts,
        expires: Timestamp,
    },
    Settle(Voucher),
    Release {
        hold: Hash,
    },
    Claim {
        rule: wire::Rule,
        day: u32,
        amount: Credits,
    },
}

/// So much of a hold is the payee's by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voucher {
    /// Who signed it.
    pub device: DeviceId,
    pub hold: Hash,
    pub number: u64,
    /// Of all tasks so far.
    pub amount: Credits,
}

impl Voucher {
    /// # Errors
    /// When a field has the wrong length or the amount cannot exist.
    pub fn read(voucher: &Verified<wire::Voucher>) -> Result<Self, Refusal> {
        Ok(Self {
            device: DeviceId(voucher.signer()),
            hold: hash(&voucher.hold)?,
            number: voucher.number,
            amount: Credits::from_micro(voucher.amount).ok_or(Refusal::TooLarge)?,
        })
    }
}

impl Order {
    /// The hold that it ends, where it ends one.
    #[must_use]
    pub const fn ends(&self) -> Option<Hash> {
        match &self.body {
            Body::Settle(voucher) => Some(voucher.hold),
            Body::Release { hold } => Some(*hold),
            Body::Open | Body::Transfer { .. } | Body::Hold { .. } | Body::Claim { .. } => None,
        }
    }

    /// Reads an order and all that is signed inside it.
    ///
    /// # Errors
    /// When it cannot be read, or is signed by somebody else than its lane's device or account.
    pub fn read(scheme: &dyn Scheme, network: &NetworkId, order: &Verified<wire::Order>) -> Result<Self, Refusal> {
        let lane = LaneId::read(order.lane.as_ref())?;
        if order.signer() != lane.device.0 && order.signer() != lane.account.0 {
            return Err(Refusal::NotTheLanes);
        }
        let body = match order.body.as_ref().ok_or(Refusal::Malformed("it asks for nothing"))? {
            WireBody::Open(open) => {
                let opening =
                    Signed::<wire::LaneOpening>::from_bytes(open.opening.as_slice())?.verify(scheme, network)?;
                if opening.signer() != lane.account.0 || opening.device != lane.device.0 {
                    return Err(Refusal::NotTheLanes);
                }
                Body::Open
            }
            WireBody::Transfer(transfer) => Body::Transfer {
                payee: LaneId::read(transfer.payee.as_ref())?,
                amounts: Amounts::read(transfer.amounts.as_ref())?,
                own: match transfer.purpose() {
                    wire::Purpose::Unknown => return Err(Refusal::Malformed("a transfer for no known purpose")),
                    wire::Purpose::Own => true,
                    wire::Purpose::Gift | wire::Purpose::Tip => false,
                },
            },
            WireBody::Hold(hold) => Body::Hold {
                payee: LaneId::read(hold.payee.as_ref())?,
                ceiling: Amounts::read(hold.ceiling.as_ref())?,
                expires: Timestamp(hold.expires_ms),
            },
            WireBody::Settle(settle) => {
                let voucher =
                    Signed::<wire::Voucher>::from_bytes(settle.voucher.as_slice())?.verify(scheme, network)?;
                Body::Settle(Voucher::read(&voucher)?)
            }
            WireBody::Release(release) => Body::Release { hold: hash(&release.hold)? },
            WireBody::Claim(claim) => Body::Claim {
                rule: claim.rule(),
                day: claim.day,
                amount: match Credits::from_micro(claim.amount) {
                    None => return Err(Refusal::TooLarge),
                    Some(Credits::ZERO) => return Err(Refusal::Nothing),
                    Some(amount) => amount,
                },
            },
        };
        let (epoch, sequence, expires) = (order.epoch, order.sequence, Timestamp(order.expires_ms));
        Ok(Self { id: id(network, order.signed()), lane, epoch, sequence, expires, body })
    }
}

/// What an order is known by: the same for the same words of the same signer, whatever the bytes of
/// the signature, of which one signer can make many.
#[must_use]
pub fn id(network: &NetworkId, order: &Signed<wire::Order>) -> Hash {
    const SIGNATURE: std::ops::Range<usize> = 33..97;
    let bytes = order.as_bytes();
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"p2p-agent/order-id/1").update(&network.0);
    hasher.update(&bytes[..SIGNATURE.start]).update(&bytes[SIGNATURE.end..]);
    Hash(*hasher.finalize().as_bytes())
}

fn key(bytes: &[u8]) -> Result<[u8; 32], Refusal> {
    bytes.try_into().map_err(|_| Refusal::Malformed("a key that has not 32 bytes"))
}

pub(crate) fn hash(bytes: &[u8]) -> Result<Hash, Refusal> {
    bytes.try_into().map(Hash).map_err(|_| Refusal::Malformed("a hash that has not 32 bytes"))
}
