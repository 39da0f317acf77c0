//! What a daemon uses that has nothing to do: ours in a network of two, Syncthing in a pair, the
//! BOINC client without a project. All run at once and are measured in the same windows.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::procfs;
use super::report::{Document, Machine, Rival, median};
use super::rivals;
use crate::fleet::Fleet;
use crate::place::Place;
use crate::run::{check_interrupt, say};

/// After the start, before the first window.
/// A worker ends a minute after its last work, which is the newcomer's first canary.
const SETTLE: Duration = Duration::from_secs(80);
const WINDOW: Duration = Duration::from_secs(30);

/// Somebody who idles, and what was seen of it.
struct Idler {
    name: String,
    version: String,
    pid: u32,
    megabytes: Vec<f64>,
    percent: Vec<f64>,
}

impl Idler {
    fn new(name: &str, version: &str, pid: u32) -> Self {
        Self { name: name.to_owned(), version: version.to_owned(), pid, megabytes: Vec::new(), percent: Vec::new() }
    }
}

pub(super) fn idle(place: &Place, runs: u32) -> Result<Vec<Document>> {
    let machine = Machine::read();
    let fleet = Fleet::start(place, 2, false)?;
    // An ordinary member, when it has earned its first credits.
    fleet.earn(1)?;
    let rivals = rivals::start()?;
    let mut idlers = vec![Idler::new("ours", "", fleet.nodes[1].pid().context("the daemon runs")?)];
    idlers.extend(rivals.running.iter().map(|one| Idler::new(one.name, &one.version, one.pid)));

    say(format!("letting everything settle for {} s", SETTLE.as_secs()));
    pause(SETTLE)?;
    for run in 1..=runs {
        window(&mut idlers)?;
        let figures = idlers.iter().map(|idler| {
            let (megabytes, percent) = (idler.megabytes.last().copied(), idler.percent.last().copied());
            format!("{} {:.1} MB {:.3} %", idler.name, megabytes.unwrap_or_default(), percent.unwrap_or_default())
        });
        say(format!("window {run}: {}", figures.collect::<Vec<_>>().join(", ")));
    }

    let document = |name: &str, figures: fn(&Idler) -> &[f64]| {
        let (ours, others) = idlers.split_first().expect("ours is the first");
        let rival = |idler: &Idler| Rival {
            name: idler.name.clone(),
            version: idler.version.clone(),
            value: median(figures(idler)),
        };
        Document::new(name, &machine, figures(ours), others.iter().map(rival).collect())
    };
    Ok(vec![document("idle-memory", |idler| &idler.megabytes), document("idle-cpu", |idler| &idler.percent)])
}

/// One window for all of them.
fn window(idlers: &mut [Idler]) -> Result<()> {
    let before: Vec<u64> = idlers.iter().map(|idler| procfs::cpu_ns(idler.pid)).collect();
    let start = Instant::now();
    pause(WINDOW)?;
    for (idler, before) in idlers.iter_mut().zip(before) {
        let used = procfs::cpu_ns(idler.pid).saturating_sub(before);
        let bytes = procfs::resident(idler.pid);
        anyhow::ensure!(bytes > 0, "{} ended while it was measured", idler.name);
        idler.percent.push(used as f64 / start.elapsed().as_nanos() as f64 * 100.0);
        idler.megabytes.push(bytes as f64 / 1e6);
    }
    Ok(())
}

fn pause(length: Duration) -> Result<()> {
    let end = Instant::now() + length;
    while Instant::now() < end {
        check_interrupt()?;
        thread::sleep(Duration::from_millis(500).min(end.saturating_duration_since(Instant::now())));
    }
    Ok(())
}
