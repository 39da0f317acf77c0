//! Gifts, tips, and moving between one's own computers. Nothing burns: nobody worked.

use p2p_types::Timestamp;

use super::{Ledger, day};
use crate::amounts::Amounts;
use crate::order::{LaneId, Order};
use crate::{Movement, Refusal, Side};

impl Ledger {
    pub(super) fn transfer(
        &mut self,
        at: Timestamp,
        order: &Order,
        payee: LaneId,
        amounts: &Amounts,
        own: bool,
    ) -> Result<Vec<Movement>, Refusal> {
        if payee == order.lane {
            return Err(Refusal::ToItself);
        }
        if order.lane.account == self.parameters.issuer {
            return Err(Refusal::IssuersOnly);
        }
        if own && payee.account != order.lane.account {
            return Err(Refusal::NotOwn);
        }
        if !own && amounts.total() != amounts.earned {
            return Err(Refusal::NotTransferable);
        }
        if !self.lanes.contains_key(&payee) {
            return Err(Refusal::UnknownPayee(payee));
        }
        self.take(at, &order.lane, amounts)?;
        // Between one's own computers the marks stay what they are.
        self.put(at, &payee, amounts, day(at));
        let reason = if own { crate::Reason::Own } else { crate::Reason::Gift };
        Ok(vec![
            Movement { lane: order.lane, other: Some(payee), side: Side::Debit, amounts: *amounts, reason },
            Movement { lane: payee, other: Some(order.lane), side: Side::Credit, amounts: *amounts, reason },
        ])
    }
}
