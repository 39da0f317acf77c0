//! Runs one world from its beginning to its end.

use crate::checkers::Violation;
use crate::world::World;
use crate::{Economy, Faults, Links, Load, Micros, SECOND};

/// The calendar as the world begins.
pub(crate) const START_MS: u64 = 1_800_000_000_000;

/// A world to be run.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: &'static str,
    pub seed: u64,
    pub nodes: usize,
    pub links: Links,
    pub faults: Faults,
    pub load: Load,
    /// Set where work is paid.
    pub money: Option<Economy>,
    /// How long nodes have to find each other before the storm, and how long the storm lasts.
    pub calm_us: Micros,
    pub storm_us: Micros,
    pub sabotage: Sabotage,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            name: "calm",
            seed: 1,
            nodes: 200,
            links: Links::default(),
            faults: Faults::default(),
            load: Load::default(),
            money: None,
            calm_us: 5 * SECOND,
            storm_us: 40 * SECOND,
            sabotage: Sabotage::None,
        }
    }
}

/// Something broken on purpose, to see that a checker finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    None,
    /// The disks of all nodes forget sequence numbers.
    ForgetSequences,
    /// The workers of all nodes answer wrongly.
    LyingWorkers,
    /// Owners take trust back, and the nodes are not told.
    UnheardDistrust,
    /// Results never arrive.
    LostResults,
    /// The notary's disk says that it wrote a record, and did not.
    UnwrittenRecords,
    /// Payments never arrive.
    LostPayments,
    /// Owners set limits, and the nodes are not told.
    UnheardLimits,
    /// What is said twice is held against whoever is said to have said it.
    NoExcuses,
}

/// What happened in a world in which all was as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Events that happened.
    pub events: u64,
    /// Frames and published messages that left a computer.
    pub messages: u64,
    pub ticks: u64,
    pub crashes: u64,
    pub done: u64,
    pub partial: u64,
    pub failed: u64,
    pub cancelled: u64,
    /// Tasks that ended with their process.
    pub lost: u64,
    /// Texts that others computed.
    pub crossed: u64,
    /// Assignments of trusted texts.
    pub confided: u64,
    /// Orders that the notary carried out, and holds that were settled.
    pub orders: u64,
    pub settled: u64,
    /// Canaries that were done.
    pub canaries: u64,
    /// Times that the notary's disk failed.
    pub broken: u64,
    /// When the last task ended.
    pub ended_us: Micros,
    /// The hash of everything that happened, in order.
    pub trace: String,
}

/// Runs a world.
///
/// # Errors
/// The first thing that was not as it must be, with the seed that shows it again.
pub fn run(scenario: &Scenario) -> Result<Report, Violation> {
    World::new(scenario).run()
}
