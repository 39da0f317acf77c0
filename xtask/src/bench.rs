//! `cargo xtask bench`: ours against a rival, in the same run on the same machine, in turns.

mod boot;
mod cap;
mod dispatch;
mod embed;
mod idle;
mod ledger;
mod procfs;
pub(crate) mod report;
mod rivals;
mod screen;
mod search;
mod yielding;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::build;
use crate::place::Place;
use crate::run::catch_interrupts;
use crate::setup::{assets, debian, python};
use report::Document;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[arg(value_enum)]
    name: Name,
    /// Print the document as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    extent: Extent,
    /// Use what is built already
    #[arg(long, hide = true)]
    built: bool,
}

/// How much is measured.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Extent {
    /// How often ours and the rival's are measured, in turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// How long each cap is held in each turn of `cap`
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(5..=3600))]
    seconds: u32,
    /// How often somebody comes in `yield`: each takes 12 seconds
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    tries: u32,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
    /// From process start to the daemon's first answer
    Boot,
    /// Memory and CPU of a daemon that has nothing to do
    Idle,
    /// A signed task that computes nothing, from assignment to receipt
    Dispatch,
    /// Sentences to vectors, tokens a second on one core
    Embed,
    /// The nearest of 10,000, 100,000 and 1,000,000 vectors, on one core
    Search,
    /// Certified transfers, vouchers, payments and balances
    Ledger,
    /// How far guests' work is above its cap in any second, and how far from it
    Cap,
    /// From a moved mouse to the last worker stopped, and to its memory being back
    Yield,
}

impl Name {
    pub(crate) const ALL: [Self; 8] =
        [Self::Boot, Self::Idle, Self::Dispatch, Self::Embed, Self::Search, Self::Ledger, Self::Cap, Self::Yield];
}

/// # Errors
/// When a rival is missing, and when ours is below its floor.
pub(crate) fn bench(place: &Place, options: &Options) -> Result<()> {
    catch_interrupts()?;
    prepare(place, options.name)?;
    if !options.built {
        build::daemons(place)?;
        build::bench(place)?;
    }
    let documents = measure(place, options.name, options.extent)?;
    if options.json {
        println!("{}", report::json(&documents)?);
    } else {
        print!("{}", report::table(&documents));
    }
    floors(&documents)
}

/// Installs the rival and makes what it needs.
pub(crate) fn prepare(place: &Place, name: Name) -> Result<()> {
    assets::make(place)?;
    match name {
        Name::Boot | Name::Cap => Ok(()),
        Name::Yield => screen::require(),
        Name::Idle | Name::Ledger => debian::require(place, &[debian::Group::Bench]),
        Name::Dispatch => python::install(place, &place.root.join("xtask/rivals.txt")),
        Name::Embed => python::install_all(place),
        Name::Search => search::prepare(place),
    }
}

/// Measures one thing, which may give several documents. Everything is built.
pub(crate) fn measure(place: &Place, name: Name, extent: Extent) -> Result<Vec<Document>> {
    let Extent { runs, seconds, tries } = extent;
    match name {
        Name::Boot => boot::boot(place, runs),
        Name::Idle => idle::idle(place, runs),
        Name::Dispatch => dispatch::dispatch(place, runs),
        Name::Embed => embed::embed(place, runs),
        Name::Search => search::search(place, runs),
        Name::Ledger => ledger::ledger(place, runs),
        Name::Cap => cap::cap(place, seconds),
        Name::Yield => yielding::yielding(place, tries),
    }
}

/// # Errors
/// When one of them is below its floor.
pub(crate) fn floors(documents: &[Document]) -> Result<()> {
    let below: Vec<&str> = documents.iter().filter(|document| !document.meets_floor).map(Document::name).collect();
    if !below.is_empty() {
        bail!("below the floor: {}", below.join(", "));
    }
    Ok(())
}
