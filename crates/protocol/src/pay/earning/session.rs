//! One hold's session, as its payee sees it.

use p2p_ledger::{Earning, Statement, Voucher, certificate, wire as ledger};
use p2p_types::{Credits, DeviceId, Hash, Monotonic, Now, Signed, TaskId, Timestamp};

use super::House;
use crate::post::Post;
use crate::wire::Reason;

/// A session that had nothing to do for this long is settled.
const IDLE_MS: u64 = 5000;
/// A hold that nobody uses goes back to its payer after this time.
pub(super) const UNUSED_MS: u64 = 60_000;
/// What is vouched for is settled this long before the hold ends. Payers stop giving out work earlier.
const MARGIN_MS: u64 = 10 * 60 * 1000;

#[derive(Debug)]
pub(super) struct Session {
    pub(super) earning: Earning,
    pub(super) payer: DeviceId,
    /// The payer's latest, as it was signed.
    pub(super) voucher: Option<Vec<u8>>,
    pub(super) task: Option<TaskId>,
    pub(super) paid_parts: u64,
    pub(super) used: Monotonic,
    ends: Timestamp,
    /// From here on its payer takes it back.
    over: Timestamp,
    /// Something was delivered: a voucher for it may come.
    pub(super) owed: bool,
    /// The connection on which it would have come is gone: it may come on the next.
    pub(super) away: bool,
    /// An order that ends it was given.
    pub(super) ending: bool,
    /// It could not be ended: not before this time again.
    pub(super) rest: Monotonic,
}

impl Session {
    fn new(now: Now, hold: Hash, payer: DeviceId, ceiling: Credits, expires: Timestamp, grace_ms: u64) -> Self {
        Self {
            earning: Earning::new(hold, payer, ceiling, expires, grace_ms),
            payer,
            voucher: None,
            task: None,
            paid_parts: 0,
            used: now.mono,
            ends: expires,
            over: expires.plus_ms(grace_ms),
            owed: false,
            away: false,
            ending: false,
            rest: Monotonic(0),
        }
    }

    /// The session of an open hold for this lane, as an earlier process had it.
    pub(super) fn reopen(now: Now, id: &Hash, statement: &Statement, grace_ms: u64) -> Option<Self> {
        let hold = statement.hold(id).filter(|hold| hold.payee == statement.lane())?;
        Some(Self::new(now, *id, hold.payer.device, hold.ceiling.total(), hold.expires, grace_ms))
    }

    /// The session of a hold whose certificate is shown.
    pub(super) fn introduce(
        now: Now,
        payer: DeviceId,
        hold: Hash,
        bytes: &[u8],
        house: &House<'_>,
        post: &Post,
    ) -> Result<Self, Reason> {
        let certified = certificate::decode(bytes).map_err(|_| Reason::Payment)?;
        let order = certificate::verify(&*post.scheme, &post.network, house.committee, &certified);
        let order = order.map_err(|_| Reason::Payment)?;
        let p2p_ledger::Body::Hold { payee, ceiling, expires } = order.body else { return Err(Reason::Payment) };
        if order.id != hold || payee != house.me || order.lane.device != payer {
            return Err(Reason::Payment);
        }
        Ok(Self::new(now, hold, payer, ceiling.total(), expires, house.grace_ms))
    }

    /// Goes on from the voucher that an earlier process took: nothing less may take its place.
    pub(super) fn go_on_from(&mut self, now: Now, bytes: Vec<u8>, post: &Post) -> bool {
        let signed = Signed::<ledger::Voucher>::from_bytes(bytes).ok();
        let Some(verified) = signed.and_then(|signed| signed.verify(&*post.scheme, &post.network).ok()) else {
            return false;
        };
        let Ok(voucher) = Voucher::read(&verified) else { return false };
        if self.earning.take(now.wall, &voucher).is_err() {
            return false;
        }
        self.voucher = Some(verified.signed().as_bytes().to_vec());
        self.task = TaskId::try_from(verified.task.as_slice()).ok();
        self.paid_parts = voucher.number;
        true
    }

    /// When it is to be ended.
    pub(super) fn due(&self, now: Now) -> Monotonic {
        self.wanted(now).max(self.rest)
    }

    fn wanted(&self, now: Now) -> Monotonic {
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
