//! Whom to ask a canary, and when.
//!
//! - **A newcomer is asked at once**, so that somebody who just installed this sees the first
//!   credit within a minute. One is under way for an account, whatever it has of devices, because
//!   what follows (grants) is for the account; and few in all, so that a crowd costs little at a
//!   time. What falls through without an answer is tried again after 5 s, 10 s, and so on to
//!   10 minutes: a laptop that just went to sleep is no reason to give up, nor to hammer.
//! - **Who passed is asked again at times nobody foresees**: exponentially distributed, so that
//!   having waited says nothing about what comes. The mean is 10 minutes and grows by one
//!   for each canary passed in a row, to an hour: trust costs less the longer it lasts, and never nothing. Each device is
//!   checked for itself, also the second of an account. Who was away when its time came gets a
//!   new one on coming back; else the first minutes of a visit would be those to be honest in.
//! - **Who answered wrongly waits an hour**, doubled each time to a week, and then a random time on
//!   top. A broken computer gets its chance; a liar earns next to nothing. Three wrong answers
//!   that are more than one in fifty make a [`Standing::Cheat`].
//! - **The budget is never exceeded**, and the last of it is for newcomers: without a
//!   canary they cannot begin, while the others lose nothing by waiting for the next budget.
//! - **The founder is never asked**: the rules pay it nothing for canaries.

mod memory;

use std::collections::{BTreeMap, BTreeSet};

use p2p_types::{AccountId, DeviceId, Monotonic, TaskKind};

use crate::chance;
use memory::Memory;
pub use memory::{Standing, Track};

/// Canaries under way at one time, and how many of them to those who passed before: newcomers
/// find a place at once.
const UNDER_WAY: usize = 8;
const AGAIN_UNDER_WAY: usize = 4;
/// For so many newcomers the budget is kept from all others.
const KEPT_FOR_NEWCOMERS: u64 = 8;
/// A canary that nobody says the end of has fallen through.
const LOST_MS: u64 = 10 * MINUTE_MS;
/// A time that passed so long ago passed while its device was away.
const MISSED_MS: u64 = MINUTE_MS;
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const WEEK_MS: u64 = 7 * 24 * HOUR_MS;

/// A computer that is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    pub device: DeviceId,
    pub account: AccountId,
    /// What it does with the very model that answered the pool.
    pub kinds: BTreeSet<TaskKind>,
    /// Whether it takes work of others now.
    pub accepting: bool,
}

/// Money in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// What is not paid out. What canaries under way will cost is taken from it here.
    pub left: u64,
    /// What one canary costs at most.
    pub price: u64,
}

/// Ask this one now, and say later how it [`Rounds::ended`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    pub device: DeviceId,
    pub account: AccountId,
    /// Whether it is the first of its account.
    pub newcomer: bool,
}

/// How a canary ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Wrong,
    /// No answer: refused, lost, too late, not paid.
    Nothing,
}

#[derive(Debug, Clone, Copy)]
struct UnderWay {
    account: AccountId,
    price: u64,
    since: Monotonic,
    newcomer: bool,
}

/// When a device may be asked.
enum Due {
    Newcomer(Monotonic),
    Again(Monotonic),
}

/// Who is asked when; remembers 10,000 devices. Call [`Rounds::next`] until it says nobody: at the
/// deadline, after each end, and whenever peers or the budget changed.
#[derive(Debug)]
pub struct Rounds {
    founder: AccountId,
    memory: Memory,
    under_way: BTreeMap<DeviceId, UnderWay>,
    deadline: Option<Monotonic>,
}

impl Rounds {
    #[must_use]
    pub fn new(founder: AccountId) -> Self {
        Self::with(founder, Memory::default())
    }

    fn with(founder: AccountId, memory: Memory) -> Self {
        Self { founder, memory, under_way: BTreeMap::new(), deadline: None }
    }

    /// Whom to ask now. `random` is a new, secret random number each time.
    pub fn next(&mut self, now: Monotonic, random: u64, peers: &[Peer], budget: Budget) -> Option<Ask> {
        self.end_lost(now, random);
        let mut deadline = self.under_way.values().map(|canary| canary.since.plus_ms(LOST_MS)).min();
        let mut newcomer: Option<((u32, u64), &Peer)> = None;
        let mut again: Option<(Monotonic, &Peer)> = None;
        for peer in peers {
            if !self.may_be_asked(peer) {
                continue;
            }
            let due = self.due(now, random, peer);
            let (Due::Newcomer(at) | Due::Again(at)) = due;
            if at > now {
                deadline = Some(deadline.map_or(at, |deadline| deadline.min(at)));
            } else if matches!(due, Due::Newcomer(_)) {
                // Who failed least goes first; among equals, chance decides.
                let turn = (self.memory.track(&peer.device).nothings, chance::own(random, &peer.device));
                if newcomer.is_none_or(|(best, _)| turn < best) {
                    newcomer = Some((turn, peer));
                }
            } else if again.is_none_or(|(earliest, _)| at < earliest) {
                again = Some((at, peer));
            }
        }
        let again = again.filter(|_| self.has_room_again() && self.bears(budget, KEPT_FOR_NEWCOMERS));
        let newcomer = newcomer.filter(|_| self.under_way.len() < UNDER_WAY && self.bears(budget, 0));
        let chosen = newcomer.map(|(_, peer)| (peer, true)).or_else(|| again.map(|(_, peer)| (peer, false)));
        // There may be another after this one.
        self.deadline = if chosen.is_some() { Some(now) } else { deadline };
        let (peer, newcomer) = chosen?;
        let (device, account) = (peer.device, peer.account);
        self.remember(device, account);
        self.under_way.insert(device, UnderWay { account, price: budget.price, since: now, newcomer });
        Some(Ask { device, account, newcomer })
    }

    /// Says how a canary ended; `None` where none is under way to this device. The standing is the
    /// new one.
    pub fn ended(&mut self, now: Monotonic, random: u64, device: DeviceId, outcome: Outcome) -> Option<Standing> {
        let UnderWay { account, .. } = self.under_way.remove(&device)?;
        self.deadline = Some(now);
        let wait = |mean| chance::wait_ms(chance::own(random, &device), mean);
        self.remember(device, account);
        let (record, owner) = self.memory.both(&device, &account)?;
        match outcome {
            Outcome::Passed => {
                record.track.passes = record.track.passes.saturating_add(1);
                record.track.streak = record.track.streak.saturating_add(1);
                record.track.nothings = 0;
                record.due = Some(now.plus_ms(wait(mean_ms(record.track.streak))));
                owner.answered = true;
            }
            Outcome::Wrong => {
                record.track.wrong = record.track.wrong.saturating_add(1);
                record.track.streak = 0;
                record.track.nothings = 0;
                let penalty = doubled(HOUR_MS, record.track.wrong, WEEK_MS);
                record.due = Some(now.plus_ms(penalty).plus_ms(wait(mean_ms(0))));
                owner.answered = true;
            }
            Outcome::Nothing => {
                record.track.nothings = record.track.nothings.saturating_add(1);
                if owner.answered {
                    record.due = Some(now.plus_ms(wait(mean_ms(record.track.streak))));
                } else {
                    owner.nothings = owner.nothings.saturating_add(1);
                    owner.due = now.plus_ms(doubled(5_000, owner.nothings, 10 * MINUTE_MS));
                }
            }
        }
        Some(record.track.standing())
    }

    /// When [`Rounds::next`] has something to do though nothing happens, among the peers it was
    /// last shown.
    #[must_use]
    pub const fn next_deadline(&self) -> Option<Monotonic> {
        self.deadline
    }

    #[must_use]
    pub fn standing(&self, device: &DeviceId) -> Standing {
        self.memory.track(device).standing()
    }

    /// What is remembered of a device; zeros for a stranger.
    #[must_use]
    pub fn track(&self, device: &DeviceId) -> Track {
        self.memory.track(device)
    }

    /// Every device that is remembered, in the order of ids.
    pub fn tracks(&self) -> impl Iterator<Item = (DeviceId, AccountId, Track)> + '_ {
        self.memory.tracks()
    }

    /// Canaries that were asked and have not ended.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    fn may_be_asked(&self, peer: &Peer) -> bool {
        let able = peer.kinds.contains(&TaskKind::Sentiment) || peer.kinds.contains(&TaskKind::Embed);
        let busy = || {
            let of_account = self.under_way.values().any(|canary| canary.account == peer.account);
            of_account || self.under_way.contains_key(&peer.device)
        };
        peer.accepting && able && peer.account != self.founder && !busy()
    }

    fn due(&mut self, now: Monotonic, random: u64, peer: &Peer) -> Due {
        let owner = self.memory.owner(&peer.account);
        let track = self.memory.track(&peer.device);
        if !track.has_answered() && !owner.answered {
            return Due::Newcomer(owner.due);
        }
        let missed = |due: &Monotonic| due.plus_ms(MISSED_MS) < now;
        let due = self.memory.due(&peer.device).filter(|due| !missed(due));
        Due::Again(due.unwrap_or_else(|| {
            let wait = chance::wait_ms(chance::own(random, &peer.device), mean_ms(track.streak));
            let due = now.plus_ms(wait);
            self.remember(peer.device, peer.account);
            self.memory.set_due(&peer.device, due);
            due
        }))
    }

    fn remember(&mut self, device: DeviceId, account: AccountId) {
        let under_way = &self.under_way;
        self.memory.remember(device, account, |device| under_way.contains_key(device));
    }

    /// Whether the budget bears one more, and `kept` besides.
    fn bears(&self, budget: Budget, kept: u64) -> bool {
        let promised = self.under_way.values().fold(0_u64, |sum, canary| sum.saturating_add(canary.price));
        let needed = budget.price.saturating_mul(kept.saturating_add(1)).saturating_add(promised);
        needed <= budget.left
    }

    fn has_room_again(&self) -> bool {
        let again = self.under_way.values().filter(|canary| !canary.newcomer).count();
        again < AGAIN_UNDER_WAY && self.under_way.len() < UNDER_WAY
    }

    fn end_lost(&mut self, now: Monotonic, random: u64) {
        let lost = |canary: &UnderWay| canary.since.plus_ms(LOST_MS) <= now;
        let lost: Vec<DeviceId> =
            self.under_way.iter().filter(|(_, canary)| lost(canary)).map(|(device, _)| *device).collect();
        for device in lost {
            self.ended(now, random, device, Outcome::Nothing);
        }
    }
}

/// The mean time between two canaries of who passed `streak` in a row.
fn mean_ms(streak: u32) -> u64 {
    (10 + u64::from(streak)).min(60) * MINUTE_MS
}

/// `first`, doubled with each time after the first, at most `most`.
fn doubled(first: u64, times: u32, most: u64) -> u64 {
    let factor = 1_u64.checked_shl(times.saturating_sub(1)).unwrap_or(u64::MAX);
    first.saturating_mul(factor).min(most)
}

#[cfg(test)]
mod tests;
