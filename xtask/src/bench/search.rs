//! The nearest ten of many vectors on one core: our index against sqlite-vec and FAISS, on the
//! same embeddings of real texts.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::report::{Document, Machine, Rival, median};
use crate::place::Place;
use crate::run::{capture, check_interrupt, run, say};
use crate::setup::{python, sqlite_vec};
use crate::stamp::Stamp;

/// Beside the tree, on machines that have them: tasks with a text a line.
const TEXTS: &str = "shared/data/tasks";
/// Vectors that are made of them: listings and queries.
const REAL: usize = 101_000;
/// Listings that the rivals are measured with as well.
const BESIDE_RIVALS: [(&str, usize); 2] = [("search", 100_000), ("search-10k", 10_000)];
const MILLION: usize = 1_000_000;

/// Installs the rivals, builds one of them again, and makes the vectors.
pub(super) fn prepare(place: &Place) -> Result<()> {
    python::install_all(place)?;
    python::install(place, &place.root.join("xtask/search-rivals.txt"))?;
    sqlite_vec::rebuilt(place)?;
    vectors(place).map(drop)
}

pub(super) fn search(place: &Place, runs: u32) -> Result<Vec<Document>> {
    let (vectors, real) = vectors(place)?;
    let avx = sqlite_vec::rebuilt(place)?;
    let machine = Machine::read();
    let mut sizes = BESIDE_RIVALS.map(|(_, listings)| Size::new(listings));
    let mut million = Size::new(MILLION);
    for number in 1..=runs {
        for size in &mut sizes {
            check_interrupt()?;
            size.measure(place, &vectors)?;
            let mut rivals = script(place, "rivals.py");
            rivals.arg(&vectors).arg(size.listings.to_string()).args(&avx);
            size.rivals.push(measured(&mut rivals)?);
        }
        check_interrupt()?;
        million.measure(place, &vectors)?;
        let [hundred, ten] = sizes.each_ref().map(|size| size.last("p50_ms"));
        say(format!(
            "run {number}: {ten:.3} ms of 10 k, {hundred:.3} ms of 100 k, {:.3} ms of 1 M",
            million.last("p50_ms")
        ));
    }

    let mut documents = Vec::new();
    for ((name, _), size) in BESIDE_RIVALS.iter().zip(&sizes) {
        documents.push(size.document(name, "p50_ms", &machine)?);
    }
    let [hundred, _] = &sizes;
    documents.insert(1, hundred.document("search-memory", "memory_mb", &machine)?);
    documents.push(million.document("search-1m", "p50_ms", &machine)?);
    if real {
        documents.insert(1, hundred.document("search-recall", "recall", &machine)?);
        documents.push(million.document("search-1m-recall", "recall", &machine)?);
    } else {
        say("recall is left out: it means something on embeddings of many real texts only");
    }
    Ok(documents)
}

/// What was measured with so many listings, one document a run.
struct Size {
    listings: usize,
    ours: Vec<Value>,
    /// Each a list of documents, one a rival.
    rivals: Vec<Value>,
}

impl Size {
    fn new(listings: usize) -> Self {
        Self { listings, ours: Vec::new(), rivals: Vec::new() }
    }

    fn measure(&mut self, place: &Place, vectors: &PathBuf) -> Result<()> {
        let mut ours = place.ours("p2p-bench");
        self.ours.push(measured(ours.arg("search").arg(vectors).arg(self.listings.to_string()))?);
        Ok(())
    }

    fn last(&self, figure: &str) -> f64 {
        self.ours.last().and_then(|run| run[figure].as_f64()).unwrap_or(f64::NAN)
    }

    fn document(&self, name: &str, figure: &str, machine: &Machine) -> Result<Document> {
        let ours = figures(self.ours.iter(), figure)?;
        let count = self.rivals.first().and_then(Value::as_array).map_or(0, Vec::len);
        let mut rivals = Vec::new();
        for number in 0..count {
            let runs: Vec<&Value> = self.rivals.iter().map(|run| &run[number]).collect();
            let text = |field: &str| runs[0][field].as_str().unwrap_or("unknown").to_owned();
            let value = median(&figures(runs.iter().copied(), figure)?);
            rivals.push(Rival { name: text("name"), version: text("version"), value });
        }
        Ok(Document::new(name, machine, &ours, rivals))
    }
}

fn figures<'a>(mut runs: impl Iterator<Item = &'a Value>, figure: &str) -> Result<Vec<f64>> {
    runs.try_fold(Vec::new(), |mut figures, run| {
        figures.push(run[figure].as_f64().with_context(|| format!("no {figure} in {run}"))?);
        Ok(figures)
    })
}

fn measured(command: &mut Command) -> Result<Value> {
    serde_json::from_str(&capture(command)?).with_context(|| format!("{} printed no JSON", crate::run::shown(command)))
}

/// A script of this benchmark; it finds the model's scripts.
fn script(place: &Place, name: &str) -> Command {
    let mut command = python::python(place);
    command.env("PYTHONPATH", place.root.join("models")).env("OMP_NUM_THREADS", "1");
    command.arg(place.root.join("xtask/search").join(name));
    command
}

/// The file of vectors, made once for all clones, and whether they are of real texts.
fn vectors(place: &Place) -> Result<(PathBuf, bool)> {
    let folder = place.cache.join("search");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let texts = place.root.parent().map(|parent| parent.join(TEXTS)).filter(|texts| texts.is_dir());
    let real = texts.is_some();
    if !real {
        say(format!("there is no {TEXTS} beside the tree: vectors are made up around those of a few sentences"));
    }
    let texts = texts.unwrap_or_else(|| place.root.join("models/bench/sentences.txt"));
    let file = folder.join(if real { "real.f32" } else { "made-up.f32" });
    let made_of =
        [place.root.join("xtask/search/vectors.py"), place.assets().join("models/minilm-l6-v2/manifest.json")];
    let stamp = Stamp::of(file.with_extension("stamp"), &made_of)?;
    if !(stamp.fresh() && file.exists()) {
        let mut make = script(place, "vectors.py");
        make.arg(texts).arg(REAL.to_string()).arg("--assets").arg(place.assets()).arg("--to").arg(&file);
        run(&mut make, "making vectors of many texts, once (minutes)")?;
        stamp.set()?;
    }
    if file.metadata().map_or(0, |about| about.len()) == 0 {
        bail!("{} is empty - remove it and try again", file.display());
    }
    Ok((file, real))
}
