//! Windows and macOS: they send few events to a program without a window, so they are asked.

use std::time::{Duration, Instant};

use p2p_types::{By, Reading, SignalKind, Untold};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::sync::watch;

use super::hub::Hub;
#[cfg(target_os = "macos")]
use super::macos as system;
use super::patience::Patience;
#[cfg(windows)]
use super::windows as system;
use super::{Options, Pace, Scope, Wish};

/// How often the time is looked at. While work is done it is the longest that a touch goes unseen.
const TICK_WORK: Duration = Duration::from_millis(20);
const TICK_REST: Duration = Duration::from_millis(500);

struct Row {
    kind: SignalKind,
    due: Instant,
    patience: Patience,
}

/// The body of a watch's thread.
pub(super) fn run(scope: Scope, options: Options, hub: Hub, mut wish: watch::Receiver<Wish>) {
    let now = Instant::now();
    let row = |kind: &SignalKind| Row { kind: *kind, due: now, patience: Patience::new() };
    let mut rows: Vec<Row> = scope.kinds().iter().map(row).collect();
    let mut again = wish.borrow().again;
    let mut machine = System::new().ok();
    // `Err` is the end of the watch.
    while let Ok(changed) = wish.has_changed() {
        let Wish { pace: now_pace, again: wished } = *wish.borrow_and_update();
        for row in &mut rows {
            if !changed && Instant::now() < row.due {
                continue;
            }
            row.patience.begin();
            let told = match row.kind {
                SignalKind::Memory => machine.as_mut().map_or(Err(Untold::Failed), memory),
                SignalKind::Load => machine.as_mut().map_or(Err(Untold::Failed), |machine| load(machine, &options)),
                SignalKind::Input => input(&options),
                kind => system::read(kind, &options),
            };
            let wait = match told {
                Ok(reading) => {
                    hub.reading(system::BY, reading);
                    every(row.kind, now_pace)
                }
                Err(Untold::Failed) => {
                    hub.cannot(row.kind, system::BY, Untold::Failed);
                    row.patience.after_failure()
                }
                Err(why) => {
                    hub.cannot(row.kind, By::Nothing, why);
                    Duration::from_secs(600)
                }
            };
            row.due = Instant::now() + wait;
        }
        if std::mem::replace(&mut again, wished) != wished {
            hub.say_again();
        }
        std::thread::sleep(match (scope, now_pace) {
            (Scope::Session, Pace::Work) => TICK_WORK,
            _ => TICK_REST,
        });
    }
}

const fn every(kind: SignalKind, pace: Pace) -> Duration {
    let (rest, work) = match kind {
        SignalKind::Input => (500, 20),
        SignalKind::FullScreen | SignalKind::Inhibitor => (10_000, 1000),
        SignalKind::Load => (60_000, 2000),
        SignalKind::Power | SignalKind::Metered => (30_000, 5000),
        SignalKind::Memory | SignalKind::Temperature => (60_000, 5000),
        SignalKind::Disk => (300_000, 30_000),
        SignalKind::Zone => (900_000, 900_000),
    };
    Duration::from_millis(match pace {
        Pace::Rest => rest,
        Pace::Work => work,
    })
}

fn input(options: &Options) -> Result<Reading, Untold> {
    let idle = system::idle()?;
    let idle = if idle < options.still { Duration::ZERO } else { idle };
    Ok(Reading::Input { idle_ms: u64::try_from(idle.as_millis()).unwrap_or(u64::MAX) })
}

fn memory(machine: &mut System) -> Result<Reading, Untold> {
    machine.refresh_memory();
    let (available_bytes, total_bytes) = (machine.available_memory(), machine.total_memory());
    if total_bytes == 0 {
        return Err(Untold::Failed);
    }
    Ok(Reading::Memory { available_bytes, total_bytes, pressure_permille: None })
}

fn load(machine: &mut System, options: &Options) -> Result<Reading, Untold> {
    let mut ours: Vec<Pid> = (options.ours)().into_iter().map(Pid::from_u32).collect();
    ours.push(Pid::from_u32(std::process::id()));
    let used = ProcessRefreshKind::nothing().with_cpu();
    machine.refresh_cpu_usage();
    machine.refresh_processes_specifics(ProcessesToUpdate::Some(&ours), true, used);
    let processors = machine.cpus().len().max(1);
    // A process that uses one processor fully has 100 here, whatever their number.
    let ours: f32 = ours.iter().filter_map(|pid| machine.process(*pid)).map(|process| process.cpu_usage()).sum();
    let others = machine.global_cpu_usage() - ours / processors as f32;
    // What is cut off lies between 0 and 1000.
    Ok(Reading::Load { others_permille: (others * 10.0).clamp(0.0, 1000.0) as u16 })
}
