//! The payee's side: work that is paid, the vouchers for it, and when they are settled.

use std::collections::BTreeMap;

use p2p_ledger::{Committee, Earning, LaneId, Statement, Voucher, VoucherRefused, certificate, wire as ledger};
use p2p_types::{Credits, DeviceId, Hash, Monotonic, Now, Signed, TaskId, Timestamp};
use prost::Message as _;

use super::purse::{Purse, Want};
use crate::io::{Durable, Output};
use crate::post::Post;
use crate::wire::Reason;

/// A session that had nothing to do for this long is settled.
const IDLE_MS: u64 = 5000;
/// A hold that nobody uses goes back to its payer after this time.
const UNUSED_MS: u64 = 60_000;
/// What is vouched for is settled this long before the hold ends.
const MARGIN_MS: u64 = 10 * 60 * 1000;
/// Sessions at one time. More than this many payers wait until one ends.
const SESSIONS: usize = 256;

/// A voucher that is on disk and was not settled when the process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptVoucher {
    pub hold: Hash,
    pub signed: Vec<u8>,
}

#[derive(Debug)]
struct Session {
    earning: Earning,
    payer: DeviceId,
    /// The payer's latest, as it was signed.
    voucher: Option<Vec<u8>>,
    task: Option<TaskId>,
    paid_parts: u64,
    used: Monotonic,
    ends: Timestamp,
    /// From here on its payer takes it back.
    over: Timestamp,
    /// Something was delivered: a voucher for it may come.
    owed: bool,
    /// The connection on which it would have come is gone: it may come on the next.
    away: bool,
    /// An order that ends it was given.
    ending: bool,
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
        if !self.sessions.contains_key(&hold) {
            if self.sessions.len() >= SESSIONS {
                return Err(Reason::Busy);
            }
            if house.statement.is_none_or(|statement| statement.has_ended(&hold)) {
                return Err(Reason::Payment);
            }
            let session = introduce(now, payer, hold, offered.certificate, house, post)?;
            self.sessions.insert(hold, session);
            self.unseen.remove(&hold);
        }
        let session = self.sessions.get_mut(&hold).filter(|session| session.payer == payer && !session.ending);
        let session = session.ok_or(Reason::Payment)?;
        session.used = now.mono;
        if session.earning.begin(now.wall, offered.price, offered.unpaid) { Ok(hold) } else { Err(Reason::Payment) }
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

    /// A voucher came. `Err` says what is wrong with it.
    pub(crate) fn paid(
        &mut self,
        now: Now,
        from: DeviceId,
        bytes: Vec<u8>,
        statement: Option<&Statement>,
        grace_ms: u64,
        post: &mut Post,
    ) -> Result<(), &'static str> {
        let signed = Signed::<ledger::Voucher>::from_bytes(bytes).map_err(|_| "a voucher that cannot be read")?;
        let verified = signed.verify(&*post.scheme, &post.network).map_err(|_| "a voucher that is not signed")?;
        let voucher = Voucher::read(&verified).map_err(|_| "a voucher that cannot be read")?;
        // A session of an earlier process goes on, where its hold is open.
        if !self.sessions.contains_key(&voucher.hold)
            && self.sessions.len() < SESSIONS
            && let Some(session) = statement.and_then(|statement| reopen(now, &voucher.hold, statement, grace_ms))
        {
            self.sessions.insert(voucher.hold, session);
        }
        // One for a session that ended is late, and no offence.
        let Some(session) = self.sessions.get_mut(&voucher.hold) else { return Ok(()) };
        if session.payer != from {
            return Err("a voucher of another");
        }
        match session.earning.take(now.wall, &voucher) {
            Ok(()) => {}
            // Too late, or said again on a new connection: no offence, either.
            Err(VoucherRefused::Ended) => return Ok(()),
            Err(VoucherRefused::GoesBack { number, last }) if number == last => return Ok(()),
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
        Ok(())
    }

    /// Vouchers that an earlier process took: to be settled at once, where their holds are open.
    pub(crate) fn restore(&mut self, now: Now, kept: Vec<KeptVoucher>, statement: &Statement, grace_ms: u64, post: &mut Post) {
        for KeptVoucher { hold, signed } in kept {
            // Its payer has said a later one by now.
            if self.sessions.get(&hold).is_some_and(|session| session.voucher.is_some()) {
                continue;
            }
            let reopened = reopen(now, &hold, statement, grace_ms);
            let voucher = Signed::<ledger::Voucher>::from_bytes(signed.clone()).ok();
            let voucher = voucher.and_then(|voucher| voucher.verify(&*post.scheme, &post.network).ok());
            let read = voucher.as_ref().and_then(|voucher| Voucher::read(voucher).ok());
            let (Some(mut session), Some(voucher), Some(read)) = (reopened, voucher, read) else {
                post.persist(Durable::VoucherDone { hold });
                continue;
            };
            if session.earning.take(now.wall, &read).is_err() {
                post.persist(Durable::VoucherDone { hold });
                continue;
            }
            session.voucher = Some(signed);
            session.task = TaskId::try_from(voucher.task.as_slice()).ok();
            session.paid_parts = read.number;
            self.sessions.insert(hold, session);
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
        for (hold, _) in self.unseen.extract_if(.., |_, until| *until <= now.mono) {
            if !self.sessions.contains_key(&hold) {
                purse.want(Want::Release { hold });
            }
        }
        for (hold, session) in &mut self.sessions {
            if session.ending || session.due(now) > now.mono {
                continue;
            }
            session.ending = true;
            let want = match &session.voucher {
                Some(voucher) => Want::Settle { hold: *hold, voucher: voucher.clone() },
                None => Want::Release { hold: *hold },
            };
            purse.want_instead(want);
        }
    }

    /// A hold came to its end, or its settlement was refused for good.
    pub(crate) fn ended(&mut self, hold: &Hash, post: &mut Post) {
        self.unseen.remove(hold);
        if self.sessions.remove(hold).is_some_and(|session| session.voucher.is_some()) {
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

impl Session {
    /// When it is to be ended.
    fn due(&self, now: Now) -> Monotonic {
        // What was delivered may be vouched for yet: soon while the payer is here, else on its next connection.
        let owed = self.owed && !self.earning.unpaid().is_zero();
        let working = self.earning.is_working() || (owed && self.away);
        let idle = if self.voucher.is_some() && !owed { IDLE_MS } else { UNUSED_MS };
        let idle = self.used.plus_ms(idle);
        // Without any voucher there is nothing to lose by waiting for one as long as it counts.
        let end = if working && self.voucher.is_none() {
            now.mono.plus_ms(self.over.since(now.wall))
        } else {
            now.mono.plus_ms(self.ends.since(now.wall).saturating_sub(MARGIN_MS))
        };
        if self.earning.should_settle(now.wall, MARGIN_MS) && !working && !owed {
            return now.mono;
        }
        if working { end } else { idle.min(end) }
    }
}

/// The session of an open hold for this lane, as an earlier process had it.
fn reopen(now: Now, id: &Hash, statement: &Statement, grace_ms: u64) -> Option<Session> {
    let (_, hold) = statement.holds().find(|(open, hold)| *open == id && hold.payee == statement.lane())?;
    Some(Session {
        earning: Earning::new(*id, hold.payer.device, hold.ceiling.total(), hold.expires, grace_ms),
        payer: hold.payer.device,
        voucher: None,
        task: None,
        paid_parts: 0,
        used: now.mono,
        ends: hold.expires,
        over: hold.expires.plus_ms(grace_ms),
        owed: false,
        away: false,
        ending: false,
    })
}

/// The session of a hold that is shown for the first time.
fn introduce(
    now: Now,
    payer: DeviceId,
    hold: Hash,
    bytes: &[u8],
    house: &House<'_>,
    post: &Post,
) -> Result<Session, Reason> {
    let certified = ledger::Certificate::decode(bytes).map_err(|_| Reason::Payment)?;
    let order = certificate::verify(&*post.scheme, &post.network, house.committee, &certified);
    let order = order.map_err(|_| Reason::Payment)?;
    let p2p_ledger::Body::Hold { payee, ceiling, expires } = order.body else { return Err(Reason::Payment) };
    if order.id != hold || payee != house.me || order.lane.device != payer {
        return Err(Reason::Payment);
    }
    Ok(Session {
        earning: Earning::new(hold, payer, ceiling.total(), expires, house.grace_ms),
        payer,
        voucher: None,
        task: None,
        paid_parts: 0,
        used: now.mono,
        ends: expires,
        over: expires.plus_ms(house.grace_ms),
        owed: false,
        away: false,
        ending: false,
    })
}
