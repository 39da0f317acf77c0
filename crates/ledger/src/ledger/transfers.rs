//! Gifts, tips, and moving between one's own computers. Nothing burns: nobody worked.

use p2p_types::Timestamp;

use super::{Ledger, day};
use crate::amounts::Amounts;
use crate::order::{LaneId, Order};
use crate::{Movement, Reason, Refusal, Side};

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
        let mut movements = self.take(at, &order.lane, amounts)?;
        let reason = if own { Reason::Own } else { Reason::Gift };
        let (lane, amounts) = (order.lane, *amounts);
        movements.push(Movement { lane, other: Some(payee), side: Side::Debit, amounts, reason });
        movements.push(Movement { lane: payee, other: Some(lane), side: Side::Credit, amounts, reason });
        // Between one's own computers the marks stay what they are.
        movements.extend(self.put(at, &payee, &amounts, day(at)));
        Ok(movements)
    }
}
