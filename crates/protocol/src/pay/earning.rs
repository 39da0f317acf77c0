//! The payee's side: work that is paid, the vouchers for it, and when they are settled.

use std::collections::BTreeMap;

use p2p_ledger::{Committee, LaneId, Statement, Voucher, VoucherRefused, wire as ledger};
use p2p_types::{Credits, DeviceId, Hash, Monotonic, Now, Signed, TaskId, Timestamp};

use debts::Debts;
use session::{Session, UNUSED_MS};

use super::purse::{Purse, Want};
use crate::io::{Durable, Output};
use crate::post::Post;
use crate::wire::Reason;

mod debts;
mod session;

/// A hold that the notary would not end is tried again after this time.
const NOT_ENDED_MS: u64 = 60_000;
/// Orders that wait, above which no hold is given back that nobody used; and when it is looked at again.
const RELEASES: usize = 64;
const RELEASE_AGAIN_MS: u64 = 10_000;
/// Sessions at one time. More than this many payers wait until one ends.
const SESSIONS: usize = 256;

/// A voucher that is on disk and was not settled when the process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptVoucher {
    pub hold: Hash,
    pub signed: Vec<u8>,
}

/// What is earned and not settled, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    pub hold: Hash,
    pub payer: DeviceId,
    pub amount: Credits,
    pub tasks: u64,
    pub task: Option<TaskId>,
}

#[derive(Debug, Default)]
pub(crate) struct Earnings {
    sessions: BTreeMap<Hash, Session>,
    /// Open holds for this lane that no payer has shown to this process, and when they go back.
    unseen: BTreeMap<Hash, Monotonic>,
    /// Vouchers of an earlier process whose sessions did not go on yet.
    kept: BTreeMap<Hash, Vec<u8>>,
    debts: Debts,
}

/// How a part is paid.
pub(crate) struct Offered<'a> {
    pub(crate) hold: &'a [u8],
    pub(crate) certificate: &'a [u8],
    pub(crate) price: Credits,
    /// What may be delivered without a voucher.
    pub(crate) unpaid: Credits,
}

/// What the payee's side needs to know of its own network and lane.
pub(crate) struct House<'a> {
    pub(crate) me: LaneId,
    pub(crate) committee: &'a Committee,
    pub(crate) grace_ms: u64,
    /// What is known of the own lane. Nothing paid is begun before that.
    pub(crate) statement: Option<&'a Statement>,
}

impl Earnings {
    /// Begins a part that is paid out of a hold, where the hold is good.
    pub(crate) fn begin(
        &mut self,
        now: Now,
        payer: DeviceId,
        offered: &Offered<'_>,
        house: &House<'_>,
        post: &Post,
    ) -> Result<Hash, Reason> {
        let hold = Hash::try_from(offered.hold).map_err(|_| Reason::Malformed)?;
        if !self.debts.may_work_for(now.mono, &payer) {
            return Err(Reason::Payment);
        }
        if let Some(session) = self.sessions.get_mut(&hold) {
            if session.payer != payer || session.ending {
                return Err(Reason::Payment);
            }
            session.used = now.mono;
            let begins = session.earning.begin(now.wall, offered.price, offered.unpaid);
            return if begins { Ok(hold) } else { Err(Reason::Payment) };
        }
        if self.sessions.len() >= SESSIONS {
            return Err(Reason::Busy);
        }
        if house.statement.is_none_or(|statement| statement.has_ended(&hold)) {
            return Err(Reason::Payment);
        }
        let mut session = Session::introduce(now, payer, hold, offered.certificate, house, post)?;
        if let Some(kept) = self.kept.get(&hold) {
            session.go_on_from(now, kept.clone(), post);
        }
        // A place is taken by who may have one.
        if !session.earning.begin(now.wall, offered.price, offered.unpaid) {
            return Err(Reason::Payment);
        }
        self.sessions.insert(hold, session);
        self.unseen.remove(&hold);
        self.kept.remove(&hold);
        Ok(hold)
    }

    /// Vouchers that an earlier process took.
    pub(crate) fn keep(&mut self, kept: Vec<KeptVoucher>) {
        self.kept.extend(kept.into_iter().map(|KeptVoucher { hold, signed }| (hold, signed)));
    }

    pub(crate) fn deliver(&mut self, now: Now, hold: &Hash, price: Credits) {
        if let Some(session) = self.sessions.get_mut(hold) {
            session.earning.deliver(price);
            session.used = now.mono;
            session.owed = true;
        }
    }

    pub(crate) fn abandon(&mut self, hold: &Hash, price: Credits) {
        if let Some(session) = self.sessions.get_mut(hold) {
            session.earning.abandon(price);
        }
    }

    /// A voucher came. Gives the hold whose session goes on by it; `Err` says what is wrong with it.
    pub(crate) fn paid(
        &mut self,
        now: Now,
        from: DeviceId,
        bytes: Vec<u8>,
        statement: Option<&Statement>,
        grace_ms: u64,
        post: &mut Post,
    ) -> Result<Option<Hash>, &'static str> {
        let signed = Signed::<ledger::Voucher>::from_bytes(bytes).map_err(|_| "a voucher that cannot be read")?;
        let verified = signed.verify(&*post.scheme, &post.network).map_err(|_| "a voucher that is not signed")?;
        let voucher = Voucher::read(&verified).map_err(|_| "a voucher that cannot be read")?;
        // A session of an earlier process goes on, where its hold is open.
        if !self.sessions.contains_key(&voucher.hold)
            && self.sessions.len() < SESSIONS
            && let Some(mut session) =
                statement.and_then(|statement| Session::reopen(now, &voucher.hold, statement, grace_ms))
        {
            if let Some(kept) = self.kept.remove(&voucher.hold) {
                session.go_on_from(now, kept, post);
            }
            self.sessions.insert(voucher.hold, session);
        }
        // One for a session that ended is late, and no offence.
        let Some(session) = self.sessions.get_mut(&voucher.hold) else { return Ok(None) };
        if session.payer != from {
            return Err("a voucher of another");
        }
        match session.earning.take(now.wall, &voucher) {
            Ok(()) => {}
            // Too late, or said again on a new connection: no offence, either.
            Err(VoucherRefused::Ended) => return Ok(None),
            Err(VoucherRefused::GoesBack { number, last }) if number == last => return Ok(None),
            Err(_) => return Err("a voucher that does not follow the one before"),
        }
        let signed = verified.signed().as_bytes().to_vec();
        session.voucher = Some(signed.clone());
        session.task = TaskId::try_from(verified.task.as_slice()).ok();
        session.paid_parts = voucher.number;
        session.used = now.mono;
        // What was ordered for less is ordered anew, unless it is with the notary by now.
        session.ending = false;
        post.persist(Durable::Voucher { hold: voucher.hold, signed });
        post.emit(Output::WalletChanged);
        Ok(Some(voucher.hold))
    }

    /// The lane's state is known: sessions of an earlier process go on, and what can be settled no more is
    /// forgotten.
    pub(crate) fn restore(&mut self, now: Now, statement: &Statement, grace_ms: u64, post: &mut Post) {
        for (hold, kept) in std::mem::take(&mut self.kept) {
            let reopened = Session::reopen(now, &hold, statement, grace_ms);
            let goes_on = reopened.and_then(|mut session| session.go_on_from(now, kept, post).then_some(session));
            match goes_on {
                Some(session) => drop(self.sessions.insert(hold, session)),
                None => post.persist(Durable::VoucherDone { hold }),
            }
        }
    }

    /// There is an open hold for this lane. Its payer or this computer may have forgotten it in a crash, and
    /// the payer can take it back only long after its end.
    pub(crate) fn notice(&mut self, now: Now, hold: Hash) {
        if !self.sessions.contains_key(&hold) {
            self.unseen.entry(hold).or_insert(now.mono.plus_ms(UNUSED_MS));
        }
    }

    /// A payer greeted: what it owes it says soon, or has forgotten.
    pub(crate) fn met(&mut self, now: Now, payer: DeviceId) {
        for session in self.sessions.values_mut().filter(|session| session.payer == payer && session.owed) {
            (session.away, session.used) = (false, now.mono);
        }
    }

    /// A payer is gone.
    pub(crate) fn lost(&mut self, payer: DeviceId) {
        for session in self.sessions.values_mut().filter(|session| session.payer == payer && session.owed) {
            session.away = true;
        }
    }

    /// Orders what is to be settled or given back now.
    pub(crate) fn settle(&mut self, now: Now, purse: &mut Purse) {
        // What others set aside for nothing goes back as there is room: it must not stand before what is earned.
        let mut room = RELEASES.saturating_sub(purse.wants().count());
        for (hold, until) in self.unseen.iter_mut().filter(|(_, until)| **until <= now.mono) {
            *until = now.mono.plus_ms(RELEASE_AGAIN_MS);
            if room > 0 && !self.sessions.contains_key(hold) {
                room -= usize::from(purse.want(Want::Release { hold: *hold }));
            }
        }
        for (hold, session) in &mut self.sessions {
            if session.ending || session.due(now) > now.mono {
                continue;
            }
            let want = match &session.voucher {
                Some(voucher) => Want::Settle { hold: *hold, voucher: voucher.clone() },
                None => Want::Release { hold: *hold },
            };
            session.ending = purse.want_instead(want);
            session.rest = now.mono.plus_ms(RELEASE_AGAIN_MS);
        }
    }

    /// An order that was to end a hold was refused for good, and the hold may still be open.
    pub(crate) fn not_ended(&mut self, now: Now, hold: &Hash) {
        if let Some(session) = self.sessions.get_mut(hold) {
            (session.ending, session.rest) = (false, now.mono.plus_ms(NOT_ENDED_MS));
        }
    }

    /// A hold came to its end.
    pub(crate) fn ended(&mut self, now: Now, hold: &Hash, post: &mut Post) {
        self.unseen.remove(hold);
        let Some(session) = self.sessions.remove(hold) else { return };
        self.debts.ended(now.mono, session.payer, session.earning.unpaid().is_zero());
        if session.voucher.is_some() {
            post.persist(Durable::VoucherDone { hold: *hold });
            post.emit(Output::WalletChanged);
        }
    }

    pub(crate) fn next_deadline(&self, now_wall: Timestamp, now: Monotonic) -> Option<Monotonic> {
        let open = self.sessions.values().filter(|session| !session.ending);
        let due = open.map(|session| session.due(Now { mono: now, wall: now_wall }));
        due.chain(self.unseen.values().copied()).min()
    }

    /// What is earned and not settled.
    pub(crate) fn pending(&self) -> impl Iterator<Item = Pending> {
        let earned = self.sessions.iter().filter(|(_, session)| !session.earning.vouched().is_zero());
        earned.map(|(hold, session)| Pending {
            hold: *hold,
            payer: session.payer,
            amount: session.earning.vouched(),
            tasks: session.paid_parts,
            task: session.task,
        })
    }
}
