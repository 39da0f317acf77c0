//! One rule's memory: whether it blocks, and since when it would change its mind.

use p2p_types::Monotonic;

use crate::{Hold, Reason, Resumes};

/// What a rule says of this moment alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Raw {
    Blocks,
    /// Between the two thresholds: no cause to stop, none to resume.
    Between,
    Clear,
}

/// A rule over time. It changes only after its hold without a break.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Gate {
    pub(crate) closed: bool,
    since: Option<Monotonic>,
    raw_clear: bool,
    /// What it last blocked for.
    why: Option<(Reason, Resumes)>,
}

impl Gate {
    pub(crate) fn step(&mut self, now: Monotonic, raw: Raw, hold: Hold, reason: Reason, resumes: Resumes) {
        self.raw_clear = raw == Raw::Clear;
        if raw != Raw::Clear {
            self.why = Some((reason, resumes));
        }
        let (wanted, ms) = self.wants(hold);
        if raw != wanted {
            self.since = None;
            return;
        }
        let since = *self.since.get_or_insert(now);
        if now >= since.plus_ms(ms) {
            self.closed = !self.closed;
            self.since = None;
        }
    }

    /// Opens without waiting: the owner changed the rule itself.
    pub(crate) fn open(&mut self) {
        self.closed = false;
        self.since = None;
    }

    /// When it changes if nothing else does.
    pub(crate) fn due(&self, hold: Hold) -> Option<Monotonic> {
        self.since.map(|since| since.plus_ms(self.wants(hold).1))
    }

    /// Whether it blocks though its cause is over.
    pub(crate) const fn holds(&self) -> bool {
        self.closed && self.raw_clear
    }

    /// Whether there is a cause that has not lasted long enough.
    pub(crate) const fn gathers(&self) -> bool {
        !self.closed && self.since.is_some()
    }

    /// What it blocks for.
    pub(crate) fn why(&self, hold: Hold) -> Option<(Reason, Resumes)> {
        let (reason, resumes) = self.why.filter(|_| self.closed)?;
        Some((reason, if self.raw_clear { Resumes::Shortly { within_ms: hold.resume_ms } } else { resumes }))
    }

    const fn wants(&self, hold: Hold) -> (Raw, u64) {
        if self.closed { (Raw::Clear, hold.resume_ms) } else { (Raw::Blocks, hold.stop_ms) }
    }
}
