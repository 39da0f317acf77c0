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
    /// Measure these alone, and keep what was measured of the others
    #[arg(long, value_enum)]
    only: Vec<Name>,
    #[command(flatten)]
    extent: bench::Extent,
}

/// # Errors
/// When a benchmark cannot be run, and when one is below its floor; the page is written first.
pub(crate) fn figures(place: &Place, options: &Options) -> Result<()> {
    catch_interrupts()?;
    let names = if options.only.is_empty() { &Name::ALL[..] } else { &options.only[..] };
    for name in names {
        bench::prepare(place, *name)?;
    }
    build::daemons(place)?;
    build::bench(place)?;
    let mut documents = if options.only.is_empty() { Vec::new() } else { measured_before(place)? };
    for name in names {
        say(format!("measuring {name:?}"));
        put(&mut documents, bench::measure(place, *name, options.extent)?);
    }
    let docs = place.root.join("docs");
    fs::create_dir_all(docs.join("generated"))?;
    let json = serde_json::to_string_pretty(&documents)? + "\n";
    fs::write(docs.join("generated/figures.json"), json).context("cannot write docs/generated/figures.json")?;
    fs::write(docs.join("figures.md"), page(&documents)).context("cannot write docs/figures.md")?;
    say("docs/figures.md is written");
    bench::floors(&documents)
}

fn measured_before(place: &Place) -> Result<Vec<report::Document>> {
    let json = fs::read(place.root.join("docs/generated/figures.json")).context("nothing was measured before")?;
    serde_json::from_slice(&json).context("docs/generated/figures.json is of another version; measure everything")
}

/// New figures in the place of the same ones, else at the end.
fn put(documents: &mut Vec<report::Document>, new: Vec<report::Document>) {
    let same = |document: &report::Document| new.iter().any(|new| new.name == document.name);
    let place = documents.iter().position(same).unwrap_or(documents.len());
    documents.retain(|document| !same(document));
    documents.splice(place..place, new);
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

#[cfg(test)]
mod tests {
    use super::*;
    use report::Document;

    #[test]
    fn what_is_measured_again_takes_its_place_and_what_is_new_comes_with_it() {
        let document = |name: &str, ours| Document { name: name.to_owned(), ours, ..Document::default() };
        let mut documents = vec![document("boot", 1.0), document("cap", 2.0), document("yield", 3.0)];
        put(&mut documents, vec![document("cap", 5.0), document("cap-error", 6.0)]);
        put(&mut documents, vec![document("search", 7.0)]);
        let found: Vec<_> = documents.iter().map(|document| (document.name.as_str(), document.ours)).collect();
        assert_eq!(found, [("boot", 1.0), ("cap", 5.0), ("cap-error", 6.0), ("yield", 3.0), ("search", 7.0)]);
    }
}
