//! A watch at rest: nothing happens, so it has one thread, which waits.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use p2p_platform::signals::Scope;
use p2p_types::{By, SignalKind};

use crate::power::upower;
use crate::stage::{Bus, Ear, options};

const BUS: &str = "REST_TEST_BUS";
/// Long enough for what starts, and for threads that wait a moment for more to do.
const SETTLE: Duration = Duration::from_secs(4);
const LOOK: Duration = Duration::from_secs(4);

/// Threads are those of the whole process: the watch has one of its own.
#[test]
fn no_thread_wakes_while_nothing_happens() {
    if let Ok(address) = std::env::var(BUS) {
        rest(address);
        return;
    }
    let Some(bus) = Bus::start() else { return };
    let _upower = upower(&bus, false);
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "rest::no_thread_wakes_while_nothing_happens", "--nocapture"]);
    let output = command.env(BUS, bus.address()).output().expect("it starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}

fn rest(address: String) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = options(folder.path());
    settings.places.system_bus = Some(address);
    // The watch of the daemon. That of a session asks for a compositor now and then.
    let ear = Ear::new(Scope::Machine, settings);
    ear.wait(0, SignalKind::Power, |told| told.by == By::Upower);
    std::thread::sleep(SETTLE);
    let before = wakes();
    std::thread::sleep(LOOK);
    let woken = woken_since(&before);
    let status = std::fs::read_to_string("/proc/self/status").expect("this system says");
    let resident = status.lines().find(|line| line.starts_with("RssAnon")).unwrap_or_default();
    eprintln!("wake-ups of threads in {LOOK:?}: {woken:?}; {resident}");
    // This thread's own sleep is one.
    assert!(woken.values().sum::<u64>() <= 2, "{woken:?}");
    // Two of the test, and the watch.
    assert!(woken.len() <= 3, "{woken:?}");
}

/// How often each thread that there is now was woken since then.
pub(crate) fn woken_since(before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let since = |(thread, now): (String, u64)| {
        let woken = now - before.get(&thread).unwrap_or(&0);
        (thread, woken)
    };
    wakes().into_iter().map(since).collect()
}

/// How often each thread of this process went to sleep by itself so far.
pub(crate) fn wakes() -> BTreeMap<String, u64> {
    let mut wakes = BTreeMap::new();
    for thread in std::fs::read_dir("/proc/self/task").expect("this system says").flatten() {
        let Ok(status) = std::fs::read_to_string(thread.path().join("status")) else { continue };
        let field = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        let name = format!("{} {}", field("Name:"), thread.file_name().display());
        wakes.insert(name, field("voluntary_ctxt_switches:").parse().unwrap_or_default());
    }
    wakes
}
