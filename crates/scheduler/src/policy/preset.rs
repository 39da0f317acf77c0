//! Three policies to begin with.

use serde::{Deserialize, Serialize};

use super::{Band, Battery, Checked, Hard, Policy, When};
use crate::Week;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const MINUTE_MS: u64 = 60_000;

/// A policy by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// A quarter of the computer when nobody is there: no fan starts because of it.
    #[default]
    Quiet,
    /// Half of the computer when nobody is there.
    Balanced,
    /// Four fifths of the computer, always.
    Full,
}

impl Preset {
    pub const ALL: [Self; 3] = [Self::Quiet, Self::Balanced, Self::Full];

    /// What it means on a computer with so many processors.
    #[must_use]
    pub fn policy(self, processors: u16) -> Policy {
        let quiet = Policy {
            when: When::Idle { after_ms: 3 * MINUTE_MS },
            compute: Week::ALWAYS,
            network: Week::ALWAYS,
            cpu_permille: 250,
            max_workers: processors.max(1),
            memory_bytes: GIB,
            battery: Battery::Never,
            temperature: Some(Band { stop: 75, resume: 65 }),
            metered_allowed: false,
            power_saver_allowed: false,
            full_screen_allowed: false,
            presentations_allowed: false,
            calls_allowed: false,
            media_allowed: false,
            games_allowed: false,
            others: Some(Band { stop: 250, resume: 150 }),
            least_free_memory_bytes: GIB,
            least_free_disk_bytes: 5 * GIB,
            disk_quota_bytes: 2 * GIB,
            data_bytes_a_month: None,
            upload_bytes_per_s: None,
            hard: Hard {
                heat: Band { stop: 95, resume: 85 },
                memory: Band { stop: 128 * MIB, resume: 256 * MIB },
                disk: Band { stop: 256 * MIB, resume: 512 * MIB },
            },
        };
        match self {
            Self::Quiet => quiet,
            Self::Balanced => Policy {
                cpu_permille: 500,
                memory_bytes: 2 * GIB,
                temperature: Some(Band { stop: 80, resume: 70 }),
                media_allowed: true,
                others: Some(Band { stop: 500, resume: 350 }),
                disk_quota_bytes: 5 * GIB,
                ..quiet
            },
            Self::Full => Policy {
                when: When::Always,
                cpu_permille: 800,
                memory_bytes: 4 * GIB,
                battery: Battery::Above { stop: 60, resume: 70 },
                temperature: Some(Band { stop: 85, resume: 75 }),
                full_screen_allowed: true,
                media_allowed: true,
                others: None,
                disk_quota_bytes: 20 * GIB,
                ..quiet
            },
        }
    }

    /// The same, ready for a scheduler: no preset contradicts itself.
    #[must_use]
    pub fn checked(self, processors: u16) -> Checked {
        Checked(self.policy(processors))
    }
}
