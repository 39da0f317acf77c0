#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal};

#[cfg(target_os = "linux")]
mod linux;

const NO_CORE: Rlimit = Rlimit { current: Some(0), maximum: Some(0) };
const LOWEST: i32 = 19;
/// What a worker keeps of the environment: how its libraries are found. Whatever else stands
/// there, a name or a key, is no business of a model.
const KEPT: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

pub(super) fn prepare_worker(command: &mut tokio::process::Command) {
    command.env_clear();
    command.envs(KEPT.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    let parent = rustix::process::getpid();
    // SAFETY: what runs between fork and exec makes plain system calls only: it allocates
    // nothing, takes no lock and touches no memory of other threads.
    unsafe {
        command.pre_exec(move || {
            // A session is a process group too, and Linux may share processors out by sessions:
            // within one, a nice value says nothing to the programs of another.
            rustix::process::setsid()?;
            rustix::process::setrlimit(Resource::Core, NO_CORE)?;
            rustix::process::setpriority_process(None, LOWEST)?;
            step_back();
            die_with(parent)
        });
    }
}

/// Last in line for the disk, first to go where memory is short, and nice as a session. What the
/// system does not know, or does not let a process do, is left: the worker works without.
///
/// Not `SCHED_IDLE`: a process cannot leave that class without rights, and one worker serves
/// guests and the owner alike, who may be waiting; on a busy computer it would also be too late to
/// say that it lives, and count as lost. The cap of guests is the pool's.
#[cfg(target_os = "linux")]
fn step_back() {
    const IDLE: libc::c_int = 3 << 13;
    const OF_PROCESS: libc::c_int = 1;
    // SAFETY: takes numbers only.
    unsafe { libc::syscall(libc::SYS_ioprio_set, OF_PROCESS, 0, IDLE) };
    tell_kernel(c"/proc/self/oom_score_adj", b"1000");
    tell_kernel(c"/proc/self/autogroup", b"19");
}

/// One word into a file of the kernel's, without a buffer in between.
#[cfg(target_os = "linux")]
fn tell_kernel(file: &std::ffi::CStr, word: &[u8]) {
    use rustix::fs::{Mode, OFlags};
    if let Ok(file) = rustix::fs::open(file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
        let _ = rustix::io::write(&file, word);
    }
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}

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

#[derive(Debug)]
pub(super) struct Reins {
    pid: Pid,
    #[cfg(target_os = "linux")]
    linux: linux::Handle,
}

impl Reins {
    pub(super) fn take(pid: u32) -> io::Result<Self> {
        let pid = raw(pid).ok_or(io::ErrorKind::NotFound)?;
        #[cfg(target_os = "linux")]
        let reins = Self { pid, linux: linux::Handle::of(pid)? };
        #[cfg(not(target_os = "linux"))]
        let reins = Self { pid };
        Ok(reins)
    }

    pub(super) fn stop(&self) -> io::Result<()> {
        self.send(Signal::STOP)
    }

    pub(super) fn resume(&self) -> io::Result<()> {
        self.send(Signal::CONT)
    }

    #[cfg(target_os = "linux")]
    fn send(&self, signal: Signal) -> io::Result<()> {
        self.linux.send(self.pid, signal)
    }

    #[cfg(not(target_os = "linux"))]
    fn send(&self, signal: Signal) -> io::Result<()> {
        Ok(rustix::process::kill_process(self.pid, signal)?)
    }

    #[cfg(target_os = "linux")]
    pub(super) fn cpu_time(&self) -> io::Result<Duration> {
        self.linux.cpu_time()
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn cpu_time(&self) -> io::Result<Duration> {
        use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
        let pid = sysinfo::Pid::from_u32(self.pid.as_raw_nonzero().get().unsigned_abs());
        let mut system = System::new().map_err(io::Error::other)?;
        let clock = ProcessRefreshKind::nothing().with_cpu();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, clock);
        let process = system.process(pid).ok_or(io::ErrorKind::NotFound)?;
        Ok(Duration::from_millis(process.accumulated_cpu_time()))
    }
}

pub(super) fn is_alive(pid: u32) -> bool {
    let Some(number) = raw(pid) else { return false };
    match rustix::process::test_kill_process(number) {
        Ok(()) => !is_zombie(pid),
        // It is there, and another user's.
        Err(error) => error == rustix::io::Errno::PERM,
    }
}

#[cfg(target_os = "linux")]
pub(super) fn peak_of_children() -> Option<u64> {
    let mut used = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the kernel fills in the whole of it, and zeros are a valid value as well.
    let used = unsafe { (libc::getrusage(libc::RUSAGE_CHILDREN, used.as_mut_ptr()) == 0).then(|| used.assume_init()) }?;
    u64::try_from(used.ru_maxrss).ok().map(|kibibytes| kibibytes << 10)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn peak_of_children() -> Option<u64> {
    None
}

fn raw(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// Ended, and its parent has not looked yet.
fn is_zombie(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with(['Z', 'X']))
}
