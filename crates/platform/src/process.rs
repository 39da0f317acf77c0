//! Processes: this one, the workers and the daemon that runs in the background.

use std::io;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

mod backstop;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub use backstop::{Backstop, Fence, Fences};

/// Makes a worker polite and mortal: lowest priority, a process group of its own, no core dump,
/// and an end with the process that starts it, where the system can do that. Start it from a
/// thread that lives as long as the process does: Linux watches that thread.
pub fn prepare_worker(command: &mut tokio::process::Command) {
    command.kill_on_drop(true);
    system::prepare_worker(command);
}

/// Makes a daemon that outlives this process and its terminal: a session of its own, no
/// standard streams. (`tokio`'s command has `as_std_mut`.)
pub fn detach(command: &mut Command) {
    use std::process::Stdio;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    system::detach(command);
}

/// Keeps this process's memory, and the keys in it, out of core dumps and from debuggers of the
/// same user, where the system can do that. For the daemon, first thing in `main`.
pub fn guard_memory() {
    system::guard_memory();
}

/// Asks a process to end (on Windows: ends it).
///
/// # Errors
/// When there is no such process, or it is another user's.
pub fn terminate(pid: u32) -> io::Result<()> {
    system::terminate(pid)
}

/// Whether a process of this id exists and has not ended. Ids come back: this is a hint.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    system::is_alive(pid)
}

/// The reins of a process that this one has started: stop, go on, and its clock.
///
/// Linux and Windows have handles that stay with one process, whatever becomes of its id.
/// Elsewhere an id may come back once the child was waited for: let go of the reins before.
#[derive(Debug)]
pub struct Reins(system::Reins);

impl Reins {
    /// Of a child that was not waited for yet.
    ///
    /// # Errors
    /// When there is no such process, or it is another user's.
    pub fn take(pid: u32) -> io::Result<Self> {
        system::Reins::take(pid).map(Self)
    }

    /// Stops all of its threads where they are, until [`Self::resume`].
    ///
    /// # Errors
    /// When it has ended and was waited for.
    pub fn stop(&self) -> io::Result<()> {
        self.0.stop()
    }

    /// Lets it go on from where it was stopped. One that runs is not disturbed.
    ///
    /// # Errors
    /// When it has ended and was waited for.
    pub fn resume(&self) -> io::Result<()> {
        self.0.resume()
    }

    /// Processor time that all of its threads together have used.
    ///
    /// # Errors
    /// When it has ended and was waited for.
    pub fn cpu_time(&self) -> io::Result<Duration> {
        self.0.cpu_time()
    }
}

/// Processor time that all threads of this process have used; `None` where the system does not say.
#[must_use]
pub fn own_cpu_time() -> Option<Duration> {
    #[cfg(unix)]
    let used = Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime)).ok();
    #[cfg(not(unix))]
    let used = None;
    used
}

/// Memory of this process that is in RAM, in bytes.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    resident()
}

#[cfg(target_os = "linux")]
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(not(target_os = "linux"))]
fn resident() -> Option<u64> {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
    let pid = sysinfo::get_current_pid().ok()?;
    let mut system = System::new().ok()?;
    let memory = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, memory);
    Some(system.process(pid)?.memory())
}

/// The most memory that any one child of this process had in RAM, of those that have ended and
/// were waited for, in bytes. `None` where the system does not say.
#[must_use]
pub fn peak_of_children() -> Option<u64> {
    system::peak_of_children()
}

/// When this process started: on Linux when it was executed (to 10 ms, never later than it was),
/// elsewhere when this was first called. Call it first thing in `main`.
#[must_use]
pub fn started() -> Instant {
    static STARTED: OnceLock<Instant> = OnceLock::new();
    *STARTED.get_or_init(|| {
        let now = Instant::now();
        age().and_then(|age| now.checked_sub(age)).unwrap_or(now)
    })
}

/// How long this process has run.
#[cfg(target_os = "linux")]
fn age() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let ticks = start_ticks(&stat)?;
    let hertz = rustix::param::clock_ticks_per_second();
    let began = Duration::from_millis(ticks.checked_mul(1000)?.checked_div(hertz)?);
    let since_boot = Duration::try_from(clock_gettime(ClockId::Boottime)).ok()?;
    since_boot.checked_sub(began)
}

#[cfg(not(target_os = "linux"))]
fn age() -> Option<Duration> {
    None
}

/// Field 22 of `/proc/PID/stat`. The name in field 2 may hold spaces and parentheses.
#[cfg(target_os = "linux")]
fn start_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    after_name.split(' ').nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests;
