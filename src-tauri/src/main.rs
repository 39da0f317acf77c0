//! `p2p-tray`: the tray icon and the window. Always a client of the daemon, which it starts where
//! none runs. Deliberately absent: the engine, and any decision about what a node does.

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod app;
mod args;
mod bridge;
mod display;
mod keep;
mod supervisor;
mod tray;
mod window;

use std::process::ExitCode;

use args::Args;
use tracing_subscriber::EnvFilter;

/// What is logged to stderr, in the words of `tracing`'s filters.
const LOG_VARIABLE: &str = "P2P_TRAY_LOG";

fn main() -> ExitCode {
    // Before anything else runs: the web view reads its environment once.
    display::prepare();
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    let args = match Args::parse(std::env::args_os().skip(1)) {
        Ok(args) => args,
        Err(error) => {
            tracing::error!("{error}");
            return ExitCode::FAILURE;
        }
    };
    match app::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
