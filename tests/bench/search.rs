//! Our side of `cargo xtask bench search`: the index of the catalog, filled from a file of
//! embeddings, searched on one core, and held against exact search.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use p2p_market::{Direction, Index};
use p2p_simd::{DIMENSIONS, Floats, Kernels};
use p2p_types::QuantizedVector;
use serde_json::{Value, json};

/// The first vectors of the file are asked for and not put in.
const QUERIES: usize = 500;
/// Of so many listings and more only some of them are asked for: exact search takes long.
const MANY: usize = 200_000;
const QUERIES_OF_MANY: usize = 100;
/// Results of a search.
const WANTED: usize = 10;
/// How often all queries are asked.
const ROUNDS: usize = 3;
/// Times of a query are also taken where only one listing of so many is kept.
const KEPT: u32 = 100;
/// How far a made-up vector lies from a real one: both of length 1, its noise too is so long.
const NOISE: f32 = 0.35;

/// Fills an index with `listings` vectors of `file` (float32, one after the other), made-up
/// neighbours of them once they run out, and measures.
pub(crate) fn measure(file: &Path, listings: usize) -> Result<Value> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let numbers = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
    let numbers: Vec<f32> = numbers.collect();
    drop(bytes);
    let vectors = numbers.as_chunks::<DIMENSIONS>().0;
    ensure!(vectors.len() > QUERIES, "{} holds {} vectors, {QUERIES} are asked for", file.display(), vectors.len());
    let (queries, real) = vectors.split_at(QUERIES);
    let queries = if listings < MANY { queries } else { &queries[..QUERIES_OF_MANY] };

    let mut index = Index::new();
    let mut exact = Exact::new(queries);
    let mut noise = Noise(0x2545_f491_4f6c_dd1d);
    let mut filling = 0.0;
    for number in 0..listings {
        let vector = real[number % real.len()];
        let vector = if number < real.len() { vector } else { noise.near(&vector) };
        let handle = u32::try_from(number)?;
        exact.look(handle, &vector);
        let quantised = QuantizedVector::from_floats(&vector).context("a vector is not finite")?;
        let start = Instant::now();
        index.put(handle, &quantised)?;
        filling += start.elapsed().as_secs_f64();
    }

    let (mut times, mut filtered) = (Vec::new(), Vec::new());
    let mut hits = 0;
    for round in 0..ROUNDS {
        for (query, exact) in queries.iter().zip(&exact.nearest) {
            let start = Instant::now();
            let found = index.search(&Direction::of(query)?, WANTED, |_| true);
            times.push(start.elapsed().as_secs_f64() * 1e3);
            let start = Instant::now();
            let kept = index.search(&Direction::of(query)?, WANTED, |handle| handle % KEPT == 0);
            filtered.push(start.elapsed().as_secs_f64() * 1e3);
            ensure!(kept.len() == WANTED.min(listings.div_ceil(KEPT as usize)), "a filter lost listings");
            if round == 0 {
                hits += found.iter().filter(|found| exact.iter().any(|(_, handle)| *handle == found.handle)).count();
            }
        }
    }
    let memory = index.memory();
    Ok(json!({
        "listings": listings,
        "real": listings.min(real.len()),
        "path": format!("{:?}", Kernels::best().path()),
        "p50_ms": at(&mut times, 0.5),
        "p99_ms": at(&mut times, 0.99),
        "filtered_p50_ms": at(&mut filtered, 0.5),
        "recall": hits as f64 / (queries.len() * WANTED.min(listings)) as f64,
        "memory_mb": (memory.blocks + memory.handles) as f64 / 1e6,
        "fill_s": filling,
    }))
}

/// The nearest by the floats themselves.
struct Exact {
    queries: Vec<Floats>,
    nearest: Vec<Vec<(f32, u32)>>,
}

impl Exact {
    fn new(queries: &[[f32; DIMENSIONS]]) -> Self {
        let queries: Vec<Floats> = queries.iter().map(|query| Floats(unit(query))).collect();
        Self { nearest: vec![Vec::new(); queries.len()], queries }
    }

    fn look(&mut self, handle: u32, vector: &[f32; DIMENSIONS]) {
        let (kernels, vector) = (Kernels::best(), Floats(unit(vector)));
        for (query, nearest) in self.queries.iter().zip(&mut self.nearest) {
            let similarity = kernels.dot_f32(query, &vector);
            if nearest.len() < WANTED || nearest.last().is_some_and(|last| similarity > last.0) {
                let place = nearest.partition_point(|known| known.0 >= similarity);
                nearest.insert(place, (similarity, handle));
                nearest.truncate(WANTED);
            }
        }
    }
}

fn unit(vector: &[f32; DIMENSIONS]) -> [f32; DIMENSIONS] {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    vector.map(|value| value / length)
}

/// Made-up vectors, the same in each run.
struct Noise(u64);

impl Noise {
    fn near(&mut self, vector: &[f32; DIMENSIONS]) -> [f32; DIMENSIONS] {
        let noise = unit(&std::array::from_fn(|_| self.next()));
        unit(&std::array::from_fn(|i| vector[i] + NOISE * noise[i]))
    }

    /// Between -2 and 2, more often near 0.
    fn next(&mut self) -> f32 {
        let mut uniform = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
        };
        uniform() + uniform()
    }
}

fn at(times: &mut [f64], share: f64) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get((times.len().saturating_sub(1) as f64 * share).round() as usize).copied()
}
