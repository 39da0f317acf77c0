#![allow(unsafe_code)]

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::os::windows::process::CommandExt;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use windows_sys::Win32::Foundation::{FILETIME, HANDLE, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::{
    CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW, GetProcessTimes, IDLE_PRIORITY_CLASS, OpenProcess,
    PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SUSPEND_RESUME, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE,
    TerminateProcess, WaitForSingleObject,
};

/// A worker ends when its standard input does.
pub(super) fn prepare_worker(command: &mut tokio::process::Command) {
    command.creation_flags(IDLE_PRIORITY_CLASS | CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
}

pub(super) fn detach(command: &mut Command) {
    command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
}

/// Dumps are written by a service that the administrator sets up; there is no call of our own.
pub(super) fn guard_memory() {}

pub(super) fn terminate(pid: u32) -> io::Result<()> {
    let process = open(pid, PROCESS_TERMINATE)?;
    // SAFETY: the handle is open and ours.
    if unsafe { TerminateProcess(process.as_raw_handle(), 1) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

pub(super) fn is_alive(pid: u32) -> bool {
    let Ok(process) = open(pid, PROCESS_SYNCHRONIZE) else { return false };
    // SAFETY: the handle is open and ours. A process is signalled when it has ended.
    unsafe { WaitForSingleObject(process.as_raw_handle(), 0) == WAIT_TIMEOUT }
}

// There is no documented call that stops a whole process; every tool that does uses these two.
#[link(name = "ntdll")]
unsafe extern "system" {
    fn NtSuspendProcess(process: HANDLE) -> i32;
    fn NtResumeProcess(process: HANDLE) -> i32;
}

#[derive(Debug)]
pub(super) struct Reins {
    process: OwnedHandle,
    /// Windows counts how often a process was suspended, and it must be resumed as often.
    stopped: Mutex<bool>,
}

impl Reins {
    pub(super) fn take(pid: u32) -> io::Result<Self> {
        let process = open(pid, PROCESS_SUSPEND_RESUME | PROCESS_QUERY_LIMITED_INFORMATION)?;
        Ok(Self { process, stopped: Mutex::new(false) })
    }

    pub(super) fn stop(&self) -> io::Result<()> {
        self.change(true, NtSuspendProcess)
    }

    pub(super) fn resume(&self) -> io::Result<()> {
        self.change(false, NtResumeProcess)
    }

    fn change(&self, stop: bool, call: unsafe extern "system" fn(HANDLE) -> i32) -> io::Result<()> {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        if *stopped != stop {
            // SAFETY: the handle is open and ours.
            if unsafe { call(self.process.as_raw_handle()) } < 0 {
                return Err(io::Error::other("the process could not be stopped or resumed"));
            }
            *stopped = stop;
        }
        Ok(())
    }

    /// It moves in steps of 15.6 ms: a slice is late by up to one, which the next one pays back.
    pub(super) fn cpu_time(&self) -> io::Result<Duration> {
        const ZERO: FILETIME = FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 };
        let (mut begun, mut ended, mut kernel, mut user) = (ZERO, ZERO, ZERO, ZERO);
        let handle = self.process.as_raw_handle();
        // SAFETY: the handle is open and ours; it writes four times, to places that are ours.
        if unsafe { GetProcessTimes(handle, &raw mut begun, &raw mut ended, &raw mut kernel, &raw mut user) } == 0 {
            return Err(io::Error::last_os_error());
        }
        let steps = |time: FILETIME| u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
        Ok(Duration::from_nanos((steps(kernel) + steps(user)) * 100))
    }
}

pub(super) fn peak_of_children() -> Option<u64> {
    None
}

fn open(pid: u32, right: u32) -> io::Result<OwnedHandle> {
    // SAFETY: takes numbers only; the handle it returns is closed by `OwnedHandle`.
    unsafe {
        let handle = OpenProcess(right, 0, pid);
        if handle.is_null() { Err(io::Error::last_os_error()) } else { Ok(OwnedHandle::from_raw_handle(handle)) }
    }
}
