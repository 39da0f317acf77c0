//! `cargo xtask models`: the base model and the library that runs it.

use anyhow::Result;

use crate::place::Place;
use crate::run::say;
use crate::setup::{assets, debian};

pub(crate) fn models(place: &Place) -> Result<()> {
    debian::want(place, &[debian::Group::Build], "what is missing may not be needed");
    assets::check(place)?;
    say(format!("the assets are in {}", place.assets().display()));
    Ok(())
}
