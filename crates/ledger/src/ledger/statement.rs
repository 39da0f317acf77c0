//! One lane, as its certificates tell it: what an owner recomputes the balance from, and shows.
//!
//! An order says what it does, together with the orders it names and the time of the vote; so a lane's
//! own orders, and those of others that paid it, are enough. What others could afford was the
//! notaries' to judge, and their certificate says that they did.

use std::collections::HashMap;

use p2p_types::{Credits, Hash, Timestamp};

use super::{Hold, Ledger, day};
use crate::amounts::Amounts;
use crate::lane::Lane;
use crate::order::{Body, LaneId, Order};
use crate::wire::Rule;
use crate::{Movement, Parameters, Reason, Refusal, Side};

/// What a lane has, and how it came to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    lane: LaneId,
    /// Holds nothing but this lane's affairs.
    ledger: Ledger,
    orders: u64,
    /// Holds that ended before their time, until it is over.
    ended: HashMap<Hash, Timestamp>,
}

impl Statement {
    #[must_use]
    pub fn new(lane: LaneId, parameters: Parameters) -> Self {
        Self { lane, ledger: Ledger::new(parameters), orders: 0, ended: HashMap::new() }
    }

    #[must_use]
    pub const fn lane(&self) -> LaneId {
        self.lane
    }

    /// Whether the notaries know the lane.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.ledger.lanes.get(&self.lane).is_some_and(|lane| lane.next() > 0)
    }

    /// The sequence of the lane's next order.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.ledger.lanes.get(&self.lane).map_or(0, Lane::next)
    }

    /// Orders taken so far, of the lane and of others that touched it.
    #[must_use]
    pub const fn orders(&self) -> u64 {
        self.orders
    }

    /// What can be spent at a time.
    #[must_use]
    pub fn spendable(&self, at: Timestamp) -> Amounts {
        self.ledger.lanes.get(&self.lane).map_or_else(Amounts::default, |lane| lane.spendable(day(at)))
    }

    /// Everything in the lane, a free tier that lapsed and was not touched since included.
    #[must_use]
    pub fn purse(&self) -> Amounts {
        self.ledger.lanes.get(&self.lane).map_or_else(Amounts::default, Lane::purse)
    }

    /// Open holds of this lane: what it set aside, and what was set aside for it.
    pub fn holds(&self) -> impl Iterator<Item = (&Hash, &Hold)> {
        self.ledger.holds.iter()
    }

    /// An open hold of this lane, or for it.
    #[must_use]
    pub fn hold(&self, id: &Hash) -> Option<&Hold> {
        self.ledger.hold(id)
    }

    /// What is set aside for others.
    #[must_use]
    pub fn held(&self) -> Credits {
        self.holds().filter(|(_, hold)| hold.payer == self.lane).map(|(_, hold)| hold.ceiling.total()).sum()
    }

    /// Whether a hold, whose own time is not over yet, came to its end.
    #[must_use]
    pub fn has_ended(&self, hold: &Hash) -> bool {
        self.ended.contains_key(hold)
    }

    /// Takes the next certified order that touches the lane, as of the time of its vote, and gives the
    /// lane's rows.
    ///
    /// # Errors
    /// When it does not follow from what was taken before: then something is missing, or wrong. Nothing
    /// changed.
    pub fn take(&mut self, at: Timestamp, order: &Order) -> Result<Vec<Movement>, Refusal> {
        let own = order.lane == self.lane;
        if own && order.sequence != self.next() {
            return Err(Refusal::OutOfSequence { expected: self.next(), found: order.sequence });
        }
        // A notary that certifies more than can exist is not believed.
        let most = self.most(order);
        let lanes = [self.lane, order.lane].into_iter().chain(most.1);
        for lane in lanes.filter_map(|lane| self.ledger.lanes.get(&lane)) {
            lane.purse.total().plus(most.0).ok_or(Refusal::TooLarge)?;
        }
        let ends = order.ends().and_then(|hold| Some((hold, self.ledger.hold(&hold)?.expires)));
        let mut movements = self.carry_out(at, order)?;
        if let Some((hold, expires)) = ends {
            self.ended.retain(|_, expires| *expires > at);
            self.ended.insert(hold, expires);
        }
        if own {
            self.ledger.lanes.entry(self.lane).or_default().record(order.epoch, order.id, false);
        }
        self.orders += 1;
        movements.retain(|movement| movement.lane == self.lane);
        Ok(movements)
    }

    /// The most that an order can put into a purse, and the payer of the hold that it ends.
    fn most(&self, order: &Order) -> (Credits, Option<LaneId>) {
        let of_hold = |id| {
            let hold = self.ledger.hold(id);
            (hold.map(|hold| hold.ceiling.total()).unwrap_or_default(), hold.map(|hold| hold.payer))
        };
        match &order.body {
            Body::Open => (Credits::ZERO, None),
            Body::Transfer { amounts, .. } => (amounts.total(), None),
            Body::Hold { ceiling, .. } => (ceiling.total(), None),
            Body::Settle(voucher) => of_hold(&voucher.hold),
            Body::Release { hold } => of_hold(hold),
            Body::Claim { amount, .. } => (*amount, None),
        }
    }

    fn carry_out(&mut self, at: Timestamp, order: &Order) -> Result<Vec<Movement>, Refusal> {
        let ledger = &mut self.ledger;
        ledger.lanes.entry(order.lane).or_default();
        match &order.body {
            Body::Open => Ok(Vec::new()),
            Body::Transfer { payee, amounts, own } => {
                ledger.provide(self.lane, order.lane, amounts, at);
                ledger.lanes.entry(*payee).or_default();
                ledger.transfer(at, order, *payee, amounts, *own)
            }
            Body::Hold { payee, ceiling, expires } => {
                ledger.provide(self.lane, order.lane, ceiling, at);
                ledger.lanes.entry(*payee).or_default();
                ledger.open_hold(at, order, *payee, ceiling, *expires)
            }
            Body::Settle(voucher) => ledger.settle(at, order, voucher),
            Body::Release { hold } => ledger.release(at, order, *hold),
            Body::Claim { rule, amount, .. } => {
                let amounts = match rule {
                    Rule::Unknown => return Err(Refusal::Malformed("a claim under no known rule")),
                    Rule::Free => Amounts { free: *amount, ..Amounts::default() },
                    Rule::Budget => Amounts::earned(*amount),
                    Rule::Starter | Rule::Ramp => Amounts::granted(*amount),
                };
                let mut movements = ledger.put(at, &order.lane, &amounts, day(at));
                let (lane, reason) = (order.lane, Reason::Granted(*rule));
                movements.push(Movement { lane, other: None, side: Side::Credit, amounts, reason });
                Ok(movements)
            }
        }
    }
}

impl Ledger {
    /// Others' purses are not known here: whoever pays has what they pay.
    fn provide(&mut self, own: LaneId, payer: LaneId, amounts: &Amounts, at: Timestamp) {
        if payer != own {
            let lane = self.lanes.entry(payer).or_default();
            (lane.purse, lane.free_day) = (*amounts, day(at));
        }
    }
}
