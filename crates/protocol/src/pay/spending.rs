//! What the owner spends, and how far the owner lets it go.

use std::collections::BTreeMap;

use p2p_ledger::{Body, Movement, Order, Reason, Side, day};
use p2p_types::{Credits, Hash, Timestamp};

/// Limits that the owner set on what this computer spends. What is set aside counts until it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Of one day, by UTC.
    pub daily: Option<Credits>,
    /// Of all time.
    pub total: Option<Credits>,
}

impl Limits {
    /// What may still be set aside now, with `ordered` on its way to be.
    pub(crate) fn left(&self, spending: &Spending, ordered: Credits, at: Timestamp) -> Credits {
        let left = |limit: Option<Credits>, spent: Credits| {
            let Some(limit) = limit else { return Credits::MAX };
            spent.plus(ordered).and_then(|spent| limit.minus(spent)).unwrap_or_default()
        };
        left(self.daily, spending.of_day(day(at))).min(left(self.total, spending.total))
    }
}

/// Days of which sums are kept.
const DAYS: usize = 3;

/// What a lane spent: all that it set aside, less what came back. It counts for the day it was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Spending {
    total: Credits,
    days: BTreeMap<u32, Credits>,
    /// The day on which each open hold was made, by this lane or for it.
    held_on: BTreeMap<Hash, u32>,
}

impl Spending {
    pub(crate) fn of_day(&self, day: u32) -> Credits {
        self.days.get(&day).copied().unwrap_or_default()
    }

    /// An order was carried out that moved these of the lane's credits. Gives the day of the hold that
    /// it ended.
    pub(crate) fn take(&mut self, at: Timestamp, order: &Order, movements: &[Movement]) -> Option<u32> {
        if let Body::Hold { .. } = order.body {
            self.held_on.insert(order.id, day(at));
        }
        let on = order.ends().and_then(|hold| self.held_on.remove(&hold));
        for movement in movements {
            let amount = movement.amounts.total();
            match (movement.reason, movement.side) {
                (Reason::Held | Reason::Gift, Side::Debit) => self.spent(day(at), amount),
                (Reason::Returned, Side::Credit) => {
                    self.total = self.total.minus(amount).unwrap_or_default();
                    if let Some(spent) = on.and_then(|on| self.days.get_mut(&on)) {
                        *spent = spent.minus(amount).unwrap_or_default();
                    }
                }
                _ => {}
            }
        }
        on
    }

    fn spent(&mut self, day: u32, amount: Credits) {
        let sum = self.days.entry(day).or_default();
        *sum = sum.plus(amount).unwrap_or(Credits::MAX);
        self.total = self.total.plus(amount).unwrap_or(Credits::MAX);
        while self.days.len() > DAYS {
            self.days.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use p2p_ledger::{Amounts, LaneId};
    use p2p_types::{AccountId, DeviceId};

    use super::*;

    const LANE: LaneId = LaneId { account: AccountId([1; 32]), device: DeviceId([2; 32]) };
    const MONDAY: Timestamp = Timestamp(20_000 * 24 * 3_600_000);

    fn order(id: u8, body: Body) -> Order {
        Order { id: Hash([id; 32]), lane: LANE, epoch: 0, sequence: 0, expires: MONDAY, body }
    }

    fn row(side: Side, credits: u32, reason: Reason) -> Movement {
        Movement { lane: LANE, other: None, side, amounts: Amounts::earned(Credits::whole(credits)), reason }
    }

    #[test]
    fn what_comes_back_is_not_spent_and_counts_for_the_day_it_was_set_aside() {
        let limits = Limits { daily: Some(Credits::whole(10)), total: Some(Credits::whole(14)) };
        let mut spending = Spending::default();
        let left = |spending: &Spending, at| limits.left(spending, Credits::ZERO, at);
        let ceiling = Amounts::earned(Credits::whole(8));
        let hold = order(1, Body::Hold { payee: LANE, ceiling, expires: MONDAY });
        spending.take(MONDAY, &hold, &[row(Side::Debit, 8, Reason::Held)]);
        assert_eq!(left(&spending, MONDAY), Credits::whole(2));
        assert_eq!(limits.left(&spending, Credits::whole(2), MONDAY), Credits::ZERO, "what is ordered counts");
        let tuesday = MONDAY.plus_ms(24 * 3_600_000);
        assert_eq!(left(&spending, tuesday), Credits::whole(6), "the total bounds a new day");
        let release = order(2, Body::Release { hold: Hash([1; 32]) });
        spending.take(tuesday, &release, &[row(Side::Credit, 5, Reason::Returned)]);
        assert_eq!(left(&spending, MONDAY), Credits::whole(7));
        assert_eq!(left(&spending, tuesday), Credits::whole(10));
        assert_eq!(Limits::default().left(&spending, Credits::ZERO, MONDAY), Credits::MAX);
    }
}
