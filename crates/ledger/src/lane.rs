//! What a notary keeps of one lane and of one account.

use std::collections::{BTreeMap, BTreeSet};

use p2p_types::{AccountId, Credits, DeviceId, Hash};

use crate::amounts::Amounts;

/// One device's credits and the orders it gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lane {
    /// What can be spent. Of `free`, only on [`Self::free_day`].
    pub(crate) purse: Amounts,
    /// The day whose free tier is in the purse, counted from the Unix epoch.
    pub(crate) free_day: u32,
    /// The ids of all orders so far; the next one's sequence is their number.
    pub(crate) orders: Vec<Hash>,
    /// All ids so far, hashed one after another: names the whole history in a state root.
    pub(crate) head: Hash256,
    pub(crate) holds: usize,
    /// Open holds for this lane, by the payer's account.
    pub(crate) payers: BTreeMap<AccountId, usize>,
    /// The epoch of the latest order, and how many there were in it.
    pub(crate) given: (u64, u64),
}

/// 32 bytes that begin as zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hash256(pub(crate) [u8; 32]);

impl Lane {
    /// The sequence of the next order.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.orders.len() as u64
    }

    /// Everything in the lane, a free tier that lapsed and was not touched since included.
    #[must_use]
    pub const fn purse(&self) -> Amounts {
        self.purse
    }

    /// What can be spent on a day: the free tier of another day is gone.
    #[must_use]
    pub fn spendable(&self, day: u32) -> Amounts {
        if self.free_day == day { self.purse } else { Amounts { free: Credits::ZERO, ..self.purse } }
    }

    /// Orders in an epoch so far.
    pub(crate) const fn given_in(&self, epoch: u64) -> u64 {
        if self.given.0 == epoch { self.given.1 } else { 0 }
    }

    /// `counts` is false for orders that end a hold: each was bounded by the order that made it, and nobody
    /// may use up a payee's orders by making holds for it.
    pub(crate) fn record(&mut self, epoch: u64, id: Hash, counts: bool) {
        self.given = (epoch, self.given_in(epoch) + u64::from(counts));
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.head.0).update(&id.0);
        self.head = Hash256(*hasher.finalize().as_bytes());
        self.orders.push(id);
    }
}

/// What the rules of issuance remember of an owner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Account {
    /// Days with verified work that were not claimed for the ramp yet. At most [`WORKED_DAYS`].
    pub(crate) worked: BTreeSet<u32>,
    pub(crate) ever_worked: bool,
    pub(crate) lanes: usize,
    /// Their devices.
    pub(crate) devices: Vec<DeviceId>,
    pub(crate) starter: bool,
    pub(crate) ramp_days: u32,
    /// The last day whose ramp was claimed, and the last whose free tier was.
    pub(crate) ramp_day: Option<u32>,
    pub(crate) free_day: Option<u32>,
    pub(crate) budget_epoch: Option<u64>,
}

/// Older days of work are forgotten when there are more.
pub(crate) const WORKED_DAYS: usize = 62;

impl Account {
    pub(crate) fn worked_on(&mut self, day: u32) {
        self.ever_worked = true;
        // A day once claimed is not opened again.
        if self.ramp_day.is_none_or(|claimed| day > claimed) {
            self.worked.insert(day);
        }
        while self.worked.len() > WORKED_DAYS {
            self.worked.pop_first();
        }
    }
}
