//! How far local time is from UTC.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use p2p_types::{By, Reading, SignalKind, Untold};
use rustix::fd::OwnedFd;
use rustix::fs::inotify;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Context;
use super::wake::wake;

/// Offsets change at full quarters of an hour. The computer may sleep over one, and its clock may
/// jump over one: the timer ends at the next one on the calendar, and when the clock is set.
const QUARTER: i64 = 900;
/// Where the system gives no timer.
const FALLBACK: Duration = Duration::from_secs(900);

pub(super) async fn watch(context: Rc<Context>) {
    let folder = folder();
    let clock = clock();
    loop {
        match minutes() {
            Some(minutes) => context.hub.reading(By::Clock, Reading::Zone { minutes }),
            None => context.hub.cannot(SignalKind::Zone, By::Clock, Untold::Failed),
        }
        let armed = clock.as_ref().filter(|clock| arm(clock).is_some());
        tokio::select! {
            () = event(folder.as_ref()) => {}
            () = event(armed) => {}
            () = tokio::time::sleep(FALLBACK) => {}
        }
    }
}

/// Until there is something to read, which is read away.
async fn event(from: Option<&AsyncFd<OwnedFd>>) {
    let Some(from) = from else { return std::future::pending().await };
    // Errors are part of it: a clock that was set gives one. What matters is that it woke.
    if let Ok(mut ready) = from.ready(Interest::READABLE).await {
        let mut buffer = [0; 4096];
        while rustix::io::read(from.get_ref(), &mut buffer).is_ok_and(|read| read > 0) {}
        ready.clear_ready();
    }
}

/// Says when the name `localtime` is given to something else.
fn folder() -> Option<AsyncFd<OwnedFd>> {
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC).ok()?;
    let what = inotify::WatchFlags::MOVED_TO | inotify::WatchFlags::CREATE | inotify::WatchFlags::CLOSE_WRITE;
    inotify::add_watch(&watch, "/etc", what | inotify::WatchFlags::ONLYDIR).ok()?;
    wake(watch, Interest::READABLE).ok()
}

fn clock() -> Option<AsyncFd<OwnedFd>> {
    let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
    wake(timerfd_create(TimerfdClockId::Realtime, flags).ok()?, Interest::READABLE).ok()
}

fn arm(clock: &AsyncFd<OwnedFd>) -> Option<()> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
    let next = Timespec { tv_sec: (now / QUARTER + 1) * QUARTER, tv_nsec: 0 };
    let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: next };
    let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
    timerfd_settime(clock.get_ref(), flags, &once).ok().map(drop)
}

unsafe extern "C" {
    // Not in the `libc` crate for this system.
    fn tzset();
}

/// As the C library has it, which knows `TZ`, `/etc/localtime` and every rule of summer time.
fn minutes() -> Option<i16> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let now = libc::time_t::try_from(now).ok()?;
    let mut local = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: takes nothing; makes `localtime_r` see a zone that changed. No thread of ours changes
    // the environment, which it reads.
    unsafe { tzset() };
    // SAFETY: both pointers are to values of ours; null is returned where nothing was written.
    let written = !unsafe { libc::localtime_r(&raw const now, local.as_mut_ptr()) }.is_null();
    if !written {
        return None;
    }
    // SAFETY: it was written just now.
    let local = unsafe { local.assume_init() };
    i16::try_from(local.tm_gmtoff / 60).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// The zone is one of the whole process: each is tried in a process of its own.
    #[test]
    fn zones_east_and_west_are_read() {
        if let Ok(expected) = std::env::var("ZONE_TEST_MINUTES") {
            assert_eq!(minutes(), Some(expected.parse().unwrap()));
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("localtime");
        fs::write(&file, compiled(5 * 60 + 45)).unwrap();
        let place = format!(":{}", file.display());
        for (zone, minutes) in [("UTC0", 0), ("AAA-5:30", 330), ("AAA3:30", -210), (&place, 345)] {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "signals::linux::zone::tests::zones_east_and_west_are_read"]);
            command.env("TZ", zone).env("ZONE_TEST_MINUTES", minutes.to_string());
            let output = command.output().unwrap();
            let printed = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && printed.contains("1 passed"), "{zone}: {printed}");
        }
    }

    /// A file of a zone that never changes, as `zic` makes it.
    fn compiled(minutes: i32) -> Vec<u8> {
        let mut file = b"TZif\0".to_vec();
        file.extend([0; 15]);
        // No leap seconds, no transitions, one kind of time, a name of four bytes.
        for count in [0_u32, 0, 0, 0, 1, 4] {
            file.extend(count.to_be_bytes());
        }
        file.extend((minutes * 60).to_be_bytes());
        file.extend([0, 0]);
        file.extend(b"AAA\0");
        file
    }
}
