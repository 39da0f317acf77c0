//! Input under a real Mutter, with hands of its own remote desktop.

use std::process::Command;
use std::time::Instant;

use p2p_platform::signals::Scope;
use p2p_types::{By, SignalKind, Untold};
use zbus::blocking::Connection;
use zbus::zvariant::OwnedObjectPath;

use crate::stage::{Bus, Ear, Running, eventually, options, program, show};

const REMOTE: &str = "org.gnome.Mutter.RemoteDesktop";

fn start(bus: &Bus, runtime: &std::path::Path) -> Running {
    let mut command = Command::new("mutter");
    command
        .args(["--headless", "--wayland", "--no-x11", "--virtual-monitor", "640x480"])
        .env("DBUS_SESSION_BUS_ADDRESS", bus.address())
        .env("DBUS_SYSTEM_BUS_ADDRESS", bus.address())
        .env("XDG_RUNTIME_DIR", runtime)
        .env("GSETTINGS_BACKEND", "memory")
        .env_remove("DISPLAY")
        .stdout(std::process::Stdio::null());
    Running::start(&mut command)
}

/// A session of the remote desktop, which is one more pair of hands.
fn hands(bus: &Connection) -> OwnedObjectPath {
    let path = "/org/gnome/Mutter/RemoteDesktop";
    let mut session = None;
    eventually("mutter's remote desktop", || {
        let reply = bus.call_method(Some(REMOTE), path, Some(REMOTE), "CreateSession", &());
        session = reply.ok().and_then(|reply| reply.body().deserialize::<OwnedObjectPath>().ok());
        session.is_some()
    });
    let session = session.expect("it is there");
    let interface = "org.gnome.Mutter.RemoteDesktop.Session";
    bus.call_method(Some(REMOTE), session.as_str(), Some(interface), "Start", &()).expect("it starts");
    session
}

fn press(bus: &Connection, session: &OwnedObjectPath) -> Instant {
    let interface = "org.gnome.Mutter.RemoteDesktop.Session";
    let now = Instant::now();
    for down in [true, false] {
        let key = (30_u32, down);
        bus.call_method(Some(REMOTE), session.as_str(), Some(interface), "NotifyKeyboardKeycode", &key)
            .expect("pressed");
    }
    now
}

#[test]
fn both_edges_come_as_events_and_a_compositor_that_comes_back_is_used() {
    if program("mutter").is_none() {
        return;
    }
    let Some(bus) = Bus::start() else { return };
    let runtime = tempfile::tempdir().expect("a folder");
    let mut settings = options(runtime.path());
    settings.places.session_bus = Some(bus.address());
    let ear = Ear::new(Scope::Session, settings);
    ear.cannot(0, SignalKind::Input, By::Mutter, Untold::Unsupported);

    let mutter = start(&bus, runtime.path());
    let client = bus.client();
    let session = hands(&client);
    let mut mark = 0;
    let mut delays = Vec::new();
    for _ in 0..20 {
        assert!(ear.idle(mark, By::Mutter) >= 300);
        mark = ear.mark();
        let pressed = press(&client, &session);
        delays.push(ear.active(mark, By::Mutter).saturating_duration_since(pressed));
    }
    show("Mutter: from the key to the reading", delays);

    let mark = ear.mark();
    drop(mutter);
    ear.cannot(mark, SignalKind::Input, By::Mutter, Untold::Failed);
    let mark = ear.mark();
    let _mutter = start(&bus, runtime.path());
    ear.wait(mark, SignalKind::Input, |told| told.by == By::Mutter && told.reading.is_ok());
}
