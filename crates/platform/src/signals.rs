//! What can be told of this computer and of its owner: when it was touched last, what feeds it,
//! how warm and how busy it is.
//!
//! [`watch`] starts one thread that waits for events of the system and tells each change. A kind
//! that cannot be told is told as such at once, with the reason: nothing is guessed. Silence means
//! that nothing changed. Sources that fail are asked again, ever more patiently; one that comes
//! back is used again.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use p2p_types::{SignalKind, Told};
use tokio::sync::watch as channel;

mod heard;
mod hub;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
mod patience;
#[cfg(any(windows, target_os = "macos"))]
mod sampled;
#[cfg(windows)]
mod windows;

pub use heard::Heard;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(any(windows, target_os = "macos"))]
use sampled as system;

/// All processors together, as the first line of `/proc/stat` has them: ticks since the start, and
/// those in which they were busy.
#[cfg(target_os = "linux")]
pub(crate) fn processor_ticks(stat: &str) -> Option<(u64, u64)> {
    linux::load::total(stat)
}

/// What is watched, by who can see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What only a program in the owner's session sees: input, full screen, inhibitors.
    Session,
    /// What any process on the computer sees: the rest.
    Machine,
}

impl Scope {
    /// The kinds that are told in this scope, each at least once.
    #[must_use]
    pub const fn kinds(self) -> &'static [SignalKind] {
        match self {
            Self::Session => &[SignalKind::Input, SignalKind::FullScreen, SignalKind::Inhibitor],
            Self::Machine => &[
                SignalKind::Power,
                SignalKind::Temperature,
                SignalKind::Metered,
                SignalKind::Load,
                SignalKind::Memory,
                SignalKind::Disk,
                SignalKind::Zone,
            ],
        }
    }
}

/// How often that is read which sends no events. A computer that rests is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// No work is done or waits: once a minute, the disk every five.
    #[default]
    Rest,
    /// Work is done or may start: load every 2 s, memory and temperature every 5 s, disk every 30 s.
    Work,
}

/// The processes that are ours besides this one and its children.
pub type Ours = Arc<dyn Fn() -> Vec<u32> + Send + Sync>;

/// What [`watch`] has to know.
#[derive(Clone)]
pub struct Options {
    /// Whose room on disk is told.
    pub data: PathBuf,
    /// How long nobody touches the computer until that is told. Shorter pauses are part of use.
    pub still: Duration,
    pub pace: Pace,
    /// Their load and their inhibitors do not count.
    pub ours: Ours,
    pub places: Places,
}

impl Options {
    /// The usual ones, for a node that keeps its data in this folder.
    #[must_use]
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            still: Duration::from_secs(1),
            pace: Pace::default(),
            ours: Arc::new(Vec::new),
            places: Places::of_this_session(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { data, still, pace, ours: _, places } = self;
        f.debug_struct("Options")
            .field("data", data)
            .field("still", still)
            .field("pace", pace)
            .field("places", places)
            .finish_non_exhaustive()
    }
}

/// Where the system is asked. Tests give places of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    pub procfs: PathBuf,
    pub sysfs: PathBuf,
    /// D-Bus addresses.
    pub system_bus: Option<String>,
    pub session_bus: Option<String>,
    /// The compositor's socket.
    pub wayland: Option<PathBuf>,
    /// An X11 display, as in `:0`.
    pub display: Option<String>,
}

impl Places {
    /// Those of the session that this process is in, as its environment says.
    #[must_use]
    pub fn of_this_session() -> Self {
        let word = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let runtime = word("XDG_RUNTIME_DIR").map(PathBuf::from);
        let system_bus = word("DBUS_SYSTEM_BUS_ADDRESS");
        let session_bus = word("DBUS_SESSION_BUS_ADDRESS").or_else(|| {
            // Where systemd puts it; the variable is missing in some shells.
            let socket = runtime.as_ref()?.join("bus");
            socket.exists().then(|| format!("unix:path={}", socket.display()))
        });
        Self {
            procfs: PathBuf::from("/proc"),
            sysfs: PathBuf::from("/sys"),
            system_bus: Some(system_bus.unwrap_or_else(|| "unix:path=/run/dbus/system_bus_socket".to_owned())),
            session_bus,
            // An absolute name replaces the folder.
            wayland: word("WAYLAND_DISPLAY").and_then(|name| Some(runtime?.join(name))),
            display: word("DISPLAY"),
        }
    }

    /// No place at all: everything that needs one is told as unsupported.
    #[must_use]
    pub fn nowhere() -> Self {
        Self {
            procfs: PathBuf::new(),
            sysfs: PathBuf::new(),
            system_bus: None,
            session_bus: None,
            wayland: None,
            display: None,
        }
    }
}

/// What whoever watches asks of a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Wish {
    pace: Pace,
    /// How often everything was to be said again.
    again: u32,
}

/// A running watch. Dropping it ends it without waiting: a `tell` that runs then is the last.
#[derive(Debug)]
pub struct Watcher {
    ended: Arc<AtomicBool>,
    wish: channel::Sender<Wish>,
}

impl Watcher {
    /// Changes the pace. Where it became faster, everything is read at once.
    pub fn set_pace(&self, pace: Pace) {
        self.wish.send_if_modified(|wish| std::mem::replace(&mut wish.pace, pace) != pace);
    }

    /// Has the watch read everything again and say it, though nothing changed. The answer is the only
    /// sign that it still watches: silence of a thread that hangs is like that of a computer at rest.
    pub fn say_again(&self) {
        self.wish.send_modify(|wish| wish.again = wish.again.wrapping_add(1));
    }
}

impl Drop for Watcher {
    /// The channel closes with this, which ends the thread.
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
    }
}

/// Starts watching. `tell` is called from one thread of the watch: soon with every kind of the
/// scope, later with what changed. It must be quick.
///
/// # Errors
/// When the system has no thread left.
pub fn watch(scope: Scope, options: Options, tell: impl Fn(Told) + Send + Sync + 'static) -> std::io::Result<Watcher> {
    watch_since(scope, options, move |told, _| tell(told))
}

fn watch_since(
    scope: Scope,
    options: Options,
    tell: impl Fn(Told, Instant) + Send + Sync + 'static,
) -> std::io::Result<Watcher> {
    let (wish, wished) = channel::channel(Wish { pace: options.pace, again: 0 });
    let ended = Arc::new(AtomicBool::new(false));
    let hub = hub::Hub::new(Arc::clone(&ended), Box::new(tell));
    let name = match scope {
        Scope::Session => "signals-session",
        Scope::Machine => "signals-machine",
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(move || system::run(scope, options, hub, wished))?;
    Ok(Watcher { ended, wish })
}

/// The same for whoever takes what is told when there is time for it.
///
/// # Errors
/// As [`watch`].
pub fn watch_newest(scope: Scope, options: Options) -> std::io::Result<(Watcher, Heard)> {
    let (teller, heard) = heard::heard();
    let watcher = watch_since(scope, options, move |told, since| teller.tell(told, since))?;
    Ok((watcher, heard))
}
