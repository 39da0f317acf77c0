//! Input under a real compositor with `ext-idle-notify-v1`.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use p2p_platform::signals::Scope;
use p2p_types::{By, SignalKind, Untold};

use crate::stage::{Bus, Ear, Running, eventually, options, program, show};

fn start(bus: &Bus, kwin: &Path, runtime: &Path) -> Running {
    let mut command = Command::new(kwin);
    command
        .args(["--virtual", "--socket", "wayland-test", "--no-lockscreen", "--no-global-shortcuts"])
        .env("DBUS_SESSION_BUS_ADDRESS", bus.address())
        // It would wait there for a login manager that says who may see the devices.
        .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/dev/null")
        .env("XDG_RUNTIME_DIR", runtime)
        .env("XDG_CONFIG_HOME", runtime)
        .env("XDG_CACHE_HOME", runtime)
        .env("KWIN_WAYLAND_NO_PERMISSION_CHECKS", "1")
        .env_remove("DISPLAY")
        .stdout(Stdio::null());
    Running::start(&mut command)
}

/// The compositor's own protocol for hands that are not there, word by word: no crate we have
/// speaks it.
struct Hands(UnixStream);

impl Hands {
    const REGISTRY: u32 = 2;
    const INPUT: u32 = 4;

    fn at(socket: &Path) -> Option<Self> {
        let mut hands = Self(UnixStream::connect(socket).ok()?);
        hands.0.set_read_timeout(Some(Duration::from_secs(5))).expect("a time");
        // wl_display.get_registry, then sync: everything that is offered comes before its answer.
        hands.send(1, 1, &Self::REGISTRY.to_ne_bytes());
        hands.send(1, 0, &3_u32.to_ne_bytes());
        let mut offered = None;
        loop {
            let (object, code, body) = hands.next()?;
            match (object, code) {
                (Self::REGISTRY, 0) if body[8..].starts_with(b"org_kde_kwin_fake_input\0") => {
                    offered = Some(body[..4].to_vec());
                }
                (3, _) => break,
                _ => {}
            }
        }
        let mut bind = offered?;
        bind.extend(text("org_kde_kwin_fake_input"));
        bind.extend(1_u32.to_ne_bytes());
        bind.extend(Self::INPUT.to_ne_bytes());
        hands.send(Self::REGISTRY, 0, &bind);
        hands.send(Self::INPUT, 0, &[text("test"), text("hands")].concat());
        Some(hands)
    }

    fn send(&mut self, object: u32, code: u32, body: &[u8]) {
        let length = u32::try_from(body.len() + 8).expect("short");
        let message = [&object.to_ne_bytes()[..], &(length << 16 | code).to_ne_bytes(), body].concat();
        self.0.write_all(&message).expect("it reads");
    }

    fn next(&mut self) -> Option<(u32, u32, Vec<u8>)> {
        let mut head = [0; 8];
        self.0.read_exact(&mut head).ok()?;
        let word = |at: usize| u32::from_ne_bytes(head[at..at + 4].try_into().expect("four"));
        let mut body = vec![0; (word(4) >> 16) as usize - 8];
        self.0.read_exact(&mut body).ok()?;
        Some((word(0), word(4) & 0xffff, body))
    }

    /// Moves the pointer by two and three pixels.
    fn act(&mut self) -> Instant {
        let now = Instant::now();
        self.send(Self::INPUT, 1, &[(2_i32 << 8).to_ne_bytes(), (3_i32 << 8).to_ne_bytes()].concat());
        now
    }
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(text.len() + 1).expect("short").to_ne_bytes().to_vec();
    bytes.extend(text.bytes());
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

#[test]
fn both_edges_come_as_events() {
    let Some(installed) = program("kwin_wayland") else { return };
    let Some(bus) = Bus::start() else { return };
    let runtime = tempfile::tempdir().expect("a folder");
    // The installed one has a right that is refused in containers; a copy has none. It looks for its parts by its own name.
    let kwin = runtime.path().join("kwin_wayland");
    std::fs::copy(installed, &kwin).expect("it can be copied");
    let running = start(&bus, &kwin, runtime.path());
    let socket = runtime.path().join("wayland-test");
    eventually("kwin's socket", || UnixStream::connect(&socket).is_ok());

    let mut settings = options(runtime.path());
    settings.places.wayland = Some(socket.clone());
    // An X server under it must not be asked.
    settings.places.display = Some(":4711".to_owned());
    let ear = Ear::new(Scope::Session, settings);
    ear.active(0, By::IdleNotify);
    ear.cannot(0, SignalKind::FullScreen, By::Nothing, Untold::Unsupported);
    assert!(ear.idle(0, By::IdleNotify) >= 300);

    let Some(mut hands) = Hands::at(&socket) else { panic!("kwin offers no hands") };
    let mut delays = Vec::new();
    let mut mark = 0;
    for _ in 0..20 {
        ear.idle(mark, By::IdleNotify);
        mark = ear.mark();
        let moved = hands.act();
        delays.push(ear.active(mark, By::IdleNotify).saturating_duration_since(moved));
    }
    show("ext-idle-notify: from the pointer to the reading", delays);

    let mark = ear.mark();
    drop(running);
    ear.cannot(mark, SignalKind::Input, By::IdleNotify, Untold::Failed);
    let _ = std::fs::remove_file(&socket);
    let mark = ear.mark();
    let _running = start(&bus, &kwin, runtime.path());
    ear.active(mark, By::IdleNotify);
}
