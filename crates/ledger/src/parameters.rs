//! What depends on the network and stays the same within an epoch.

use p2p_types::{AccountId, Credits, Hash};

use crate::Rates;

/// The most that one lane may have open.
pub const HOLDS_PER_LANE: usize = 64;
/// The most that one account may have open for one payee: one for work under way, and those that are about to end.
pub const HOLDS_PER_PAYEE: usize = 8;
/// The most lanes of one account: an owner's computers, those that are lost among them.
pub const LANES_PER_ACCOUNT: usize = 16;
/// The most lanes that a network opens in an epoch: newcomers of a day. Whoever comes later waits for the next.
pub const LANES_PER_EPOCH: usize = 10_000;
/// The least that is set aside for a session, a tenth of a credit: holds of next to nothing would cost a payee an order
/// each.
pub const LEAST_HOLD: Credits = Credits::tenth();
/// The most orders of one lane in an epoch, so that nobody fills a notary's disk for nothing. Tasks take
/// none: they are paid by vouchers.
pub const ORDERS_PER_EPOCH: u64 = 10_000;
/// The longest that an order may wait to be carried out: an hour.
pub const ORDER_LIFE_MS: u64 = 60 * 60 * 1000;
/// The longest that a hold may stay open: a day.
pub const HOLD_LIFE_MS: u64 = DAY_MS;
/// How far a notary's calendar and a payer's may be apart: two minutes.
pub const CLOCK_SLACK_MS: u64 = 2 * 60 * 1000;
pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The numbers of one network's economy. Amounts are those of `docs/decisions/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// Who founded the network: the rules below give this account nothing.
    pub founder: AccountId,
    /// Who asks canaries, with the credits of [`Self::canary_budget`].
    pub issuer: AccountId,
    /// Of each payment for work, in millionths.
    pub burn: u32,
    /// After the end of a hold, how long the payee may still settle it, in milliseconds.
    pub grace_ms: u64,
    /// Once, after the first verified work.
    pub starter: Credits,
    /// For each of the first [`Self::ramp_days`] days with verified work.
    pub ramp: Credits,
    pub ramp_days: u32,
    /// A day, for whoever has ever done verified work.
    pub free: Credits,
    /// An epoch.
    pub canary_budget: Credits,
    /// What tasks cost.
    pub rates: Rates,
}

impl Parameters {
    /// As decided for every network whose founder chose nothing else.
    #[must_use]
    pub fn new(founder: AccountId, issuer: AccountId) -> Self {
        Self {
            founder,
            issuer,
            burn: 50_000,
            grace_ms: 60 * 60 * 1000,
            starter: Credits::whole(100),
            ramp: Credits::whole(30),
            ramp_days: 30,
            free: Credits::whole(50),
            canary_budget: Credits::whole(5_000),
            rates: Rates::default(),
        }
    }

    /// What a checkpoint names them by.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"p2p-agent/parameters/1");
        hasher.update(&self.founder.0).update(&self.issuer.0);
        let numbers = [
            u64::from(self.burn),
            self.grace_ms,
            self.starter.micro(),
            self.ramp.micro(),
            u64::from(self.ramp_days),
            self.free.micro(),
            self.canary_budget.micro(),
        ];
        for number in numbers.into_iter().chain(self.rates.numbers()) {
            hasher.update(&number.to_le_bytes());
        }
        Hash(*hasher.finalize().as_bytes())
    }
}
