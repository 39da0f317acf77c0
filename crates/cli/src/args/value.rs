//! How single values are read.

use std::ffi::OsStr;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use p2p_control::api::NetworkKind;
use p2p_types::TaskKind;

/// Longer than this nothing waits or pauses.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A duration such as `500ms`, `30s`, `5m`, `1h30m` or `2d`: above zero, at most a year.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration; write it as in 500ms, 30s, 5m, 1h30m or 2d");
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let count: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit_ms: u64 = match &rest[..letters] {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        rest = &rest[letters..];
        let part = count.checked_mul(unit_ms).map(Duration::from_millis).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
    }
    if total.is_zero() {
        return Err("the duration must be longer than nothing".to_owned());
    }
    if total > LONGEST {
        return Err("the duration must be a year at most".to_owned());
    }
    Ok(total)
}

/// One of the words of `T`.
pub(crate) fn words<T>(all: &'static [T], name: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + FromStr + Send + Sync + 'static,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.iter().map(|word| PossibleValue::new(name(*word)))).try_map(|word| word.parse::<T>())
}

pub(crate) fn network_kind() -> impl TypedValueParser<Value = NetworkKind> {
    PossibleValuesParser::new(["open", "closed", "local"]).map(|word| match word.as_str() {
        "open" => NetworkKind::Open,
        "local" => NetworkKind::Local,
        _ => NetworkKind::Closed,
    })
}

/// The kinds of tasks, for completions. Any word passes: an unknown one is refused with its own
/// error code, not as a mistake of usage.
#[derive(Debug, Clone)]
pub(crate) struct Kinds;

impl TypedValueParser for Kinds {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let known = TaskKind::ALL.iter().map(|kind| PossibleValue::new(kind.as_str()).hide(*kind == TaskKind::Noop));
        Some(Box::new(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        let ms = |text| duration(text).map(|read| read.as_millis());
        assert_eq!(ms("500ms"), Ok(500));
        assert_eq!(ms("30s"), Ok(30_000));
        assert_eq!(ms("5m"), Ok(300_000));
        assert_eq!(ms("1h30m"), Ok(5_400_000));
        assert_eq!(ms("2d"), Ok(172_800_000));
        assert_eq!(ms(" 30min "), Ok(1_800_000));
    }

    #[test]
    fn what_is_no_duration_says_how_to_write_one() {
        for text in ["", "30", "s", "-5s", "1.5h", "5 m", "0s", "1y", "99999999999999999999s", "400d", "é"] {
            let said = duration(text).expect_err(text);
            assert!(said.contains("duration"), "{text}: {said}");
        }
    }
}
