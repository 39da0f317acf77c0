//! `cargo xtask demo`: from a fresh clone to an answer that another node computed.

mod round;
mod window;

use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;

use crate::build;
use crate::fleet::Fleet;
use crate::place::Place;
use crate::run::{catch_interrupts, say};
use crate::setup::{assets, debian, node};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Do one round without the tray app, then stop everything
    #[arg(long)]
    once: bool,
    /// Print the round as one JSON document
    #[arg(long)]
    json: bool,
    /// How many nodes
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=20))]
    nodes: u8,
    /// Use what is built already
    #[arg(long, hide = true)]
    built: bool,
}

/// # Errors
/// When anything fails, and when an answer is wrong or came from the node that asked.
pub(crate) fn demo(place: &Place, options: &Options) -> Result<()> {
    catch_interrupts()?;
    let stays = !options.once;
    if !options.built {
        prepare(place, stays)?;
    }
    let fleet = Fleet::start(place, options.nodes.into(), stays)?;
    let document = round::play(&fleet)?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&document)?);
    }
    let verdict = round::verdict(&document);
    if stays {
        verdict?;
        return window::stay(place, &fleet);
    }
    drop(fleet);
    verdict?;
    say("everything is stopped");
    Ok(())
}

/// Builds the daemons while the model and the user interface are made beside them.
fn prepare(place: &Place, with_ui: bool) -> Result<()> {
    debian::want(place, &[debian::Group::Build], "a faster linker, and perhaps the model");
    thread::scope(|scope| {
        let beside = scope.spawn(|| {
            assets::make(place)?;
            if with_ui { node::build_ui(place) } else { Ok(()) }
        });
        let built = build::daemons(place);
        let made = beside.join().map_err(|_| anyhow!("the thread that makes the model panicked"))?;
        built.and(made).context("the demo cannot start")
    })?;
    if !place.binary("p2p-daemon").is_file() {
        bail!("cargo built no p2p-daemon in {}", place.target.display());
    }
    Ok(())
}
