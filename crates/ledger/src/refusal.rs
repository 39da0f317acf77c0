//! Why an order is not carried out.

use p2p_types::{Credits, Hash, SignError, Timestamp};
use thiserror::Error;

use crate::LaneId;

/// A refused order changes nothing. The words say what happened and why; what to do about it is
/// said by whoever shows them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("the order cannot be read: {0}")]
    Malformed(&'static str),
    #[error(transparent)]
    Signature(#[from] SignError),
    #[error("the order is signed by neither the device nor the account of its lane")]
    NotTheLanes,
    #[error("there is no lane {0} yet")]
    UnknownLane(LaneId),
    #[error("the payee {0} has no lane yet")]
    UnknownPayee(LaneId),
    #[error("the order is for epoch {order}, it is epoch {current} now")]
    Epoch { order: u64, current: u64 },
    #[error("the order expired")]
    Expired,
    #[error("the order holds for longer than the {limit_ms} ms that one may")]
    TooLong { limit_ms: u64 },
    #[error("the lane is at order {expected}, this is {found}")]
    OutOfSequence { expected: u64, found: u64 },
    #[error("another order stands at this place of the lane: {first}")]
    Conflict { first: Hash },
    #[error("an amount of nothing")]
    Nothing,
    #[error("an amount of more than can exist")]
    TooLarge,
    #[error("{wanted} credits are wanted, {available} of that kind are there")]
    Overdrawn { wanted: Credits, available: Credits },
    #[error("only earned credits can be given away")]
    NotTransferable,
    #[error("payer and payee are of one owner")]
    ToItself,
    #[error("the owners of these two lanes are not the same")]
    NotOwn,
    #[error("the canary issuer's credits are for canaries only")]
    IssuersOnly,
    #[error("whoever founded the network is paid by nothing that the network mints")]
    Founders,
    #[error("this account has {0} lanes, as many as it may")]
    TooManyLanes(usize),
    #[error("{0} computers came to this network in this epoch, as many as it takes")]
    TooManyNewcomers(usize),
    #[error("a hold is for {least} credits at least, this is for {wanted}")]
    HoldTooSmall { wanted: Credits, least: Credits },
    #[error("this lane gave {0} orders in this epoch, as many as it may")]
    TooManyOrders(u64),
    #[error("more orders at once than one batch takes")]
    TooManyAtOnce,
    #[error("the notary's clock is {0} ms ahead of its last batch, and nobody confirmed it")]
    ClockLeap(u64),
    #[error("this lane has {0} holds open, as many as it may")]
    TooManyHolds(usize),
    #[error("there is no open hold {0}")]
    UnknownHold(Hash),
    #[error("the hold is between others")]
    NotYourHold,
    #[error("the hold ended at {0:?}")]
    HoldEnded(Timestamp),
    #[error("the payee may still settle the hold until {0:?}")]
    HoldNotEnded(Timestamp),
    #[error("the voucher is not signed by the device that made the hold")]
    VoucherOfAnother,
    #[error("the voucher is for {amount} credits, the hold for {ceiling}")]
    VoucherTooHigh { amount: Credits, ceiling: Credits },
    #[error("nothing can be claimed: {0}")]
    NothingToClaim(&'static str),
    #[error("the claim is for {claimed} credits, the rule gives {given}")]
    ClaimTooHigh { claimed: Credits, given: Credits },
}
