//! The real app on a session bus of its own, with a tray that only this test plays.

#![cfg(target_os = "linux")]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tempfile::TempDir;
use zbus::blocking::{Connection, Proxy, connection, proxy};
use zbus::proxy::CacheProperties;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

const LIMIT: Duration = Duration::from_secs(30);
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// The part of a panel that icons register with.
struct Watcher {
    registered: Sender<String>,
}

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: &str) {
        // The test may have heard enough already.
        let _ = self.registered.send(service.to_owned());
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A screen, a session bus and an empty home, until the test ends.
struct Stage {
    folder: TempDir,
    children: Vec<Child>,
    display: String,
    bus: String,
}

impl Stage {
    fn open() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("user")).expect("a folder for the user");
        let mut stage = Self { folder, children: Vec::new(), display: String::new(), bus: String::new() };
        let screen = ["-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp"];
        stage.display = format!(":{}", stage.first_line(Command::new("Xvfb").args(screen)));
        let bus = ["--session", "--nofork", "--print-address=1"];
        stage.bus = stage.first_line(Command::new("dbus-daemon").args(bus));
        stage
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn first_line(&mut self, command: &mut Command) -> String {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it is installed");
        let stdout = child.stdout.take().expect("it was asked for");
        self.children.push(child);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("it says where it is");
        line.trim().to_owned()
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env("HOME", self.folder.path().join("user"))
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("P2P_AGENT_HOME");
        command
    }

    fn app(&self) -> Child {
        let app = env!("CARGO_BIN_EXE_p2p-tray");
        self.command(app).args(["--hidden", "--home"]).arg(self.home()).spawn().expect("the app starts")
    }

    fn agent(&self, words: &[&str]) -> Option<Json> {
        let program = Path::new(env!("CARGO_BIN_EXE_p2p-tray")).with_file_name("p2p-agent");
        let output = self.command(program).arg("--json").arg("--home").arg(self.home()).args(words).output();
        let output = output.expect("p2p-agent is built beside the app");
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap_or(Json::Null))
    }

    fn state(&self) -> Option<String> {
        Some(self.agent(&["status"])?["state"].as_str()?.to_owned())
    }

    /// A panel appears: whoever registers is sent through the channel.
    fn panel(&self) -> (Connection, Receiver<String>) {
        let (registered, items) = channel();
        let panel = connection::Builder::address(self.bus.as_str())
            .and_then(|builder| builder.serve_at("/StatusNotifierWatcher", Watcher { registered }))
            .and_then(|builder| builder.name(WATCHER))
            .and_then(connection::Builder::build)
            .expect("the bus takes a panel");
        (panel, items)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.agent(&["down"]);
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The icon, as a panel sees it.
struct Icon {
    item: Proxy<'static>,
    menu: Proxy<'static>,
}

impl Icon {
    fn of(panel: &Connection, service: String) -> Self {
        let item = object(panel, service.clone(), "/StatusNotifierItem", "org.kde.StatusNotifierItem");
        let path: OwnedObjectPath = item.get_property("Menu").expect("a menu");
        let menu = object(panel, service, path.as_str(), "com.canonical.dbusmenu");
        Self { item, menu }
    }

    /// The numbers and labels of the menu, from the top.
    fn layout(&self) -> Vec<(i32, String)> {
        type Layout = (u32, (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>));
        let (_, (_, _, children)): Layout =
            self.menu.call("GetLayout", &(0, -1, Vec::<String>::new())).expect("a layout");
        let entries = children.into_iter().filter_map(|child| {
            let (id, mut about, _): (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>) = child.try_into().ok()?;
            Some((id, String::try_from(about.remove("label")?).ok()?))
        });
        entries.collect()
    }

    /// What can be chosen, and under which number.
    fn entries(&self) -> HashMap<String, i32> {
        self.layout().into_iter().map(|(id, label)| (label, id)).collect()
    }

    /// What the menu says, from the top.
    fn lines(&self) -> Vec<String> {
        self.layout().into_iter().map(|(_, label)| label).filter(|label| !label.is_empty()).collect()
    }

    fn choose(&self, label: &str) {
        let id = *self.entries().get(label).unwrap_or_else(|| panic!("{label} is in {:?}", self.entries()));
        let _: () = self.menu.call("Event", &(id, "clicked", Value::from(0), 0_u32)).expect("a click");
    }

    fn tooltip(&self) -> String {
        type ToolTip = (String, Vec<(i32, i32, Vec<u8>)>, String, String);
        self.item.get_property::<ToolTip>("ToolTip").expect("a tooltip").3
    }

    fn picture(&self) -> Vec<u8> {
        let pictures: Vec<(i32, i32, Vec<u8>)> = self.item.get_property("IconPixmap").expect("a picture");
        pictures.into_iter().next().expect("one size at least").2
    }
}

/// An object on the bus whose properties are asked for each time: icons tell of changes by signals
/// of their own.
fn object(bus: &Connection, service: String, path: &str, interface: &'static str) -> Proxy<'static> {
    let path = OwnedObjectPath::try_from(path).expect("a path");
    proxy::Builder::new(bus)
        .destination(service)
        .and_then(|builder| builder.path(path))
        .and_then(|builder| builder.interface(interface))
        .and_then(|builder| builder.cache_properties(CacheProperties::No).build())
        .expect("an icon")
}

fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !ready() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        sleep(Duration::from_millis(50));
    }
}

/// Whether this process has a web view: it draws in a process of its own.
fn has_window(app: &Child) -> bool {
    fs::read_dir("/proc").expect("a proc").flatten().any(|entry| {
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        status.contains("Name:\tWebKitWebProces") && status.contains(&format!("PPid:\t{}\n", app.id()))
    })
}

fn ended(app: &mut Child) -> bool {
    app.try_wait().expect("it is ours").is_some()
}

#[test]
fn a_late_panel_gets_the_icon_and_its_menu_works() {
    let stage = Stage::open();
    let mut app = stage.app();

    // Nobody shows icons: the window stands in, although it was not asked for. The node was made
    // and its daemon started on the way.
    until("the window stands in for the icon", || has_window(&app));
    until("the daemon answers", || stage.state().is_some());

    let (panel, items) = stage.panel();
    let service = items.recv_timeout(LIMIT).expect("the icon comes when the panel does");
    let icon = Icon::of(&panel, service);
    until("the menu is there", || icon.entries().len() >= 3);
    let labels = icon.entries();
    for label in ["Open P2P Agent", "Pause for 30 minutes", "Pause for 2 hours", "Pause until tomorrow", "Quit"] {
        assert!(labels.contains_key(label), "{label} in {labels:?}");
    }
    until("the tooltip says what the node says", || {
        let status = stage.agent(&["status"]).expect("it answers");
        status["sentence"].as_str().is_some_and(|sentence| icon.tooltip() == sentence)
    });
    until("the first line of the menu says the same", || icon.lines().first() == Some(&icon.tooltip()));

    let before = icon.picture();
    icon.choose("Pause for 30 minutes");
    until("the node pauses", || stage.state().as_deref() == Some("paused"));
    let status = stage.agent(&["status"]).expect("it answers");
    assert!(status["paused_until_ms"].is_u64(), "it ends by itself: {status}");
    until("the menu offers to resume", || icon.entries().contains_key("Resume"));
    assert!(!icon.entries().contains_key("Pause for 30 minutes"), "and nothing else: {:?}", icon.entries());
    assert!(icon.picture() != before, "paused has a picture of its own");
    icon.choose("Resume");
    until("the node resumes", || stage.state().is_some_and(|state| state != "paused"));

    icon.choose("Quit");
    until("the app ends", || ended(&mut app));
    until("the daemon that the app started ends with it", || stage.state().is_none());
}

#[test]
fn in_the_tray_the_app_needs_no_window() {
    let stage = Stage::open();
    let (panel, items) = stage.panel();
    let mut app = stage.app();
    let service = items.recv_timeout(LIMIT).expect("the icon comes at once");
    let icon = Icon::of(&panel, service);
    until("the daemon answers", || stage.state().is_some());
    assert!(!has_window(&app), "it was started hidden");

    icon.item.call::<_, _, ()>("Activate", &(0, 0)).expect("a click");
    until("a click opens the window", || has_window(&app));

    icon.choose("Quit");
    until("the app ends", || ended(&mut app));
}

#[test]
fn a_daemon_of_somebody_else_outlives_the_app() {
    let stage = Stage::open();
    stage.agent(&["init", "--yes"]).expect("a node");
    let up = stage.agent(&["up"]).expect("a daemon");
    let (panel, items) = stage.panel();
    let mut app = stage.app();
    let icon = Icon::of(&panel, items.recv_timeout(LIMIT).expect("the icon comes"));
    until("the app has found the daemon", || icon.tooltip() == up["sentence"].as_str().unwrap_or_default());
    icon.choose("Quit");
    until("the app ends", || ended(&mut app));
    let status = stage.agent(&["status"]).expect("the daemon runs on");
    assert_eq!(status["pid"], up["pid"]);
}

#[test]
fn a_crashed_daemon_comes_back_and_a_stopped_one_does_not() {
    let stage = Stage::open();
    let (_panel, items) = stage.panel();
    let mut app = stage.app();
    items.recv_timeout(LIMIT).expect("the icon comes");
    until("the daemon answers", || stage.state().is_some());
    let pid = |stage: &Stage| stage.agent(&["status"])?["pid"].as_u64();
    let first = pid(&stage).expect("it answers");

    Command::new("kill").args(["-9", &first.to_string()]).status().expect("kill is there");
    until("another daemon answers", || pid(&stage).is_some_and(|pid| pid != first));

    stage.agent(&["down"]).expect("it stops");
    sleep(Duration::from_secs(3));
    assert_eq!(stage.state(), None, "whoever stopped it wants it stopped");

    Command::new("kill").args(["-15", &app.id().to_string()]).status().expect("kill is there");
    until("the app ends when told", || ended(&mut app));
}
