//! The sandbox of a worker: what a process gives up, for good, before it touches a model.
//!
//! Nobody vouches for what a model makes a runtime do. So the process that runs models closes
//! itself: it reads its models and nothing else, writes nothing, speaks to nobody but over the
//! pipes it was started with, starts nothing, and has bounds of memory, time and files.
//!
//! Systems differ in how much of that they can do. [`Level`] says what was reached: each part of
//! it was tried from inside after closing, and what could not be tried is not claimed.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(all(unix, not(target_os = "linux")))]
mod macos;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(all(unix, not(target_os = "linux")))]
use macos as system;
#[cfg(windows)]
use windows as system;

/// What is left to a process after it closed itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Folders whose files it may read. One that is not there cannot be read later either.
    pub readable: Vec<PathBuf>,
    /// Address space it may take beside what it has, in bytes.
    pub memory: u64,
    /// Processor time it may use in all. A worker lives long and no one can wind this clock back,
    /// so it is the fence around a process that nobody watches any more; the time of one order is
    /// the pool's affair, which ends workers that are late.
    pub cpu: Duration,
    /// Bytes it may write into a file that it was started with. Pipes do not count.
    pub written: u64,
}

/// What a closed process can still do with files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Files {
    /// Whatever its user can.
    #[default]
    Open,
    /// Read whatever its user can; write nothing.
    ReadOnly,
    /// Read the folders of the rules; nothing else. (That a file exists, and how long it is, can
    /// still be learned: no system hides that.)
    Models,
}

/// What a closed process can still reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Network {
    /// Whatever its user can.
    #[default]
    Open,
    /// No TCP; all else.
    NoTcp,
    /// Nothing: it has no sockets of any kind, local ones included.
    Closed,
}

/// How far a process was really closed. The default is: not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Level {
    pub files: Files,
    /// The version of Landlock that is in force, on Linux; 0 where none is.
    pub landlock: u8,
    pub network: Network,
    /// The system answers the calls that inference needs and no others.
    pub calls: bool,
    /// It cannot start processes or programs.
    pub processes: bool,
    /// It cannot signal other processes or look into them.
    pub others: bool,
    /// It cannot run machine code that was not loaded before it closed.
    pub code: bool,
    /// Most address space it can have, in bytes.
    pub memory: Option<u64>,
    /// Most processor time it can use, in seconds.
    pub cpu_seconds: Option<u64>,
    /// Most files it can have open.
    pub open_files: Option<u64>,
    /// Longest file it can write, in bytes.
    pub written: Option<u64>,
    /// It leaves no core dump, and others of its user cannot look into it.
    pub private: bool,
}

impl Level {
    /// Whether nothing is missing of what this program knows to close.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let limits = [self.memory, self.cpu_seconds, self.open_files, self.written];
        let shut = [self.calls, self.processes, self.others, self.code, self.private];
        self.files == Files::Models
            && self.network == Network::Closed
            && limits.iter().all(Option::is_some)
            && shut.iter().all(|shut| *shut)
    }
}

impl fmt::Display for Level {
    /// In one line, for `doctor` and logs: everything that is closed, and what is not.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.files {
            Files::Models => write!(to, "files: its models only (Landlock {})", self.landlock)?,
            Files::ReadOnly => write!(to, "files: can read all of yours, can write none")?,
            Files::Open => write!(to, "files: open")?,
        }
        let network = match self.network {
            Network::Closed => "none",
            Network::NoTcp => "no TCP, the rest is open",
            Network::Open => "open",
        };
        write!(to, "; network: {network}")?;
        for (what, shut) in [
            ("new processes", self.processes),
            ("other processes", self.others),
            ("new code", self.code),
            ("other system calls", self.calls),
            ("dumps", self.private),
        ] {
            write!(to, "; {what}: {}", if shut { "none" } else { "open" })?;
        }
        match self.memory {
            Some(bytes) => write!(to, "; memory: at most {} MiB", bytes >> 20),
            None => write!(to, "; memory: no limit"),
        }
    }
}

/// Closes this process for good, as far as the system can, and says how far that is. What the
/// process needs beside [`Rules::readable`], such as a library, must be loaded before. Call it
/// while the process has one thread: Landlock restricts files for the thread that asks for it, and
/// for those it starts; with other threads beside it that part is not claimed.
#[must_use]
pub fn close(rules: &Rules) -> Level {
    system::close(rules)
}

/// Tells the runtime library not to report its use over the network: its official builds do so
/// from the moment they are started, whatever is asked of them afterwards, and keep a file in the
/// user's folders for it. Call it first thing in a worker's `main`.
#[allow(unsafe_code)]
pub fn forbid_reports() {
    // SAFETY: the process has one thread yet, so nobody reads the environment meanwhile.
    unsafe { std::env::set_var("ORT_DISABLE_TELEMETRY", "1") };
}

#[cfg(test)]
mod tests;
