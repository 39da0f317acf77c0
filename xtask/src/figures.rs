//! `cargo xtask figures`: every benchmark, and the page that shows them.

use std::fs;

use anyhow::{Context, Result};
use clap::Args;

use crate::bench::{self, Name, report};
use crate::build;
use crate::place::Place;
use crate::run::{catch_interrupts, say};

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    extent: bench::Extent,
}

/// # Errors
/// When a benchmark cannot be run, and when one is below its floor; the page is written first.
pub(crate) fn figures(place: &Place, options: &Options) -> Result<()> {
    catch_interrupts()?;
    for name in Name::ALL {
        bench::prepare(place, name)?;
    }
    build::daemons(place)?;
    build::bench(place)?;
    let mut documents = Vec::new();
    for name in Name::ALL {
        say(format!("measuring {name:?}"));
        documents.extend(bench::measure(place, name, options.extent)?);
    }
    let docs = place.root.join("docs");
    fs::create_dir_all(docs.join("generated"))?;
    let json = serde_json::to_string_pretty(&documents)? + "\n";
    fs::write(docs.join("generated/figures.json"), json).context("cannot write docs/generated/figures.json")?;
    fs::write(docs.join("figures.md"), page(&documents)).context("cannot write docs/figures.md")?;
    say("docs/figures.md is written");
    bench::floors(&documents)
}

fn page(documents: &[report::Document]) -> String {
    format!(
        "# Figures\n\nWritten by `cargo xtask figures`, from `docs/generated/figures.json`. Ours and the rivals are \
         measured in the same run, in turns; every figure is a median. A figure below its goal is news, one below its \
         floor is unfinished.\n\nMeasured on {}, with the profile `demo` (no LTO).\n\n{}",
        report::machine(documents),
        report::table(documents),
    )
}
