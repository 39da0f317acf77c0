//! The engine: owns the machine of `protocol`, performs its effects through the edges (`net`,
//! `store`, `inference`), and answers the control API.
//!
//! One loop, one owner, one kind of event, a fixed order of priority, no blocking call. Decisions
//! between nodes are made in `protocol`; here they are carried out.

mod clock;
mod computer;
pub mod config;
mod document;
mod engine;
pub mod home;
mod host;
mod metrics;
mod problem;
mod rules;
mod sentence;
mod unable;
mod view;
pub mod wallet;

pub use host::{Host, run};
