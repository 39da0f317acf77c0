//! A week in half hours, and how it is written.

use std::fmt;
use std::str::FromStr;

use p2p_types::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::calendar::{Local, MINUTE_MS};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Half hours of a day.
const HALVES: usize = 48;
const HALF_MS: u64 = 30 * MINUTE_MS;
const WHOLE_DAY: u64 = (1 << HALVES) - 1;

/// The half hours of a week in which something may be done, by local time. Written as
/// `mon-fri 18:00-23:00, sat 00:00-24:00`; a span such as `22:00-06:00` goes on into the next day;
/// `always` and `never` are all and none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Week([u64; 7]);

/// What is wrong with a written week, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeekError {
    #[error("`{0}` is no weekday: write mon, tue, wed, thu, fri, sat or sun")]
    Day(String),
    #[error("`{0}` ends before it starts: write two ranges, as in `fri-sun 10:00-12:00, mon 10:00-12:00`")]
    DaysBackwards(String),
    #[error("`{0}` is no time: write full or half hours from 00:00 to 24:00, as in 18:30")]
    Time(String),
    #[error("`{0}` is no span of time: write its start and its end, as in 18:00-23:00")]
    Span(String),
    #[error("`{0}` ends when it starts: for the whole day write 00:00-24:00")]
    Empty(String),
    #[error("`{0}` says a day and no time, or a time and no day: write both, as in `mon-fri 18:00-23:00`")]
    Part(String),
}

impl Week {
    pub const ALWAYS: Self = Self([WHOLE_DAY; 7]);
    pub const NEVER: Self = Self([0; 7]);

    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::ALWAYS
    }

    #[must_use]
    pub fn is_never(&self) -> bool {
        *self == Self::NEVER
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|day| self.0[day] & other.0[day]))
    }

    /// Whether a half hour is in it: 0 is Monday, and 0 is from 00:00.
    #[must_use]
    pub fn has(&self, day: usize, half: usize) -> bool {
        half < HALVES && self.0.get(day).is_some_and(|halves| halves >> half & 1 == 1)
    }

    /// Puts a half hour in or takes it out, as a page does that shows a grid.
    pub fn set(&mut self, day: usize, half: usize, on: bool) {
        if let Some(halves) = self.0.get_mut(day).filter(|_| half < HALVES) {
            *halves = if on { *halves | 1 << half } else { *halves & !(1 << half) };
        }
    }

    /// Whether it is in it now.
    #[must_use]
    pub fn open(&self, at: Timestamp, zone_minutes: i16) -> bool {
        let local = Local::of(at, zone_minutes);
        self.has(local.weekday(), half_of(local))
    }

    /// When that next changes; `None` where it never does.
    #[must_use]
    pub fn next_change(&self, at: Timestamp, zone_minutes: i16) -> Option<Timestamp> {
        let local = Local::of(at, zone_minutes);
        let open = self.open(at, zone_minutes);
        let start = local.weekday() * HALVES + half_of(local);
        let steps = (1..=7 * HALVES).find(|step| {
            let place = (start + step) % (7 * HALVES);
            self.has(place / HALVES, place % HALVES) != open
        })?;
        Some(at.plus_ms(steps as u64 * HALF_MS - local.ms % HALF_MS))
    }

    fn add(&mut self, days: (usize, usize), (start, end): (usize, usize)) {
        for day in days.0..=days.1 {
            let length = if end > start { end - start } else { end + HALVES - start };
            for place in (start..start + length).map(|half| day * HALVES + half) {
                self.set(place / HALVES % 7, place % HALVES, true);
            }
        }
    }
}

impl Default for Week {
    fn default() -> Self {
        Self::ALWAYS
    }
}

fn half_of(local: Local) -> usize {
    usize::try_from(local.ms / HALF_MS).unwrap_or(0)
}

impl FromStr for Week {
    type Err = WeekError;

    fn from_str(text: &str) -> Result<Self, WeekError> {
        match text.trim() {
            "always" => return Ok(Self::ALWAYS),
            "never" => return Ok(Self::NEVER),
            _ => {}
        }
        let mut week = Self::NEVER;
        for part in text.split(',').map(str::trim) {
            let words: Vec<&str> = part.split_whitespace().collect();
            let [days, times @ ..] = words.as_slice() else { return Err(WeekError::Part(part.to_owned())) };
            let days = parse_days(days)?;
            if times.is_empty() {
                return Err(WeekError::Part(part.to_owned()));
            }
            for time in times {
                week.add(days, parse_span(time)?);
            }
        }
        Ok(week)
    }
}

fn parse_days(text: &str) -> Result<(usize, usize), WeekError> {
    let day = |word: &str| {
        let word = word.to_ascii_lowercase();
        DAYS.iter().position(|day| *day == word).ok_or(WeekError::Day(word))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let days = (day(first)?, day(last)?);
    if days.0 > days.1 { Err(WeekError::DaysBackwards(text.to_owned())) } else { Ok(days) }
}

fn parse_span(text: &str) -> Result<(usize, usize), WeekError> {
    let (start, end) = text.split_once('-').ok_or_else(|| WeekError::Span(text.to_owned()))?;
    let (start, end) = (parse_time(start)?, parse_time(end)?);
    if start == end {
        return Err(WeekError::Empty(text.to_owned()));
    }
    // Nothing starts at the end of a day, and what ends at its start ended the day before.
    if start == HALVES {
        return Err(WeekError::Time("24:00".to_owned()));
    }
    Ok((start, end))
}

fn parse_time(text: &str) -> Result<usize, WeekError> {
    let wrong = || WeekError::Time(text.to_owned());
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let two_digits = |word: &str| (1..=2).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hour) {
        return Err(wrong());
    }
    let half = match minute {
        "00" => 0,
        "30" => 1,
        _ => return Err(wrong()),
    };
    let place = hour.parse::<usize>().map_err(|_| wrong())? * 2 + half;
    if place > HALVES { Err(wrong()) } else { Ok(place) }
}

impl fmt::Display for Week {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_always() {
            return to.write_str("always");
        }
        if self.is_never() {
            return to.write_str("never");
        }
        let mut day = 0;
        let mut comma = "";
        while day < 7 {
            // Days that follow each other with the same hours are one range.
            let last = (day..7).take_while(|next| self.0[*next] == self.0[day]).last().unwrap_or(day);
            if self.0[day] != 0 {
                write!(to, "{comma}{}", DAYS[day])?;
                if last > day {
                    write!(to, "-{}", DAYS[last])?;
                }
                write_spans(to, self.0[day])?;
                comma = ", ";
            }
            day = last + 1;
        }
        Ok(())
    }
}

fn write_spans(to: &mut fmt::Formatter<'_>, halves: u64) -> fmt::Result {
    let on = |half: usize| half < HALVES && halves >> half & 1 == 1;
    let mut half = 0;
    while half < HALVES {
        let end = (half..).find(|next| !on(*next)).unwrap_or(HALVES);
        if end > half {
            let time = |half: usize| format!("{:02}:{:02}", half / 2, half % 2 * 30);
            write!(to, " {}-{}", time(half), time(end))?;
        }
        half = end + 1;
    }
    Ok(())
}

impl Serialize for Week {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Week {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}
