//! Why work is paused and what resumes it: codes with parameters, so that they can be translated.

use p2p_types::{Inhibitor, SignalKind, Timestamp, Untold};
use serde::{Deserialize, Serialize};

use crate::Rule;

/// Why work is paused. Figures are rounded to what a person reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// The owner said so.
    ByHand {
        until: Option<Timestamp>,
    },
    HeatCritical {
        celsius: i16,
    },
    MemoryCritical {
        available_mib: u64,
    },
    DiskCritical {
        free_mib: u64,
    },
    /// Not in the hours that the owner set.
    Hours,
    /// Somebody uses the computer, or did until a moment ago.
    Owner,
    FullScreen,
    Inhibitor {
        inhibitor: Inhibitor,
    },
    Battery {
        percent: Option<u8>,
    },
    PowerSaver,
    Metered,
    NetworkHours,
    DataAllowance {
        used_mib: u64,
        allowance_mib: u64,
    },
    Temperature {
        celsius: i16,
    },
    /// Other programs are busy.
    Load {
        percent: u16,
    },
    Memory {
        available_mib: u64,
    },
    DiskFree {
        free_mib: u64,
    },
    DiskQuota {
        used_mib: u64,
        quota_mib: u64,
    },
    /// A rule needs this reading, and it cannot be told.
    CannotTell {
        kind: SignalKind,
        why: Untold,
    },
    /// The scheduler has only just begun.
    Starting,
}

impl Reason {
    /// The stable code, as in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CannotTell { .. } => "cannot_tell",
            other => other.rule().name(),
        }
    }

    /// The rule that gives it.
    #[must_use]
    pub const fn rule(self) -> Rule {
        match self {
            Self::ByHand { .. } => Rule::ByHand,
            Self::HeatCritical { .. } => Rule::HeatCritical,
            Self::MemoryCritical { .. } => Rule::MemoryCritical,
            Self::DiskCritical { .. } => Rule::DiskCritical,
            Self::Hours => Rule::Hours,
            Self::Owner => Rule::Owner,
            Self::FullScreen => Rule::FullScreen,
            Self::Inhibitor { .. } => Rule::Inhibitor,
            Self::Battery { .. } => Rule::Battery,
            Self::PowerSaver => Rule::PowerSaver,
            Self::Metered => Rule::Metered,
            Self::NetworkHours => Rule::NetworkHours,
            Self::DataAllowance { .. } => Rule::DataAllowance,
            Self::Temperature { .. } => Rule::Temperature,
            Self::Load { .. } => Rule::Load,
            Self::Memory { .. } => Rule::Memory,
            Self::DiskFree { .. } => Rule::DiskFree,
            Self::DiskQuota { .. } => Rule::DiskQuota,
            // Only rules that must not guess give this reason: of the input, of power, of a
            // metered way and of the disk.
            Self::CannotTell { kind, .. } => match kind {
                SignalKind::Power => Rule::Battery,
                SignalKind::Metered => Rule::Metered,
                SignalKind::Disk => Rule::DiskFree,
                _ => Rule::OwnerUntold,
            },
            Self::Starting => Rule::Starting,
        }
    }
}

/// What resumes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Resumes {
    /// When the owner says so.
    ByHand,
    At {
        at: Timestamp,
    },
    /// So long after the last key, click or touch.
    AfterIdle {
        ms: u64,
    },
    OnMains,
    /// On mains power, or when the battery has so much again.
    OnMainsOrPercent {
        percent: u8,
    },
    SaverOff,
    Cooled {
        celsius: u16,
    },
    LoadBelow {
        percent: u16,
    },
    MemoryFree {
        mib: u64,
    },
    DiskFree {
        mib: u64,
    },
    QuotaBelow {
        mib: u64,
    },
    /// When the full screen, the call, the film ends.
    WhenOver,
    Unmetered,
    NextMonth,
    /// When the reading can be told again.
    WhenTold,
    /// The cause is over; it resumes if there is none for so long.
    Shortly {
        within_ms: u64,
    },
}
