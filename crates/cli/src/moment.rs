//! Times and durations as people and log files write them. All times are UTC.

use std::time::Duration;

use p2p_platform::date;
use p2p_types::Timestamp;

const DAY_MS: u64 = 86_400_000;

/// `12 ms`, `1.2 s`, `3 min`, `2 h 5 min`, `4 days`.
pub(crate) fn span(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (seconds, minutes, hours) = (ms / 1000, ms / 60_000, ms / 3_600_000);
    match ms {
        0 if duration.as_micros() > 0 => "under 1 ms".to_owned(),
        0..1000 => format!("{ms} ms"),
        1000..10_000 => format!("{}.{} s", seconds, ms % 1000 / 100),
        10_000..60_000 => format!("{seconds} s"),
        60_000..3_600_000 => format!("{minutes} min"),
        3_600_000..DAY_MS if minutes % 60 == 0 => format!("{hours} h"),
        3_600_000..DAY_MS => format!("{hours} h {} min", minutes % 60),
        DAY_MS..172_800_000 => "1 day".to_owned(),
        _ => format!("{} days", ms / DAY_MS),
    }
}

/// `2025-11-20T13:48:02.123Z`: what log files carry.
pub(crate) fn stamp(at_ms: u64) -> String {
    format!("{}T{}.{:03}Z", date(Timestamp(at_ms)), clock(at_ms), at_ms % 1000)
}

/// `2025-11-20 13:48:02Z`: what tables show.
pub(crate) fn utc(at_ms: u64) -> String {
    format!("{} {}Z", date(Timestamp(at_ms)), clock(at_ms))
}

/// `13:48:02`.
pub(crate) fn clock(at_ms: u64) -> String {
    let seconds = at_ms % DAY_MS / 1000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// What [`stamp`] wrote.
pub(crate) fn parse_stamp(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<u64>().ok());
    let shape = text.len() == 24 && text.is_ascii() && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hours, minutes, seconds, ms) = (number(11, 13)?, number(14, 16)?, number(17, 19)?, number(20, 23)?);
    let sound = shape && (1..=12).contains(&month) && (1..=31).contains(&day) && hours < 24 && minutes < 60;
    if !sound || seconds > 59 || year < 1970 {
        return None;
    }
    Some(days(year, month, day) * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms)
}

/// Days from 1 January 1970 to a date. Years start in March here, so that the leap day is the last of its year.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * march_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short() {
        for (ms, said) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1250, "1.2 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (3_600_000, "1 h"),
            (7_500_000, "2 h 5 min"),
            (DAY_MS, "1 day"),
            (4 * DAY_MS, "4 days"),
        ] {
            assert_eq!(span(Duration::from_millis(ms)), said);
        }
        assert_eq!(span(Duration::from_micros(300)), "under 1 ms");
    }

    #[test]
    fn stamps_are_dates_and_come_back() {
        for (ms, said) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_763_646_482_123, "2025-11-20T13:48:02.123Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(stamp(ms), said);
            assert_eq!(parse_stamp(said), Some(ms));
        }
        assert_eq!(utc(1_763_646_482_123), "2025-11-20 13:48:02Z");
        for text in ["", "2025-11-20 13:48:02Z", "2025-13-20T13:48:02.123Z", "2025-11-20T13:48:02.12éZ"] {
            assert_eq!(parse_stamp(text), None, "{text}");
        }
    }
}
