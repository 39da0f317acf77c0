//! Signals in, verdicts out: whether this computer may work for others now, and if not, why not.
//!
//! [`Scheduler`] is told what can be told of the computer and of its owner, by sources whose word
//! holds for a lease, and what the owner wants ([`Policy`]). It answers for each [`Class`] of work
//! with a [`Verdict`]: run within an [`Allowance`], or pause for a [`Reason`] until something
//! [`Resumes`] it. A rule that blocks cannot be outvoted: there is no score, and each [`Rule`] has
//! a gate of its own with the hold times of [`HOLDS`].
//!
//! A sentence that cannot be said honestly is not said: a reading is known, or it "cannot be
//! told", and [`Scheduler::rules`] says which rules cannot be applied on this computer.
//!
//! Deliberately absent: clocks, asking the operating system, stopping workers (a small thread does
//! that on the input signal itself, without waiting for a verdict), keeping the decision log,
//! counting bytes, what the work is, and whose it is beyond its class. Nothing here keeps a
//! computer awake: with nothing due there is no deadline.

mod board;
mod calendar;
pub mod capability;
pub mod energy;
mod gate;
mod judge;
mod policy;
mod reason;
mod rule;
mod scheduler;
mod sentence;
mod verdict;
mod week;

pub use board::{MAX_LEASE_MS, MAX_SOURCES, SourceId};
pub use calendar::until_tomorrow;
pub use judge::Applies;
pub use policy::{Band, Battery, Checked, Contradiction, Hard, Policy, Preset, When};
pub use reason::{Reason, Resumes};
pub use rule::{GRACE_MS, HOLDS, Hold, Rule, START_MS};
pub use scheduler::{Cause, Effect, Input, Machine, Output, RuleState, Scheduler, Seen};
pub use sentence::{Words, sentence};
pub use verdict::{Allowance, Class, Verdict};
pub use week::{Week, WeekError};
