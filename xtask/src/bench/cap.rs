//! A cap on real inference, second for second: our leash, `cpulimit`, and the rule by which BOINC's
//! client stops and starts its tasks, each on the same workers with the same work.
//!
//! A second in which others used more than a twentieth of the computer says nothing about how close
//! a cap is kept, and is left out and counted; that a cap was overstepped counts in every second.

use anyhow::{Context, Result};
use serde_json::Value;

use super::report::{Document, Machine, Rival};
use crate::place::{Place, in_path};
use crate::run::{capture, check_interrupt, say};

/// In thousandths of the computer.
const CAPS: [u16; 4] = [100, 300, 500, 800];

/// What one holder did with all the caps, in points of a hundred.
#[derive(Debug, Default)]
struct Held {
    /// The most that any second was above its cap.
    above: f64,
    /// How far each second was from it.
    errors: Vec<f64>,
}

impl Held {
    fn note(&mut self, cap: u16, run: &Value) -> Result<()> {
        let figure = |name: &str| run[name].as_f64().with_context(|| format!("p2p-bench tells no {name}"));
        let used = run["used_permille"].as_array().context("p2p-bench tells no windows")?;
        self.above = self.above.max((figure("most_permille")? - f64::from(cap)) / 10.0);
        self.errors.extend(used.iter().filter_map(Value::as_f64).map(|used| (used - f64::from(cap)).abs() / 10.0));
        Ok(())
    }

    fn p99(&self) -> f64 {
        percentile(&self.errors, 0.99)
    }
}

pub(super) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len().saturating_sub(1) as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}

pub(super) fn cap(place: &Place, seconds: u32) -> Result<Vec<Document>> {
    let machine = Machine::read();
    let texts = place.root.join("models/bench/sentences.txt");
    let mut holders = vec![("ours", "ours".to_owned(), String::new())];
    if in_path("cpulimit").is_some() {
        holders.push(("cpulimit", "cpulimit".to_owned(), cpulimit_version()));
    } else {
        say("cpulimit is not installed, and left out");
    }
    holders.push(("grid", "BOINC's rule".to_owned(), "8".to_owned()));
    let mut held: Vec<Held> = holders.iter().map(|_| Held::default()).collect();
    for cap in CAPS {
        for ((holder, name, _), held) in holders.iter().zip(&mut held) {
            check_interrupt()?;
            let mut command = place.ours("p2p-bench");
            command.args(["cap", holder, &cap.to_string(), &seconds.to_string()]).arg(&texts);
            let run: Value = serde_json::from_str(&capture(&mut command)?).context("p2p-bench prints JSON")?;
            held.note(cap, &run)?;
            let figure = |name: &str| run[name].as_f64().unwrap_or(f64::NAN) / 10.0;
            say(format!(
                "cap {} %: {name}: {:.2} to {:.2} %, mean {:.2} %, of {} windows; {} not counted; itself {:.2} %{}",
                cap / 10,
                figure("least_permille"),
                figure("most_permille"),
                figure("mean_permille"),
                run["windows"],
                run["foreign_windows"],
                figure("holder_permille"),
                if run["claims"] == true { "" } else { "; others were busy all the time: this says nothing" },
            ));
        }
    }
    let rivals = |value: fn(&Held) -> f64| {
        let others = holders.iter().zip(&held).skip(1);
        let rival = |((_, name, version), held): (&(&str, String, String), &Held)| Rival {
            name: name.clone(),
            version: version.clone(),
            value: value(held),
        };
        others.map(rival).collect()
    };
    Ok(vec![
        Document::new("cap-above", &machine, &[held[0].above], rivals(|held| held.above)),
        Document::new("cap-error", &machine, &[held[0].p99()], rivals(Held::p99)),
    ])
}

/// It does not say.
fn cpulimit_version() -> String {
    let mut dpkg = std::process::Command::new("dpkg-query");
    capture(dpkg.args(["-W", "-f", "${Version}", "cpulimit"])).unwrap_or_else(|_| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn overstepping_counts_in_every_second_and_errors_in_quiet_ones() {
        let mut held = Held::default();
        let run = json!({ "most_permille": 130.0, "used_permille": [95.0, 101.0] });
        held.note(100, &run).expect("whole");
        assert!((held.above - 3.0).abs() < 1e-9 && (held.p99() - 0.5).abs() < 1e-9, "{held:?}");
        assert!(held.note(100, &json!({})).is_err());
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert!((percentile(&values, 0.99) - 99.0).abs() < 1e-9);
        assert!(percentile(&[], 0.5).is_nan());
    }
}
