//! The rows of a ledger: what an order did to whom.

use p2p_types::Hash;

use crate::amounts::Amounts;
use crate::order::LaneId;
use crate::wire::Rule;

/// One side of what an order did. Amounts are positive; the side says which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    pub lane: LaneId,
    /// The other party, where there is one.
    pub other: Option<LaneId>,
    pub side: Side,
    pub amounts: Amounts,
    pub reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Debit,
    Credit,
    /// Out of the network: burnt. Shown to the payer, out of whose payment it went; no purse moves.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Given or tipped.
    Gift,
    /// Between two computers of one owner.
    Own,
    /// Set aside for a session.
    Held,
    /// Of a hold, not used.
    Returned,
    /// Paid for work.
    Work,
    Burnt,
    Granted(Rule),
}

/// How a row is called for ever: the order's id, and its side.
#[must_use]
pub fn row_id(order: &Hash, side: Side) -> String {
    let side = match side {
        Side::Debit => "debit",
        Side::Credit => "credit",
        Side::Gone => "burnt",
    };
    format!("{order}/{side}")
}
