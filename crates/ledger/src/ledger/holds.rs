//! Credits set aside for a session with one provider, and what becomes of them.
//!
//! A hold ends once: the payee settles it with the payer's latest voucher, or lets it go; or the payer
//! takes it back, when it ended and the payee had its time of grace. So no task waits for a notary,
//! and nobody waits for the other for ever.

use p2p_types::{Credits, Hash, Timestamp};

use super::{Hold, Ledger, day};
use crate::amounts::Amounts;
use crate::order::{LaneId, Order, Voucher};
use crate::parameters::{CLOCK_SLACK_MS, HOLD_LIFE_MS, HOLDS_PER_LANE, HOLDS_PER_PAYEE, LEAST_HOLD};
use crate::{Movement, Reason, Refusal, Side};

impl Ledger {
    pub(super) fn open_hold(
        &mut self,
        at: Timestamp,
        order: &Order,
        payee: LaneId,
        ceiling: &Amounts,
        expires: Timestamp,
    ) -> Result<Vec<Movement>, Refusal> {
        // Paying oneself for work would give a day's free tier a second life.
        if payee.account == order.lane.account {
            return Err(Refusal::ToItself);
        }
        if order.lane.account == self.parameters.issuer && payee.account == self.parameters.founder {
            return Err(Refusal::Founders);
        }
        if !self.lanes.contains_key(&payee) {
            return Err(Refusal::UnknownPayee(payee));
        }
        if ceiling.total() < LEAST_HOLD {
            return Err(Refusal::HoldTooSmall { wanted: ceiling.total(), least: LEAST_HOLD });
        }
        if expires <= at {
            return Err(Refusal::HoldEnded(expires));
        }
        if expires.since(at) > HOLD_LIFE_MS + CLOCK_SLACK_MS {
            return Err(Refusal::TooLong { limit_ms: HOLD_LIFE_MS });
        }
        let open = self.lanes.get(&order.lane).map_or(0, |lane| lane.holds);
        if open >= HOLDS_PER_LANE {
            return Err(Refusal::TooManyHolds(open));
        }
        let payer = order.lane.account;
        let for_payee = self.lanes.get(&payee).and_then(|lane| lane.payers.get(&payer)).copied().unwrap_or(0);
        if for_payee >= HOLDS_PER_PAYEE {
            return Err(Refusal::TooManyHolds(for_payee));
        }
        let mut movements = self.take(at, &order.lane, ceiling)?;
        self.purse(&order.lane).holds += 1;
        *self.purse(&payee).payers.entry(payer).or_default() += 1;
        let hold = Hold { payer: order.lane, payee, ceiling: *ceiling, free_day: day(at), expires };
        self.holds.insert(order.id, hold);
        let (lane, side) = (order.lane, Side::Debit);
        movements.push(Movement { lane, other: Some(payee), side, amounts: *ceiling, reason: Reason::Held });
        Ok(movements)
    }

    pub(super) fn settle(&mut self, at: Timestamp, order: &Order, voucher: &Voucher) -> Result<Vec<Movement>, Refusal> {
        let hold = self.holds.get(&voucher.hold).ok_or(Refusal::UnknownHold(voucher.hold))?;
        if hold.payee != order.lane {
            return Err(Refusal::NotYourHold);
        }
        if voucher.device != hold.payer.device {
            return Err(Refusal::VoucherOfAnother);
        }
        let end = self.end_of(hold);
        if at >= end {
            return Err(Refusal::HoldEnded(end));
        }
        let amount = voucher.amount;
        let ceiling = hold.ceiling.total();
        let parts = hold.ceiling.first(amount).ok_or(Refusal::VoucherTooHigh { amount, ceiling })?;
        let burn = amount.millionths(self.parameters.burn);
        let paid = parts.paid_after(burn).ok_or(Refusal::TooLarge)?;
        let (mut movements, hold) = self.end_hold(at, voucher.hold, &parts);
        self.burn(burn);
        movements.extend(self.put(at, &hold.payee, &paid, day(at)));
        if hold.payer.account == self.parameters.issuer && !amount.is_zero() {
            // The day the work was set out for: settling a day's canaries at two times makes no two days.
            self.accounts.entry(hold.payee.account).or_default().worked_on(hold.free_day);
        }
        let (lane, other) = (hold.payee, Some(hold.payer));
        if !amount.is_zero() {
            movements.push(Movement { lane, other, side: Side::Credit, amounts: paid, reason: Reason::Work });
        }
        if !burn.is_zero() {
            let marked = [parts.granted, parts.free, paid.granted].map(Credits::micro);
            let granted = Credits::from_micro(marked[0] + marked[1] - marked[2]).unwrap_or_default();
            let earned = burn.minus(granted).unwrap_or_default();
            let (amounts, side) = (Amounts { earned, granted, free: Credits::ZERO }, Side::Note);
            movements.push(Movement { lane: hold.payer, other: Some(lane), side, amounts, reason: Reason::Burnt });
        }
        Ok(movements)
    }

    pub(super) fn release(&mut self, at: Timestamp, order: &Order, id: Hash) -> Result<Vec<Movement>, Refusal> {
        let hold = self.holds.get(&id).ok_or(Refusal::UnknownHold(id))?;
        let end = self.end_of(hold);
        if order.lane == hold.payer && at < end {
            return Err(Refusal::HoldNotEnded(end));
        }
        if order.lane != hold.payer && order.lane != hold.payee {
            return Err(Refusal::NotYourHold);
        }
        Ok(self.end_hold(at, id, &Amounts::default()).0)
    }

    /// When the payee can settle no more, and the payer can take back.
    fn end_of(&self, hold: &Hold) -> Timestamp {
        hold.expires.plus_ms(self.parameters.grace_ms)
    }

    /// Closes a hold of which `used` goes elsewhere; the rest is the payer's again.
    fn end_hold(&mut self, at: Timestamp, id: Hash, used: &Amounts) -> (Vec<Movement>, Hold) {
        let hold = self.holds.remove(&id).expect("looked up before anything changed");
        let back = hold.ceiling.minus(used).expect("parts of its own ceiling");
        self.purse(&hold.payer).holds -= 1;
        let payers = &mut self.purse(&hold.payee).payers;
        let open = payers.get(&hold.payer.account).map_or(0, |open| open - 1);
        match open {
            0 => drop(payers.remove(&hold.payer.account)),
            open => drop(payers.insert(hold.payer.account, open)),
        }
        let mut movements = self.put(at, &hold.payer, &back, hold.free_day);
        if back.total() > Credits::ZERO {
            let (lane, other) = (hold.payer, Some(hold.payee));
            movements.push(Movement { lane, other, side: Side::Credit, amounts: back, reason: Reason::Returned });
        }
        (movements, hold)
    }
}
