//! A process by a descriptor that stays with it, and its clock.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal};

#[derive(Debug)]
pub(super) struct Handle {
    /// Kernels before 5.3, and some sandboxes, have none: then the id must do.
    process: Option<OwnedFd>,
    clock: libc::clockid_t,
}

impl Handle {
    pub(super) fn of(pid: Pid) -> io::Result<Self> {
        let process = match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Ok(process) => Some(process),
            Err(rustix::io::Errno::SRCH) => return Err(rustix::io::Errno::SRCH.into()),
            Err(_) => None,
        };
        let mut clock: libc::clockid_t = 0;
        // SAFETY: it writes one number, to a place that is ours.
        let failed = unsafe { libc::clock_getcpuclockid(pid.as_raw_nonzero().get(), &raw mut clock) };
        if failed == 0 { Ok(Self { process, clock }) } else { Err(io::Error::from_raw_os_error(failed)) }
    }

    pub(super) fn send(&self, pid: Pid, signal: Signal) -> io::Result<()> {
        let sent = match &self.process {
            Some(process) => rustix::process::pidfd_send_signal(process, signal),
            None => rustix::process::kill_process(pid, signal),
        };
        sent.map_err(io::Error::from)
    }

    /// Of all threads, those that have ended included, to the nanosecond. (`/proc` counts in
    /// hundredths of a second, and a thread that runs only now and then.)
    pub(super) fn cpu_time(&self) -> io::Result<Duration> {
        let mut time = MaybeUninit::<libc::timespec>::zeroed();
        // SAFETY: the kernel fills in the whole of it, and zeros are a valid value as well.
        let time = unsafe {
            if libc::clock_gettime(self.clock, time.as_mut_ptr()) != 0 {
                return Err(io::Error::last_os_error());
            }
            time.assume_init()
        };
        let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
        Ok(Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default()))
    }
}
