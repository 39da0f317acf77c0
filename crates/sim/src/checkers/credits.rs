//! No credit comes from nowhere, goes twice, or stays set aside for ever; and whoever worked is paid.
//!
//! What the notary's log says is read here once more, lane by lane, with sums of its own.

use std::collections::{BTreeMap, BTreeSet};

use p2p_ledger::{Body, Committee, LaneId, Notary, Order, Parameters, Side, Statement, certificate};
use p2p_protocol::{Balance, Network};
use p2p_types::{Credits, DeviceId, Hash, NetworkId, TaskId, Timestamp};

use super::Verdict;
use crate::scheme::KeyedHash;

/// So long before the end of a hold it is settled, whatever is under way.
const MARGIN_MS: u64 = 10 * 60 * 1000;

/// What a hold came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Settled(Credits),
    /// By the payee, who had nothing to settle.
    Released,
    /// Its time was over, or nearly: whoever has something settles what they have.
    RanOut,
}

#[derive(Debug)]
struct Hold {
    payer: LaneId,
    payee: LaneId,
    ceiling: Credits,
    expires: Timestamp,
    end: Option<End>,
}

/// What a payer signed under a hold, and how far it came.
#[derive(Debug, Default, Clone, Copy)]
struct Promise {
    signed: Credits,
    /// What canaries under it cost that were answered right.
    answered: Credits,
    /// The processes of payer and payee when it was signed.
    incarnations: (u32, u32),
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
    settled: u64,
    promises: BTreeMap<Hash, Promise>,
    /// Canaries that are with somebody: under which hold, and for how much.
    asked: BTreeMap<TaskId, (Hash, Credits)>,
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
            settled: 0,
            promises: BTreeMap::new(),
            asked: BTreeMap::new(),
        }
    }

    /// Orders that were carried out, holds that were settled.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.orders.len() as u64, self.settled)
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
        for lane in self.touched(at, order)? {
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
            }
            if let Some(purse) = self.purses.get(&lane).filter(|purse| **purse < 0) {
                return Err(("overdrawn", format!("{lane} has {purse} after order {}", order.id)));
            }
        }
        Ok(())
    }

    /// The lanes that an order concerns. Keeps the holds by the way.
    fn touched(&mut self, at: Timestamp, order: &Order) -> Result<BTreeSet<LaneId>, (&'static str, String)> {
        let mut touched = BTreeSet::from([order.lane]);
        match &order.body {
            Body::Open | Body::Claim { .. } => {}
            Body::Transfer { payee, .. } => {
                touched.insert(*payee);
            }
            Body::Hold { payee, ceiling, expires } => {
                touched.insert(*payee);
                let hold =
                    Hold { payer: order.lane, payee: *payee, ceiling: ceiling.total(), expires: *expires, end: None };
                self.holds.insert(order.id, hold);
            }
            Body::Settle(_) | Body::Release { .. } => {
                let id = order.ends().unwrap_or(Hash([0; 32]));
                let Some(hold) = self.holds.get_mut(&id) else {
                    return Err(("twice", format!("order {} ends hold {id}, which never was", order.id)));
                };
                match &order.body {
                    Body::Settle(voucher) if voucher.amount > hold.ceiling => {
                        return Err((
                            "overdrawn",
                            format!("hold {id} of {} was settled at {}", hold.ceiling, voucher.amount),
                        ));
                    }
                    _ if order.lane == hold.payer && at < hold.expires.plus_ms(self.economy.grace_ms) => {
                        return Err(("holds", format!("hold {id} was taken back before its time")));
                    }
                    Body::Settle(_) => self.settled += 1,
                    _ => {}
                }
                let end = match &order.body {
                    _ if at.plus_ms(MARGIN_MS) >= hold.expires => End::RanOut,
                    Body::Settle(voucher) => End::Settled(voucher.amount),
                    _ => End::Released,
                };
                if let Some(before) = hold.end.replace(end) {
                    return Err(("twice", format!("hold {id} ended twice: {before:?}, then {end:?}")));
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

    /// A part is given to somebody under a hold.
    pub(crate) fn asked(&mut self, task: TaskId, hold: Hash, price: Credits) {
        self.asked.insert(task, (hold, price));
    }

    /// A canary was answered right: its price is due as long as its payer runs.
    pub(crate) fn answered(&mut self, task: TaskId, incarnations: (u32, u32)) {
        let Some((hold, price)) = self.asked.remove(&task) else { return };
        let promise = self.promises.entry(hold).or_default();
        promise.answered = promise.answered.plus(price).unwrap_or(Credits::MAX);
        promise.incarnations = incarnations;
    }

    /// A payer's voucher leaves its computer.
    pub(crate) fn promised(&mut self, hold: Hash, amount: Credits, incarnations: (u32, u32)) {
        let promise = self.promises.entry(hold).or_default();
        if amount > promise.signed {
            (promise.signed, promise.incarnations) = (amount, incarnations);
        }
    }

    /// A voucher is on its payee's disk.
    pub(crate) fn kept(&mut self, hold: Hash, amount: Credits) {
        let promise = self.promises.entry(hold).or_default();
        promise.kept = promise.kept.max(amount);
    }

    /// A computer forgot what it had, or what time it is: it cannot be held to what it is promised.
    pub(crate) fn forgot(&mut self, payee: DeviceId) {
        let open = |hold: &&Hold| hold.payee.device == payee && hold.end.is_none();
        for (id, _) in self.holds.iter().filter(|(_, hold)| open(hold)) {
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
            Some((id, hold)) => Err((
                "holds",
                format!("hold {id} of {} by {} for {} never ended", hold.ceiling, hold.payer, hold.payee),
            )),
            None => Ok(()),
        }
    }

    /// Whoever worked was paid: what is on a payee's disk, and all that was signed where both have run since.
    /// What ran out is lost, as everybody knew before.
    pub(crate) fn all_paid(&self, incarnation: impl Fn(&DeviceId) -> u32) -> Verdict {
        for (id, promise) in self.promises.iter().filter(|(_, promise)| !promise.void) {
            let Some(hold) = self.holds.get(id) else { continue };
            let paid = match hold.end {
                Some(End::Settled(amount)) => amount,
                Some(End::Released) | None => Credits::ZERO,
                Some(End::RanOut) => continue,
            };
            // What was on its way to a process that ended is lost where the payer does not come in time.
            let runs = (incarnation(&hold.payer.device), incarnation(&hold.payee.device)) == promise.incarnations;
            let due = if runs { promise.signed.max(promise.answered).max(promise.kept) } else { promise.kept };
            if paid < due {
                let detail =
                    format!("{promise:?} under hold {id} of {} for {}: {:?}", hold.payer, hold.payee, hold.end);
                return Err(("unpaid", detail));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use p2p_ledger::wire as ledger;
    use p2p_types::Signed;

    use super::*;
    use crate::money::{Economy, House, NOTARY, computers};
    use crate::scenario::START_MS;

    /// The books of a world, and a record in which its first lane is opened.
    fn opened() -> (Books, Notary, Vec<u8>, LaneId) {
        let economy = Economy::calm();
        let computers = computers(1, &economy, 3);
        let first = &computers[NOTARY];
        let house = House::found(1, &economy, &first.account, first.device, 3);
        let network = &house.network;
        let lane = LaneId { account: first.account_id(), device: first.device };
        let opening = house.money(NOTARY, first.device, &first.account).opening;
        let order = ledger::Order {
            lane: Some(lane.to_wire()),
            epoch: 0,
            sequence: 0,
            expires_ms: START_MS + 1000,
            body: Some(ledger::order::Body::Open(ledger::Open { opening })),
        };
        let order = Signed::new(first.scheme(), &network.id, &order);
        let mut notary = Notary::new(network.id, network.economy.clone());
        let judged = notary.judge(first.scheme(), Timestamp(START_MS), vec![order]);
        (Books::new(network, first.scheme().clone()), notary, judged.record.expect("it was carried out"), lane)
    }

    fn checker(verdict: Verdict) -> &'static str {
        verdict.expect_err("it is wrong").0
    }

    #[test]
    fn what_is_recorded_twice_or_not_at_all_is_found() {
        let (mut books, notary, record, lane) = opened();
        let amounts = Credits::ZERO;
        let mut balance = Balance {
            lane,
            earned: amounts,
            granted: amounts,
            free: amounts,
            held: amounts,
            others: amounts,
            spent_today: amounts,
            orders: 1,
            current: true,
            heard: None,
        };
        let at = Timestamp(START_MS);
        assert_eq!(checker(books.seen(&balance, at, None)), "durable");
        books.recorded(&record).expect("it follows");
        books.seen(&balance, at, None).expect("it is so");
        books.agree(&notary, at).expect("it is so");
        balance.earned = Credits::whole(1);
        assert_eq!(checker(books.seen(&balance, at, None)), "statements");
        balance.spent_today = Credits::whole(2);
        assert_eq!(checker(books.seen(&balance, at, Some(Credits::whole(1)))), "limits");
        assert_eq!(checker(books.recorded(&record)), "twice");
    }

    #[test]
    fn a_lane_that_the_notary_does_not_know_is_found() {
        let (mut books, _, record, _) = opened();
        books.recorded(&record).expect("it follows");
        let nothing = Notary::new(books.network, books.economy.clone());
        assert_eq!(checker(books.agree(&nothing, Timestamp(START_MS))), "statements");
    }

    #[test]
    fn a_hold_that_never_ends_and_a_voucher_that_is_not_settled_are_found() {
        let (mut books, _, _, payer) = opened();
        let id = Hash([1; 32]);
        let payee = LaneId { device: DeviceId([2; 32]), ..payer };
        let ceiling = Credits::whole(10);
        books.holds.insert(id, Hold { payer, payee, ceiling, expires: Timestamp(START_MS), end: None });
        books.promised(id, Credits::whole(4), (1, 1));
        assert_eq!(checker(books.all_ended(|_| false)), "holds");
        books.all_ended(|device| *device == payer.device).expect("its payer cannot be heard");
        let mut ends = |end, running| {
            books.holds.get_mut(&id).expect("it is there").end = Some(end);
            books.all_paid(|_| running)
        };
        assert_eq!(checker(ends(End::Released, 1)), "unpaid");
        assert_eq!(checker(ends(End::Settled(Credits::whole(3)), 1)), "unpaid");
        ends(End::Settled(Credits::whole(4)), 1).expect("it is paid");
        ends(End::RanOut, 1).expect("nobody can help it");
        ends(End::Released, 2).expect("a process ended, and with it what was on its way");
        books.kept(id, Credits::whole(4));
        assert_eq!(checker(books.all_paid(|_| 2)), "unpaid", "what is on disk survives");
    }
}
