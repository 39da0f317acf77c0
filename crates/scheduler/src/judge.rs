//! What each rule says of this moment alone: no memory, no hold times.
//!
//! What cannot be told is decided for each kind:
//! - **The owner's input**: with `Idle` nobody may guess that the owner is away, so it pauses at
//!   once and says so. With `Always` and `Hours` it does not matter.
//! - **Power and metered ways**: who never could tell has a desktop, or a system that nobody can
//!   ask, and the rule cannot be applied. Where it was told before and is no more, the computer
//!   does have a battery, or a network that someone pays by volume, and what was true when the
//!   source fell silent may be false a minute later: plugs and networks change without us. The last
//!   value stands for [`crate::GRACE_MS`], so that a service that starts again is not noticed, and
//!   then it is a pause, until it is told again or the owner allows what the rule forbids.
//! - **The disk**: the same. What does not know how much room is left must not fill it.
//! - **Everything else**: temperature, load and memory change within the grace anyway; the system
//!   protects itself from heat, and the workers have the lowest priority and a limit of their own.
//!   Full screen and inhibitors belong to a session, and end with it. The rule is let go.
//! - **Hard limits** pause on what is known to be critical, never on what is unknown: what the
//!   owner asked for should run.

mod computer;
mod owner;

use p2p_types::{Monotonic, Now, Reading, SignalKind, Timestamp, Untold};
use serde::{Deserialize, Serialize};

use crate::board::{Board, Sight};
use crate::calendar::MINUTE_MS;
use crate::gate::Raw;
use crate::{Band, Policy, Reason, Resumes, Rule, START_MS, Week};

const MIB: u64 = 1 << 20;

/// Whether a rule can be applied on this computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "applies", rename_all = "snake_case")]
pub enum Applies {
    Yes,
    /// The owner does not ask for it.
    Off,
    /// Nobody knows the zone of local time, so hours are taken as those of UTC.
    AsUtc,
    CannotTell {
        why: Untold,
    },
}

/// A pause by hand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByHand {
    pub(crate) until: Option<Timestamp>,
    /// When it ends on the clock that cannot jump.
    pub(crate) ends: Option<Monotonic>,
}

/// Everything that rules look at.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) board: &'a Board,
    pub(crate) by_hand: Option<ByHand>,
    pub(crate) month_bytes: u64,
    pub(crate) disk_bytes: u64,
    pub(crate) started: Monotonic,
    pub(crate) now: Now,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged {
    pub(crate) raw: Raw,
    pub(crate) reason: Reason,
    pub(crate) resumes: Resumes,
    pub(crate) applies: Applies,
    /// When the passing of time changes it, leases apart.
    pub(crate) until: Option<Monotonic>,
}

impl Judged {
    fn new(raw: Raw, reason: Reason, resumes: Resumes) -> Self {
        Self { raw, reason, resumes, applies: Applies::Yes, until: None }
    }

    fn off(mut self) -> Self {
        (self.raw, self.applies) = (Raw::Clear, Applies::Off);
        self
    }

    fn cannot_tell(self, why: Untold) -> Self {
        Self { raw: Raw::Clear, applies: Applies::CannotTell { why }, ..self }
    }

    fn until(self, until: Option<Monotonic>) -> Self {
        Self { until, ..self }
    }
}

pub(crate) fn judge(rule: Rule, facts: &Facts<'_>) -> Judged {
    let policy = facts.policy;
    match rule {
        Rule::ByHand => facts.by_hand(),
        Rule::Starting => {
            let end = facts.started.plus_ms(START_MS);
            let waits = facts.now.mono < end && !facts.board.told_of_the_machine();
            Judged::new(blocks(waits), Reason::Starting, Resumes::Shortly { within_ms: START_MS })
                .until(waits.then_some(end))
        }
        Rule::Hours => facts.hours(&policy.compute, Reason::Hours),
        Rule::NetworkHours => facts.hours(&policy.network, Reason::NetworkHours),
        Rule::Owner => facts.owner(),
        Rule::OwnerUntold => facts.owner_untold(),
        Rule::FullScreen => facts.full_screen(),
        Rule::Inhibitor => facts.inhibitor(),
        Rule::Battery => facts.battery(),
        Rule::PowerSaver => facts.power_saver(),
        Rule::Metered => facts.metered(),
        Rule::DataAllowance => facts.data(),
        Rule::HeatCritical => facts.heat(Some(policy.hard.heat), |celsius| Reason::HeatCritical { celsius }),
        Rule::Temperature => facts.heat(policy.temperature, |celsius| Reason::Temperature { celsius }),
        Rule::Load => facts.load(),
        Rule::MemoryCritical => facts.memory(policy.hard.memory, false),
        Rule::Memory => {
            let stop = policy.least_free_memory_bytes;
            facts.memory(Band { stop, resume: stop.saturating_add(policy.memory_bytes) }, true)
        }
        Rule::DiskCritical => facts.disk(policy.hard.disk, false),
        Rule::DiskFree => {
            let stop = policy.least_free_disk_bytes;
            facts.disk(Band { stop, resume: stop.saturating_add(stop / 8) }, true)
        }
        Rule::DiskQuota => {
            let (used, quota) = (facts.disk_bytes, policy.disk_quota_bytes);
            let reason = Reason::DiskQuota { used_mib: used / MIB, quota_mib: quota / MIB };
            Judged::new(blocks(used > quota), reason, Resumes::QuotaBelow { mib: quota / MIB })
        }
    }
}

const fn blocks(yes: bool) -> Raw {
    if yes { Raw::Blocks } else { Raw::Clear }
}

impl Facts<'_> {
    /// What several sources say of one kind, or why nothing can be said, and whether it once could.
    fn see<T>(&self, kind: SignalKind, read: impl Fn(Vec<Reading>) -> Option<T>) -> Result<T, (Untold, bool)> {
        match self.board.sight(self.now.mono, kind) {
            Sight::Known(readings) | Sight::Lately(readings) => read(readings).ok_or((Untold::Failed, true)),
            Sight::Lost(why) => Err((why, true)),
            Sight::Never(why) => Err((why, false)),
        }
    }

    fn by_hand(&self) -> Judged {
        let until = self.by_hand.and_then(|by_hand| by_hand.until);
        let ends = self.by_hand.and_then(|by_hand| by_hand.ends);
        let resumes = until.map_or(Resumes::ByHand, |at| Resumes::At { at });
        Judged::new(blocks(self.by_hand.is_some()), Reason::ByHand { until }, resumes).until(ends)
    }

    fn hours(&self, week: &Week, reason: Reason) -> Judged {
        let zone = self.zone();
        let minutes = zone.unwrap_or(0);
        let change = week.next_change(self.now.wall, minutes);
        // Clocks are set and zones change without a word: it is looked at once a minute at least.
        let until = change.map(|at| self.now.mono.plus_ms(at.since(self.now.wall).min(MINUTE_MS)));
        let resumes = change.map_or(Resumes::ByHand, |at| Resumes::At { at });
        let judged = Judged::new(blocks(!week.open(self.now.wall, minutes)), reason, resumes).until(until);
        match zone {
            _ if week.is_always() => judged.off(),
            None => Judged { applies: Applies::AsUtc, ..judged },
            Some(_) => judged,
        }
    }

    /// Minutes east of UTC by the newest report. It seldom changes, so an old one is better than none.
    pub(crate) fn zone(&self) -> Option<i16> {
        zone(self.board, self.now.mono)
    }

    fn data(&self) -> Judged {
        let (used, allowance) = (self.month_bytes, self.policy.data_bytes_a_month);
        let allowance_mib = allowance.unwrap_or_default() / MIB;
        let reason = Reason::DataAllowance { used_mib: used / MIB, allowance_mib };
        let raw = blocks(allowance.is_some_and(|allowance| used >= allowance));
        let judged = Judged::new(raw, reason, Resumes::NextMonth);
        if allowance.is_none() { judged.off() } else { judged }
    }
}

pub(crate) fn zone(board: &Board, now: Monotonic) -> Option<i16> {
    let newest = board.words(SignalKind::Zone).filter_map(|(id, entry)| match entry.reading {
        Ok(Reading::Zone { minutes }) => Some((entry.lives(now), entry.at, id, minutes)),
        _ => None,
    });
    newest.max().map(|(.., minutes)| minutes)
}
