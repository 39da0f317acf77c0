//! What the network gives, and under which rule. Each rule rests on work that the ledger itself saw
//! paid out of the canary issuer's holds, so a notary needs nobody's word.

use p2p_types::{Credits, Timestamp};

use super::{Ledger, day};
use crate::amounts::Amounts;
use crate::order::Order;
use crate::wire::Rule;
use crate::{Movement, Reason, Refusal, Side};

impl Ledger {
    pub(super) fn claim(
        &mut self,
        at: Timestamp,
        order: &Order,
        rule: Rule,
        claimed_day: u32,
        amount: Credits,
    ) -> Result<Vec<Movement>, Refusal> {
        let owner = order.lane.account;
        let today = day(at);
        if owner == self.parameters.founder {
            return Err(Refusal::Founders);
        }
        if (owner == self.parameters.issuer) != (rule == Rule::Budget) {
            return Err(Refusal::IssuersOnly);
        }
        let epoch = self.epoch;
        let parameters = &self.parameters;
        let account = self.accounts.get(&owner).cloned().unwrap_or_default();
        let unearned = "nothing of this owner's work was verified yet";
        let nothing = |why| Err(Refusal::NothingToClaim(why));
        let given = match rule {
            Rule::Unknown => return Err(Refusal::Malformed("a claim under no known rule")),
            Rule::Starter if account.starter => return nothing("the starter credits were claimed before"),
            Rule::Starter if !account.ever_worked => return nothing(unearned),
            Rule::Starter => parameters.starter,
            Rule::Ramp if account.ramp_days >= parameters.ramp_days => return nothing("all days were claimed before"),
            Rule::Ramp if !account.worked.contains(&claimed_day) => {
                return nothing("no work was verified on that day, or it was claimed before");
            }
            Rule::Ramp => parameters.ramp,
            Rule::Free if claimed_day != today => return nothing("the free tier is today's only"),
            Rule::Free if account.free_day.is_some_and(|last| last >= today) => {
                return nothing("today's free tier was claimed before");
            }
            Rule::Free if !account.ever_worked => return nothing(unearned),
            Rule::Free => parameters.free,
            Rule::Budget if account.budget_epoch.is_some_and(|last| last >= epoch) => {
                return nothing("this epoch's budget was claimed before");
            }
            Rule::Budget => parameters.canary_budget,
        };
        // Less may be asked for, so that an order signed before a change of parameters still holds.
        if amount > given {
            return Err(Refusal::ClaimTooHigh { claimed: amount, given });
        }
        let minted = self.supply.minted.plus(amount).ok_or(Refusal::TooLarge)?;

        let account = self.accounts.entry(owner).or_default();
        match rule {
            Rule::Unknown => {}
            Rule::Starter => account.starter = true,
            Rule::Ramp => {
                account.worked.remove(&claimed_day);
                account.ramp_days += 1;
                account.ramp_day = account.ramp_day.max(Some(claimed_day));
            }
            Rule::Free => account.free_day = Some(today),
            Rule::Budget => account.budget_epoch = Some(epoch),
        }
        self.supply.minted = minted;
        let amounts = match rule {
            Rule::Free => Amounts { free: amount, ..Amounts::default() },
            // What the issuer pays with is paid for work, and is as good as any.
            Rule::Budget => Amounts::earned(amount),
            Rule::Unknown | Rule::Starter | Rule::Ramp => Amounts::granted(amount),
        };
        let mut movements = self.put(at, &order.lane, &amounts, today);
        let (lane, reason) = (order.lane, Reason::Granted(rule));
        movements.push(Movement { lane, other: None, side: Side::Credit, amounts, reason });
        Ok(movements)
    }
}
