#![allow(unsafe_code)]

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::os::windows::process::CommandExt;
use std::process::Command;

use windows_sys::Win32::Foundation::WAIT_TIMEOUT;
use windows_sys::Win32::System::Threading::{
    CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW, IDLE_PRIORITY_CLASS, OpenProcess, PROCESS_SYNCHRONIZE,
    PROCESS_TERMINATE, TerminateProcess, WaitForSingleObject,
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

fn open(pid: u32, right: u32) -> io::Result<OwnedHandle> {
    // SAFETY: takes numbers only; the handle it returns is closed by `OwnedHandle`.
    unsafe {
        let handle = OpenProcess(right, 0, pid);
        if handle.is_null() { Err(io::Error::last_os_error()) } else { Ok(OwnedHandle::from_raw_handle(handle)) }
    }
}
