//! What is built, and in which order: what answers first is built first.
//!
//! Every call selects the whole workspace and then names binaries: so the features of shared
//! dependencies come out the same each time, and none is compiled twice.

use anyhow::Result;

use crate::place::{PROFILE, Place};
use crate::run::run;

/// Daemon, worker and command line.
pub(crate) fn daemons(place: &Place) -> Result<()> {
    build(place, &["p2p-agent", "p2p-daemon", "p2p-worker"], "building daemon, worker and command line")
}

/// The tray app. It embeds the built user interface.
pub(crate) fn tray(place: &Place) -> Result<()> {
    build(place, &["p2p-tray"], "building the tray app")
}

/// What measures our side and speaks to the rivals.
pub(crate) fn bench(place: &Place) -> Result<()> {
    build(place, &["p2p-bench"], "building the benchmark client")
}

fn build(place: &Place, binaries: &[&str], what: &str) -> Result<()> {
    let mut cargo = place.cargo();
    cargo.args(["build", "--profile", PROFILE, "--workspace"]);
    for binary in binaries {
        cargo.args(["--bin", binary]);
    }
    run(&mut cargo, what)
}
