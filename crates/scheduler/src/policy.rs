//! What the owner wants: plain data, and what makes it possible to keep.

mod check;
mod preset;

use std::ops::Deref;

use serde::{Deserialize, Serialize};

pub use self::check::Contradiction;
pub use self::preset::Preset;
use crate::Week;

/// When guests may work at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum When {
    /// When nobody has touched the computer for so long, within the hours of `compute`.
    Idle { after_ms: u64 },
    /// Whoever is there. Also where nobody can tell, as on a computer without a session.
    Always,
    /// In the hours of `compute`, whoever is there.
    Hours,
}

/// Two thresholds, so that a value that trembles around one does not make work tremble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Band<T> {
    pub stop: T,
    pub resume: T,
}

/// What is done on battery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Battery {
    Never,
    /// Percent: it stops below the one and resumes from the other.
    Above {
        stop: u8,
        resume: u8,
    },
    /// There is no such rule.
    Always,
}

/// What everything obeys, even what the owner just asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Hard {
    /// Degrees Celsius.
    pub heat: Band<u16>,
    /// Bytes that can be had.
    pub memory: Band<u64>,
    /// Bytes that are free.
    pub disk: Band<u64>,
}

/// The rules as the owner set them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Policy {
    pub when: When,
    /// The hours in which guests may compute.
    pub compute: Week,
    /// The hours in which guests and duties may use the network.
    pub network: Week,
    /// Thousandths of the whole computer.
    pub cpu_permille: u16,
    pub max_workers: u16,
    /// All workers together.
    pub memory_bytes: u64,
    pub battery: Battery,
    /// Degrees Celsius; `None` is no ceiling but the hard one.
    pub temperature: Option<Band<u16>>,
    pub metered_allowed: bool,
    pub power_saver_allowed: bool,
    pub full_screen_allowed: bool,
    pub presentations_allowed: bool,
    pub calls_allowed: bool,
    pub media_allowed: bool,
    pub games_allowed: bool,
    /// Thousandths of all processors that other programs use; `None` is no such rule.
    pub others: Option<Band<u16>>,
    /// Less available memory than this pauses. It resumes when the workers' memory fits in again
    /// besides, else starting them would be what stops them.
    pub least_free_memory_bytes: u64,
    pub least_free_disk_bytes: u64,
    /// What the node may keep on the disk.
    pub disk_quota_bytes: u64,
    /// Bytes a month; `None` is no limit.
    pub data_bytes_a_month: Option<u64>,
    pub upload_bytes_per_s: Option<u64>,
    pub hard: Hard,
}

/// A policy that can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked(Policy);

impl Deref for Checked {
    type Target = Policy;

    fn deref(&self) -> &Policy {
        &self.0
    }
}

impl Policy {
    /// Whether it matters if somebody uses the computer.
    #[must_use]
    pub const fn heeds_input(&self) -> bool {
        matches!(self.when, When::Idle { .. })
    }

    /// Everything in it that contradicts itself or can never be.
    ///
    /// # Errors
    /// One for each, with what would mend it.
    pub fn check(&self) -> Result<(), Vec<Contradiction>> {
        let found = check::contradictions(self);
        if found.is_empty() { Ok(()) } else { Err(found) }
    }

    /// The same policy as one that a scheduler takes.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn checked(self) -> Result<Checked, Vec<Contradiction>> {
        self.check().map(|()| Checked(self))
    }
}
