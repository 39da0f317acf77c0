use std::time::{SystemTime, UNIX_EPOCH};

use p2p_types::{Monotonic, Timestamp};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The wall clock. The one place that asks it: everybody else is given a [`Timestamp`].
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The clock for timers: it never goes back, and it goes on while the computer sleeps.
#[must_use]
pub fn monotonic() -> Monotonic {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        #[cfg(target_os = "linux")]
        let clock = rustix::time::ClockId::Boottime;
        // Not that of the standard library, which stands still in sleep there.
        #[cfg(target_os = "macos")]
        let clock = rustix::time::ClockId::Monotonic;
        let time = rustix::time::clock_gettime(clock);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let micros = u64::try_from(time.tv_nsec).unwrap_or_default() / 1000;
        Monotonic(seconds.saturating_mul(1_000_000).saturating_add(micros))
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    {
        static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        let since = FIRST.get_or_init(std::time::Instant::now).elapsed();
        // Not from zero: a timer may reach back before the first look.
        Monotonic(u64::try_from(since.as_micros()).unwrap_or(u64::MAX).saturating_add(1 << 40))
    }
}

/// The day of a time, by UTC: `2026-11-21`. Years start in March here, so that the leap day is the last of its year.
#[must_use]
pub fn date(at: Timestamp) -> String {
    let shifted = at.0 / DAY_MS + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_of_the_calendar() {
        for (ms, text) in [
            (0, "1970-01-01"),
            (951_782_400_000, "2000-02-29"),
            (1_798_761_599_999, "2026-12-31"),
            (1_798_761_600_000, "2027-01-01"),
        ] {
            assert_eq!(date(Timestamp(ms)), text);
        }
    }
}
