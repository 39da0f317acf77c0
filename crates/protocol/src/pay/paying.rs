//! The payer's side: which hold a part is paid out of, and the vouchers.
//!
//! Holds live as long as the process: after a restart new ones are made, and the payees settle the old.
//! So no voucher is ever signed on the word of an older copy of this home.

use std::collections::BTreeMap;

use p2p_ledger::{Amounts, LEAST_HOLD, LaneId, Paying, Statement};
use p2p_types::{Credits, DeviceId, Hash, Monotonic, Now, Signed, TaskId, Timestamp};

use super::Limits;
use super::purse::{Purse, Want};
use super::spending::Spending;
use crate::post::Post;
use crate::wire::{self, envelope::Message};

/// How long a hold stands.
const HOLD_MS: u64 = 60 * 60 * 1000;
/// No work is given under a hold that ends within this time: the payee settles 10 minutes before the end, and a
/// part may take 2 minutes.
const MARGIN_MS: u64 = 13 * 60 * 1000;
/// A hold is for this many parts like the one it is made for, and for no less than [`LEAST`].
const PARTS: u32 = 4;
const LEAST: Credits = Credits::whole(10);
/// How long work waits for a hold before it is done without, where that is allowed.
const OPENING_MS: u64 = 2000;
/// After a refused hold the next is not tried before this time: longer than a task looks for somebody, or
/// one that nobody will do would look for ever.
const REFUSED_MS: u64 = 15_000;

/// Who pays for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Payer {
    #[default]
    Owner,
    /// The network's canary issuer, on the computer that plays it.
    Issuer,
}

/// How a part can be paid at one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terms {
    /// It costs nothing, or is done unpaid.
    Free,
    Under(Hash),
    /// A hold is on its way.
    Soon,
    Cannot(Lack),
}

/// Why something cannot be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lack {
    Credits { needed: Credits, there: Credits },
    Limit,
    Notary,
}

#[derive(Debug)]
enum Session {
    Opening {
        until: Monotonic,
    },
    Open {
        paying: Paying,
        certificate: Vec<u8>,
        told: bool,
        ends: Timestamp,
        /// The last voucher, signed.
        latest: Option<Vec<u8>>,
        /// The provider takes nothing more under it. What it has is paid out of it all the same.
        closed: bool,
    },
    Refused {
        until: Monotonic,
    },
}

/// The sessions of one purse, by provider.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_payee: BTreeMap<DeviceId, Session>,
}

/// What [`Sessions::terms`] looks at.
pub(crate) struct Wallet<'a> {
    pub(crate) purse: &'a mut Purse,
    pub(crate) spending: &'a Spending,
    pub(crate) limits: Limits,
    /// Work is done for whoever cannot pay.
    pub(crate) unpaid: bool,
    pub(crate) reachable: bool,
}

impl Sessions {
    /// How a part of `price` can be paid at `payee`, of whose hold `reserved` is promised to parts under way.
    /// Orders a hold where one is needed.
    pub(crate) fn terms(
        &mut self,
        now: Now,
        payee: LaneId,
        price: Credits,
        reserved: Credits,
        wallet: Wallet<'_>,
    ) -> Terms {
        if price.is_zero() {
            return Terms::Free;
        }
        self.forget_lost(&payee.device, wallet.purse);
        let otherwise = |lack| if wallet.unpaid { Terms::Free } else { Terms::Cannot(lack) };
        match self.by_payee.get(&payee.device) {
            Some(Session::Opening { until }) if *until <= now.mono && wallet.unpaid => return Terms::Free,
            Some(Session::Opening { .. }) => return Terms::Soon,
            Some(Session::Refused { until }) if *until > now.mono => return otherwise(Lack::Notary),
            Some(Session::Open { paying, ends, closed, .. }) => {
                let left = paying.left().minus(reserved).unwrap_or_default();
                if !closed && left >= price && now.wall.plus_ms(MARGIN_MS) < *ends {
                    return Terms::Under(paying.hold());
                }
                // The rest of the hold is promised: what is under way must be paid out of it first.
                if !reserved.is_zero() {
                    return Terms::Soon;
                }
            }
            Some(Session::Refused { .. }) | None => {}
        }
        if !wallet.reachable || !wallet.purse.is_open() {
            return otherwise(Lack::Notary);
        }
        match ceiling(now, price, &wallet) {
            Ok(ceiling) => {
                let expires = now.wall.plus_ms(HOLD_MS);
                wallet.purse.want(Want::Hold { payee, ceiling, expires });
                let until = now.mono.plus_ms(OPENING_MS);
                self.by_payee.insert(payee.device, Session::Opening { until });
                Terms::Soon
            }
            Err(lack) => otherwise(lack),
        }
    }

    /// A hold that is not ordered any more, because nobody answered or its time was over, will not come.
    fn forget_lost(&mut self, payee: &DeviceId, purse: &Purse) {
        let ordered = |want: &Want| matches!(want, Want::Hold { payee: other, .. } if other.device == *payee);
        if matches!(self.by_payee.get(payee), Some(Session::Opening { .. })) && !purse.wants().any(ordered) {
            self.by_payee.remove(payee);
        }
    }

    /// The hold that was ordered stands.
    pub(crate) fn opened(
        &mut self,
        hold: Hash,
        me: DeviceId,
        payee: LaneId,
        statement: &Statement,
        certificate: Vec<u8>,
    ) {
        let Some(Session::Opening { .. }) = self.by_payee.get(&payee.device) else { return };
        let Some((_, held)) = statement.holds().find(|(id, _)| **id == hold) else { return };
        let paying = Paying::new(hold, me, held.ceiling.total());
        let session =
            Session::Open { paying, certificate, told: false, ends: held.expires, latest: None, closed: false };
        self.by_payee.insert(payee.device, session);
    }

    pub(crate) fn refused(&mut self, now: Now, payee: &DeviceId) {
        self.by_payee.insert(*payee, Session::Refused { until: now.mono.plus_ms(REFUSED_MS) });
    }

    /// The notary is gone, and with it what was asked of it.
    pub(crate) fn lost_notary(&mut self) {
        self.by_payee.retain(|_, session| !matches!(session, Session::Opening { .. }));
    }

    /// A hold came to its end.
    pub(crate) fn ended(&mut self, hold: &Hash) {
        self.by_payee.retain(|_, session| !matches!(session, Session::Open { paying, .. } if paying.hold() == *hold));
    }

    /// The provider takes nothing under the hold any more: a new one is needed.
    pub(crate) fn give_up(&mut self, payee: &DeviceId) {
        if let Some(Session::Open { closed, .. }) = self.by_payee.get_mut(payee) {
            *closed = true;
        }
    }

    /// A new connection: the certificate has to be shown again, and so has the last voucher, which the
    /// connection before may have lost. Gives that message.
    pub(crate) fn met(&mut self, payee: &DeviceId) -> Option<Message> {
        let Some(Session::Open { told, latest, .. }) = self.by_payee.get_mut(payee) else { return None };
        *told = false;
        let voucher = latest.clone()?;
        Some(Message::Payment(wire::Payment { voucher }))
    }

    /// The certificate of the hold, where the provider has not seen it on this connection.
    pub(crate) fn introduce(&mut self, payee: &DeviceId) -> Vec<u8> {
        match self.by_payee.get_mut(payee) {
            Some(Session::Open { certificate, told, .. }) if !*told => {
                *told = true;
                certificate.clone()
            }
            _ => Vec::new(),
        }
    }

    /// Pays for work that was delivered. Gives the message with the voucher.
    pub(crate) fn pay(
        &mut self,
        hold: Hash,
        payee: &DeviceId,
        task: TaskId,
        price: Credits,
        post: &Post,
    ) -> Option<Message> {
        let Some(Session::Open { paying, latest, .. }) = self.by_payee.get_mut(payee) else { return None };
        if paying.hold() != hold {
            return None;
        }
        let voucher = paying.pay(task, price)?;
        let voucher = Signed::new(&*post.scheme, &post.network, &voucher).into_bytes();
        *latest = Some(voucher.clone());
        Some(Message::Payment(wire::Payment { voucher }))
    }

    /// When a part that waits for a hold is done without.
    pub(crate) fn next_deadline(&self, now: Now) -> Option<Monotonic> {
        let opening = |session: &Session| match session {
            Session::Opening { until } => Some(*until).filter(|until| *until > now.mono),
            Session::Open { .. } | Session::Refused { .. } => None,
        };
        self.by_payee.values().filter_map(opening).min()
    }
}

/// How much is set aside: enough for some parts, within what is there and what the owner allows.
fn ceiling(now: Now, price: Credits, wallet: &Wallet<'_>) -> Result<Amounts, Lack> {
    let ordered = wallet.purse.wants().map(|want| match want {
        Want::Hold { ceiling, .. } => ceiling.total(),
        _ => Credits::ZERO,
    });
    let ordered: Credits = ordered.sum();
    let allowed = wallet.limits.left(wallet.spending, ordered, now.wall);
    if allowed < price {
        return Err(Lack::Limit);
    }
    let spendable = wallet.purse.spendable(now.wall);
    // What waits to be ordered is as good as spent.
    let there = spendable.total().minus(ordered).unwrap_or_default();
    if there < price {
        return Err(Lack::Credits { needed: price, there });
    }
    let wished = Credits::from_micro(price.micro().saturating_mul(u64::from(PARTS))).unwrap_or(Credits::MAX).max(LEAST);
    let amount = wished.min(there).min(allowed);
    if amount < LEAST_HOLD {
        return Err(Lack::Credits { needed: LEAST_HOLD, there: amount });
    }
    // The parts may be promised to an order that waits; the notary would refuse this one, and it is tried again.
    spendable.first(amount).ok_or(Lack::Credits { needed: price, there })
}
