//! What the network gives an owner, claimed as soon as the rules allow it.

use std::collections::BTreeSet;

use p2p_ledger::wire::Rule;
use p2p_ledger::{Movement, Order, Parameters, Reason, Side};
use p2p_types::AccountId;

use super::purse::Want;

/// How often in a row a free tier is asked for again.
const REFUSALS: u32 = 3;
/// Days with verified work that are remembered for the ramp.
const DAYS: usize = 62;

#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// Whether work of this lane was ever verified.
    worked: bool,
    starter: bool,
    /// Days with verified work whose ramp was not claimed.
    days: BTreeSet<u32>,
    /// Days of the ramp that were claimed.
    ramp: u32,
    last_ramp: Option<u32>,
    free: Option<u32>,
    /// How often the notary would not give a free tier in a row.
    refusals: u32,
    budget: Option<u64>,
}

impl Claims {
    /// An order was carried out that touched the lane; `held_on` is the day of the hold that it ended.
    pub(crate) fn take(&mut self, order: &Order, movements: &[Movement], held_on: Option<u32>, issuer: AccountId) {
        for movement in movements.iter().filter(|movement| movement.side == Side::Credit) {
            match movement.reason {
                Reason::Work if movement.other.is_some_and(|other| other.account == issuer) => {
                    self.worked = true;
                    // Older days than one that was claimed are not given any more.
                    let day = held_on.filter(|day| self.last_ramp.is_none_or(|last| *day > last));
                    self.days.extend(day);
                    while self.days.len() > DAYS {
                        self.days.pop_first();
                    }
                }
                Reason::Granted(rule) => self.given(rule, order),
                _ => {}
            }
        }
    }

    fn given(&mut self, rule: Rule, order: &Order) {
        let p2p_ledger::Body::Claim { day, .. } = order.body else { return };
        match rule {
            Rule::Starter => self.starter = true,
            Rule::Ramp => {
                self.days.remove(&day);
                self.ramp += 1;
                self.last_ramp = self.last_ramp.max(Some(day));
            }
            Rule::Free => {
                self.free = self.free.max(Some(day));
                self.refusals = 0;
            }
            Rule::Budget => self.budget = self.budget.max(Some(order.epoch)),
            Rule::Unknown => {}
        }
    }

    /// The notary would not give it. Its day may begin a little later than this computer's: a free tier is
    /// asked for again, a few times.
    pub(crate) const fn refused(&mut self, rule: Rule) {
        if matches!(rule, Rule::Free) && self.refusals < REFUSALS {
            self.refusals += 1;
            self.free = None;
        }
    }

    /// What an owner may claim on a day. Each is asked for once; what the notary refuses was given before,
    /// perhaps to another computer of the same owner.
    pub(crate) fn of_owner(&mut self, today: u32, economy: &Parameters) -> Vec<Want> {
        let mut wants = Vec::new();
        if !self.worked {
            return wants;
        }
        let mut want = |rule, day, amount: p2p_types::Credits| {
            if !amount.is_zero() {
                wants.push(Want::Claim { rule, day, amount });
            }
        };
        if !std::mem::replace(&mut self.starter, true) {
            want(Rule::Starter, today, economy.starter);
        }
        for day in std::mem::take(&mut self.days) {
            if self.ramp < economy.ramp_days {
                want(Rule::Ramp, day, economy.ramp);
            }
        }
        if self.free.is_none_or(|last| last < today) {
            self.free = Some(today);
            want(Rule::Free, today, economy.free);
        }
        wants
    }

    /// The issuer's budget of an epoch.
    pub(crate) fn of_issuer(&mut self, today: u32, epoch: u64, economy: &Parameters) -> Option<Want> {
        if self.budget.is_some_and(|last| last >= epoch) || economy.canary_budget.is_zero() {
            return None;
        }
        self.budget = Some(epoch);
        Some(Want::Claim { rule: Rule::Budget, day: today, amount: economy.canary_budget })
    }
}

#[cfg(test)]
mod tests {
    use p2p_ledger::{Amounts, Body, LaneId};
    use p2p_types::{Credits, DeviceId, Hash, Timestamp};

    use super::*;

    const ISSUER: AccountId = AccountId([9; 32]);
    const LANE: LaneId = LaneId { account: AccountId([1; 32]), device: DeviceId([2; 32]) };

    fn order(body: Body) -> Order {
        Order { id: Hash([0; 32]), lane: LANE, epoch: 3, sequence: 0, expires: Timestamp(0), body }
    }

    fn row(other: Option<AccountId>, reason: Reason) -> Movement {
        let other = other.map(|account| LaneId { account, ..LANE });
        Movement { lane: LANE, other, side: Side::Credit, amounts: Amounts::earned(Credits::whole(1)), reason }
    }

    fn rules(wants: &[Want]) -> Vec<(Rule, u32)> {
        let rule = |want: &Want| match want {
            Want::Claim { rule, day, .. } => (*rule, *day),
            other => panic!("no claim: {other:?}"),
        };
        wants.iter().map(rule).collect()
    }

    #[test]
    fn verified_work_opens_what_the_network_gives_and_a_strangers_payment_does_not() {
        let economy = Parameters::new(AccountId([8; 32]), ISSUER);
        let mut claims = Claims::default();
        let settle = order(Body::Release { hold: Hash([0; 32]) });
        claims.take(&settle, &[row(Some(AccountId([7; 32])), Reason::Work)], Some(10), ISSUER);
        assert_eq!(claims.of_owner(10, &economy), []);
        claims.take(&settle, &[row(Some(ISSUER), Reason::Work)], Some(9), ISSUER);
        let all = [(Rule::Starter, 10), (Rule::Ramp, 9), (Rule::Free, 10)];
        assert_eq!(rules(&claims.of_owner(10, &economy)), all);
        assert_eq!(claims.of_owner(10, &economy), [], "once");
        assert_eq!(rules(&claims.of_owner(11, &economy)), [(Rule::Free, 11)]);
    }

    #[test]
    fn what_was_given_before_is_not_asked_for_again() {
        let economy = Parameters::new(AccountId([8; 32]), ISSUER);
        let mut claims = Claims::default();
        let settle = order(Body::Release { hold: Hash([0; 32]) });
        claims.take(&settle, &[row(Some(ISSUER), Reason::Work)], Some(9), ISSUER);
        for (rule, day) in [(Rule::Starter, 9), (Rule::Ramp, 9), (Rule::Free, 9)] {
            let claim = order(Body::Claim { rule, day, amount: Credits::whole(1) });
            claims.take(&claim, &[row(None, Reason::Granted(rule))], None, ISSUER);
        }
        assert_eq!(claims.of_owner(9, &economy), []);
        claims.take(&settle, &[row(Some(ISSUER), Reason::Work)], Some(9), ISSUER);
        assert_eq!(claims.of_owner(9, &economy), [], "that day's ramp was claimed");
        assert!(claims.of_issuer(9, 3, &economy).is_some() && claims.of_issuer(9, 3, &economy).is_none());
        assert!(claims.of_issuer(10, 4, &economy).is_some());
    }
}
