//! A screen that nobody sees, and a mouse on it: touches as real as those of a hand, as far as
//! programs can tell.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::fleet::own_group;
use crate::place::in_path;

const PROGRAMS: [&str; 2] = ["Xvfb", "xdotool"];

/// # Errors
/// When the screen or the mouse is not installed.
pub(super) fn require() -> Result<()> {
    let missing: Vec<&str> = PROGRAMS.into_iter().filter(|program| in_path(program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(" and ");
    bail!(
        "no mouse can be moved - {missing} is not installed - run: apt-get install --no-install-recommends xvfb xdotool"
    )
}

/// Killed when it goes.
#[derive(Debug)]
pub(super) struct Running(Child);

impl Running {
    /// Starts a program that Ctrl-C in the terminal passes by: what uses it is stopped first.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        own_group(command);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("cannot start {}", crate::run::shown(command)))?;
        Ok(Self(child))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One X server.
#[derive(Debug)]
pub(super) struct Screen {
    /// As in `DISPLAY`.
    name: String,
    /// Where the mouse is, so that it moves each time.
    place: u32,
    _server: Running,
}

impl Screen {
    pub(super) fn start() -> Result<Self> {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"]);
        let mut server = Running::start(command.stdout(Stdio::piped()))?;
        let mut number = String::new();
        BufReader::new(server.0.stdout.take().context("stdout is piped")?).read_line(&mut number)?;
        let number = number.trim();
        if number.is_empty() {
            bail!("there is no screen - Xvfb ended as it started - run it by hand to see why");
        }
        Ok(Self { name: format!(":{number}"), place: 10, _server: server })
    }

    /// The program sees this screen and no other, and no desktop's bus.
    pub(super) fn on<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for name in ["WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"] {
            command.env_remove(name);
        }
        command.env("DISPLAY", &self.name)
    }

    /// Moves the mouse. Tells the time before the program that moves it was started, so its own
    /// start counts; it may still run.
    pub(super) fn touch(&mut self) -> Result<Touch> {
        self.place = if self.place == 10 { 110 } else { 10 };
        let mut command = Command::new("xdotool");
        self.on(command.args(["mousemove", &self.place.to_string(), "7"]));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let begun = Instant::now();
        let mover = command.spawn().context("cannot start xdotool")?;
        Ok(Touch { begun, mover })
    }
}

/// One movement.
#[derive(Debug)]
pub(super) struct Touch {
    pub(super) begun: Instant,
    mover: Child,
}

impl Touch {
    /// # Errors
    /// When the mouse was not moved after all.
    pub(super) fn done(mut self) -> Result<()> {
        if self.mover.wait()?.success() {
            return Ok(());
        }
        bail!("the mouse was not moved - xdotool failed - run `xdotool mousemove 10 7` by hand to see why")
    }
}
