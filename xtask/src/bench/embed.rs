//! Sentences to vectors on one core: our worker against stock ONNX Runtime in Python with the
//! same weights in fp32, on the same sentences.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::report::{Document, Machine, Rival, median};
use crate::place::Place;
use crate::run::{capture, check_interrupt, say};
use crate::setup::python;

pub(super) fn embed(place: &Place, runs: u32) -> Result<Vec<Document>> {
    let texts = place.root.join("models/bench/sentences.txt");
    let machine = Machine::read();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut version = String::new();
    for run in 1..=runs {
        check_interrupt()?;
        ours.push(speed(&measured(place.ours("p2p-worker").arg("--bench").arg(&texts))?)?);
        let rival = measured(python::python(place).arg("bench_embed.py").arg(&texts))?;
        theirs.push(speed(&rival)?);
        version = rival["version"].as_str().unwrap_or("unknown").to_owned();
        let (ours, theirs) = (ours[ours.len() - 1], theirs[theirs.len() - 1]);
        say(format!("run {run}: ours {ours:.0} tokens/s, ONNX Runtime {theirs:.0} tokens/s"));
    }
    let rival = Rival { name: "ONNX Runtime fp32".to_owned(), version, value: median(&theirs) };
    Ok(vec![Document::new("embed", &machine, &ours, vec![rival])])
}

fn measured(command: &mut Command) -> Result<Value> {
    serde_json::from_str(&capture(command)?).with_context(|| format!("{} printed no JSON", crate::run::shown(command)))
}

fn speed(document: &Value) -> Result<f64> {
    match document["tokens_per_second"].as_f64() {
        Some(speed) if speed > 0.0 => Ok(speed),
        _ => bail!("no speed in {document}"),
    }
}
