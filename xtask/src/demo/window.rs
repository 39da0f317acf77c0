//! What stays open after the round: the tray app where there is a display, the dashboard where
//! there is none.

use std::env;
use std::process::Child;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::build;
use crate::fleet::{Fleet, end};
use crate::place::Place;
use crate::run::{interrupted, say};
use crate::setup::debian::{self, Group};

/// Opens what can be opened on the node that is shown, and stays until Ctrl-C.
pub(super) fn stay(place: &Place, fleet: &Fleet) -> Result<()> {
    let first = &fleet.nodes[fleet.shown()];
    say(format!(
        "try it: P2P_AGENT_HOME={} {} demo \"How do you like this?\"",
        first.home.display(),
        place.binary("p2p-agent").display()
    ));
    if fleet.agent(fleet.shown(), &["status"])?["dashboard"].is_string() {
        let opened = fleet.agent(fleet.shown(), &["dashboard"])?;
        let address = opened["address"].as_str().context("the dashboard has an address")?;
        say(format!("the dashboard of {}: {address}", first.name));
    }
    let mut tray = if has_display() {
        open_tray(place, fleet).unwrap_or_else(|error| {
            say(format!("no tray app: {error:#}"));
            None
        })
    } else {
        None
    };
    if interrupted() {
        return Ok(());
    }
    fleet.earn(fleet.shown())?;
    let wallet = fleet.agent(fleet.shown(), &["wallet", "balance"])?;
    let credits = wallet["available"].as_f64().unwrap_or(0.0) / 1e6;
    say(format!("{} earned its first credits: {credits} with what the network gives to newcomers", first.name));
    say(format!("{} nodes are running; Ctrl-C stops everything", fleet.nodes.len()));
    while !interrupted() {
        if let Some(child) = &mut tray
            && let Some(status) = child.try_wait()?
        {
            say(format!("the tray app was closed ({status}); the nodes run on until Ctrl-C"));
            tray = None;
        }
        thread::sleep(Duration::from_millis(100));
    }
    say("stopping");
    if let Some(mut child) = tray {
        let _ = child.kill();
        end(&mut child);
    }
    Ok(())
}

fn has_display() -> bool {
    cfg!(not(target_os = "linux"))
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Builds the tray app behind the running nodes, and opens it as a client of the one that is shown.
fn open_tray(place: &Place, fleet: &Fleet) -> Result<Option<Child>> {
    if cfg!(target_os = "linux") && !debian::want(place, &[Group::Tray], "the tray app; use the dashboard instead") {
        return Ok(None);
    }
    build::tray(place)?;
    let first = &fleet.nodes[fleet.shown()];
    let tray = place.ours("p2p-tray").arg("--home").arg(&first.home).spawn().context("cannot start it")?;
    say(format!("the tray app shows {}", first.name));
    Ok(Some(tray))
}
