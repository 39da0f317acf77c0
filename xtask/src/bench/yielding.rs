//! How soon the guests' workers are gone: from a halt to the last one stopped, and to their memory
//! being back. What comes before the halt (an event of the keyboard, and the session's helper that
//! sees it) is not in it.

use anyhow::{Context, Result};
use serde_json::Value;

use super::cap::percentile;
use super::report::{Document, Machine};
use crate::place::Place;
use crate::run::{capture, say};

const TRIES: u32 = 100;

pub(super) fn yielding(place: &Place) -> Result<Vec<Document>> {
    let machine = Machine::read();
    let mut command = place.ours("p2p-bench");
    command.args(["yield", &TRIES.to_string()]).arg(place.root.join("models/bench/sentences.txt"));
    let run: Value = serde_json::from_str(&capture(&mut command)?).context("p2p-bench prints JSON")?;
    let times = |name: &str| -> Result<Vec<f64>> {
        let times = run[name].as_array().with_context(|| format!("p2p-bench tells no {name}"))?;
        Ok(times.iter().filter_map(Value::as_f64).collect())
    };
    let (stopped, back) = (times("stopped_ms")?, times("memory_back_ms")?);
    for (what, times) in [("stopped", &stopped), ("memory back", &back)] {
        let at = |share| percentile(times, share);
        say(format!("{what}: p50 {:.2} ms, p99 {:.2} ms, of {} tries", at(0.5), at(0.99), times.len()));
    }
    Ok(vec![
        Document::new("yield", &machine, &[percentile(&stopped, 0.99)], Vec::new()),
        Document::new("yield-memory", &machine, &[percentile(&back, 0.99)], Vec::new()),
    ])
}
