#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, Signal};

const NO_CORE: Rlimit = Rlimit { current: Some(0), maximum: Some(0) };
const LOWEST: i32 = 19;

pub(super) fn prepare_worker(command: &mut tokio::process::Command) {
    command.process_group(0);
    let parent = rustix::process::getpid();
    // SAFETY: what runs between fork and exec makes plain system calls only: it allocates
    // nothing, takes no lock and touches no memory of other threads.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setrlimit(Resource::Core, NO_CORE)?;
            rustix::process::setpriority_process(None, LOWEST)?;
            die_with(parent)
        });
    }
}

#[cfg(target_os = "linux")]
fn die_with(parent: Pid) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have died before we asked to be told.
    if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
}

/// Elsewhere the worker ends when its standard input does.
#[cfg(not(target_os = "linux"))]
fn die_with(_parent: Pid) -> io::Result<()> {
    Ok(())
}

pub(super) fn detach(command: &mut Command) {
    // SAFETY: one system call, as in `prepare_worker`.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
}

pub(super) fn guard_memory() {
    if let Err(error) = rustix::process::setrlimit(Resource::Core, NO_CORE) {
        tracing::warn!(%error, "core dumps could not be turned off");
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::warn!(%error, "debuggers could not be kept out");
        }
    }
}

pub(super) fn terminate(pid: u32) -> io::Result<()> {
    let pid = raw(pid).ok_or(io::ErrorKind::NotFound)?;
    Ok(rustix::process::kill_process(pid, Signal::TERM)?)
}

pub(super) fn is_alive(pid: u32) -> bool {
    let Some(number) = raw(pid) else { return false };
    match rustix::process::test_kill_process(number) {
        Ok(()) => !is_zombie(pid),
        // It is there, and another user's.
        Err(error) => error == rustix::io::Errno::PERM,
    }
}

fn raw(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// Ended, and its parent has not looked yet.
fn is_zombie(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with(['Z', 'X']))
}
