//! Waking at a time of the clock for timers, also when the computer slept in between.
//!
//! An ordinary sleep counts the time that the computer is awake: after a night's suspend a deadline of
//! yesterday would be noticed a minute or an hour late. On Linux a timer of the kernel that goes on in
//! suspend wakes at once; elsewhere the clock is looked at once a minute.
#![cfg_attr(target_os = "linux", allow(unsafe_code))]

use std::io;
#[cfg(not(target_os = "linux"))]
use std::time::Duration;

use p2p_types::Monotonic;

/// A clock is looked at so often where no timer goes on in suspend.
#[cfg(not(target_os = "linux"))]
const LOOK: Duration = Duration::from_secs(60);

/// One timer, set anew as often as one likes.
#[derive(Debug)]
pub struct Alarm {
    #[cfg(target_os = "linux")]
    timer: tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>,
    #[cfg(target_os = "linux")]
    set: Option<Monotonic>,
}

#[cfg(target_os = "linux")]
impl Alarm {
    /// Must be made on a runtime with I/O.
    ///
    /// # Errors
    /// Where the system has no timer left.
    pub fn new() -> io::Result<Self> {
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
        let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        // SAFETY: it owns its descriptor, and nobody else has it.
        let timer = unsafe { tokio::io::unix::AsyncFd::register_with_interest(timer, tokio::io::Interest::READABLE) };
        Ok(Self { timer: timer?, set: None })
    }

    /// Returns at `deadline` of [`crate::monotonic`], at once where that is over. Whoever stops waiting may wait
    /// again, for the same or for another.
    pub async fn until(&mut self, deadline: Monotonic) {
        // Most waits end before their deadline, and the next has the same: then the timer is set already.
        if self.set != Some(deadline) {
            // A failure would be a program's mistake; better look too often than never.
            if self.arm(deadline).is_err() {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                return;
            }
            self.set = Some(deadline);
        }
        loop {
            let Ok(mut ready) = self.timer.readable().await else { return };
            ready.clear_ready();
            if deadline <= crate::monotonic() {
                self.set = None;
                return;
            }
        }
    }

    fn arm(&self, deadline: Monotonic) -> io::Result<()> {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};
        // Zero would switch it off; and a deadline in the past is due at once.
        let micros = deadline.0.max(1);
        let it_value = Timespec {
            tv_sec: i64::try_from(micros / 1_000_000).unwrap_or(i64::MAX),
            tv_nsec: i64::try_from(micros % 1_000_000 * 1000).unwrap_or(0) as _,
        };
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &Itimerspec { it_interval, it_value })?;
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
impl Alarm {
    /// # Errors
    /// None here.
    pub fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Returns at `deadline` of [`crate::monotonic`], at once where that is over; up to a minute late after a suspend.
    pub async fn until(&mut self, deadline: Monotonic) {
        loop {
            let left = Duration::from_micros(deadline.since(crate::monotonic()));
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LOOK)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn in_ms(ms: u64) -> Monotonic {
        crate::monotonic().plus_ms(ms)
    }

    #[tokio::test]
    async fn it_wakes_at_its_deadline_and_not_before() {
        let mut alarm = Alarm::new().expect("a timer");
        let begun = Instant::now();
        alarm.until(in_ms(60)).await;
        assert!(begun.elapsed() >= Duration::from_millis(59), "{:?}", begun.elapsed());
        let begun = Instant::now();
        alarm.until(Monotonic(0)).await;
        alarm.until(in_ms(0)).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "what is over is due at once");
    }

    #[tokio::test]
    async fn whoever_stops_waiting_may_wait_for_the_same_or_for_another() {
        let mut alarm = Alarm::new().expect("a timer");
        let (near, far) = (in_ms(80), in_ms(3_600_000));
        for deadline in [far, near, near, far] {
            let short = tokio::time::timeout(Duration::from_millis(5), alarm.until(deadline)).await;
            assert!(short.is_err(), "it is too early");
        }
        let begun = Instant::now();
        alarm.until(near).await;
        assert!(near <= crate::monotonic() && begun.elapsed() < Duration::from_secs(5));
        // The readiness of the one before counts for nothing.
        let later = in_ms(40);
        alarm.until(later).await;
        assert!(later <= crate::monotonic());
    }
}
