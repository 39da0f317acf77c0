//! The state that orders change.
//!
//! [`Ledger::apply`] is the one mutation: it carries an order out whole or refuses it and changes
//! nothing. What it does depends on the order, the state and the time it is told, so a log of orders
//! and times replays to the same state. Every credit is in a purse or in a hold, and all of them
//! together are what was minted less what was burnt and what lapsed.

mod claims;
mod holds;
mod statement;
mod transfers;

use std::collections::HashMap;

use p2p_types::{AccountId, Credits, Hash, Timestamp};

use crate::amounts::Amounts;
use crate::lane::{Account, Lane};
use crate::order::{Body, LaneId, Order};
use crate::parameters::{
    CLOCK_SLACK_MS, DAY_MS, LANES_PER_ACCOUNT, LANES_PER_EPOCH, ORDER_LIFE_MS, ORDERS_PER_EPOCH, Parameters,
};
use crate::{Movement, Reason, Refusal, Side};

pub use statement::Statement;

/// All credits of one network, as one notary sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    pub(crate) parameters: Parameters,
    pub(crate) epoch: u64,
    pub(crate) lanes: HashMap<LaneId, Lane>,
    pub(crate) accounts: HashMap<AccountId, Account>,
    pub(crate) holds: HashMap<Hash, Hold>,
    pub(crate) supply: Supply,
    /// Lanes that were opened in an epoch.
    pub(crate) opened: (u64, usize),
}

/// Credits that one payer set aside for one payee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub payer: LaneId,
    pub payee: LaneId,
    pub ceiling: Amounts,
    /// The day of the free tier in [`Self::ceiling`].
    pub(crate) free_day: u32,
    pub expires: Timestamp,
}

/// How many credits there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Supply {
    pub minted: Credits,
    pub burnt: Credits,
    /// Free tiers that nobody spent in time.
    pub lapsed: Credits,
}

/// What became of an order that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It moved these credits.
    Now(Vec<Movement>),
    /// It was carried out before. Asking again changes nothing, for ever.
    Before,
}

impl Ledger {
    /// A network's first epoch: nobody has anything.
    #[must_use]
    pub fn new(parameters: Parameters) -> Self {
        Self {
            parameters,
            epoch: 0,
            lanes: HashMap::new(),
            accounts: HashMap::new(),
            holds: HashMap::new(),
            supply: Supply::default(),
            opened: (0, 0),
        }
    }

    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    #[must_use]
    pub const fn supply(&self) -> Supply {
        self.supply
    }

    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    #[must_use]
    pub fn lane(&self, lane: &LaneId) -> Option<&Lane> {
        self.lanes.get(lane)
    }

    /// What is in the other lanes of a lane's account.
    #[must_use]
    pub fn others_of(&self, lane: &LaneId) -> Credits {
        let devices = self.accounts.get(&lane.account).map(|account| account.devices.as_slice()).unwrap_or_default();
        let others = devices.iter().filter(|device| **device != lane.device);
        let others = others.filter_map(|device| self.lanes.get(&LaneId { account: lane.account, device: *device }));
        others.map(|lane| lane.purse.total()).sum()
    }

    #[must_use]
    pub fn hold(&self, id: &Hash) -> Option<&Hold> {
        self.holds.get(id)
    }

    /// Carries out an order at a time, or refuses it.
    ///
    /// # Errors
    /// With the reason; then nothing changed.
    pub fn apply(&mut self, at: Timestamp, order: &Order) -> Result<Applied, Refusal> {
        if let Some(applied) = self.place(order)? {
            return Ok(applied);
        }
        if order.epoch != self.epoch && order.epoch.checked_add(1) != Some(self.epoch) {
            return Err(Refusal::Epoch { order: order.epoch, current: self.epoch });
        }
        if order.expires <= at {
            return Err(Refusal::Expired);
        }
        if order.expires.since(at) > ORDER_LIFE_MS + CLOCK_SLACK_MS {
            return Err(Refusal::TooLong { limit_ms: ORDER_LIFE_MS });
        }
        let given = self.lanes.get(&order.lane).map_or(0, |lane| lane.given_in(self.epoch));
        if given >= ORDERS_PER_EPOCH && order.ends().is_none() {
            return Err(Refusal::TooManyOrders(given));
        }
        let movements = match &order.body {
            Body::Open => self.open(order)?,
            Body::Transfer { payee, amounts, own } => self.transfer(at, order, *payee, amounts, *own)?,
            Body::Hold { payee, ceiling, expires } => self.open_hold(at, order, *payee, ceiling, *expires)?,
            Body::Settle(voucher) => self.settle(at, order, voucher)?,
            Body::Release { hold } => self.release(at, order, *hold)?,
            Body::Claim { rule, day, amount } => self.claim(at, order, *rule, *day, *amount)?,
        };
        let epoch = self.epoch;
        self.purse(&order.lane).record(epoch, order.id, order.ends().is_none());
        Ok(Applied::Now(movements))
    }

    /// The lanes whose owners an order concerns: whoever gave it, whom it pays, and the other party of
    /// the hold it ends. To be asked before it is carried out.
    pub(crate) fn touched_by(&self, order: &Order) -> Vec<LaneId> {
        let hold = |id| self.holds.get(id).map(|hold| (hold.payer, hold.payee));
        let others = match &order.body {
            Body::Open | Body::Claim { .. } => None,
            Body::Transfer { payee, .. } | Body::Hold { payee, .. } => Some((*payee, *payee)),
            Body::Settle(voucher) => hold(&voucher.hold),
            Body::Release { hold: id } => hold(id),
        };
        let mut lanes = vec![order.lane];
        for lane in others.into_iter().flat_map(|(one, other)| [one, other]) {
            if !lanes.contains(&lane) {
                lanes.push(lane);
            }
        }
        lanes
    }

    /// Whether the order is the next of its lane. Gives what to answer when it was carried out before.
    fn place(&self, order: &Order) -> Result<Option<Applied>, Refusal> {
        let opens = matches!(order.body, Body::Open);
        let Some(lane) = self.lanes.get(&order.lane) else {
            return match (opens, order.sequence) {
                (true, 0) => Ok(None),
                (true, found) => Err(Refusal::OutOfSequence { expected: 0, found }),
                (false, _) => Err(Refusal::UnknownLane(order.lane)),
            };
        };
        let known = usize::try_from(order.sequence).ok().and_then(|place| lane.orders.get(place));
        match known {
            Some(first) if *first == order.id => Ok(Some(Applied::Before)),
            Some(first) => Err(Refusal::Conflict { first: *first }),
            None if opens => Err(Refusal::Malformed("the lane was opened before")),
            None if order.sequence == lane.next() => Ok(None),
            None => Err(Refusal::OutOfSequence { expected: lane.next(), found: order.sequence }),
        }
    }

    fn open(&mut self, order: &Order) -> Result<Vec<Movement>, Refusal> {
        let opened = if self.opened.0 == self.epoch { self.opened.1 } else { 0 };
        if opened >= LANES_PER_EPOCH {
            return Err(Refusal::TooManyNewcomers(opened));
        }
        let account = self.accounts.entry(order.lane.account).or_default();
        if account.lanes >= LANES_PER_ACCOUNT {
            return Err(Refusal::TooManyLanes(account.lanes));
        }
        account.lanes += 1;
        account.devices.push(order.lane.device);
        self.opened = (self.epoch, opened + 1);
        self.lanes.insert(order.lane, Lane::default());
        Ok(Vec::new())
    }

    /// Ends the epoch. What depends on totals is constant until the next one.
    pub(crate) fn begin_epoch(&mut self) {
        self.epoch += 1;
    }

    fn purse(&mut self, lane: &LaneId) -> &mut Lane {
        self.lanes.get_mut(lane).expect("looked up before anything changed")
    }

    /// Takes `amounts` out of a lane, all or nothing. Gives what lapsed there by the way.
    fn take(&mut self, at: Timestamp, lane: &LaneId, amounts: &Amounts) -> Result<Vec<Movement>, Refusal> {
        let day = day(at);
        let found = self.lanes.get(lane).ok_or(Refusal::UnknownLane(*lane))?;
        let there = found.spendable(day);
        let Some(left) = there.minus(amounts) else {
            let part = |wanted: Credits, available: Credits| (wanted > available).then_some((wanted, available));
            let short = part(amounts.earned, there.earned)
                .or_else(|| part(amounts.granted, there.granted))
                .or_else(|| part(amounts.free, there.free));
            let (wanted, available) = short.unwrap_or((amounts.total(), there.total()));
            return Err(Refusal::Overdrawn { wanted, available });
        };
        let lapsed = self.lapse(lane, day);
        self.purse(lane).purse = left;
        Ok(lapsed)
    }

    /// Puts into a lane, as it stands. Gives what lapsed there by the way.
    fn put(&mut self, at: Timestamp, lane: &LaneId, amounts: &Amounts, free_day: u32) -> Vec<Movement> {
        let today = day(at);
        let mut lapsed = self.lapse(lane, today);
        let purse = self.purse(lane);
        if !amounts.free.is_zero() {
            purse.free_day = free_day;
        }
        purse.purse = purse.purse.plus(amounts).expect("no more exists than was minted, which is bounded");
        // A free tier of another day lapses as it arrives. What was there and what came are one row: an order
        // has each of its rows once.
        for row in self.lapse(lane, today) {
            match lapsed.first_mut() {
                Some(first) => first.amounts = first.amounts.plus(&row.amounts).expect("no more than was minted"),
                None => lapsed.push(row),
            }
        }
        lapsed
    }

    /// Ends what is left of another day's free tier in a lane.
    fn lapse(&mut self, id: &LaneId, today: u32) -> Vec<Movement> {
        let lane = self.purse(id);
        if lane.free_day == today || lane.purse.free.is_zero() {
            return Vec::new();
        }
        let free = std::mem::take(&mut lane.purse.free);
        self.lapsed(free);
        let amounts = Amounts { free, ..Amounts::default() };
        vec![Movement { lane: *id, other: None, side: Side::Debit, amounts, reason: Reason::Lapsed }]
    }

    fn lapsed(&mut self, amount: Credits) {
        // No more lapses or burns than was minted; a statement of one lane knows nothing of that.
        self.supply.lapsed = self.supply.lapsed.plus(amount).unwrap_or(Credits::MAX);
    }

    fn burn(&mut self, amount: Credits) {
        self.supply.burnt = self.supply.burnt.plus(amount).unwrap_or(Credits::MAX);
    }

    /// All credits there are, added up: must be [`Supply::minted`] less what is gone.
    #[must_use]
    pub fn total(&self) -> Credits {
        let purses = self.lanes.values().map(|lane| lane.purse.total());
        let held = self.holds.values().map(|hold| hold.ceiling.total());
        purses.chain(held).sum()
    }

    /// Whether every credit is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        let gone = self.supply.burnt.plus(self.supply.lapsed);
        gone.and_then(|gone| gone.plus(self.total())) == Some(self.supply.minted)
    }
}

/// Days since the Unix epoch, by UTC.
#[must_use]
pub fn day(at: Timestamp) -> u32 {
    u32::try_from(at.0 / DAY_MS).unwrap_or(u32::MAX)
}
