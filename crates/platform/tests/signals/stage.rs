//! What the tests stand on: programs that end with the test, a private bus, and an ear.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use p2p_platform::signals::{Options, Places, Scope, Watcher, watch};
use p2p_types::{By, Reading, SignalKind, Told, Untold};
use tempfile::TempDir;
use zbus::blocking::connection::Builder;
use zbus::blocking::{Connection, Proxy};

/// Where a program is, or a sentence that it is missing.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: {name} is not installed here");
    }
    found
}

/// A program that ends with the test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.stderr(Stdio::null()).spawn().expect("it is installed"))
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, signal).expect("it is ours");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A bus of the test's own, without any service but those that the test puts there.
pub(crate) struct Bus {
    folder: TempDir,
    running: Option<Running>,
}

impl Bus {
    pub(crate) fn start() -> Option<Self> {
        program("dbus-daemon")?;
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            folder.path().join("bus").display()
        );
        std::fs::write(folder.path().join("config"), config).expect("it can be written");
        let mut bus = Self { folder, running: None };
        bus.run();
        Some(bus)
    }

    pub(crate) fn stop(&mut self) {
        self.running = None;
        let _ = std::fs::remove_file(self.folder.path().join("bus"));
    }

    pub(crate) fn run(&mut self) {
        let config = format!("--config-file={}", self.folder.path().join("config").display());
        let mut command = Command::new("dbus-daemon");
        command.args([&config, "--nofork", "--print-address=1"]).stdout(Stdio::piped());
        let mut running = Running::start(&mut command);
        let mut line = String::new();
        BufReader::new(running.0.stdout.take().expect("piped")).read_line(&mut line).expect("its address");
        assert!(line.starts_with("unix:path="), "{line}");
        self.running = Some(running);
    }

    pub(crate) fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    pub(crate) fn builder(&self) -> Builder<'static> {
        Builder::address(self.address().as_str()).expect("an address")
    }

    /// Calls a method, the answer of which does not matter.
    pub(crate) fn call<B: zbus::export::serde::Serialize + zbus::zvariant::DynamicType>(
        &self,
        object: (&str, &str, &str),
        method: &str,
        body: &B,
    ) -> zbus::Message {
        let bus = self.client();
        bus.call_method(Some(object.0), object.1, Some(object.2), method, body).expect("it answers")
    }

    pub(crate) fn client(&self) -> Connection {
        self.builder().build().expect("the bus answers")
    }

    /// Sets a property of a stand-in, which announces it.
    pub(crate) fn set<'v>(
        &self,
        object: (&str, &str, &str),
        property: &str,
        value: impl Into<zbus::zvariant::Value<'v>>,
    ) {
        let bus = self.client();
        let proxy = Proxy::new(&bus, object.0.to_owned(), object.1.to_owned(), object.2.to_owned()).expect("names");
        proxy.set_property(property, value.into()).expect("it can be set");
    }
}

#[derive(Default)]
struct Heard {
    all: Mutex<Vec<(Instant, Told)>>,
    more: Condvar,
}

/// A watch and what it told.
pub(crate) struct Ear {
    heard: Arc<Heard>,
    pub(crate) watcher: Option<Watcher>,
}

/// Options that see nothing of the computer the test runs on.
pub(crate) fn options(folder: &Path) -> Options {
    let mut options = Options::new(folder.to_owned());
    options.places = Places::nowhere();
    options.still = Duration::from_millis(300);
    options
}

impl Ear {
    pub(crate) fn new(scope: Scope, options: Options) -> Self {
        let heard = Arc::<Heard>::default();
        let to = Arc::clone(&heard);
        let tell = move |told| {
            to.all.lock().expect("no teller panics").push((Instant::now(), told));
            to.more.notify_all();
        };
        Self { heard, watcher: Some(watch(scope, options, tell).expect("a thread")) }
    }

    /// How much was heard until now: a place to wait from.
    pub(crate) fn mark(&self) -> usize {
        self.heard.all.lock().expect("no teller panics").len()
    }

    /// The first thing told of this kind since the mark that fits, and when.
    pub(crate) fn wait(&self, from: usize, kind: SignalKind, fits: impl Fn(&Told) -> bool) -> (Instant, Told) {
        let until = Instant::now() + Duration::from_secs(15);
        let mut all = self.heard.all.lock().expect("no teller panics");
        loop {
            let found = all.iter().skip(from).find(|(_, told)| told.kind == kind && fits(told));
            if let Some(found) = found {
                return *found;
            }
            let left = until.checked_duration_since(Instant::now());
            let left = left.unwrap_or_else(|| panic!("nothing that fits was told of {}: {:?}", kind.name(), *all));
            all = self.heard.more.wait_timeout(all, left).expect("no teller panics").0;
        }
    }

    pub(crate) fn reading(&self, from: usize, by: By, reading: Reading) -> Instant {
        self.wait(from, reading.kind(), |told| told.by == by && told.reading == Ok(reading)).0
    }

    pub(crate) fn cannot(&self, from: usize, kind: SignalKind, by: By, why: Untold) -> Instant {
        self.wait(from, kind, |told| told.by == by && told.reading == Err(why)).0
    }

    pub(crate) fn active(&self, from: usize, by: By) -> Instant {
        self.reading(from, by, Reading::Input { idle_ms: 0 })
    }

    pub(crate) fn idle(&self, from: usize, by: By) -> u64 {
        let (_, told) = self.wait(from, SignalKind::Input, |told| {
            told.by == by && matches!(told.reading, Ok(Reading::Input { idle_ms: 1.. }))
        });
        let Ok(Reading::Input { idle_ms }) = told.reading else { unreachable!("it fits") };
        idle_ms
    }

    pub(crate) fn all(&self) -> Vec<Told> {
        self.heard.all.lock().expect("no teller panics").iter().map(|(_, told)| *told).collect()
    }
}

/// Prints the middle and the worst of some delays. The middle is what the watch adds; a computer
/// that is busy with other tests, or a compositor that paints, may delay one of them.
pub(crate) fn show(what: &str, mut delays: Vec<Duration>) {
    delays.sort_unstable();
    let (middle, worst) = (delays[delays.len() / 2], delays[delays.len() - 1]);
    eprintln!("{what}: n {}, p50 {middle:?}, worst {worst:?}", delays.len());
    assert!(middle < Duration::from_millis(20) && worst < Duration::from_secs(1), "{what}: {delays:?}");
}

pub(crate) fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !is() {
        assert!(Instant::now() < until, "{what} in 10 s");
        std::thread::sleep(Duration::from_millis(10));
    }
}
