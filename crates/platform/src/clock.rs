use std::time::{SystemTime, UNIX_EPOCH};

use p2p_types::{Monotonic, Timestamp};

/// The wall clock. The one place that asks it: everybody else is given a [`Timestamp`].
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The clock for timers: it never goes back, and on Linux it goes on while the computer sleeps.
#[must_use]
pub fn monotonic() -> Monotonic {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let micros = u64::try_from(time.tv_nsec).unwrap_or_default() / 1000;
        Monotonic(seconds.saturating_mul(1_000_000).saturating_add(micros))
    }
    #[cfg(not(target_os = "linux"))]
    {
        static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        let since = FIRST.get_or_init(std::time::Instant::now).elapsed();
        // Not from zero: a timer may reach back before the first look.
        Monotonic(u64::try_from(since.as_micros()).unwrap_or(u64::MAX).saturating_add(1 << 40))
    }
}
