//! Limits of the system around workers: with a stand-in for the service manager on a private bus,
//! and with a real one where this computer lets a test have it.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stderr, reason = "a test that skips says so")]

#[expect(dead_code, reason = "made for the signals, which need more of it")]
#[path = "signals/stage.rs"]
mod stage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use p2p_platform::process::{Backstop, Fences};
use p2p_platform::signals::Places;
use stage::{Bus, eventually, program};
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

const MEMORY: u64 = 1 << 30;
type Properties = BTreeMap<String, OwnedValue>;

/// What the stand-in was asked for: a method, the unit, its properties.
type Asked = Arc<Mutex<Vec<(&'static str, String, Properties)>>>;

/// A service manager. What it does to a group it writes where the kernel would show it.
struct Manager {
    asked: Asked,
    kernel: PathBuf,
    refuses: bool,
    slow: Duration,
}

#[zbus::interface(name = "org.freedesktop.systemd1.Manager")]
impl Manager {
    #[zbus(out_args("job"))]
    fn start_transient_unit(
        &self,
        name: String,
        mode: String,
        properties: Vec<(String, OwnedValue)>,
        others: Vec<(String, Vec<(String, OwnedValue)>)>,
    ) -> zbus::fdo::Result<OwnedObjectPath> {
        std::thread::sleep(self.slow);
        assert_eq!((mode.as_str(), others.len()), ("fail", 0));
        let properties: Properties = properties.into_iter().collect();
        self.asked.lock().expect("whole").push(("start", name.clone(), properties.clone()));
        if self.refuses {
            return Err(zbus::fdo::Error::AccessDenied("not you".to_owned()));
        }
        let pids: Vec<u32> = properties["PIDs"].try_clone().expect("plain").try_into().expect("ids");
        let group = format!("0::/user.slice/{name}\n");
        std::fs::write(self.kernel.join(format!("proc/{}/cgroup", pids[0])), group).expect("it can be written");
        self.write(&name, &properties);
        Ok(OwnedObjectPath::try_from("/org/freedesktop/systemd1/job/1").expect("a path"))
    }

    fn set_unit_properties(&self, name: String, runtime: bool, properties: Vec<(String, OwnedValue)>) {
        assert!(runtime, "nothing is kept beyond the worker");
        let properties: Properties = properties.into_iter().collect();
        self.write(&name, &properties);
        self.asked.lock().expect("whole").push(("set", name, properties));
    }
}

impl Manager {
    fn write(&self, unit: &str, properties: &Properties) {
        let group = self.kernel.join("sys/fs/cgroup/user.slice").join(unit);
        std::fs::create_dir_all(&group).expect("it can be made");
        let put = |file: &str, text: String| std::fs::write(group.join(file), text).expect("it can be written");
        if let Some(quota) = number(properties, "CPUQuotaPerSecUSec") {
            let quota = if quota == u64::MAX { "max".to_owned() } else { quota.to_string() };
            put("cpu.max", format!("{quota} 1000000\n"));
        }
        if let Some(memory) = number(properties, "MemoryMax") {
            put("memory.max", format!("{memory}\n"));
        }
    }
}

fn number(properties: &Properties, name: &str) -> Option<u64> {
    u64::try_from(properties.get(name)?).ok()
}

/// So many thousandths of the computer, in microseconds a second.
fn cpu(permille: u64) -> u64 {
    permille * 1000 * std::thread::available_parallelism().expect("counted").get() as u64
}

struct Scene {
    folder: tempfile::TempDir,
    bus: Bus,
    asked: Asked,
    manager: Option<zbus::blocking::Connection>,
}

impl Scene {
    fn new(refuses: bool, slow: Duration) -> Option<Self> {
        let bus = Bus::start()?;
        let mut scene =
            Self { folder: tempfile::tempdir().expect("a folder"), bus, asked: Asked::default(), manager: None };
        scene.manage(refuses, slow);
        Some(scene)
    }

    fn manage(&mut self, refuses: bool, slow: Duration) {
        let (asked, kernel) = (Arc::clone(&self.asked), self.folder.path().to_owned());
        let manager = Manager { asked, kernel, refuses, slow };
        let builder = self.bus.builder().serve_at("/org/freedesktop/systemd1", manager).expect("a path");
        let builder = builder.name("org.freedesktop.systemd1").expect("a name");
        self.manager = Some(builder.build().expect("the bus"));
    }

    fn fences(&self) -> Fences {
        let mut places = Places::nowhere();
        (places.procfs, places.sysfs) = (self.folder.path().join("proc"), self.folder.path().join("sys"));
        places.session_bus = Some(self.bus.address());
        Fences::at(places)
    }

    /// A child, which the made-up kernel knows too.
    fn worker(&self) -> Worker {
        let child = Command::new("sleep").arg("60").spawn().expect("it is there");
        let folder = self.folder.path().join(format!("proc/{}", child.id()));
        std::fs::create_dir_all(&folder).expect("it can be made");
        std::fs::copy(format!("/proc/{}/stat", child.id()), folder.join("stat")).expect("it runs");
        Worker(child)
    }

    fn asked(&self) -> Vec<(&'static str, String, Properties)> {
        self.asked.lock().expect("whole").clone()
    }

    /// The newest limit that was asked for.
    fn limit(&self) -> Option<u64> {
        self.asked().iter().rev().find_map(|(_, _, properties)| number(properties, "CPUQuotaPerSecUSec"))
    }
}

struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn threads() -> usize {
    let all = std::fs::read_dir("/proc/self/task").expect("this system says").flatten();
    all.filter(|task| std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name == "backstops\n")).count()
}

#[test]
fn a_worker_gets_a_scope_whose_limit_follows_the_cap_and_whom_it_works_for() {
    let Some(scene) = Scene::new(false, Duration::ZERO) else { return };
    let fences = scene.fences();
    let worker = scene.worker();
    assert_eq!(fences.reached(), None, "nothing is claimed before it is known");
    fences.allow(300);
    let fence = fences.around(worker.0.id(), MEMORY);
    fence.for_others(true);
    let whole = Backstop { cpu: true, memory: true, efficient: false };
    eventually("the limit in force", || scene.limit() == Some(cpu(350)) && fences.reached() == Some(whole));
    let (method, unit, properties) = scene.asked().remove(0);
    assert_eq!(method, "start");
    assert_eq!(unit, format!("p2p-agent-worker-{}-{}.scope", std::process::id(), worker.0.id()));
    let asked = ["MemoryMax", "TasksMax", "CPUWeight", "CPUQuotaPeriodUSec"].map(|name| number(&properties, name));
    assert_eq!(asked, [Some(MEMORY), Some(32), Some(1), Some(1_000_000)]);

    // Freer at once, tighter a little later.
    let now = Instant::now();
    fences.allow(800);
    eventually("more is allowed", || scene.limit() == Some(cpu(850)));
    assert!(now.elapsed() < Duration::from_millis(900), "{:?}", now.elapsed());
    fences.allow(100);
    eventually("less is allowed", || scene.limit() == Some(cpu(150)));
    fence.for_others(false);
    eventually("the owner's work is free", || scene.limit() == Some(u64::MAX));
    let calls = scene.asked().len();
    // One that turns from one to the other for each order is left alone.
    for _ in 0..200 {
        fence.for_others(true);
        fence.for_others(false);
    }
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(scene.asked().len(), calls, "{:?}", scene.asked());
    assert_eq!(fences.reached(), Some(whole));
    drop(fence);
    drop(worker);
    eventually("the thread ends with the last worker", || threads() == 0);
}

#[test]
fn nothing_is_claimed_where_the_manager_is_missing_refuses_or_only_says_yes() {
    let Some(mut scene) = Scene::new(true, Duration::ZERO) else { return };
    let none = Some(Backstop::default());
    let tried = |scene: &Scene, what: &str| {
        let (fences, worker) = (scene.fences(), scene.worker());
        let fence = fences.around(worker.0.id(), MEMORY);
        fence.for_others(true);
        eventually(what, || fences.reached() == none);
        drop(fence);
    };
    tried(&scene, "it refuses");
    assert_eq!(scene.asked().len(), 1);
    scene.manager = None;
    tried(&scene, "it is not there");
    // It says yes, and the kernel shows another group.
    scene.manage(false, Duration::ZERO);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let mut places = Places::nowhere();
    (places.procfs, places.sysfs) = ("/proc".into(), elsewhere.path().to_owned());
    places.session_bus = Some(scene.bus.address());
    let (fences, worker) = (Fences::at(places), scene.worker());
    let _fence = fences.around(worker.0.id(), MEMORY);
    eventually("it only said yes", || fences.reached() == none);
    assert_eq!(scene.asked().len(), 2);
    // No bus at all: that is clear at once, and costs no thread.
    let (nowhere, other) = (Fences::at(Places::nowhere()), scene.worker());
    let _around = nowhere.around(other.0.id(), MEMORY);
    assert_eq!(nowhere.reached(), none);
}

#[test]
fn a_manager_that_is_slow_delays_nobody_and_a_stranger_is_not_touched() {
    let Some(scene) = Scene::new(false, Duration::from_millis(1500)) else { return };
    let (fences, worker) = (scene.fences(), scene.worker());
    let now = Instant::now();
    let fence = fences.around(worker.0.id(), MEMORY);
    fence.for_others(true);
    fences.allow(500);
    fence.for_others(false);
    let stranger = fences.around(1, MEMORY);
    drop((stranger, fence));
    let took = now.elapsed();
    assert!(took < Duration::from_millis(50), "{took:?}");
    drop(worker);
    eventually("it ends", || threads() == 0);
    assert!(scene.asked().iter().all(|(_, unit, _)| !unit.ends_with("-1.scope")), "{:?}", scene.asked());
}

/// The first half runs the second in a world of its own: a real systemd as a user's manager with
/// its bus, and a tree of groups that is mounted for it alone.
#[test]
fn a_real_manager_makes_the_scope() {
    if std::env::var_os("BACKSTOP_TEST_INSIDE").is_some() {
        inside();
        return;
    }
    let systemd = Path::new("/usr/lib/systemd/systemd");
    if program("unshare").is_none() || program("busctl").is_none() || !systemd.exists() {
        eprintln!("skipped: no systemd here");
        return;
    }
    let group = format!("p2p-agent-test-{}", std::process::id());
    let script = format!(
        "mount -t tmpfs none /run && mkdir -p /run/systemd/system /run/user/0 || exit 77
         umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup && mount -t proc proc /proc || exit 77
         mkdir /sys/fs/cgroup/{group} && echo $$ > /sys/fs/cgroup/{group}/cgroup.procs || exit 77
         export XDG_RUNTIME_DIR=/run/user/0 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/0/bus
         /usr/lib/systemd/systemd --user --log-target=null 2>/dev/null &
         for try in $(seq 100); do
             busctl --user status org.freedesktop.systemd1 >/dev/null 2>&1 && break; sleep 0.1
         done
         BACKSTOP_TEST_INSIDE=1 \"$0\" --exact a_real_manager_makes_the_scope --nocapture"
    );
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "60", "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", &script]);
    let output = command.arg(std::env::current_exe().expect("this program")).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    eprintln!("{error}");
    clear(&group);
    if !output.status.success() && !said.contains("running 1 test") {
        eprintln!("skipped: this computer does not let a test have a manager of its own");
        return;
    }
    assert!(output.status.success() && said.contains("1 passed"), "{said}{error}");
}

/// Groups outlive who made them.
fn clear(group: &str) {
    for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
        let folder = Path::new(root).join(group);
        let _ = Command::new("find").arg(folder).args(["-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]).output();
    }
}

fn inside() {
    let places = Places::of_this_session();
    let worker = Worker(Command::new("sleep").arg("60").spawn().expect("it is there"));
    let fences = Fences::at(places);
    fences.allow(250);
    let fence = fences.around(worker.0.id(), MEMORY);
    fence.for_others(true);
    let unit = format!("p2p-agent-worker-{}-{}.scope", std::process::id(), worker.0.id());
    let group = || std::fs::read_to_string(format!("/proc/{}/cgroup", worker.0.id())).expect("it runs");
    eventually("the scope", || group().lines().any(|line| line.starts_with("0::") && line.ends_with(&unit)));
    let show = |property: &str| {
        let output = Command::new("systemctl").args(["--user", "show", "--value", "-p", property, &unit]).output();
        String::from_utf8_lossy(&output.expect("it is there").stdout).trim().to_owned()
    };
    let limit = format!("{}ms", cpu(300) / 1000);
    eventually("the limit", || show("CPUQuotaPerSecUSec") == limit);
    let asked = ["MemoryMax", "TasksMax", "CPUWeight", "Slice", "CollectMode"].map(show);
    assert_eq!(asked, [&MEMORY.to_string(), "32", "1", "background.slice", "inactive-or-failed"]);
    fence.for_others(false);
    eventually("no limit", || show("CPUQuotaPerSecUSec") == "infinity");
    eventually("what was reached", || fences.reached().is_some());
    // The kernel has the last word: only with these controllers there is anything to claim.
    let controllers = std::fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").expect("it is mounted");
    let has = |name: &str| controllers.split_whitespace().any(|controller| controller == name);
    eprintln!("controllers: {}; {}", controllers.trim(), fences.reached().expect("it is known"));
    let reached = fences.reached().expect("it is known");
    assert!((!reached.cpu || has("cpu")) && (!reached.memory || has("memory")), "{reached}");
    drop(fence);
    drop(worker);
    eventually("the scope ends with its worker", || show("ActiveState") == "inactive");
}
