//! What programs other than ours use of the processors.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use p2p_types::{By, Reading, SignalKind, Untold};
use tokio::time::sleep;

use super::Context;

const REST: Duration = Duration::from_secs(60);
const WORK: Duration = Duration::from_secs(2);
/// The first reading needs two looks, and somebody waits for it.
const FIRST: Duration = Duration::from_millis(250);

pub(super) async fn watch(context: Rc<Context>) {
    let mut last = look(&context);
    sleep(FIRST).await;
    loop {
        let now = look(&context);
        match (last, now) {
            (Some(last), Some(now)) => {
                if let Some(others_permille) = others(&last, &now) {
                    context.hub.reading(By::Procfs, Reading::Load { others_permille });
                }
            }
            (_, None) => context.hub.cannot(SignalKind::Load, By::Procfs, missing(&context.options.places.procfs)),
            (None, Some(_)) => {}
        }
        last = now;
        context.pause(REST, WORK).await;
    }
}

fn missing(procfs: &Path) -> Untold {
    if procfs.join("stat").exists() { Untold::Failed } else { Untold::Unsupported }
}

/// Ticks of the kernel's clock since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticks {
    all: u64,
    busy: u64,
    ours: u64,
}

fn look(context: &Context) -> Option<Ticks> {
    let (all, busy) = total(&fs::read_to_string(context.proc("stat")).ok()?)?;
    let ours = ours(&context.options.places.procfs, std::process::id(), &(context.options.ours)());
    Some(Ticks { all, busy, ours })
}

fn others(last: &Ticks, now: &Ticks) -> Option<u16> {
    let all = now.all.checked_sub(last.all).filter(|all| *all > 0)?;
    let busy = now.busy.saturating_sub(last.busy);
    let ours = now.ours.saturating_sub(last.ours);
    u16::try_from(busy.saturating_sub(ours).min(all) * 1000 / all).ok()
}

/// The first line of `/proc/stat`: all processors together. What other machines took of a
/// virtual one (`steal`) is nobody's use here.
pub(in crate::signals) fn total(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    // user nice system idle iowait irq softirq steal; what guests use is part of user and nice.
    let [user, nice, system, idle, waits, irq, softirq, steal, ..] = ticks[..] else { return None };
    let busy = user + nice + system + irq + softirq;
    Some((busy + idle + waits + steal, busy))
}

/// What we, our children and those named used. A worker that ends hands its time to us, so the
/// sum does not fall when it does.
fn ours(procfs: &Path, this: u32, named: &[u32]) -> u64 {
    let mut all: BTreeSet<u32> = named.iter().copied().collect();
    all.insert(this);
    for thread in fs::read_dir(procfs.join(format!("{this}/task"))).into_iter().flatten().flatten() {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    all.iter()
        .filter_map(|pid| fs::read_to_string(procfs.join(format!("{pid}/stat"))).ok())
        .filter_map(|s| used(&s))
        .sum()
}

/// Fields 14 to 17 of `/proc/PID/stat`: its own time and that of its children that ended. The name
/// in field 2 may hold spaces and parentheses.
fn used(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let times: Vec<u64> = after_name.split(' ').skip(11).take(4).filter_map(|field| field.parse().ok()).collect();
    (times.len() == 4).then(|| times.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_in_use_by_others_is_told() {
        let stat = "cpu  100 20 30 800 40 5 5 50 7 7\ncpu0 1 2 3\n";
        assert_eq!(total(stat), Some((1050, 160)));
        assert_eq!(total("cpu 1 2 3\n"), None);
        assert_eq!(total(""), None);
        let last = Ticks { all: 1000, busy: 100, ours: 50 };
        assert_eq!(others(&last, &Ticks { all: 1400, busy: 300, ours: 150 }), Some(250));
        // Clocks of the kernel are read one after the other: ours may run ahead.
        assert_eq!(others(&last, &Ticks { all: 1400, busy: 140, ours: 150 }), Some(0));
        assert_eq!(others(&last, &Ticks { all: 1400, busy: 500, ours: 40 }), Some(1000));
        assert_eq!(others(&last, &last), None);
    }

    #[test]
    fn children_and_their_children_are_ours() {
        let folder = tempfile::tempdir().unwrap();
        let stat = |pid: u32, times: &str| {
            let path = folder.path().join(pid.to_string());
            fs::create_dir_all(path.join(format!("task/{pid}"))).unwrap();
            fs::write(path.join("stat"), format!("{pid} (a) b (c) S 1 2 3 4 5 6 7 8 9 10 {times} 20 0 1")).unwrap();
        };
        stat(7, "1 2 3 4");
        stat(8, "10 20 30 40");
        stat(9, "100 0 0 0");
        fs::write(folder.path().join("7/task/7/children"), "8 ").unwrap();
        assert_eq!(ours(folder.path(), 7, &[]), 110);
        assert_eq!(ours(folder.path(), 7, &[8, 9, 10]), 210);
    }
}
