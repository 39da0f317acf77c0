//! Local time from the wall clock and the minutes east of UTC.

use p2p_types::Timestamp;

pub(crate) const MINUTE_MS: u64 = 60_000;
pub(crate) const HOUR_MS: u64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;
/// The morning begins at six.
const MORNING_MS: u64 = 6 * HOUR_MS;
/// A morning nearer than this is not what is meant by tomorrow.
const NEAR_MS: u64 = 3 * HOUR_MS;

/// A moment on the clock on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Local {
    /// Days since 1 January 1970.
    pub(crate) day: i64,
    /// Milliseconds since midnight.
    pub(crate) ms: u64,
}

impl Local {
    pub(crate) fn of(at: Timestamp, zone_minutes: i16) -> Self {
        let day = i64::try_from(DAY_MS).unwrap_or(i64::MAX);
        let local = i64::try_from(at.0).unwrap_or(i64::MAX).saturating_add(offset_ms(zone_minutes));
        Self { day: local.div_euclid(day), ms: local.rem_euclid(day).unsigned_abs() }
    }

    /// 0 is Monday.
    pub(crate) fn weekday(self) -> usize {
        // 1 January 1970 was a Thursday.
        usize::try_from((self.day + 3).rem_euclid(7)).unwrap_or(0)
    }
}

fn offset_ms(zone_minutes: i16) -> i64 {
    i64::from(zone_minutes) * 60_000
}

/// What "until tomorrow" means: six o'clock in the local morning, the next one that is more than
/// three hours away.
#[must_use]
pub fn until_tomorrow(now: Timestamp, zone_minutes: i16) -> Timestamp {
    let since_midnight = Local::of(now, zone_minutes).ms;
    let wait = (MORNING_MS + DAY_MS - since_midnight) % DAY_MS;
    now.plus_ms(if wait <= NEAR_MS { wait + DAY_MS } else { wait })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saturday, 21 November 2026, midnight UTC.
    const SATURDAY: u64 = 20_778 * DAY_MS;

    #[test]
    fn days_have_names() {
        assert_eq!(Local::of(Timestamp(SATURDAY), 0).weekday(), 5);
        assert_eq!(Local::of(Timestamp(SATURDAY), -1).weekday(), 4);
        assert_eq!(Local::of(Timestamp(0), -60), Local { day: -1, ms: 23 * HOUR_MS });
        let _ = Local::of(Timestamp(u64::MAX), 840);
    }

    #[test]
    fn tomorrow_is_the_next_morning() {
        let at = |hour: u64| until_tomorrow(Timestamp(SATURDAY + hour * HOUR_MS), 60).0 - SATURDAY;
        // Six in the morning is five o'clock UTC here.
        assert_eq!(at(15), 29 * HOUR_MS);
        assert_eq!(at(1), 5 * HOUR_MS, "two in the night: after sleeping");
        assert_eq!(at(4), 29 * HOUR_MS, "five in the morning: not in an hour");
    }
}
