//! The rows of a ledger: what an order did to whom.

use p2p_types::Hash;

use crate::amounts::Amounts;
use crate::order::LaneId;
use crate::wire::Rule;

/// One row of what an order did. Amounts are positive. A lane's purse is the sum of its credits less
/// the sum of its debits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    pub lane: LaneId,
    /// The other party, where there is one.
    pub other: Option<LaneId>,
    pub side: Side,
    pub amounts: Amounts,
    pub reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Out of the lane's purse.
    Debit,
    /// Into it.
    Credit,
    /// Of a payment that left the purse before, for the record: no purse moves.
    Note,
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
    /// Out of the network, of a payment for work.
    Burnt,
    /// Of a free tier, not spent on its day.
    Lapsed,
    Granted(Rule),
}

impl Movement {
    /// How the row is called for ever: `<order>/debit` and `<order>/credit` for the two sides of what the
    /// order is about, and a name of its own for what it brings along.
    #[must_use]
    pub fn row_id(&self, order: &Hash) -> String {
        let name = match (self.reason, self.side) {
            (Reason::Returned, _) => "returned",
            (Reason::Burnt, _) => "burnt",
            // An order may end a free tier in the lanes of both parties.
            (Reason::Lapsed, _) => return format!("{order}/lapsed/{}", self.lane.device),
            (_, Side::Debit) => "debit",
            (_, Side::Credit | Side::Note) => "credit",
        };
        format!("{order}/{name}")
    }
}
