//! How well a cap is kept on real inference, second for second: by the leash, and by others in its
//! place.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use p2p_inference::{Allowed, Leash};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::guests::{Guests, Worker};

const WINDOW: Duration = Duration::from_secs(1);
const SAMPLE: Duration = Duration::from_millis(20);
const SETTLE: Duration = Duration::from_secs(2);
/// Windows in which others use more of the computer than this, in thousandths, say nothing.
const FOREIGN: f64 = 50.0;

/// Measures one cap, held by `holder`: `ours`, `cpulimit`, or `grid`, the rule of BOINC's client.
pub(crate) fn measure(holder: &str, permille: u16, seconds: usize, sentences: &Path) -> Result<Value> {
    let processors = available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // As many workers as there are processors: that is the hardest to hold.
        let mut guests = Guests::start(sentences, processors)?;
        let workers = guests.warm(processors).await?;
        let leash = guests.leash.clone();
        let _holder = match holder {
            "ours" => {
                leash.set(Allowed { workers: u16::MAX, cpu_permille: permille, ..Allowed::default() });
                None
            }
            "cpulimit" => Some(cpulimit(&workers, permille)?),
            "grid" => None,
            _ => bail!("{holder:?} holds nothing"),
        };
        let on_a_grid =
            async { if holder == "grid" { grid(&leash, permille).await } else { std::future::pending().await } };
        let length = Duration::from_secs(u64::try_from(seconds)?);
        let measured = tokio::select! {
            windows = watch(&workers, length) => windows?,
            fed = guests.feed() => return fed.map(|()| Value::Null),
            () = on_a_grid => Value::Null,
        };
        let stats = leash.stats();
        for (_, reins) in &workers {
            let _ = reins.resume();
        }
        leash.set(Allowed::default());
        leash.go();
        guests.pool.shutdown().await;
        let mut measured = measured;
        measured["stops"] = json!(stats.stops);
        Ok(measured)
    })
}

/// BOINC's client stops and starts all tasks together on a grid of one second: every second it adds
/// the limit, in percent, to a level; where that comes to 100 or more the second is worked and 100
/// are taken off, else it is not (`throttler` in its `client/app.cpp`).
///
/// The leash stops and starts them here, so that the pool does not take nine seconds of rest for silence.
async fn grid(leash: &Leash, permille: u16) {
    let mut level = 1000;
    loop {
        level += permille;
        let works = level >= 1000;
        level -= if works { 1000 } else { 0 };
        if works {
            leash.go()
        } else {
            leash.halt()
        }
        sleep(WINDOW).await;
    }
}

/// Ends with its children.
struct Holders(Vec<Child>);

impl Drop for Holders {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// One for each worker, which has one busy thread.
fn cpulimit(workers: &[Worker], permille: u16) -> Result<Holders> {
    let percent = (u32::from(permille) / 10).to_string();
    let started = workers.iter().map(|(pid, _)| {
        let mut command = Command::new("cpulimit");
        command.args(["-p", &pid.to_string(), "-l", &percent]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().context("cpulimit cannot be started")
    });
    Ok(Holders(started.collect::<Result<_>>()?))
}

/// Of every window of a second, at any moment: how far the workers were from the cap.
async fn watch(workers: &[Worker], length: Duration) -> Result<Value> {
    sleep(SETTLE).await;
    let processors = available_parallelism().map_or(1, usize::from) as f64;
    let begun = Instant::now();
    let own_before = own_clock();
    let mut samples = Vec::new();
    while begun.elapsed() < length {
        let mut ours = Duration::ZERO;
        for (_, reins) in workers {
            ours += reins.cpu_time().context("a worker ended")?;
        }
        let (busy, all) = machine()?;
        samples.push((Instant::now(), ours.as_secs_f64(), busy, all));
        sleep(SAMPLE).await;
    }
    let own = (own_clock() - own_before) / begun.elapsed().as_secs_f64() / processors * 1000.0;
    let (mut quiet, mut all_windows, mut foreign) = (Vec::new(), Vec::new(), 0_u32);
    for (place, from) in samples.iter().enumerate() {
        let Some(to) = samples[place..].iter().find(|to| to.0 - from.0 >= WINDOW) else { break };
        let used = (to.1 - from.1) / (to.0 - from.0).as_secs_f64() / processors * 1000.0;
        let others = (to.2 - from.2) / (to.3 - from.3) * 1000.0 - used;
        all_windows.push(used);
        if others > FOREIGN { foreign += 1 } else { quiet.push(used) }
    }
    let most = |of: &[f64]| of.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = |of: &[f64]| of.iter().copied().fold(f64::INFINITY, f64::min);
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let counted = if quiet.is_empty() { &all_windows } else { &quiet };
    Ok(json!({
        "windows": counted.len(),
        "foreign_windows": foreign,
        "claims": !quiet.is_empty(),
        "most_permille": most(&all_windows),
        "least_permille": least(counted),
        "mean_permille": mean(counted),
        "used_permille": counted,
        "holder_permille": own,
    }))
}

/// Processor time of this process, in seconds.
fn own_clock() -> f64 {
    let reins = p2p_platform::process::Reins::take(std::process::id());
    reins.and_then(|reins| reins.cpu_time()).map_or(0.0, |time| time.as_secs_f64())
}

/// What all processors were busy for, and all there was, in hundredths of a second.
fn machine() -> Result<(f64, f64)> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("/proc/stat is empty")?;
    let times: Vec<f64> = line.split_whitespace().skip(1).take(8).filter_map(|word| word.parse().ok()).collect();
    let (all, idle) = (times.iter().sum::<f64>(), times.iter().skip(3).take(2).sum::<f64>());
    Ok((all - idle, all))
}
