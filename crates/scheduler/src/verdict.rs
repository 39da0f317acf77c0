//! What may be done now, for each class of work.

use serde::{Deserialize, Serialize};

use crate::{Reason, Resumes};

/// Whose work it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// What the owner just asked for. It obeys the hard limits and nothing else.
    Mine,
    /// What others pay for. It obeys every rule.
    Guest,
    /// What keeps the network going: notary, gossip, relaying. It is cheap, so it obeys the hard
    /// limits, battery, hours of the network, metered ways and the data allowance, and neither
    /// idleness nor a pause by hand: who pauses wants their computer to themselves, not others'
    /// payments to wait.
    Duty,
}

impl Class {
    pub const ALL: [Self; 3] = [Self::Mine, Self::Guest, Self::Duty];

    /// The name in the API and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Guest => "guest",
            Self::Duty => "duty",
        }
    }
}

/// What work may use while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Allowance {
    /// Fewer workers come before shorter slices: four of eight cores for a half, and slices only
    /// for what is left over.
    pub workers: u16,
    /// Thousandths of the whole computer, all workers together.
    pub cpu_permille: u16,
    /// All workers together.
    pub memory_bytes: u64,
    /// `None` is no limit.
    pub upload_bytes_per_s: Option<u64>,
    /// Whether the rules of the network are content. Always so for guests and duties that run; what
    /// the owner asked for goes over the network all the same, and what can wait (updates, models
    /// nobody asked for) should wait where this is `false`.
    pub network: bool,
}

/// The answer for one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    Run(Allowance),
    Pause { reason: Reason, resumes: Resumes },
}

impl Verdict {
    #[must_use]
    pub const fn runs(&self) -> bool {
        matches!(self, Self::Run(_))
    }

    /// Why it is paused.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Run(_) => None,
            Self::Pause { reason, .. } => Some(*reason),
        }
    }

    /// Whether the other says the same in other figures: 81 % of the battery where it was 82 %.
    pub(crate) fn rewords(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pause { reason, .. }, Self::Pause { reason: other, .. }) => reason.code() == other.code(),
            _ => false,
        }
    }
}
