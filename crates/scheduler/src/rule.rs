//! The rules, the order in which they speak, and how long each takes to make up its mind.

use p2p_types::SignalKind;
use serde::{Deserialize, Serialize};

use crate::Class;

/// One rule. Each blocks for itself, and none is weighed against another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    ByHand,
    HeatCritical,
    MemoryCritical,
    DiskCritical,
    Hours,
    Owner,
    OwnerUntold,
    FullScreen,
    Inhibitor,
    Battery,
    PowerSaver,
    Metered,
    NetworkHours,
    DataAllowance,
    Temperature,
    Load,
    Memory,
    DiskFree,
    DiskQuota,
    Starting,
}

/// How long a rule waits before it acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// How long there must be a cause without a break before the rule pauses.
    pub stop_ms: u64,
    /// How long there must be no cause without a break before the rule lets go.
    pub resume_ms: u64,
}

const fn hold(stop_ms: u64, resume_ms: u64) -> Hold {
    Hold { stop_ms, resume_ms }
}

/// For so long after the start guests and duties wait, so that whoever can tell something tells
/// it first: a laptop on battery would else work for the second that it takes to find out. It ends
/// as soon as everything that any process can see was told, or said to be past telling.
pub const START_MS: u64 = 5_000;

/// For so long the last value of a reading stands in for one that cannot be told any more: a
/// service that is started again is no reason to stop or to go on. Not so for the owner's input.
pub const GRACE_MS: u64 = 60_000;

/// Every rule with its hold times, in the order in which they speak: the reason shown is that of
/// the first rule here with a cause now. First what the owner said, then what is dangerous, then
/// what the owner set by the clock, what the owner is doing, and last the computer's state. Only
/// where no rule has a cause any more, one that still holds is shown: that which lets go last.
pub const HOLDS: [(Rule, Hold); 20] = [
    // The owner's word counts at once, both ways.
    (Rule::ByHand, hold(0, 0)),
    // What cools down or is freed because we stopped must stay so before we start again.
    (Rule::HeatCritical, hold(0, 60_000)),
    (Rule::MemoryCritical, hold(0, 30_000)),
    (Rule::DiskCritical, hold(0, 30_000)),
    // The clock does not flicker.
    (Rule::Hours, hold(0, 0)),
    // The minutes without input, which the policy sets, are the hold.
    (Rule::Owner, hold(0, 0)),
    (Rule::OwnerUntold, hold(0, 10_000)),
    // Between two slides or two films the screen is free for a moment.
    (Rule::FullScreen, hold(0, 10_000)),
    (Rule::Inhibitor, hold(0, 30_000)),
    // A loose plug.
    (Rule::Battery, hold(0, 30_000)),
    (Rule::PowerSaver, hold(0, 30_000)),
    // A laptop that walks from one network to the next.
    (Rule::Metered, hold(0, 30_000)),
    (Rule::NetworkHours, hold(0, 0)),
    (Rule::DataAllowance, hold(0, 0)),
    (Rule::Temperature, hold(10_000, 60_000)),
    // Opening a program is a spike, compiling is not.
    (Rule::Load, hold(10_000, 60_000)),
    (Rule::Memory, hold(3_000, 60_000)),
    (Rule::DiskFree, hold(0, 60_000)),
    (Rule::DiskQuota, hold(0, 0)),
    (Rule::Starting, hold(0, 0)),
];

impl Rule {
    /// All rules in the order in which they speak.
    pub fn all() -> impl Iterator<Item = Self> {
        HOLDS.into_iter().map(|(rule, _)| rule)
    }

    /// How long it waits.
    #[must_use]
    pub const fn hold(self) -> Hold {
        HOLDS[self as usize].1
    }

    /// The name in the API and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ByHand => "by_hand",
            Self::HeatCritical => "heat_critical",
            Self::MemoryCritical => "memory_critical",
            Self::DiskCritical => "disk_critical",
            Self::Hours => "hours",
            Self::Owner => "owner",
            Self::OwnerUntold => "owner_untold",
            Self::FullScreen => "full_screen",
            Self::Inhibitor => "inhibitor",
            Self::Battery => "battery",
            Self::PowerSaver => "power_saver",
            Self::Metered => "metered",
            Self::NetworkHours => "network_hours",
            Self::DataAllowance => "data_allowance",
            Self::Temperature => "temperature",
            Self::Load => "load",
            Self::Memory => "memory",
            Self::DiskFree => "disk_free",
            Self::DiskQuota => "disk_quota",
            Self::Starting => "starting",
        }
    }

    /// The signal it needs, where it needs one.
    #[must_use]
    pub const fn signal(self) -> Option<SignalKind> {
        match self {
            Self::ByHand | Self::DataAllowance | Self::DiskQuota | Self::Starting => None,
            Self::HeatCritical | Self::Temperature => Some(SignalKind::Temperature),
            Self::MemoryCritical | Self::Memory => Some(SignalKind::Memory),
            Self::DiskCritical | Self::DiskFree => Some(SignalKind::Disk),
            Self::Hours | Self::NetworkHours => Some(SignalKind::Zone),
            Self::Owner | Self::OwnerUntold => Some(SignalKind::Input),
            Self::FullScreen => Some(SignalKind::FullScreen),
            Self::Inhibitor => Some(SignalKind::Inhibitor),
            Self::Battery | Self::PowerSaver => Some(SignalKind::Power),
            Self::Metered => Some(SignalKind::Metered),
            Self::Load => Some(SignalKind::Load),
        }
    }

    /// Whether it is a hard limit, which everything obeys.
    #[must_use]
    pub const fn is_hard(self) -> bool {
        matches!(self, Self::HeatCritical | Self::MemoryCritical | Self::DiskCritical)
    }

    /// Whether it is about the way to the network.
    #[must_use]
    pub const fn is_network(self) -> bool {
        matches!(self, Self::Metered | Self::NetworkHours | Self::DataAllowance)
    }

    /// Whether work of this class obeys it.
    #[must_use]
    pub const fn binds(self, class: Class) -> bool {
        match class {
            Class::Mine => self.is_hard(),
            Class::Guest => true,
            Class::Duty => self.is_hard() || self.is_network() || matches!(self, Self::Battery | Self::Starting),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_rule_at_its_own_place() {
        for (place, (rule, _)) in HOLDS.into_iter().enumerate() {
            assert_eq!(rule as usize, place, "{}", rule.name());
            let json = serde_json::to_string(&rule).expect("a word");
            assert_eq!(json, format!("\"{}\"", rule.name()));
        }
    }
}
