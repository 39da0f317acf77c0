//! Windows: a job for each worker, which holds its share of the processors and its memory and ends
//! it when this process ends; and the efficient class while it is busy for others.
#![allow(unsafe_code)]

use std::io;
use std::mem::size_of;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};

use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_CPU_RATE_CONTROL_ENABLE,
    JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP, JOB_OBJECT_LIMIT_ACTIVE_PROCESS, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOB_OBJECT_LIMIT_PROCESS_MEMORY, JOBOBJECT_CPU_RATE_CONTROL_INFORMATION, JOBOBJECT_CPU_RATE_CONTROL_INFORMATION_0,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JOBOBJECTINFOCLASS, JobObjectCpuRateControlInformation,
    JobObjectExtendedLimitInformation, SetInformationJobObject,
};
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_POWER_THROTTLING_CURRENT_VERSION, PROCESS_POWER_THROTTLING_EXECUTION_SPEED,
    PROCESS_POWER_THROTTLING_STATE, PROCESS_SET_INFORMATION, PROCESS_SET_QUOTA, PROCESS_TERMINATE,
    ProcessPowerThrottling, SetProcessInformation,
};

use super::{Backstop, Reached};

#[derive(Debug, Default)]
pub(super) struct Fences;

#[derive(Debug)]
pub(super) struct Ward {
    /// Closing it ends who is in it.
    job: Option<OwnedHandle>,
    process: Option<OwnedHandle>,
    reached: Reached,
}

impl Ward {
    pub(super) fn new(_fences: &Fences, pid: u32, memory: u64, reached: Reached) -> Self {
        let right = PROCESS_SET_QUOTA | PROCESS_TERMINATE | PROCESS_SET_INFORMATION;
        // SAFETY: takes numbers only; the handle it returns is closed by `OwnedHandle`.
        let process = owned(unsafe { OpenProcess(right, 0, pid) }).ok();
        let job = process.as_ref().and_then(|process| match employ(process, memory) {
            Ok(job) => Some(job),
            Err(error) => {
                tracing::warn!(%error, "a worker has no job object: the pool alone holds it");
                None
            }
        });
        Self { job, process, reached }
    }

    /// So many thousandths of the whole computer, and the efficient class; `None` lifts both.
    pub(super) fn hold(&self, cpu_permille: Option<u16>) {
        let cpu = self.job.as_ref().is_some_and(|job| limit(job, cpu_permille).is_ok());
        let efficient = self.process.as_ref().is_some_and(|process| throttle(process, cpu_permille.is_some()).is_ok());
        if cpu_permille.is_some() {
            self.reached.tell(Backstop { cpu, memory: self.job.is_some(), efficient });
        }
    }
}

/// A job of its own for this process. Workers start no others.
fn employ(process: &OwnedHandle, memory: u64) -> io::Result<OwnedHandle> {
    // SAFETY: both may be null: nobody inherits it, and it has no name.
    let job = owned(unsafe { CreateJobObjectW(std::ptr::null(), std::ptr::null()) })?;
    let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_PROCESS_MEMORY | JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
    limits.BasicLimitInformation.ActiveProcessLimit = 1;
    limits.ProcessMemoryLimit = usize::try_from(memory).unwrap_or(usize::MAX);
    set(&job, JobObjectExtendedLimitInformation, &limits)?;
    // SAFETY: both handles are open and ours.
    if unsafe { AssignProcessToJobObject(job.as_raw_handle(), process.as_raw_handle()) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(job)
}

/// The rate is in hundredths of a percent of all processors. 0 is not a rate.
fn limit(job: &OwnedHandle, cpu_permille: Option<u16>) -> io::Result<()> {
    let rate = JOBOBJECT_CPU_RATE_CONTROL_INFORMATION {
        ControlFlags: cpu_permille
            .map_or(0, |_| JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP),
        Anonymous: JOBOBJECT_CPU_RATE_CONTROL_INFORMATION_0 {
            CpuRate: cpu_permille.map_or(0, |permille| u32::from(permille.clamp(1, 1000)) * 10),
        },
    };
    set(job, JobObjectCpuRateControlInformation, &rate)
}

fn set<T>(job: &OwnedHandle, class: JOBOBJECTINFOCLASS, value: &T) -> io::Result<()> {
    let length = u32::try_from(size_of::<T>()).unwrap_or_default();
    // SAFETY: the handle is open and ours; it reads one value of this length, which is of the type
    // that belongs to the class.
    let done = unsafe { SetInformationJobObject(job.as_raw_handle(), class, std::ptr::from_ref(value).cast(), length) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The efficient class (EcoQoS), or whatever the system thinks right.
fn throttle(process: &OwnedHandle, efficient: bool) -> io::Result<()> {
    let speed = if efficient { PROCESS_POWER_THROTTLING_EXECUTION_SPEED } else { 0 };
    let state = PROCESS_POWER_THROTTLING_STATE {
        Version: PROCESS_POWER_THROTTLING_CURRENT_VERSION,
        ControlMask: speed,
        StateMask: speed,
    };
    let length = u32::try_from(size_of_val(&state)).unwrap_or_default();
    let value = std::ptr::from_ref(&state).cast();
    // SAFETY: the handle is open and ours; it reads one value of this length.
    if unsafe { SetProcessInformation(process.as_raw_handle(), ProcessPowerThrottling, value, length) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn owned(handle: windows_sys::Win32::Foundation::HANDLE) -> io::Result<OwnedHandle> {
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was opened just now, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}
