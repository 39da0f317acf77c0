//! Many nodes in a made-up world: virtual time, a faulty network, crashes, and checkers that know
//! the truth.
//!
//! The nodes are the real machines of `p2p-protocol`. Everything around them is made of one seed:
//! one heap of `(time, order, node, event)` holds all that will happen, so the same seed gives the
//! same run to the last byte, and [`Report::trace`] proves it. The network is a model of the ports
//! that the machines know ([`Fabric`]); a suite of scenarios holds it and the real network to the
//! same contract. Checkers stand beside the nodes and use none of their judgement.
//!
//! Deliberately absent: threads, sockets, real time, real signatures, models.

mod checkers;
mod computer;
mod dice;
mod fabric;
mod faults;
mod load;
mod money;
mod scenario;
mod schedule;
mod scheme;
mod wallet;
mod workers;
mod world;

pub use checkers::Violation;
pub use fabric::{Fabric, Links, Motion, PortEvent};
pub use faults::Faults;
pub use load::Load;
pub use money::Economy;
pub use scenario::{Report, Sabotage, Scenario, run};
pub use schedule::Schedule;
pub use scheme::KeyedHash;

/// Virtual time: microseconds since the world began.
pub type Micros = u64;

/// Microseconds of a second.
pub const SECOND: Micros = 1_000_000;
/// Microseconds of a millisecond.
pub const MS: Micros = 1000;

#[cfg(test)]
mod tests;
