//! What a computer is good for, from what was measured on it. Nobody is asked.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What was measured. `None` was not, and counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    pub processors: u16,
    pub memory_bytes: u64,
    /// Whether it can run on battery, and so be gone.
    pub battery: bool,
    pub network_bytes_per_s: Option<u64>,
    pub storage_free_bytes: u64,
    /// Of the base model on one core. Bids are made with it.
    pub tokens_per_s: Option<u32>,
}

/// Classes of computers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// As a phone: it uses more than it gives.
    Basic,
    Standard,
    /// As a large laptop.
    Power,
}

/// What a tier may take: ceilings while it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Footprint {
    pub disk_bytes: u64,
    pub memory_bytes: u64,
}

/// What is offered to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Infer,
    Cache,
    Store,
    Train,
    /// Notary, relay: what should be there all day.
    Coordinate,
}

/// What stands between a computer and the next tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    Processors,
    Memory,
    Storage,
    Speed,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    pub tier: Tier,
    pub footprint: Footprint,
    pub roles: BTreeSet<Role>,
    /// Empty in the highest tier.
    pub lacks: BTreeSet<Lack>,
}

struct Needs {
    processors: u16,
    memory_bytes: u64,
    storage_bytes: u64,
    tokens_per_s: u32,
}

/// The footprint is at most a third of the memory and a tenth of the free storage.
const STANDARD: Needs = Needs { processors: 2, memory_bytes: 3 * GIB, storage_bytes: 2_000 * MIB, tokens_per_s: 500 };
const POWER: Needs = Needs { processors: 4, memory_bytes: 7 * GIB, storage_bytes: 5_000 * MIB, tokens_per_s: 3_000 };
/// Slower than this, a task of a few sentences takes seconds.
const LEAST_TOKENS_PER_S: u32 = 50;
/// What a coordinator or a store needs of its network: 8 megabits a second.
const STEADY_BYTES_PER_S: u64 = 1_000_000;

impl Tier {
    /// 50, 200 and 500 MB on disk; 200 MB, 1 GB and 2 GB of memory at most.
    #[must_use]
    pub const fn footprint(self) -> Footprint {
        let (disk, memory) = match self {
            Self::Basic => (50, 200),
            Self::Standard => (200, 1_024),
            Self::Power => (500, 2_048),
        };
        Footprint { disk_bytes: disk * MIB, memory_bytes: memory * MIB }
    }

    const fn needs(self) -> Option<Needs> {
        match self {
            Self::Basic => None,
            Self::Standard => Some(STANDARD),
            Self::Power => Some(POWER),
        }
    }
}

/// Tier and roles of a computer.
#[must_use]
pub fn assess(measured: &Measured) -> Capability {
    let mut tier = Tier::Basic;
    let mut lacks = BTreeSet::new();
    for next in [Tier::Standard, Tier::Power] {
        lacks = next.needs().map(|needs| lacks_of(measured, &needs)).unwrap_or_default();
        if !lacks.is_empty() {
            break;
        }
        tier = next;
    }
    Capability { tier, footprint: tier.footprint(), roles: roles(measured, tier), lacks }
}

fn lacks_of(measured: &Measured, needs: &Needs) -> BTreeSet<Lack> {
    let found = [
        (measured.processors < needs.processors, Lack::Processors),
        (measured.memory_bytes < needs.memory_bytes, Lack::Memory),
        (measured.storage_free_bytes < needs.storage_bytes, Lack::Storage),
        (measured.tokens_per_s.unwrap_or(0) < needs.tokens_per_s, Lack::Speed),
    ];
    found.into_iter().filter_map(|(lacks, what)| lacks.then_some(what)).collect()
}

fn roles(measured: &Measured, tier: Tier) -> BTreeSet<Role> {
    let footprint = tier.footprint();
    if measured.memory_bytes < 2 * footprint.memory_bytes || measured.storage_free_bytes < footprint.disk_bytes {
        return BTreeSet::new();
    }
    let steady = measured.network_bytes_per_s.is_some_and(|speed| speed >= STEADY_BYTES_PER_S);
    let offers = [
        (measured.tokens_per_s.is_some_and(|speed| speed >= LEAST_TOKENS_PER_S), Role::Infer),
        (tier >= Tier::Standard, Role::Cache),
        (tier >= Tier::Standard && steady, Role::Store),
        (tier == Tier::Power, Role::Train),
        (tier >= Tier::Standard && steady && !measured.battery, Role::Coordinate),
    ];
    offers.into_iter().filter_map(|(offers, role)| offers.then_some(role)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESKTOP: Measured = Measured {
        processors: 8,
        memory_bytes: 16 * GIB,
        battery: false,
        network_bytes_per_s: Some(5_000_000),
        storage_free_bytes: 100 * GIB,
        tokens_per_s: Some(8_000),
    };

    #[test]
    fn tiers_follow_from_what_was_measured() {
        let all = BTreeSet::from([Role::Infer, Role::Cache, Role::Store, Role::Train, Role::Coordinate]);
        let desktop = assess(&DESKTOP);
        assert_eq!((desktop.tier, desktop.roles, desktop.lacks), (Tier::Power, all, BTreeSet::new()));
        let laptop = assess(&Measured { battery: true, processors: 2, ..DESKTOP });
        assert_eq!((laptop.tier, laptop.lacks), (Tier::Standard, BTreeSet::from([Lack::Processors])));
        assert!(!laptop.roles.contains(&Role::Coordinate), "it may be closed at any time");
        let phone = assess(&Measured { memory_bytes: 2 * GIB, tokens_per_s: Some(400), ..DESKTOP });
        assert_eq!((phone.tier, phone.roles), (Tier::Basic, BTreeSet::from([Role::Infer])));
        assert_eq!(phone.lacks, BTreeSet::from([Lack::Memory, Lack::Speed]));
        assert_eq!(phone.footprint, Footprint { disk_bytes: 50 * MIB, memory_bytes: 200 * MIB });
    }

    #[test]
    fn what_was_not_measured_counts_for_nothing() {
        assert_eq!(assess(&Measured::default()).roles, BTreeSet::new());
        let silent = assess(&Measured { tokens_per_s: None, network_bytes_per_s: None, ..DESKTOP });
        assert_eq!((silent.tier, silent.roles), (Tier::Basic, BTreeSet::new()));
    }
}
