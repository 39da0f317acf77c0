//! How soon workers of guests are gone: from a halt to the last one stopped, and to their memory
//! being back.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::guests::{Guests, Worker, children};

const PATIENCE: Duration = Duration::from_secs(10);
/// What taking a signal may cost all of them together.
const NO_WORK: Duration = Duration::from_micros(200);

/// Halts busy workers `tries` times.
pub(crate) fn measure(tries: usize, sentences: &Path) -> Result<Value> {
    let processors = available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut guests = Guests::start(sentences, processors)?;
        let (mut stopped_ms, mut back_ms, mut call_us) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..tries {
            let workers = guests.warm(processors).await?;
            // At another moment of their work each time.
            let busy = Duration::from_millis(20 + (number as u64 * 37) % 100);
            let _ = tokio::time::timeout(busy, guests.feed()).await;
            let begun = Instant::now();
            guests.leash.halt();
            call_us.push(begun.elapsed().as_secs_f64() * 1e6);
            stopped_ms.push(last_work(begun, &workers)?.as_secs_f64() * 1e3);
            guests.leash.go();
            let _ = tokio::time::timeout(busy, guests.feed()).await;

            let begun = Instant::now();
            guests.leash.halt();
            for order in std::mem::take(&mut guests.orders) {
                guests.pool.stop(order);
            }
            // A process that ended has no memory.
            while !children()?.is_empty() {
                if begun.elapsed() > PATIENCE {
                    bail!("a worker does not end");
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            back_ms.push(begun.elapsed().as_secs_f64() * 1e3);
            guests.leash.go();
        }
        guests.pool.shutdown().await;
        Ok(json!({ "halt_us": call_us, "stopped_ms": stopped_ms, "memory_back_ms": back_ms }))
    })
}

/// When the last of them worked, by their clocks. A thread that had no processor when the signal
/// came takes it when it gets one, which costs some microseconds and is no work.
fn last_work(begun: Instant, workers: &[Worker]) -> Result<Duration> {
    let mut samples = Vec::new();
    loop {
        let mut clocks = Duration::ZERO;
        for (_, reins) in workers {
            clocks += reins.cpu_time()?;
        }
        samples.push((begun.elapsed(), clocks));
        if workers.iter().all(|(pid, _)| is_stopped(*pid)) {
            break;
        }
        if begun.elapsed() > PATIENCE {
            bail!("a worker does not stop");
        }
    }
    let end = samples.last().map_or(Duration::ZERO, |(_, clocks)| *clocks);
    let still = samples.iter().find(|(_, clocks)| end - *clocks <= NO_WORK);
    Ok(still.map_or(Duration::ZERO, |(at, _)| *at))
}

/// Whether every thread of it is.
fn is_stopped(pid: u32) -> bool {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return true };
    tasks.flatten().all(|task| {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['T', 't']))
    })
}
