//! No credit comes from nowhere, goes twice, or stays set aside for ever; and whoever worked is paid.
//!
//! What the notary's log says is read here once more, lane by lane, with sums of its own.

use std::collections::{BTreeMap, BTreeSet};

use p2p_ledger::{Body, Committee, LaneId, Notary, Order, Parameters, Side, Statement, certificate};
use p2p_protocol::{Balance, Network};
use p2p_types::{Credits, DeviceId, Hash, NetworkId, Timestamp};

use super::Verdict;
use crate::scheme::KeyedHash;

/// What a hold came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Settled(Credits),
    /// By the payee, who had nothing to settle.
    Released,
    /// By the payer, after its time and the time of grace.
    TakenBack,
}

#[derive(Debug)]
struct Hold {
    payer: LaneId,
    payee: LaneId,
    ceiling: Credits,
    end: Option<End>,
}

/// What a payer signed under a hold, and how far it came.
#[derive(Debug, Default, Clone, Copy)]
struct Promise {
    signed: Credits,
    /// The payer's process when it signed.
    incarnation: u32,
    /// It is on the payee's disk.
    kept: Credits,
    /// Somebody does not keep promises, or a disk lost them: nobody can be held to it.
    void: bool,
}

#[derive(Debug)]
pub(crate) struct Books {
    network: NetworkId,
    scheme: KeyedHash,
    committee: Committee,
    economy: Parameters,
    lanes: BTreeMap<LaneId, Statement>,
    purses: BTreeMap<LaneId, i128>,
    orders: BTreeSet<Hash>,
    rows: BTreeSet<String>,
    holds: BTreeMap<Hash, Hold>,
    promises: BTreeMap<Hash, Promise>,
}

impl Books {
    pub(crate) fn new(network: &Network, scheme: KeyedHash) -> Self {
        Self {
            network: network.id,
            scheme,
            committee: Committee::new(network.committee.clone()),
            economy: network.economy.clone(),
            lanes: BTreeMap::new(),
            purses: BTreeMap::new(),
            orders: BTreeSet::new(),
            rows: BTreeSet::new(),
            holds: BTreeMap::new(),
            promises: BTreeMap::new(),
        }
    }

    /// Orders that were carried out, holds that were settled.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let settled = self.holds.values().filter(|hold| matches!(hold.end, Some(End::Settled(_))));
        (self.orders.len() as u64, settled.count() as u64)
    }

    /// A record is in the notary's log for ever.
    pub(crate) fn recorded(&mut self, record: &[u8]) -> Verdict {
        let wrong = |why: String| ("log", why);
        for (_, certified) in certificate::of_record(&self.network, record).map_err(|why| wrong(why.to_string()))? {
            let order = certificate::verify(&self.scheme, &self.network, &self.committee, &certified);
            let order = order.map_err(|why| wrong(why.to_string()))?;
            let at = certificate::voted_at(&certified).ok_or_else(|| wrong("nobody voted".to_owned()))?;
            self.carried_out(at, &order)?;
        }
        Ok(())
    }

    fn carried_out(&mut self, at: Timestamp, order: &Order) -> Verdict {
        if !self.orders.insert(order.id) {
            return Err(("twice", format!("order {} was carried out twice", order.id)));
        }
        for lane in self.touched(order)? {
            let economy = &self.economy;
            let statement = self.lanes.entry(lane).or_insert_with(|| Statement::new(lane, economy.clone()));
            let rows = statement.take(at, order);
            let rows = rows.map_err(|why| ("log", format!("order {} in {lane}: {why}", order.id)))?;
            for row in rows {
                if !self.rows.insert(row.row_id(&order.id)) {
                    return Err(("twice", format!("row {} stands there twice", row.row_id(&order.id))));
                }
                let amount = i128::from(row.amounts.total().micro());
                let purse = self.purses.entry(lane).or_default();
                *purse += match row.side {
                    Side::Credit => amount,
                    Side::Debit => -amount,
                    Side::Note => 0,
                };
                if *purse < 0 {
                    return Err(("overdrawn", format!("{lane} has {purse} after order {}", order.id)));
                }
            }
        }
        Ok(())
    }

    /// The lanes that an order concerns. Keeps the holds by the way.
    fn touched(&mut self, order: &Order) -> Result<BTreeSet<LaneId>, (&'static str, String)> {
        let mut touched = BTreeSet::from([order.lane]);
        match &order.body {
            Body::Open | Body::Claim { .. } => {}
            Body::Transfer { payee, .. } => {
                touched.insert(*payee);
            }
            Body::Hold { payee, ceiling, .. } => {
                touched.insert(*payee);
                let hold = Hold { payer: order.lane, payee: *payee, ceiling: ceiling.total(), end: None };
                self.holds.insert(order.id, hold);
            }
            Body::Settle(_) | Body::Release { .. } => {
                let id = order.ends().unwrap_or(Hash([0; 32]));
                let Some(hold) = self.holds.get_mut(&id) else {
                    return Err(("twice", format!("order {} ends hold {id}, which never was", order.id)));
                };
                let end = match &order.body {
                    Body::Settle(voucher) => End::Settled(voucher.amount),
                    _ if order.lane == hold.payer => End::TakenBack,
                    _ => End::Released,
                };
                if let Some(before) = hold.end.replace(end) {
                    return Err(("twice", format!("hold {id} ended twice: {before:?}, then {end:?}")));
                }
                if matches!(end, End::Settled(amount) if amount > hold.ceiling) {
                    return Err(("overdrawn", format!("hold {id} of {} was settled as {end:?}", hold.ceiling)));
                }
                touched.extend([hold.payer, hold.payee]);
            }
        }
        Ok(touched)
    }

    /// What an owner sees is what the log says of that lane, as far as they heard of it; and they
    /// never hear of what is not in it.
    pub(crate) fn seen(&self, balance: &Balance, at: Timestamp, limit: Option<Credits>) -> Verdict {
        let lane = balance.lane;
        if let Some(limit) = limit.filter(|limit| balance.spent_today > *limit) {
            return Err(("limits", format!("{lane} spent {} today, {limit} are allowed", balance.spent_today)));
        }
        let known = self.lanes.get(&lane).map_or(0, Statement::orders);
        if balance.orders > known {
            return Err(("durable", format!("{lane} knows {} orders, the log {known}", balance.orders)));
        }
        let Some(truth) = self.lanes.get(&lane).filter(|truth| truth.orders() == balance.orders) else { return Ok(()) };
        let (there, held) = (truth.spendable(at), truth.held());
        let seen = (balance.earned, balance.granted, balance.free, balance.held);
        if seen != (there.earned, there.granted, there.free, held) {
            return Err(("statements", format!("{lane} shows {seen:?}, the log {there:?} and {held} held")));
        }
        Ok(())
    }

    /// The notary's own view of every lane is the one that its certificates give, whatever order they came in.
    pub(crate) fn agree(&self, notary: &Notary, at: Timestamp) -> Verdict {
        if !notary.ledger().balances() {
            return Err(("balance", "credits came or went".to_owned()));
        }
        for (lane, truth) in &self.lanes {
            let there = notary.ledger().lane(lane);
            let same = there.is_some_and(|there| {
                there.spendable(p2p_ledger::day(at)) == truth.spendable(at) && there.next() == truth.next()
            });
            if !same || notary.places(lane).len() as u64 != truth.orders() {
                return Err(("statements", format!("the notary has {there:?} of {lane}, its log {truth:?}")));
            }
        }
        match self.holds.iter().find(|(id, hold)| hold.end.is_none() != notary.ledger().hold(id).is_some()) {
            Some((id, hold)) => Err(("log", format!("hold {id} is {:?} in the log and not at the notary", hold.end))),
            None => Ok(()),
        }
    }

    /// A payer's voucher leaves its computer.
    pub(crate) fn promised(&mut self, hold: Hash, amount: Credits, incarnation: u32) {
        let promise = self.promises.entry(hold).or_default();
        if amount >= promise.signed {
            (promise.signed, promise.incarnation) = (amount, incarnation);
        }
    }

    /// A voucher is on its payee's disk.
    pub(crate) fn kept(&mut self, hold: Hash, amount: Credits) {
        let promise = self.promises.entry(hold).or_default();
        promise.kept = promise.kept.max(amount);
    }

    /// A computer forgot what it had: nobody can say what it was promised since.
    pub(crate) fn forgot(&mut self, payee: DeviceId) {
        for (id, hold) in self.holds.iter().filter(|(_, hold)| hold.payee.device == payee && hold.end.is_none()) {
            let _ = hold;
            self.promises.entry(*id).or_default().void = true;
        }
    }

    /// A payer does not pay.
    pub(crate) fn withheld(&mut self, hold: Hash) {
        self.promises.entry(hold).or_default().void = true;
    }

    /// Holds that nobody ended, of those whose payer can be heard.
    pub(crate) fn all_ended(&self, mute: impl Fn(&DeviceId) -> bool) -> Verdict {
        match self.holds.iter().find(|(_, hold)| hold.end.is_none() && !mute(&hold.payer.device)) {
            Some((id, hold)) => {
                Err(("holds", format!("hold {id} of {} by {} for {} never ended", hold.ceiling, hold.payer, hold.payee)))
            }
            None => Ok(()),
        }
    }

    /// Whoever worked was paid: what is on a payee's disk, and all that a payer signed who has run since. What
    /// ran out is lost, as everybody knew before.
    pub(crate) fn all_paid(&self, incarnation: impl Fn(&DeviceId) -> u32) -> Verdict {
        for (id, promise) in self.promises.iter().filter(|(_, promise)| !promise.void) {
            let Some(hold) = self.holds.get(id) else { continue };
            let paid = match hold.end {
                Some(End::Settled(amount)) => amount,
                Some(End::Released) | None => Credits::ZERO,
                Some(End::TakenBack) => continue,
            };
            let runs = incarnation(&hold.payer.device) == promise.incarnation;
            let due = if runs { promise.signed.max(promise.kept) } else { promise.kept };
            if paid < due {
                let detail = format!("{promise:?} under hold {id} of {} for {}: {:?}", hold.payer, hold.payee, hold.end);
                return Err(("unpaid", detail));
            }
        }
        Ok(())
    }
}
