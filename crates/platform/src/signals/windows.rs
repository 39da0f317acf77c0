//! Windows: the calls that any program may make in the owner's session.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::os::windows::ffi::OsStrExt;
use std::time::Duration;

use p2p_types::{By, Inhibitor, Reading, SignalKind, Untold};
use windows_sys::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;
use windows_sys::Win32::System::Power::{GetSystemPowerStatus, SYSTEM_POWER_STATUS};
use windows_sys::Win32::System::SystemInformation::GetTickCount;
use windows_sys::Win32::System::Time::{GetTimeZoneInformation, TIME_ZONE_INFORMATION};
use windows_sys::Win32::UI::Input::KeyboardAndMouse::{GetLastInputInfo, LASTINPUTINFO};
use windows_sys::Win32::UI::Shell::{
    QUNS_BUSY, QUNS_PRESENTATION_MODE, QUNS_RUNNING_D3D_FULL_SCREEN, SHQueryUserNotificationState,
};

use super::Options;

pub(super) const BY: By = By::Windows;

pub(super) fn idle() -> Result<Duration, Untold> {
    let mut info = LASTINPUTINFO { cbSize: 8, dwTime: 0 };
    // SAFETY: the structure is ours and says its size.
    if unsafe { GetLastInputInfo(&raw mut info) } == 0 {
        return Err(Untold::Failed);
    }
    // SAFETY: takes nothing. Both counters start over every 49 days, in step.
    let now = unsafe { GetTickCount() };
    Ok(Duration::from_millis(u64::from(now.wrapping_sub(info.dwTime))))
}

pub(super) fn read(kind: SignalKind, options: &Options) -> Result<Reading, Untold> {
    match kind {
        SignalKind::FullScreen => {
            let state = notifications()?;
            // A program in a window can be busy as well, but Windows calls it busy for filling the screen.
            let full_screen = [QUNS_BUSY, QUNS_RUNNING_D3D_FULL_SCREEN].contains(&state);
            Ok(Reading::FullScreen { full_screen })
        }
        SignalKind::Inhibitor => {
            let inhibitor = match notifications()? {
                QUNS_PRESENTATION_MODE => Some(Inhibitor::Presentation),
                QUNS_RUNNING_D3D_FULL_SCREEN => Some(Inhibitor::Game),
                _ => None,
            };
            Ok(Reading::Inhibitor { inhibitor })
        }
        SignalKind::Power => power(),
        SignalKind::Disk => disk(options),
        SignalKind::Zone => zone(),
        // Temperature needs a driver; the cost of a network is told to packaged programs only.
        _ => Err(Untold::Unsupported),
    }
}

fn notifications() -> Result<i32, Untold> {
    let mut state = 0;
    // SAFETY: the number is ours.
    if unsafe { SHQueryUserNotificationState(&raw mut state) } < 0 {
        return Err(Untold::Failed);
    }
    Ok(state)
}

fn power() -> Result<Reading, Untold> {
    let mut status = MaybeUninit::<SYSTEM_POWER_STATUS>::zeroed();
    // SAFETY: the structure is ours, and all zeros are a value of it.
    let status = unsafe {
        if GetSystemPowerStatus(status.as_mut_ptr()) == 0 {
            return Err(Untold::Failed);
        }
        status.assume_init()
    };
    let mains = match status.ACLineStatus {
        0 => false,
        1 => true,
        _ => return Err(Untold::Failed),
    };
    // 128 is "no battery", 255 "unknown".
    let battery = status.BatteryFlag != 255 && status.BatteryFlag & 128 == 0;
    let percent = Some(status.BatteryLifePercent).filter(|percent| battery && *percent <= 100);
    Ok(Reading::Power { mains, percent, saver: status.SystemStatusFlag == 1 })
}

fn disk(options: &Options) -> Result<Reading, Untold> {
    let folder = options.data.ancestors().find(|folder| folder.exists()).ok_or(Untold::Failed)?;
    let name: Vec<u16> = folder.as_os_str().encode_wide().chain([0]).collect();
    let mut free_bytes = 0;
    // SAFETY: the name ends with a zero, the number is ours, and null is allowed for the others.
    let done =
        unsafe { GetDiskFreeSpaceExW(name.as_ptr(), &raw mut free_bytes, std::ptr::null_mut(), std::ptr::null_mut()) };
    if done == 0 { Err(Untold::Failed) } else { Ok(Reading::Disk { free_bytes }) }
}

fn zone() -> Result<Reading, Untold> {
    let mut zone = MaybeUninit::<TIME_ZONE_INFORMATION>::zeroed();
    // SAFETY: the structure is ours, and all zeros are a value of it.
    let (season, zone) = unsafe { (GetTimeZoneInformation(zone.as_mut_ptr()), zone.assume_init()) };
    // Minutes that are added to local time to get UTC; 2 is summer time.
    let west = match season {
        0 => zone.Bias,
        1 => zone.Bias + zone.StandardBias,
        2 => zone.Bias + zone.DaylightBias,
        _ => return Err(Untold::Failed),
    };
    i16::try_from(-west).map(|minutes| Reading::Zone { minutes }).map_err(|_| Untold::Failed)
}
