//! macOS: the calls that any program may make in the owner's session.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_long};
use std::mem::MaybeUninit;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use p2p_types::{By, Reading, SignalKind, Untold};

use super::Options;

pub(super) const BY: By = By::Macos;

/// Events of the hardware, not those that programs make up; of every kind.
const HARDWARE: i32 = 1;
const ANY_EVENT: u32 = u32::MAX;

#[link(name = "ApplicationServices", kind = "framework")]
unsafe extern "C" {
    fn CGEventSourceSecondsSinceLastEventType(source: i32, kind: u32) -> f64;
}

#[link(name = "IOKit", kind = "framework")]
unsafe extern "C" {
    /// Seconds that the battery lasts; -1 while that is not known yet, -2 on mains.
    fn IOPSGetTimeRemainingEstimate() -> f64;
}

/// As in `time.h`.
#[repr(C)]
struct Local {
    fields: [c_int; 9],
    east: c_long,
    name: *const c_char,
}

unsafe extern "C" {
    fn tzset();
    fn localtime_r(time: *const i64, local: *mut Local) -> *mut Local;
}

pub(super) fn idle() -> Result<Duration, Untold> {
    // SAFETY: takes numbers only.
    let seconds = unsafe { CGEventSourceSecondsSinceLastEventType(HARDWARE, ANY_EVENT) };
    Duration::try_from_secs_f64(seconds).map_err(|_| Untold::Failed)
}

pub(super) fn read(kind: SignalKind, options: &Options) -> Result<Reading, Untold> {
    match kind {
        SignalKind::Power => {
            // SAFETY: takes nothing.
            let left = unsafe { IOPSGetTimeRemainingEstimate() };
            // Just after the plug is pulled nothing is known for a while: that is a battery.
            Ok(Reading::Power { mains: left == -2.0, percent: None, saver: false })
        }
        SignalKind::Disk => {
            let folder = options.data.ancestors().find(|folder| folder.exists()).ok_or(Untold::Failed)?;
            let found = rustix::fs::statvfs(folder).map_err(|_| Untold::Failed)?;
            let free_bytes = found.f_bavail.checked_mul(found.f_frsize).ok_or(Untold::Failed)?;
            Ok(Reading::Disk { free_bytes })
        }
        SignalKind::Zone => zone(),
        // The window list, the sensors and the network's cost need Objective-C.
        _ => Err(Untold::Unsupported),
    }
}

fn zone() -> Result<Reading, Untold> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| Untold::Failed)?.as_secs();
    let now = i64::try_from(now).map_err(|_| Untold::Failed)?;
    let mut local = MaybeUninit::<Local>::uninit();
    // SAFETY: both pointers are to values of ours, and it is read only where it was written.
    let east = unsafe {
        tzset();
        if localtime_r(&raw const now, local.as_mut_ptr()).is_null() {
            return Err(Untold::Failed);
        }
        local.assume_init().east
    };
    i16::try_from(east / 60).map(|minutes| Reading::Zone { minutes }).map_err(|_| Untold::Failed)
}
