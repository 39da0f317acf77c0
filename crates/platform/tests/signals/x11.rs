//! Input and full screen on a real X server.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use p2p_platform::signals::Scope;
use p2p_types::{By, Reading, SignalKind, Untold};
use rustix::process::Signal;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, CreateWindowAux, PropMode, WindowClass};
use x11rb::wrapper::ConnectionExt as _;

use crate::stage::{Bus, Ear, Running, options, program, show};

pub(crate) struct Display {
    pub(crate) name: String,
    running: Option<Running>,
}

impl Display {
    pub(crate) fn start() -> Option<Self> {
        program("Xvfb")?;
        let mut display = Self { name: String::new(), running: None };
        display.run();
        Some(display)
    }

    fn run(&mut self) {
        let mut command = Command::new("Xvfb");
        // The first time it finds a free number.
        if !self.name.is_empty() {
            command.arg(&self.name);
        }
        command.args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"]);
        let mut running = Running::start(command.stdout(Stdio::piped()));
        let mut number = String::new();
        BufReader::new(running.0.stdout.take().expect("piped")).read_line(&mut number).expect("its number");
        self.name = format!(":{}", number.trim());
        self.running = Some(running);
    }
}

/// Hands that move when they are told to.
struct Hands {
    to: ChildStdin,
    _running: Running,
}

impl Hands {
    fn at(display: &Display) -> Option<Self> {
        program("xdotool")?;
        let mut command = Command::new("xdotool");
        command.arg("-").env("DISPLAY", &display.name).stdin(Stdio::piped());
        let mut running = Running::start(&mut command);
        Some(Self { to: running.0.stdin.take().expect("piped"), _running: running })
    }

    fn act(&mut self, words: &str) -> Instant {
        let now = Instant::now();
        writeln!(self.to, "{words}").expect("it reads");
        now
    }
}

fn watching(display: &Display, still: Duration) -> (tempfile::TempDir, Ear) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = options(folder.path());
    options.still = still;
    options.places.display = Some(display.name.clone());
    let ear = Ear::new(Scope::Session, options);
    (folder, ear)
}

#[test]
fn the_first_touch_is_told_within_milliseconds() {
    let Some(display) = Display::start() else { return };
    let Some(mut hands) = Hands::at(&display) else { return };
    let (_folder, ear) = watching(&display, Duration::from_millis(200));
    ear.wait(0, SignalKind::Input, |told| told.by == By::X11 && told.reading.is_ok());
    hands.act("mousemove 5 5");
    let mut delays = Vec::new();
    let mut mark = 0;
    for n in 0..30 {
        assert!(ear.idle(mark, By::X11) >= 200);
        mark = ear.mark();
        let words = if n % 2 == 0 { format!("mousemove {} 50", 10 + n) } else { "key a".to_owned() };
        let acted = hands.act(&words);
        delays.push(ear.active(mark, By::X11) - acted);
    }
    show("X11: from xdotool's command to the reading", delays);
}

#[test]
fn somebody_who_types_is_told_once() {
    let Some(display) = Display::start() else { return };
    let Some(mut hands) = Hands::at(&display) else { return };
    let (_folder, ear) = watching(&display, Duration::from_millis(400));
    ear.idle(0, By::X11);
    let mark = ear.mark();
    for _ in 0..20 {
        hands.act("key b");
        std::thread::sleep(Duration::from_millis(50));
    }
    ear.idle(mark, By::X11);
    let told = ear.all().split_off(mark);
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn a_server_that_hangs_or_dies_holds_up_nobody_and_is_used_again() {
    let Some(mut display) = Display::start() else { return };
    let Some(bus) = Bus::start() else { return };
    display.running.as_ref().expect("it runs").signal(Signal::STOP);
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = options(folder.path());
    settings.places.display = Some(display.name.clone());
    settings.places.session_bus = Some(bus.address());
    let began = Instant::now();
    let ear = Ear::new(Scope::Session, settings);
    assert!(began.elapsed() < Duration::from_millis(100), "the caller waited");
    let inhibitor = ear.wait(0, SignalKind::Inhibitor, |_| true).0;
    assert!(inhibitor - began < Duration::from_millis(1500), "{:?}", inhibitor - began);
    ear.cannot(0, SignalKind::Input, By::X11, Untold::Failed);
    ear.cannot(0, SignalKind::FullScreen, By::X11, Untold::Failed);

    let mark = ear.mark();
    display.running.as_ref().expect("it runs").signal(Signal::CONT);
    ear.wait(mark, SignalKind::Input, |told| told.by == By::X11 && told.reading.is_ok());

    let mark = ear.mark();
    display.running = None;
    ear.cannot(mark, SignalKind::Input, By::X11, Untold::Failed);
    let mark = ear.mark();
    display.run();
    ear.wait(mark, SignalKind::Input, |told| told.by == By::X11 && told.reading.is_ok());
    drop(ear);
}

#[test]
fn a_window_that_fills_the_screen_is_seen() {
    let Some(display) = Display::start() else { return };
    let (_folder, ear) = watching(&display, Duration::from_millis(300));
    // Nobody manages windows here, so nobody says which one is active.
    ear.cannot(0, SignalKind::FullScreen, By::X11, Untold::Unsupported);

    let (x, screen) = x11rb::connect(Some(&display.name)).expect("the server answers");
    let root = x.setup().roots[screen].root;
    let atom = |name: &str| x.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
    let (active, state, full) = (atom("_NET_ACTIVE_WINDOW"), atom("_NET_WM_STATE"), atom("_NET_WM_STATE_FULLSCREEN"));
    let windows = [x.generate_id().unwrap(), x.generate_id().unwrap()];
    for window in windows {
        let settings = CreateWindowAux::new();
        x.create_window(0, window, root, 0, 0, 9, 9, 0, WindowClass::INPUT_OUTPUT, 0, &settings).unwrap();
    }
    let activate = |window: u32| {
        x.change_property32(PropMode::REPLACE, root, active, AtomEnum::WINDOW, &[window]).unwrap().check().unwrap();
    };
    let set = |window, states: &[u32]| {
        x.change_property32(PropMode::REPLACE, window, state, AtomEnum::ATOM, states).unwrap().check().unwrap();
    };
    let told = |full_screen| Reading::FullScreen { full_screen };

    activate(windows[0]);
    ear.reading(0, By::X11, told(false));
    let mut delays = Vec::new();
    for _ in 0..10 {
        let mark = ear.mark();
        let now = Instant::now();
        set(windows[0], &[atom("_NET_WM_STATE_ABOVE"), full]);
        delays.push(ear.reading(mark, By::X11, told(true)).saturating_duration_since(now));
        let mark = ear.mark();
        set(windows[0], &[]);
        ear.reading(mark, By::X11, told(false));
    }
    show("X11: from the window's state to the reading", delays);
    // A full window behind the active one does not count, and one that goes does not either.
    set(windows[1], &[full]);
    set(windows[0], &[]);
    let mark = ear.mark();
    activate(windows[1]);
    ear.reading(mark, By::X11, told(true));
    let mark = ear.mark();
    x.destroy_window(windows[1]).unwrap().check().unwrap();
    activate(0);
    ear.reading(mark, By::X11, told(false));
    let mark = ear.mark();
    activate(windows[0]);
    set(windows[0], &[full]);
    ear.reading(mark, By::X11, told(true));
}

#[test]
fn displays_of_other_computers_are_not_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = options(folder.path());
    settings.places.display = Some("127.0.0.1:77".to_owned());
    let ear = Ear::new(Scope::Session, settings);
    ear.cannot(0, SignalKind::Input, By::X11, Untold::Unsupported);
    ear.cannot(0, SignalKind::FullScreen, By::X11, Untold::Unsupported);
}
