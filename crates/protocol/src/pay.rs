//! Credits, as far as nodes talk of them: the notary's side, this computer's lanes, and the sessions in
//! which work is paid.
//!
//! What an order does is the ledger's business ([`p2p_ledger`]); here is who is asked, when, and what
//! happens while nobody answers. No task waits for a notary: work goes on under holds that stand.

use std::collections::{BTreeMap, BTreeSet};

use p2p_ledger::{CLOCK_SLACK_MS, Committee, LaneId, Notary, Parameters, Statement, day};
use p2p_types::{AccountId, Credits, DeviceId, Hash, Monotonic, Now, TaskId, TaskKind, Timestamp};

use crate::network::Network;
use crate::outcome::TextOutcome;
use crate::peers::Peers;
use crate::post::Post;
use crate::wire::{self, Reason as No, envelope::Message};

mod bank;
mod claims;
mod earning;
mod paying;
mod purse;
mod spending;
mod talk;

use bank::{Bank, Reply};
use claims::Claims;
use earning::{Earnings, House, Offered};
pub use earning::{KeptVoucher, Pending};
pub use paying::Payer;
pub(crate) use paying::{Lack, Terms};
use paying::{Sessions, Wallet};
use purse::{Purse, Want};
pub use spending::Limits;
use spending::Spending;

/// How often the calendar is looked at for a new day.
const DAY_CHECK_MS: u64 = 600_000;
/// Parts whose vouchers may be behind, beyond those that compute at one time.
const BEHIND: u64 = 2;

/// What a node in a network needs to pay and be paid.
#[derive(Debug, Default)]
pub struct Money {
    /// The account's signed word that this device may spend from a lane of its own.
    pub opening: Vec<u8>,
    /// On the computer that plays the canary issuer: its account's word.
    pub issuer: Option<Vec<u8>>,
    pub limits: Limits,
}

/// One lane of this computer with all that belongs to it.
#[derive(Debug)]
struct Account {
    purse: Purse,
    spending: Spending,
    sessions: Sessions,
    claims: Claims,
}

/// Who asks for work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guest {
    pub(crate) device: DeviceId,
    pub(crate) account: Option<AccountId>,
}

/// What a provider is to be paid for a part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bill {
    pub(crate) payee: DeviceId,
    pub(crate) hold: Hash,
    pub(crate) task: TaskId,
    pub(crate) price: Credits,
}

#[derive(Debug)]
pub(crate) struct Pay {
    economy: Parameters,
    committee: Committee,
    /// Whom orders go to.
    notary: DeviceId,
    unpaid: bool,
    limits: Limits,
    bank: Option<Bank>,
    accounts: BTreeMap<Payer, Account>,
    earnings: Earnings,
    /// A hold was opened or refused: tasks may wait for it.
    opened: bool,
    /// When to look whether a new day began.
    day_check: Option<Monotonic>,
}

/// What is in a lane of this computer, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    pub lane: LaneId,
    pub earned: Credits,
    pub granted: Credits,
    pub free: Credits,
    pub held: Credits,
    pub others: Credits,
    pub spent_today: Credits,
    pub orders: u64,
    /// Everything that the notary has of it is here, as of this connection.
    pub current: bool,
    pub heard: Option<Timestamp>,
}

impl Pay {
    pub(crate) fn new(me: LaneId, network: &Network, money: Money) -> Self {
        let account = |lane, opening| Account {
            purse: Purse::new(lane, opening),
            spending: Spending::default(),
            sessions: Sessions::default(),
            claims: Claims::default(),
        };
        let mut accounts = BTreeMap::from([(Payer::Owner, account(me, money.opening))]);
        if let Some(opening) = money.issuer {
            let lane = LaneId { account: network.economy.issuer, device: me.device };
            accounts.insert(Payer::Issuer, account(lane, opening));
        }
        Self {
            economy: network.economy.clone(),
            committee: Committee::new(network.committee.clone()),
            notary: network.committee.first().copied().unwrap_or(me.device),
            unpaid: network.unpaid,
            limits: money.limits,
            bank: None,
            accounts,
            earnings: Earnings::default(),
            opened: false,
            day_check: None,
        }
    }

    /// What work costs in this network.
    pub(crate) fn price(&self, kind: TaskKind, texts: usize, bytes: usize) -> Credits {
        self.economy.rates.price(kind, texts, bytes)
    }

    /// What was earned of a part's price: of its texts, those that have an answer are paid.
    pub(crate) fn due(&self, kind: TaskKind, texts: &[String], outcomes: &[TextOutcome]) -> Credits {
        let answered = texts.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_ok());
        let (count, bytes) = answered.fold((0, 0), |(count, bytes), (text, _)| (count + 1, bytes + text.len()));
        self.price(kind, count, bytes)
    }

    pub(crate) const fn notary(&self) -> DeviceId {
        self.notary
    }

    /// Whether the notary can be asked now.
    pub(crate) fn reachable(&self, peers: &Peers, me: DeviceId) -> bool {
        if self.notary == me {
            return self.bank.as_ref().is_some_and(Bank::works);
        }
        peers.get(&self.notary).is_some_and(crate::peers::Peer::ready)
    }

    pub(crate) fn bank(&self) -> Option<&Notary> {
        self.bank.as_ref().map(Bank::notary)
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    pub(crate) fn balance(&self, payer: Payer, now: Timestamp) -> Option<Balance> {
        let account = self.accounts.get(&payer)?;
        let (purse, there) = (&account.purse, account.purse.spendable(now));
        Some(Balance {
            lane: purse.lane(),
            earned: there.earned,
            granted: there.granted,
            free: there.free,
            held: purse.statement().map(Statement::held).unwrap_or_default(),
            others: purse.others(),
            spent_today: account.spending.of_day(day(now)),
            orders: purse.statement().map_or(0, Statement::orders),
            current: purse.is_current(),
            heard: purse.heard(),
        })
    }

    /// Whether this computer has settled and spent nothing yet: of its own orders the notary has at most the one
    /// that opened the lane.
    pub(crate) fn is_newcomer(&self) -> bool {
        let statement = self.accounts.get(&Payer::Owner).and_then(|account| account.purse.statement());
        statement.is_some_and(|statement| statement.next() <= 1)
    }

    /// What the owner's limits leave.
    pub(crate) fn allowance(&self, now: Timestamp) -> Credits {
        let owner = self.accounts.get(&Payer::Owner);
        owner.map_or(Credits::MAX, |account| self.limits.left(&account.spending, Credits::ZERO, now))
    }

    pub(crate) fn open_holds(&self) -> BTreeSet<Hash> {
        let statement = self.accounts.get(&Payer::Owner).and_then(|account| account.purse.statement());
        let holds = statement.into_iter().flat_map(Statement::holds);
        holds.map(|(hold, _)| *hold).collect()
    }

    /// What is earned and not settled, as it will arrive: less what burns.
    pub(crate) fn pending(&self) -> impl Iterator<Item = Pending> {
        let burn = self.economy.burn;
        let net = move |pending: Pending| {
            let amount = pending.amount.minus(pending.amount.millionths(burn)).unwrap_or_default();
            Pending { amount, ..pending }
        };
        self.earnings.pending().map(net)
    }

    /// On a notary's computer: what its log says.
    pub(crate) fn open_bank(&mut self, notary: Notary) {
        self.bank.get_or_insert_with(|| Bank::new(notary));
    }

    /// What the disk has of a lane, with the orders in it.
    pub(crate) fn restored(
        &mut self,
        payer: Payer,
        statement: Statement,
        entries: &[crate::io::Entry],
        kept: Vec<KeptVoucher>,
    ) {
        let Some(account) = self.accounts.get_mut(&payer) else { return };
        for entry in entries {
            let held_on = account.spending.take(entry.at, &entry.order, &entry.movements);
            account.claims.take(&entry.order, &entry.movements, held_on, self.economy.issuer);
        }
        account.purse.restored(statement);
        self.earnings.keep(kept);
    }

    /// The newest certificates of a lane that the disk has.
    pub(crate) fn recall(&mut self, payer: Payer, certificates: Vec<Vec<u8>>) {
        if let Some(account) = self.accounts.get_mut(&payer) {
            account.purse.recall(certificates);
        }
    }

    // ---- the payer's side ----

    /// How a part can be paid at a provider.
    pub(crate) fn terms(
        &mut self,
        now: Now,
        payer: Payer,
        payee: LaneId,
        price: Credits,
        reserved: Credits,
        reachable: bool,
    ) -> Terms {
        let unpaid = self.unpaid && payer == Payer::Owner;
        let Some(Account { purse, spending, sessions, .. }) = self.accounts.get_mut(&payer) else {
            return Terms::Cannot(Lack::Notary);
        };
        // Between one's own computers nothing is paid.
        if purse.lane().account == payee.account {
            return Terms::Free;
        }
        let limits = if payer == Payer::Owner { self.limits } else { Limits::default() };
        sessions.terms(now, payee, price, reserved, Wallet { purse, spending, limits, unpaid, reachable })
    }

    pub(crate) fn introduce(&mut self, payer: Payer, payee: &DeviceId) -> Vec<u8> {
        self.accounts.get_mut(&payer).map(|account| account.sessions.introduce(payee)).unwrap_or_default()
    }

    /// Pays a provider for a part that it delivered.
    pub(crate) fn pay(&mut self, now: Now, payer: Payer, bill: &Bill, post: &mut Post) {
        let Some(account) = self.accounts.get_mut(&payer) else { return };
        if let Some(message) = account.sessions.pay(bill.hold, &bill.payee, bill.task, bill.price, post) {
            post.send(now, bill.payee, message);
        }
    }

    /// A provider does not work under the hold any more.
    pub(crate) fn give_up(&mut self, payer: Payer, payee: &DeviceId) {
        if let Some(account) = self.accounts.get_mut(&payer) {
            account.sessions.give_up(payee);
        }
    }

    /// Whether tasks that wait for a hold should look again.
    pub(crate) const fn take_opened(&mut self) -> bool {
        std::mem::replace(&mut self.opened, false)
    }

    // ---- the payee's side ----

    /// Begins a part for others: under a hold, or unpaid where that is allowed. Gives what to settle for it.
    pub(crate) fn begin(
        &mut self,
        now: Now,
        payer: Guest,
        assignment: &wire::Assignment,
        price: Credits,
        slots: u32,
        post: &Post,
    ) -> Result<Option<Hash>, No> {
        let me = self.accounts.get(&Payer::Owner).ok_or(No::CannotCompute)?;
        let own = payer.account == Some(me.purse.lane().account);
        if assignment.hold.is_empty() {
            return if price.is_zero() || self.unpaid || own { Ok(None) } else { Err(No::Payment) };
        }
        let offered = Credits::from_micro(assignment.price).ok_or(No::Malformed)?;
        if offered < price {
            return Err(No::Payment);
        }
        // By the network's price: an offer of more buys no more patience.
        let behind = u64::from(slots).saturating_add(BEHIND).saturating_mul(price.micro());
        let offered = Offered {
            hold: &assignment.hold,
            certificate: &assignment.certificate,
            price: offered,
            unpaid: Credits::from_micro(behind).unwrap_or(Credits::MAX),
        };
        let house = House {
            me: me.purse.lane(),
            committee: &self.committee,
            grace_ms: self.economy.grace_ms,
            statement: me.purse.statement(),
        };
        let hold = self.earnings.begin(now, payer.device, &offered, &house, post)?;
        // It may have waited to be given back, while the notary was away.
        let me = self.accounts.get_mut(&Payer::Owner).ok_or(No::CannotCompute)?;
        if me.purse.withdraw_end(&hold) {
            return Ok(Some(hold));
        }
        self.earnings.abandon(&hold, offered.price);
        Err(No::Payment)
    }

    pub(crate) fn deliver(&mut self, now: Now, hold: &Hash, price: Credits) {
        self.earnings.deliver(now, hold, price);
    }

    pub(crate) fn abandon(&mut self, hold: &Hash, price: Credits) {
        self.earnings.abandon(hold, price);
    }

    // ---- time and company ----

    /// A node greeted.
    pub(crate) fn met(&mut self, now: Now, device: DeviceId, post: &mut Post) {
        self.earnings.met(now, device);
        for account in self.accounts.values_mut() {
            if let Some(message) = account.sessions.met(&device) {
                post.send(now, device, message);
            }
        }
    }

    /// A node is gone.
    pub(crate) fn lost(&mut self, device: DeviceId) {
        self.earnings.lost(device);
        if device == self.notary {
            for account in self.accounts.values_mut() {
                account.purse.lost_notary();
                account.sessions.lost_notary();
            }
        }
    }

    /// The notary's record is on disk, or never will be.
    pub(crate) fn recorded(&mut self, now: Now, written: bool, peers: &Peers, post: &mut Post) {
        let replies = self.bank.as_mut().map(|bank| bank.recorded(written)).unwrap_or_default();
        self.deliver_replies(now, replies, peers, post);
    }

    pub(crate) fn log_read(
        &mut self,
        now: Now,
        request: u64,
        certificates: Vec<Vec<u8>>,
        peers: &Peers,
        post: &mut Post,
    ) {
        let reply = self.bank.as_mut().and_then(|bank| bank.log_read(request, certificates));
        self.deliver_replies(now, reply, peers, post);
    }

    /// Goes on as far as it goes now: settles, claims, orders, judges.
    pub(crate) fn work(&mut self, now: Now, peers: &Peers, post: &mut Post) {
        // Nothing is known yet, or nothing ever will be.
        if self.bank.is_none() && self.accounts.values().all(|account| account.purse.statement().is_none()) {
            return;
        }
        if self.day_check.is_none_or(|at| at <= now.mono) {
            self.day_check = Some(now.mono.plus_ms(DAY_CHECK_MS));
            if let Some(bank) = &mut self.bank {
                bank.end_epoch(now, post);
            }
            for payer in [Payer::Owner, Payer::Issuer] {
                self.when_current(now, payer, post);
            }
            self.accounts.values_mut().for_each(|account| account.purse.doubt());
        }
        if let Some(owner) = self.accounts.get_mut(&Payer::Owner) {
            self.earnings.settle(now, &mut owner.purse);
        }
        // What this computer says to its own notary is answered in the same breath.
        loop {
            let said = self.say(now, peers, post);
            let replies = self.bank.as_mut().map(|bank| bank.work(now, post)).unwrap_or_default();
            if !said && replies.is_empty() {
                return;
            }
            self.deliver_replies(now, replies, peers, post);
        }
    }

    /// Lets each lane say what it has to say to the notary. True where anything was said to the own one.
    fn say(&mut self, now: Now, peers: &Peers, post: &mut Post) -> bool {
        if !self.reachable(peers, post.me) {
            return false;
        }
        let messages: Vec<Message> =
            self.accounts.values_mut().filter_map(|account| account.purse.say(now, post)).collect();
        let own = self.notary == post.me && !messages.is_empty();
        for message in messages {
            if self.notary == post.me {
                // Its own messages are in order.
                let _ = self.heard(now, post.me, message, peers, post);
            } else {
                post.send(now, self.notary, message);
            }
        }
        own
    }

    /// Passes on what the notary's side answers: to others who are there, and to this computer's own lanes.
    fn deliver_replies(&mut self, now: Now, replies: impl IntoIterator<Item = Reply>, peers: &Peers, post: &mut Post) {
        for (to, message) in replies {
            if to == post.me {
                let _ = self.heard(now, to, message, peers, post);
                continue;
            }
            let Some(peer) = peers.get(&to).filter(|peer| peer.ready()) else { continue };
            // A lane's owner is told, whoever uses the same device under another name is not.
            let owner = match &message {
                Message::Statement(said) => peer.account.is_some_and(|account| account.0[..] == said.account[..]),
                _ => true,
            };
            if owner {
                post.send(now, to, message);
            }
        }
    }

    pub(crate) fn next_deadline(&self, now: Now, reachable: bool) -> Option<Monotonic> {
        let accounts = self.accounts.values();
        let accounts = accounts.flat_map(|account| {
            [account.purse.next_deadline(now, reachable), account.sessions.next_deadline(now)].into_iter().flatten()
        });
        let earnings = self.earnings.next_deadline(now.wall, now.mono);
        accounts.chain(earnings).chain(self.day_check).min()
    }
}

/// Orders back what was set aside for others, where it can be settled no more: a payee that lost what it
/// was promised ends no hold. The notary's calendar may be a little behind.
fn take_back(now: Now, purse: &mut Purse, grace_ms: u64) {
    let Some(statement) = purse.statement() else { return };
    let over = |hold: &p2p_ledger::Hold| hold.expires.plus_ms(grace_ms).plus_ms(CLOCK_SLACK_MS) <= now.wall;
    let holds = statement.holds().filter(|(_, hold)| hold.payer == statement.lane() && over(hold));
    let holds: Vec<Hash> = holds.map(|(id, _)| *id).collect();
    for hold in holds {
        // Looked at again in time, where there is no room.
        purse.want(Want::Release { hold });
    }
}
