//! What is read from files: faithful copies, and the computer that the test runs on.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use p2p_platform::signals::{Pace, Places, Scope};
use p2p_types::{By, Reading, SignalKind, Untold};

use crate::rest::{wakes, woken_since};
use crate::stage::{Ear, options};

fn file(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
    fs::write(path, text).expect("it can be written");
}

#[test]
fn every_kind_is_told_at_once_where_nothing_can_be() {
    let folder = tempfile::tempdir().expect("a folder");
    for scope in [Scope::Session, Scope::Machine] {
        let ear = Ear::new(scope, options(folder.path()));
        for kind in scope.kinds() {
            ear.wait(0, *kind, |_| true);
        }
        for told in ear.all() {
            let can = [SignalKind::Disk, SignalKind::Zone].contains(&told.kind);
            assert_eq!(told.reading.is_ok(), can, "{told:?}");
        }
        let kinds: BTreeSet<SignalKind> = scope.kinds().iter().copied().collect();
        assert_eq!(ear.all().len(), kinds.len(), "{:?}", ear.all());
    }
    let ear = Ear::new(Scope::Session, options(folder.path()));
    ear.cannot(0, SignalKind::Input, By::Nothing, Untold::NoSession);
    ear.cannot(0, SignalKind::FullScreen, By::Nothing, Untold::NoSession);
    ear.cannot(0, SignalKind::Inhibitor, By::Nothing, Untold::Unsupported);
}

#[test]
fn what_changes_in_copies_is_told_and_a_faster_pace_reads_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    file(root, "proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 600 kB\n");
    file(root, "proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    file(root, "proc/stat", "cpu  100 0 0 900 0 0 0 0 0 0\n");
    file(root, "sys/class/hwmon/hwmon3/name", "coretemp\n");
    file(root, "sys/class/hwmon/hwmon3/temp1_input", "50000\n");
    let mut settings = options(root);
    settings.places.procfs = root.join("proc");
    settings.places.sysfs = root.join("sys");
    let ear = Ear::new(Scope::Machine, settings);
    let memory = |available: u64, pressure| Reading::Memory {
        available_bytes: available * 1024,
        total_bytes: 1000 * 1024,
        pressure_permille: Some(pressure),
    };
    ear.reading(0, By::Procfs, memory(600, 0));
    ear.reading(0, By::Sysfs, Reading::Temperature { decicelsius: 500 });
    // Between the two looks of the first reading.
    file(root, "proc/stat", "cpu  130 0 0 1170 0 0 0 0 0 0\n");
    ear.reading(0, By::Procfs, Reading::Load { others_permille: 100 });

    file(root, "proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 100 kB\n");
    file(root, "proc/pressure/memory", "some avg10=25.31 avg60=0.00 avg300=0.00 total=9\n");
    file(root, "proc/stat", "cpu  180 0 0 1220 0 0 0 0 0 0\n");
    file(root, "sys/class/hwmon/hwmon3/temp1_input", "91000\n");
    let mark = ear.mark();
    ear.watcher.as_ref().expect("it runs").set_pace(Pace::Work);
    let now = Instant::now();
    ear.reading(mark, By::Procfs, memory(100, 253));
    ear.reading(mark, By::Sysfs, Reading::Temperature { decicelsius: 910 });
    ear.reading(mark, By::Procfs, Reading::Load { others_permille: 500 });
    assert!(now.elapsed() < Duration::from_secs(1), "{:?}", now.elapsed());
    // A file that is gone is told as what it is.
    fs::remove_file(root.join("proc/stat")).expect("it is there");
    ear.cannot(mark, SignalKind::Load, By::Procfs, Untold::Unsupported);
    let kept = fs::read_to_string(root.join("proc/pressure/memory")).expect("it is there");
    assert!(kept.starts_with("some avg10=25.31"), "a copy was written to: {kept}");
}

#[test]
fn this_computer_tells_memory_load_disk_and_zone() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = options(folder.path());
    let here = Places::of_this_session();
    (settings.places.procfs, settings.places.sysfs) = (here.procfs, here.sysfs);
    settings.pace = Pace::Work;
    let ear = Ear::new(Scope::Machine, settings);
    for (kind, by) in [
        (SignalKind::Memory, By::Procfs),
        (SignalKind::Load, By::Procfs),
        (SignalKind::Disk, By::FileSystem),
        (SignalKind::Zone, By::Clock),
    ] {
        let (_, told) = ear.wait(0, kind, |told| told.by == by && told.reading.is_ok());
        eprintln!("{told:?}");
    }
    let (_, told) = ear.wait(0, SignalKind::Memory, |told| told.reading.is_ok());
    let Ok(Reading::Memory { available_bytes, total_bytes, .. }) = told.reading else { unreachable!("it fits") };
    assert!(available_bytes > 0 && available_bytes <= total_bytes);
}

/// A program that does nothing but turn, and is not a child of ours.
struct Turning(u32);

impl Turning {
    fn start() -> Self {
        let mut command = Command::new("sh");
        let script = "(while :; do :; done) >/dev/null 2>&1 & echo $!";
        let printed = command.args(["-c", script]).output().expect("a shell").stdout;
        Self(String::from_utf8_lossy(&printed).trim().parse().expect("its number"))
    }
}

impl Drop for Turning {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-9", &self.0.to_string()]).status();
    }
}

#[test]
fn the_load_of_ours_does_not_count() {
    let turning = Turning::start();
    let pid = turning.0;
    let folder = tempfile::tempdir().expect("a folder");
    let ears = [Vec::new(), vec![pid]].map(|named: Vec<u32>| {
        let mut settings = options(folder.path());
        settings.places.procfs = "/proc".into();
        settings.pace = Pace::Work;
        settings.ours = Arc::new(move || named.clone());
        Ear::new(Scope::Machine, settings)
    });
    std::thread::sleep(Duration::from_millis(2800));
    let [others, without] = ears.map(|ear| {
        let told = ear.all().into_iter().rfind(|told| told.kind == SignalKind::Load).expect("it was told");
        let Ok(Reading::Load { others_permille }) = told.reading else { panic!("{told:?}") };
        others_permille
    });
    eprintln!("load of others: {others} permille, {without} without one that turns");
    assert!(others >= without + 100, "{others} {without}");
}

#[test]
fn a_watch_that_is_dropped_ends_its_thread_and_tells_no_more() {
    let threads = || {
        let mine = fs::read_dir("/proc/self/task").expect("this system has it").flatten();
        let names = mine.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
        names.filter(|name| name.trim() == "signals-machine").count()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut ear = Ear::new(Scope::Machine, options(folder.path()));
    ear.wait(0, SignalKind::Zone, |_| true);
    assert!(threads() >= 1);
    ear.watcher = None;
    crate::stage::eventually("the thread ends", || threads() == 0);
}

/// Wake-ups of both watches in four seconds: next to none.
const AT_REST: u64 = 8;

#[test]
fn a_computer_at_rest_is_left_alone() {
    let Some(bus) = crate::stage::Bus::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = options(folder.path());
    let here = Places::of_this_session();
    (settings.places.procfs, settings.places.sysfs) = (here.procfs, here.sysfs);
    settings.places.system_bus = Some(bus.address());
    settings.places.session_bus = Some(bus.address());
    let display = crate::x11::Display::start();
    settings.places.display = display.as_ref().map(|display| display.name.clone());
    let ears = [Scope::Session, Scope::Machine].map(|scope| Ear::new(scope, settings.clone()));
    for kind in Scope::Machine.kinds() {
        ears[1].wait(0, *kind, |_| true);
    }
    std::thread::sleep(Duration::from_secs(2));
    // A busy computer has something to tell, such as that memory is short: one quiet moment of a few shows rest.
    let mut woken = 0;
    for _ in 0..5 {
        let before = wakes();
        std::thread::sleep(Duration::from_secs(4));
        woken = woken_since(&before).values().sum();
        eprintln!("both watches at rest: woken {woken} times in 4 s");
        if woken <= AT_REST {
            break;
        }
    }
    assert!(woken <= AT_REST, "{woken}");
}

/// A file of a zone that never changes, as `zic` makes it.
fn compiled(minutes: i32) -> Vec<u8> {
    // No leap seconds, no transitions, one kind of time, a name of four bytes.
    let counts = [0_u32, 0, 0, 0, 1, 4].map(u32::to_be_bytes).concat();
    [b"TZif", &[0; 16][..], &counts, &(minutes * 60).to_be_bytes(), &[0, 0], b"AAA\0"].concat()
}

/// Runs itself once more where `/etc` is a folder of the test.
#[test]
fn a_zone_that_is_changed_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    if std::env::var_os("ZONE_TEST_INSIDE").is_some() {
        let ear = Ear::new(Scope::Machine, options(folder.path()));
        ear.reading(0, By::Clock, Reading::Zone { minutes: 345 });
        let changed = Instant::now();
        fs::rename("/etc/next", "/etc/localtime").expect("it can be replaced");
        let told = ear.reading(0, By::Clock, Reading::Zone { minutes: -60 });
        eprintln!("from a changed zone to the reading: {:?}", told - changed);
        return;
    }
    fs::write(folder.path().join("localtime"), compiled(345)).expect("it can be written");
    fs::write(folder.path().join("next"), compiled(-60)).expect("it can be written");
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", "mount --bind \"$1\" /etc || exit 77; shift; exec \"$@\"", "sh"])
        .arg(folder.path());
    command.arg(std::env::current_exe().expect("this program"));
    command.args(["--exact", "files::a_zone_that_is_changed_is_told", "--nocapture"]);
    let output = command.env("ZONE_TEST_INSIDE", "1").env_remove("TZ").output();
    let Ok(output) = output.map_err(|_| eprintln!("skipped: unshare is not installed here")) else { return };
    let printed = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    if output.status.code() == Some(77) || printed.starts_with("unshare:") {
        eprintln!("skipped: this computer lets nobody mount: {printed}");
        return;
    }
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
    eprintln!("{printed}");
}
