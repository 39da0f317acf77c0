//! The ONNX Runtime library and the models, where every binary of the build folder finds them.

use std::fs;

use anyhow::{Context, Result};

use super::python;
use crate::place::Place;
use crate::run::run;
use crate::stamp::Stamp;

/// Without one of these the assets are made again, whatever their stamp says.
const NEEDED: &[&str] = &["models/minilm-l6-v2/model.onnx", "models/sentiment-head/head.safetensors", "runtime"];

/// Makes what `models/build.py` makes, unless it is there and made of the same recipe.
pub(crate) fn make(place: &Place) -> Result<()> {
    let assets = place.assets();
    if stamp(place)?.fresh() && NEEDED.iter().all(|file| assets.join(file).exists()) {
        return Ok(());
    }
    check(place)
}

/// Looks at every file and makes what is missing or has another digest.
pub(crate) fn check(place: &Place) -> Result<()> {
    let assets = place.assets();
    fs::create_dir_all(&assets).with_context(|| format!("cannot make {}", assets.display()))?;
    python::install(place, &place.root.join("models/export.txt"))?;
    let mut build = python::python(place);
    build.arg("build.py").arg("--assets").arg(&assets);
    run(&mut build, "making the model and fetching its runtime")?;
    stamp(place)?.set()
}

fn stamp(place: &Place) -> Result<Stamp> {
    Stamp::of(place.assets().join("models.stamp"), &[place.root.join("models")])
}
