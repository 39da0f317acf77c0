//! Stand-ins for the login manager, GNOME's session, KDE's power manager and GameMode.

use p2p_platform::signals::Scope;
use p2p_types::{By, Inhibitor, Reading, SignalKind, Untold};

use crate::stage::{Bus, Ear, options};

type Row = (String, String, String, String, u32, u32);

const LOGIND: (&str, &str, &str) =
    ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager");
const SESSION: (&str, &str, &str) =
    (LOGIND.0, "/org/freedesktop/login1/session/auto", "org.freedesktop.login1.Session");
const KDE: (&str, &str, &str) = (
    "org.kde.Solid.PowerManagement.PolicyAgent",
    "/org/kde/Solid/PowerManagement/PolicyAgent",
    "org.kde.Solid.PowerManagement.PolicyAgent",
);
const GAMES: (&str, &str, &str) =
    ("com.feralinteractive.GameMode", "/com/feralinteractive/GameMode", "com.feralinteractive.GameMode");

#[derive(Default)]
struct Manager(Vec<Row>);

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn list_inhibitors(&self) -> Vec<Row> {
        self.0.clone()
    }

    #[zbus(property)]
    fn block_inhibited(&self) -> String {
        self.0.iter().map(|row| row.0.clone()).collect::<Vec<_>>().join(":")
    }

    /// Rows as `what|who|why|mode|pid`, one a line. Setting a property announces it.
    #[zbus(property)]
    fn set_block_inhibited(&mut self, rows: String) {
        let row = |line: &str| {
            let words: Vec<String> = line.split('|').map(str::to_owned).collect();
            let [what, who, why, mode, pid] = <[String; 5]>::try_from(words).expect("five words");
            (what, who, why, mode, 1000, pid.parse().expect("a number"))
        };
        self.0 = rows.lines().map(row).collect();
    }
}

struct Session {
    idle: bool,
    since: u64,
}

#[zbus::interface(name = "org.freedesktop.login1.Session")]
impl Session {
    #[zbus(property)]
    fn idle_hint(&self) -> bool {
        self.idle
    }

    #[zbus(property)]
    fn set_idle_hint(&mut self, idle: bool) {
        self.idle = idle;
        self.since = 1;
    }

    #[zbus(property)]
    fn idle_since_hint_monotonic(&self) -> u64 {
        self.since
    }
}

struct Games(i32);

#[zbus::interface(name = "com.feralinteractive.GameMode")]
impl Games {
    #[zbus(property)]
    fn client_count(&self) -> i32 {
        self.0
    }

    #[zbus(property)]
    fn set_client_count(&mut self, value: i32) {
        self.0 = value;
    }
}

#[derive(Default)]
struct Kde(Vec<(String, String)>);

#[zbus::interface(name = "org.kde.Solid.PowerManagement.PolicyAgent")]
impl Kde {
    fn list_inhibitions(&self) -> Vec<(String, String)> {
        self.0.clone()
    }

    async fn add(
        &mut self,
        who: String,
        why: String,
        #[zbus(signal_emitter)] emitter: zbus::object_server::SignalEmitter<'_>,
    ) {
        self.0.push((who.clone(), why.clone()));
        emitter.inhibitions_changed(vec![(who, why)], Vec::new()).await.expect("the bus");
    }

    #[zbus(signal)]
    async fn inhibitions_changed(
        emitter: &zbus::object_server::SignalEmitter<'_>,
        added: Vec<(String, String)>,
        removed: Vec<String>,
    ) -> zbus::Result<()>;
}

const GNOME: (&str, &str, &str) = ("org.gnome.SessionManager", "/org/gnome/SessionManager", "org.gnome.SessionManager");

struct Gnome(Vec<&'static str>);

#[zbus::interface(name = "org.gnome.SessionManager")]
impl Gnome {
    fn get_inhibitors(&self) -> Vec<zbus::zvariant::OwnedObjectPath> {
        self.0.iter().map(|path| zbus::zvariant::OwnedObjectPath::try_from(*path).expect("a path")).collect()
    }

    /// Puts the second inhibitor on the list.
    async fn more(&mut self, #[zbus(signal_emitter)] emitter: zbus::object_server::SignalEmitter<'_>) {
        let path = "/org/gnome/SessionManager/Inhibitor2";
        self.0.push(path);
        let path = zbus::zvariant::ObjectPath::try_from(path).expect("a path");
        emitter.inhibitor_added(path).await.expect("the bus");
    }

    #[zbus(signal)]
    async fn inhibitor_added(
        emitter: &zbus::object_server::SignalEmitter<'_>,
        path: zbus::zvariant::ObjectPath<'_>,
    ) -> zbus::Result<()>;
}

struct GnomeInhibitor(u32, &'static str, &'static str);

#[zbus::interface(name = "org.gnome.SessionManager.Inhibitor")]
impl GnomeInhibitor {
    fn get_flags(&self) -> u32 {
        self.0
    }

    fn get_app_id(&self) -> &str {
        self.1
    }

    fn get_reason(&self) -> &str {
        self.2
    }
}

#[test]
fn gnomes_inhibitors_are_asked_one_by_one() {
    let Some(bus) = Bus::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = options(folder.path());
    settings.places.session_bus = Some(bus.address());
    let ear = Ear::new(Scope::Session, settings);
    // The first one only forbids to log out; of the last one there is a name and no object.
    let list = Gnome(vec!["/org/gnome/SessionManager/Inhibitor1", "/org/gnome/SessionManager/Inhibitor9"]);
    let builder = bus.builder().serve_at(GNOME.1, list).expect("a path");
    let builder = builder.serve_at("/org/gnome/SessionManager/Inhibitor1", GnomeInhibitor(1, "disks", "writes"));
    let film = GnomeInhibitor(8 | 4, "org.videolan.VLC", "Playing some media.");
    let builder = builder.expect("a path").serve_at("/org/gnome/SessionManager/Inhibitor2", film).expect("a path");
    let _gnome = builder.name(GNOME.0).expect("a name").build().expect("the bus");
    ear.reading(0, By::ScreenSaver, told(None));
    bus.call(GNOME, "More", &());
    ear.reading(0, By::ScreenSaver, told(Some(Inhibitor::Media)));
}

fn told(inhibitor: Option<Inhibitor>) -> Reading {
    Reading::Inhibitor { inhibitor }
}

#[test]
fn who_keeps_the_screen_on_is_told_and_ours_do_not_count() {
    let (Some(system), Some(session)) = (Bus::start(), Bus::start()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = options(folder.path());
    settings.places.system_bus = Some(system.address());
    settings.places.session_bus = Some(session.address());
    settings.ours = std::sync::Arc::new(|| vec![4711]);
    let ear = Ear::new(Scope::Session, settings);
    ear.cannot(0, SignalKind::Inhibitor, By::Nothing, Untold::Unsupported);

    let builder = system.builder().serve_at(LOGIND.1, Manager::default()).expect("a path");
    let _logind = builder.name(LOGIND.0).expect("a name").build().expect("the bus");
    ear.reading(0, By::Logind, told(None));
    let mut mark = ear.mark();
    for (rows, inhibitor) in [
        ("idle:sleep|Firefox|video-playing|block|7", Some(Inhibitor::Media)),
        ("sleep|backup|copies files|block|7\nidle|P2P Agent|works|block|7", None),
        ("sleep:idle|Zoom|meeting|block|7\nidle|Firefox|audio-playing|block|8", Some(Inhibitor::Call)),
        ("idle|upower|pause|delay|7\nidle|whoever|meeting|block|4711", None),
        ("idle|LibreOffice|presentation|block|7", Some(Inhibitor::Presentation)),
    ] {
        system.set(LOGIND, "BlockInhibited", rows);
        ear.reading(mark, By::Logind, told(inhibitor));
        mark = ear.mark();
    }

    let builder = session.builder().serve_at(GAMES.1, Games(1)).expect("a path").name(GAMES.0).expect("a name");
    let games = builder.build().expect("the bus");
    ear.reading(mark, By::GameMode, told(Some(Inhibitor::Game)));
    mark = ear.mark();
    session.set(GAMES, "ClientCount", 0);
    ear.reading(mark, By::Logind, told(Some(Inhibitor::Presentation)));
    drop(games);
    system.set(LOGIND, "BlockInhibited", "sleep|backup|copies|block|7");
    ear.reading(mark, By::Logind, told(None));

    let builder = session.builder().serve_at(KDE.1, Kde::default()).expect("a path").name(KDE.0).expect("a name");
    let _kde = builder.build().expect("the bus");
    session.call(KDE, "Add", &("org.kde.kate", "P2P Agent"));
    mark = ear.mark();
    session.call(KDE, "Add", &("VLC media player", "Playing some media"));
    ear.reading(mark.saturating_sub(1), By::ScreenSaver, told(Some(Inhibitor::Presentation)));
}

#[test]
fn the_login_managers_hint_counts_only_where_somebody_keeps_it() {
    let Some(bus) = Bus::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = options(folder.path());
    settings.places.system_bus = Some(bus.address());
    let builder = bus.builder().serve_at(LOGIND.1, Manager::default()).expect("a path");
    let builder = builder.serve_at(SESSION.1, Session { idle: false, since: 0 }).expect("a path");
    let _logind = builder.name(LOGIND.0).expect("a name").build().expect("the bus");
    let ear = Ear::new(Scope::Session, settings);
    ear.cannot(0, SignalKind::Input, By::Nothing, Untold::NoSession);
    let mark = ear.mark();
    bus.set(SESSION, "IdleHint", true);
    assert!(ear.idle(mark, By::Logind) > 1000);
    let mark = ear.mark();
    bus.set(SESSION, "IdleHint", false);
    ear.active(mark, By::Logind);
}
