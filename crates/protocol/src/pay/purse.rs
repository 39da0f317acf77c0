//! One lane of this computer: what is in it, as certificates say, and the orders it gives, one at a
//! time. Nothing is signed before the notary said where the lane stands: a home that was restored
//! from an older copy learns what it did since, and signs nothing twice.

use std::collections::VecDeque;

use p2p_ledger::wire::{self as ledger, Rule, order::Body};
use p2p_ledger::{Amounts, Committee, LaneId, Movement, Order, Statement, certificate, id};
use p2p_types::{Credits, Hash, Monotonic, Now, Signed, Timestamp};

use super::bank::credits;
use crate::io::{Durable, Entry, Output};
use crate::post::Post;
use crate::wire::{self, envelope::Message, ledger_refusal::Why};

/// A question or an order without an answer is given up after this time, and asked again.
const PATIENCE_MS: u64 = 10_000;
/// After an order that did not fit, the notary is asked where the lane stands, but not at once.
const STALE_MS: u64 = 200;
/// How long an order may wait to be carried out.
const ORDER_LIFE_MS: u64 = 10 * 60 * 1000;
/// Orders that wait here.
const WANTED: usize = 1024;
/// The newest certificates that are at hand, for a notary whose log lost its end: that is one record.
pub(crate) const RECENT: usize = 64;

/// What is to be ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Want {
    Open,
    Hold { payee: LaneId, ceiling: Amounts, expires: Timestamp },
    Settle { hold: Hash, voucher: Vec<u8> },
    Release { hold: Hash },
    Claim { rule: Rule, day: u32, amount: Credits },
}

/// An order that is with the notary.
#[derive(Debug)]
struct Given {
    want: Want,
    order: Hash,
    until: Monotonic,
}

/// What became of the lane.
#[derive(Debug)]
pub(crate) enum News {
    /// An order was carried out, the lane's own or another's.
    Done { order: Order, at: Timestamp, movements: Vec<Movement>, certificate: Vec<u8> },
    /// An order of the lane will not be.
    Refused { want: Want, detail: String },
}

#[derive(Debug)]
pub(crate) struct Purse {
    lane: LaneId,
    /// The account's signed word that this device may spend.
    opening: Vec<u8>,
    /// `None` until what the disk has of it was read.
    statement: Option<Statement>,
    /// Orders that the notary has of the lane, as it said on this connection.
    total: Option<u64>,
    asked_until: Option<Monotonic>,
    /// To be asked once more, though nothing is known to be missing.
    doubts: bool,
    /// Before this time the notary is not asked.
    rest_until: Option<Monotonic>,
    epoch: u64,
    others: Credits,
    heard: Option<Timestamp>,
    wanted: VecDeque<Want>,
    given: Option<Given>,
    /// The newest certificates, the newest last.
    recent: VecDeque<Vec<u8>>,
    /// The first order that the notary says it does not have, though it certified it.
    lost: Option<u64>,
}

impl Purse {
    pub(crate) const fn new(lane: LaneId, opening: Vec<u8>) -> Self {
        Self {
            lane,
            opening,
            statement: None,
            total: None,
            asked_until: None,
            doubts: false,
            rest_until: None,
            epoch: 0,
            others: Credits::ZERO,
            heard: None,
            wanted: VecDeque::new(),
            given: None,
            recent: VecDeque::new(),
            lost: None,
        }
    }

    pub(crate) const fn lane(&self) -> LaneId {
        self.lane
    }

    pub(crate) const fn statement(&self) -> Option<&Statement> {
        self.statement.as_ref()
    }

    pub(crate) const fn others(&self) -> Credits {
        self.others
    }

    pub(crate) const fn heard(&self) -> Option<Timestamp> {
        self.heard
    }

    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What the disk has of the lane.
    pub(crate) fn restored(&mut self, statement: Statement) {
        if self.statement.is_none() {
            self.statement = Some(statement);
        }
    }

    /// What the notary said may not have been read, because one of two calendars was wrong for a while.
    pub(crate) const fn doubt(&mut self) {
        self.doubts = true;
    }

    /// The newest certificates that the disk has, in their order.
    pub(crate) fn recall(&mut self, certificates: Vec<Vec<u8>>) {
        if self.recent.is_empty() {
            self.recent = certificates.into();
        }
    }

    /// Whether everything that the notary has of the lane is here, as of this connection.
    pub(crate) fn is_current(&self) -> bool {
        self.total.is_some() && self.total == self.statement.as_ref().map(Statement::orders)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_current() && self.statement.as_ref().is_some_and(Statement::is_open)
    }

    pub(crate) fn spendable(&self, at: Timestamp) -> Amounts {
        self.statement.as_ref().map_or_else(Amounts::default, |statement| statement.spendable(at))
    }

    /// What waits to be ordered, or is with the notary.
    pub(crate) fn wants(&self) -> impl Iterator<Item = &Want> {
        self.given.iter().map(|given| &given.want).chain(&self.wanted)
    }

    /// Takes an order on the list, unless it stands there. False where there is no room. What settles a session is
    /// always taken, and comes first: there are few of them, and they are what was earned.
    pub(crate) fn want(&mut self, want: Want) -> bool {
        if self.wants().any(|other| *other == want) {
            return true;
        }
        match want {
            Want::Settle { .. } => self.wanted.push_front(want),
            _ if self.wanted.len() >= WANTED => return false,
            _ => self.wanted.push_back(want),
        }
        true
    }

    /// Takes an order that ends a hold on the list, in the place of an earlier one for the same.
    pub(crate) fn want_instead(&mut self, want: Want) -> bool {
        self.wanted.retain(|other| ended_by(other).is_none() || ended_by(other) != ended_by(&want));
        self.want(want)
    }

    /// A hold is used: an order to end it that waits is not given. False where one is with the notary already.
    pub(crate) fn withdraw_end(&mut self, hold: &Hash) -> bool {
        self.wanted.retain(|want| ended_by(want) != Some(hold));
        self.given.as_ref().is_none_or(|given| ended_by(&given.want) != Some(hold))
    }

    /// The notary cannot be reached any more. What it was given last may be carried out or not: its
    /// next statement tells.
    pub(crate) fn lost_notary(&mut self) {
        self.total = None;
        self.asked_until = None;
        self.take_back();
    }

    fn take_back(&mut self) {
        if let Some(given) = self.given.take() {
            self.want_again(given.want);
        }
    }

    /// A hold is not asked for again: it may be there by now, and whoever needs one asks anew, within what
    /// is left then.
    fn want_again(&mut self, want: Want) {
        let newer = |other: &Want| ended_by(other).is_some() && ended_by(other) == ended_by(&want);
        if !matches!(want, Want::Hold { .. }) && !self.wanted.iter().any(newer) {
            self.wanted.push_front(want);
        }
    }

    /// What to say to the notary now, while it can be reached.
    pub(crate) fn say(&mut self, now: Now, post: &Post) -> Option<Message> {
        let waits = |until: Option<Monotonic>| until.is_some_and(|until| until > now.mono);
        if waits(self.rest_until) {
            return None;
        }
        if self.given.as_ref().is_some_and(|given| given.until <= now.mono) {
            self.total = None;
            self.take_back();
        }
        let statement = self.statement.as_ref()?;
        if !self.is_current() || self.doubts {
            if waits(self.asked_until) {
                return None;
            }
            self.doubts = false;
            self.asked_until = Some(now.mono.plus_ms(PATIENCE_MS));
            let (account, device) = (self.lane.account.0.to_vec(), self.lane.device.0.to_vec());
            let from = statement.orders();
            return Some(Message::StatementRequest(wire::StatementRequest { account, device, from }));
        }
        if self.given.is_some() {
            return None;
        }
        // Before any other order: those that it lost come first.
        if let Some(from) = self.lost.take() {
            return Some(self.give_back(from));
        }
        let opens = !statement.is_open();
        let want = if opens { Want::Open } else { self.wanted.pop_front()? };
        let order = ledger::Order {
            lane: Some(self.lane.to_wire()),
            epoch: self.epoch,
            sequence: statement.next(),
            expires_ms: now.wall.plus_ms(ORDER_LIFE_MS).0,
            body: Some(self.body(&want)),
        };
        let signed = Signed::new(&*post.scheme, &post.network, &order);
        let (order, until) = (id(&post.network, &signed), now.mono.plus_ms(PATIENCE_MS));
        self.given = Some(Given { want, order, until });
        Some(Message::LedgerOrder(wire::LedgerOrder { order: signed.into_bytes() }))
    }

    /// Certificates for a notary that lost what it certified, as far as they are at hand.
    fn give_back(&self, from: u64) -> Message {
        let orders = self.statement.as_ref().map_or(0, Statement::orders);
        let first = orders.saturating_sub(self.recent.len() as u64);
        let skip = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        Message::Statement(wire::Statement {
            account: self.lane.account.0.to_vec(),
            device: self.lane.device.0.to_vec(),
            from: from.max(first),
            total: orders,
            certificates: self.recent.iter().skip(skip).cloned().collect(),
            ..wire::Statement::default()
        })
    }

    fn body(&self, want: &Want) -> Body {
        match want {
            Want::Open => Body::Open(ledger::Open { opening: self.opening.clone() }),
            Want::Hold { payee, ceiling, expires } => Body::Hold(ledger::Hold {
                payee: Some(payee.to_wire()),
                ceiling: Some(ceiling.to_wire()),
                expires_ms: expires.0,
            }),
            Want::Settle { voucher, .. } => Body::Settle(ledger::Settle { voucher: voucher.clone() }),
            Want::Release { hold } => Body::Release(ledger::Release { hold: hold.0.to_vec() }),
            Want::Claim { rule, day, amount } => {
                Body::Claim(ledger::Claim { rule: (*rule).into(), day: *day, amount: amount.micro() })
            }
        }
    }

    /// Takes what the notary says of the lane. Every certificate is checked, and they must follow each
    /// other without gaps.
    ///
    /// # Errors
    /// With what is wrong with it. What came before the fault was taken.
    pub(crate) fn told(
        &mut self,
        now: Now,
        said: wire::Statement,
        committee: &Committee,
        post: &mut Post,
    ) -> (Vec<News>, Result<(), &'static str>) {
        let mut news = Vec::new();
        let Some(statement) = &mut self.statement else { return (news, Ok(())) };
        if said.certificates.len() > super::bank::PAGE || said.from > u64::MAX / 2 {
            return (news, Err("a statement of more than there can be"));
        }
        self.epoch = said.epoch;
        self.others = credits(said.others);
        for (number, bytes) in (said.from..).zip(said.certificates) {
            match number.cmp(&statement.orders()) {
                std::cmp::Ordering::Less => continue,
                // Something between is missing: it is asked for below.
                std::cmp::Ordering::Greater => break,
                std::cmp::Ordering::Equal => {}
            }
            let Ok(certified) = certificate::decode(&bytes) else {
                return (news, Err("a certificate that cannot be read"));
            };
            let Ok(order) = certificate::verify(&*post.scheme, &post.network, committee, &certified) else {
                return (news, Err("a certificate that proves nothing"));
            };
            let at = certificate::voted_at(&certified).unwrap_or_default();
            let Ok(movements) = statement.take(at, &order) else {
                return (news, Err("a certificate that does not follow the one before"));
            };
            // One that was given before, and does the same, makes it void.
            if self.given.as_ref().is_some_and(|given| given.order == order.id || did(&given.want, &order)) {
                self.given = None;
            }
            self.wanted.retain(|want| !did(want, &order));
            let entry = Entry { lane: self.lane, number, at, order: order.clone(), movements: movements.clone() };
            post.persist(Durable::Entry { entry: Box::new(entry), certificate: bytes.clone() });
            self.recent.push_back(bytes.clone());
            if self.recent.len() > RECENT {
                self.recent.pop_front();
            }
            news.push(News::Done { order, at, movements, certificate: bytes });
        }
        let there = statement.orders();
        self.lost = Some(said.total).filter(|total| *total < there);
        // An answer that waited for the log may be older than what was told meanwhile.
        self.total = self.total.max(Some(said.total.max(there)));
        self.asked_until = None;
        self.heard = Some(now.wall);
        post.emit(Output::WalletChanged);
        (news, Ok(()))
    }

    /// An order of the lane was refused.
    pub(crate) fn refused(&mut self, now: Now, refusal: &wire::LedgerRefusal) -> Option<News> {
        let order = Hash::try_from(refusal.order.as_slice()).ok()?;
        let given = self.given.take_if(|given| given.order == order)?;
        match refusal.why() {
            Why::Stale => {
                self.total = None;
                // Two that do not agree must not ask each other at the speed of the network.
                self.rest_until = Some(now.mono.plus_ms(STALE_MS));
                self.want_again(given.want);
                None
            }
            Why::Later => {
                // A disk that failed may have it all the same: nothing new is wanted before it is asked.
                self.total = None;
                self.rest_until = Some(now.mono.plus_ms(PATIENCE_MS));
                self.want_again(given.want);
                None
            }
            Why::Unspecified | Why::Never | Why::Overdrawn => {
                Some(News::Refused { want: given.want, detail: refusal.detail.clone() })
            }
        }
    }

    /// When there may be something to say again.
    pub(crate) fn next_deadline(&self, now: Now, reachable: bool) -> Option<Monotonic> {
        if !reachable || self.statement.is_none() {
            return None;
        }
        let busy = !self.wanted.is_empty() || self.given.is_some() || !self.is_current();
        // Before the rest is over nothing is said, whatever else is due.
        if let Some(rest) = self.rest_until.filter(|rest| *rest > now.mono) {
            return busy.then_some(rest);
        }
        let given = self.given.as_ref().map(|given| given.until);
        self.asked_until.filter(|_| !self.is_current()).into_iter().chain(given).min()
    }
}

/// The hold that an order is to end.
const fn ended_by(want: &Want) -> Option<&Hash> {
    match want {
        Want::Settle { hold, .. } | Want::Release { hold } => Some(hold),
        Want::Open | Want::Hold { .. } | Want::Claim { .. } => None,
    }
}

/// Whether a certified order does what is wanted: it was given before a restart, or by an older copy.
fn did(want: &Want, order: &Order) -> bool {
    use p2p_ledger::Body as Did;
    match (want, &order.body) {
        (Want::Open, Did::Open) => true,
        (Want::Settle { hold, .. }, Did::Settle(voucher)) => *hold == voucher.hold,
        (Want::Settle { hold, .. } | Want::Release { hold }, Did::Release { hold: done }) => hold == done,
        (Want::Claim { rule, day, .. }, Did::Claim { rule: did, day: on, .. }) => rule == did && day == on,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use p2p_types::{AccountId, DeviceId};

    use super::*;

    /// Otherwise whoever makes a payee give back thousands of holds would keep it from what it earned.
    #[test]
    fn what_was_earned_is_ordered_first_however_much_else_waits() {
        let lane = LaneId { account: AccountId([1; 32]), device: DeviceId([2; 32]) };
        let mut purse = Purse::new(lane, Vec::new());
        let mut taken = 0;
        for number in 0..2000_u32 {
            let mut hold = [0; 32];
            hold[..4].copy_from_slice(&number.to_le_bytes());
            taken += usize::from(purse.want(Want::Release { hold: Hash(hold) }));
        }
        assert_eq!(taken, WANTED, "it says what it does not take");
        let settle = Want::Settle { hold: Hash([9; 32]), voucher: vec![1] };
        assert!(purse.want_instead(settle.clone()));
        assert_eq!(purse.wants().next(), Some(&settle));
    }
}
