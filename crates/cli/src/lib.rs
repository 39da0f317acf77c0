//! The command line: `p2p-agent` turns arguments into control calls and replies into text or JSON;
//! `p2p-daemon` hosts the engine.
//!
//! Deliberately absent: decisions about tasks, peers or networks. Whatever a command knows it was
//! told by the daemon, or by `p2p_agent::home` and `p2p_agent::config` while no daemon runs.

mod alias;
mod args;
mod client;
mod commands;
mod context;
mod credits;
mod daemon;
mod logging;
mod moment;
mod output;
mod panic;
mod problem;
mod texts;

pub use client::main as client_main;
pub use daemon::main as daemon_main;
