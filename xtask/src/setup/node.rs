//! Node packages and the built user interface.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::place::{Place, in_path};
use crate::run::{run_logged, say};
use crate::stamp::{Stamp, copy_folder};

/// Node in the folder of the user interface.
pub(crate) fn npm(place: &Place, words: &[&str]) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.current_dir(place.root.join("ui")).args(words);
    command.env("CI", "true").env("NO_UPDATE_NOTIFIER", "1");
    command
}

/// Installs the packages of the lock file, without running any of their scripts.
pub(crate) fn install(place: &Place) -> Result<()> {
    if in_path("npm").is_none() && !cfg!(windows) {
        bail!("the user interface cannot be built - npm is not installed - install Node 20 or later");
    }
    let ui = place.root.join("ui");
    let modules = ui.join("node_modules");
    let stamp = Stamp::of(modules.join(".xtask-stamp"), &[ui.join("package-lock.json"), ui.join("package.json")])?;
    if stamp.fresh() {
        return Ok(());
    }
    let log = place.cache.join("log/npm.log");
    let mut ci = npm(place, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    run_logged(&mut ci, "installing Node packages", &log)?;
    stamp.set()
}

/// Builds the user interface and puts it among the assets.
pub(crate) fn build_ui(place: &Place) -> Result<()> {
    install(place)?;
    let ui = place.root.join("ui");
    let sources: Vec<_> = std::fs::read_dir(&ui)
        .context("cannot read ui/")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    let made = ["node_modules", "dist"];
    let sources: Vec<_> = sources.into_iter().filter(|path| !made.iter().any(|name| path.ends_with(name))).collect();
    let dist = ui.join("dist");
    let stamp = Stamp::of(ui.join("node_modules/.xtask-dist-stamp"), &sources)?;
    if !(stamp.fresh() && dist.join("index.html").is_file()) {
        let log = place.cache.join("log/ui.log");
        run_logged(&mut npm(place, &["run", "build"]), "building the user interface", &log)?;
        stamp.set()?;
    }
    let served = place.assets().join("ui");
    let served_stamp = Stamp::of(place.assets().join("ui.stamp"), std::slice::from_ref(&dist))?;
    if !(served_stamp.fresh() && served.join("index.html").is_file()) {
        copy_folder(&dist, &served)?;
        served_stamp.set()?;
        say("the user interface is built");
    }
    Ok(())
}
