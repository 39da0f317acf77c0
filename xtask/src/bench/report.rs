//! What a benchmark says: one document a measurement, judged by the floors and goals of the
//! table below.

use std::fmt::Write as _;
use std::fs;
use std::thread;

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// What one measurement is about, and what is expected of it.
#[derive(Debug)]
pub(crate) struct Spec {
    name: &'static str,
    /// For people.
    what: &'static str,
    unit: &'static str,
    /// Whether floor and goal are about `ours / rival` instead of `ours`.
    by_ratio: bool,
    /// Whether floor and goal are the most it may be instead of the least.
    at_most: bool,
    floor: f64,
    goal: f64,
}

/// Floors and goals: below the goal is news, below the floor is unfinished.
const SPECS: &[Spec] = &[
    Spec {
        name: "boot",
        what: "daemon ready: process start to first answer of the control socket",
        unit: "s",
        by_ratio: false,
        at_most: true,
        floor: 1.0,
        goal: 0.3,
    },
    Spec {
        name: "idle-memory",
        what: "resident memory of an idle daemon in a network of two",
        unit: "MB",
        by_ratio: false,
        at_most: true,
        floor: 45.0,
        goal: 25.0,
    },
    Spec {
        name: "idle-cpu",
        what: "CPU of an idle daemon in a network of two, over 30 s",
        unit: "% of a core",
        by_ratio: false,
        at_most: true,
        floor: 0.2,
        goal: 0.1,
    },
    Spec {
        name: "dispatch",
        what: "a signed no-op task, p50 from assignment to receipt, against a signed request and reply",
        unit: "us",
        by_ratio: true,
        at_most: true,
        floor: 4.0,
        goal: 2.0,
    },
    Spec {
        name: "overhead",
        what: "the slowest of 10,000 no-op tasks, end to end as the client sees it",
        unit: "ms",
        by_ratio: false,
        at_most: true,
        floor: 50.0,
        goal: 25.0,
    },
    Spec {
        name: "paying",
        what: "a no-op task that is paid by voucher, p50 from assignment to receipt, against one that is not paid",
        unit: "us",
        by_ratio: true,
        at_most: true,
        floor: 1.5,
        goal: 1.2,
    },
    Spec {
        name: "embed",
        what: "sentences to vectors on one core, all-MiniLM-L6-v2",
        unit: "tokens/s",
        by_ratio: true,
        at_most: false,
        floor: 2.0,
        goal: 2.5,
    },
    Spec {
        name: "search",
        what: "the ten nearest of 100,000 vectors on one core, p50",
        unit: "ms",
        by_ratio: false,
        at_most: true,
        floor: 1.0,
        goal: 0.5,
    },
    Spec {
        name: "search-recall",
        what: "the same, how many of the ten nearest by exact search are found, of real embeddings",
        unit: "of 1",
        by_ratio: false,
        at_most: false,
        floor: 0.99,
        goal: 0.99,
    },
    Spec {
        name: "search-memory",
        what: "the same, memory of the index",
        unit: "MB",
        by_ratio: false,
        at_most: true,
        floor: 100.0,
        goal: 50.0,
    },
    Spec {
        name: "search-10k",
        what: "the ten nearest of 10,000 vectors on one core, p50",
        unit: "ms",
        by_ratio: false,
        at_most: true,
        floor: 10.0,
        goal: 0.5,
    },
    Spec {
        name: "search-1m",
        what: "the ten nearest of 1,000,000 vectors on one core, p50, nine in ten made up near real ones",
        unit: "ms",
        by_ratio: false,
        at_most: true,
        floor: 50.0,
        goal: 10.0,
    },
    Spec {
        name: "search-1m-recall",
        what: "the same, how many of the ten nearest by exact search are found",
        unit: "of 1",
        by_ratio: false,
        at_most: false,
        floor: 0.95,
        goal: 0.99,
    },
    Spec {
        name: "ledger",
        what: "certified transfers of one notary, each signed and on disk",
        unit: "transfers/s",
        by_ratio: false,
        at_most: false,
        floor: 25_000.0,
        goal: 50_000.0,
    },
    Spec {
        name: "ledger-sql",
        what: "the same, against double entry with eight clients",
        unit: "transfers/s",
        by_ratio: true,
        at_most: false,
        floor: 2.0,
        goal: 4.0,
    },
    Spec {
        name: "vouchers",
        what: "vouchers that a payee checks and takes, on one core",
        unit: "vouchers/s",
        by_ratio: false,
        at_most: false,
        floor: 30_000.0,
        goal: 60_000.0,
    },
    Spec {
        name: "payment-p50",
        what: "one payment at a time, signing to a certificate on disk and checked, p50",
        unit: "us",
        by_ratio: false,
        at_most: true,
        floor: 10_000.0,
        goal: 1_000.0,
    },
    Spec {
        name: "payment-p99",
        what: "the same, p99",
        unit: "us",
        by_ratio: false,
        at_most: true,
        floor: 50_000.0,
        goal: 5_000.0,
    },
    Spec {
        name: "balance",
        what: "looking up a balance at the notary, p99",
        unit: "us",
        by_ratio: false,
        at_most: true,
        floor: 10_000.0,
        goal: 1_000.0,
    },
    Spec {
        name: "cap-above",
        what: "guests' work on every processor, capped at 10, 30, 50 and 80 %: the most that any second was above",
        unit: "points",
        by_ratio: false,
        at_most: true,
        floor: 2.0,
        goal: 0.5,
    },
    Spec {
        name: "cap-error",
        what: "the same, how far a second was from its cap, p99",
        unit: "points",
        by_ratio: false,
        at_most: true,
        floor: 2.0,
        goal: 0.5,
    },
    Spec {
        name: "yield-p50",
        what: "from a moved mouse to the last of the guests' workers stopped, p50",
        unit: "ms",
        by_ratio: false,
        at_most: true,
        floor: 100.0,
        goal: 50.0,
    },
    Spec { name: "yield", what: "the same, p99", unit: "ms", by_ratio: false, at_most: true, floor: 100.0, goal: 50.0 },
    Spec {
        name: "yield-memory-p50",
        what: "from a moved mouse to the memory of all of them being back, p50",
        unit: "ms",
        by_ratio: false,
        at_most: true,
        floor: 1_000.0,
        goal: 500.0,
    },
    Spec {
        name: "yield-memory",
        what: "the same, p99",
        unit: "ms",
        by_ratio: false,
        at_most: true,
        floor: 1_000.0,
        goal: 500.0,
    },
    Spec {
        name: "yield-halt",
        what: "the pool's part of it, alone: from the halt to the last worker stopped, p99",
        unit: "ms",
        by_ratio: false,
        at_most: true,
        floor: 100.0,
        goal: 50.0,
    },
];

impl Spec {
    fn named(name: &str) -> Option<&'static Self> {
        SPECS.iter().find(|spec| spec.name == name)
    }

    /// Whether a figure is on the right side of a bound.
    fn meets(&self, figure: f64, bound: f64) -> bool {
        if self.at_most { figure <= bound } else { figure >= bound }
    }

    fn bound(&self, bound: f64) -> String {
        let side = if self.at_most { "at most" } else { "at least" };
        if self.by_ratio { format!("{side} {bound} x the rival") } else { format!("{side} {bound} {}", self.unit) }
    }
}

/// One measurement. Every field is always there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) machine: Machine,
    pub(crate) runs: u32,
    /// The median of the runs.
    pub(crate) ours: f64,
    pub(crate) rivals: Vec<Rival>,
    /// Ours divided by the best rival's; `null` without one.
    pub(crate) ratio: Option<f64>,
    pub(crate) floor: f64,
    pub(crate) goal: f64,
    pub(crate) meets_floor: bool,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    /// Of one minute, before the first run.
    load: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rival {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The median of the runs.
    pub(crate) value: f64,
}

impl Document {
    /// Puts a measurement beside what is expected of it. `machine` was read before it began.
    pub(crate) fn new(name: &str, machine: &Machine, ours: &[f64], rivals: Vec<Rival>) -> Self {
        let spec = Spec::named(name).expect("every benchmark has a row in SPECS");
        let ours_median = median(ours);
        let values = rivals.iter().map(|rival| rival.value);
        let best = if spec.at_most { values.reduce(f64::min) } else { values.reduce(f64::max) };
        let ratio = best.map(|best| round(ours_median / best));
        let judged = if spec.by_ratio { ratio } else { Some(ours_median) };
        Self {
            name: spec.name.to_owned(),
            unit: spec.unit.to_owned(),
            machine: machine.clone(),
            runs: u32::try_from(ours.len()).expect("runs are few"),
            ours: round(ours_median),
            rivals: rivals.into_iter().map(|rival| Rival { value: round(rival.value), ..rival }).collect(),
            ratio,
            floor: spec.floor,
            goal: spec.goal,
            meets_floor: judged.is_some_and(|judged| spec.meets(judged, spec.floor)),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What somebody reads first about it.
    fn verdict(&self) -> &'static str {
        let spec = Spec::named(&self.name);
        let judged = spec.and_then(|spec| if spec.by_ratio { self.ratio } else { Some(self.ours) });
        match (spec, judged) {
            (Some(spec), Some(judged)) if spec.meets(judged, self.goal) => "goal met",
            _ if self.meets_floor => "floor met",
            _ => "below the floor",
        }
    }
}

impl Machine {
    pub(crate) fn read() -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            cpu: model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned()),
            cores: thread::available_parallelism().map_or(1, usize::from),
            load: load.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default(),
        }
    }
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

/// Four significant digits: more would be noise.
fn round(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// One document alone, several as a list.
pub(crate) fn json(documents: &[Document]) -> Result<String> {
    Ok(match documents {
        [one] => serde_json::to_string_pretty(one)?,
        several => serde_json::to_string_pretty(several)?,
    })
}

/// The figures as a Markdown table.
pub(crate) fn table(documents: &[Document]) -> String {
    let mut text = "| what | ours | rivals | ratio | floor | goal | |\n|---|---|---|---|---|---|---|\n".to_owned();
    for document in documents {
        let Some(spec) = Spec::named(&document.name) else { continue };
        let rivals: Vec<_> = document
            .rivals
            .iter()
            .map(|rival| format!("{} {}: {} {}", rival.name, rival.version, rival.value, document.unit))
            .collect();
        let rivals = if rivals.is_empty() { "none".to_owned() } else { rivals.join("; ") };
        let ratio = document.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio}"));
        let _ = writeln!(
            text,
            "| {} (`{}`, median of {}) | {} {} | {rivals} | {ratio} | {} | {} | {} |",
            spec.what,
            document.name,
            document.runs,
            document.ours,
            document.unit,
            spec.bound(document.floor),
            spec.bound(document.goal),
            document.verdict(),
        );
    }
    text
}

/// The machine, as the page of figures names it.
pub(crate) fn machine(documents: &[Document]) -> String {
    let loads = documents.iter().map(|document| document.machine.load);
    let (least, most) = loads.fold((f64::INFINITY, 0.0_f64), |(a, b), load| (a.min(load), b.max(load)));
    documents.first().map_or_else(String::new, |first| {
        format!("{}, {} cores; load before the runs {least} to {most}", first.machine.cpu, first.machine.cores)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine { cpu: "cpu".to_owned(), cores: 2, load: 0.5 }
    }

    fn rival(value: f64) -> Rival {
        Rival { name: "rival".to_owned(), version: "1".to_owned(), value }
    }

    #[test]
    fn the_middle_of_odd_and_even_runs() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
    }

    #[test]
    fn a_figure_without_a_rival_is_judged_by_itself() {
        let fine = Document::new("boot", &machine(), &[0.9], Vec::new());
        assert!(fine.meets_floor && fine.ratio.is_none());
        assert!(!Document::new("boot", &machine(), &[1.1], Vec::new()).meets_floor);
    }

    #[test]
    fn a_ratio_is_taken_to_the_best_rival() {
        let dispatch = Document::new("dispatch", &machine(), &[300.0], vec![rival(200.0), rival(100.0)]);
        assert_eq!(dispatch.ratio, Some(3.0));
        assert!(dispatch.meets_floor);
        assert_eq!(dispatch.verdict(), "floor met");
        assert!(!Document::new("dispatch", &machine(), &[401.0], vec![rival(100.0)]).meets_floor);

        let embed = Document::new("embed", &machine(), &[8000.0], vec![rival(3000.0)]);
        assert_eq!(embed.verdict(), "goal met");
        assert!(!Document::new("embed", &machine(), &[5000.0], vec![rival(3000.0)]).meets_floor);
    }

    #[test]
    fn a_ratio_without_a_rival_is_below_its_floor() {
        assert!(!Document::new("embed", &machine(), &[8000.0], Vec::new()).meets_floor);
    }

    #[test]
    fn every_field_is_always_there() {
        let text = json(&[Document::new("boot", &machine(), &[0.2], Vec::new())]).expect("serialisable");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let fields = ["name", "unit", "machine", "runs", "ours", "rivals", "ratio", "floor", "goal", "meets_floor"];
        for field in fields {
            assert!(value.get(field).is_some(), "{field} is missing");
        }
        assert_eq!(value.as_object().map(serde_json::Map::len), Some(fields.len()));
        for field in ["cpu", "cores", "load"] {
            assert!(value["machine"].get(field).is_some(), "{field} is missing");
        }
    }

    #[test]
    fn several_documents_are_a_list() {
        let one = Document::new("idle-memory", &machine(), &[20.0], vec![rival(50.0)]);
        let two = Document::new("idle-cpu", &machine(), &[0.05], vec![rival(0.1)]);
        let value: serde_json::Value = serde_json::from_str(&json(&[one, two]).expect("text")).expect("JSON");
        assert_eq!(value.as_array().map(Vec::len), Some(2));
    }
}
