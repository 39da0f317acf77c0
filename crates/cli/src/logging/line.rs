//! One record as one line of text, and back.

use std::fmt::{Debug, Write};

use p2p_control::api::LogLine;
use tracing::Event;
use tracing::field::{Field, Visit};

use crate::moment;
use crate::output::clean;

/// Fields that may hold what somebody wrote, or a secret.
const WITHHELD: &[&str] =
    &["text", "texts", "prompt", "input", "output", "secret", "password", "token", "invite", "link"];
/// Longer records are cut.
const MESSAGE_CHARS: usize = 4000;

/// The record as a line. Control characters are spaces, so that one record stays one line.
pub(super) fn of(event: &Event<'_>, at_ms: u64) -> LogLine {
    let mut words = Words::default();
    event.record(&mut words);
    let metadata = event.metadata();
    let message = format!("{}{}", words.message, words.fields);
    LogLine {
        at_ms,
        level: metadata.level().as_str().to_ascii_lowercase(),
        target: words.target.unwrap_or_else(|| metadata.target().to_owned()),
        message: clean(&message).chars().take(MESSAGE_CHARS).collect(),
    }
}

/// `2025-11-20T13:48:02.123Z INFO  p2p_agent::engine: ready peers=4`
pub(super) fn text(line: &LogLine) -> String {
    let level = line.level.to_ascii_uppercase();
    format!("{} {level:<5} {}: {}\n", moment::stamp(line.at_ms), line.target, line.message)
}

/// What [`text`] wrote; `None` for any other line.
pub(crate) fn parse(text: &str) -> Option<LogLine> {
    let (stamp, rest) = text.trim_end().split_once(' ')?;
    let (level, rest) = rest.split_once(' ')?;
    let (target, message) = rest.trim_start().split_once(": ")?;
    Some(LogLine {
        at_ms: moment::parse_stamp(stamp)?,
        level: level.to_ascii_lowercase(),
        target: target.to_owned(),
        message: message.to_owned(),
    })
}

#[derive(Default)]
struct Words {
    message: String,
    fields: String,
    target: Option<String>,
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            // Records of the `log` crate carry their origin as fields.
            "log.target" => self.target = Some(value.to_owned()),
            name if name.starts_with("log.") => {}
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            name if name.starts_with("log.") => Ok(()),
            "message" => write!(self.message, "{value:?}"),
            name if WITHHELD.contains(&name) => write!(self.fields, " {name}=(withheld)"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::Subscriber;
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    use super::*;

    #[derive(Clone, Default)]
    struct Caught(Arc<Mutex<Vec<LogLine>>>);

    impl<S: Subscriber> Layer<S> for Caught {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().expect("no panic").push(of(event, 1_763_646_482_123));
        }
    }

    fn caught(log: impl FnOnce()) -> LogLine {
        let caught = Caught::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(caught.clone()), log);
        let mut lines = caught.0.lock().expect("no panic");
        lines.pop().expect("one record")
    }

    #[test]
    fn texts_and_secrets_are_left_out_whatever_their_type() {
        let line = caught(|| {
            tracing::info!(text = "dear diary", texts = ?["dear diary"], token = %"hunter2", peers = 4, "task done");
        });
        assert_eq!(line.message, "task done text=(withheld) texts=(withheld) token=(withheld) peers=4");
    }

    #[test]
    fn a_record_is_one_line_and_comes_back() {
        let line = caught(|| tracing::warn!(reason = "a\r\n2025 forged", "two\nlines\x1b[2J"));
        assert_eq!(line.message, "two lines [2J reason=a  2025 forged");
        let text = text(&line);
        assert!(text.starts_with("2025-11-20T13:48:02.123Z WARN  p2p_cli::logging::line::tests: two lines"), "{text}");
        assert_eq!(parse(&text), Some(line));
        assert_eq!(parse("(the log of this day is full; what follows is not kept)"), None);
    }

    #[test]
    fn long_records_are_cut() {
        let line = caught(|| tracing::info!("{}", "x".repeat(100_000)));
        assert_eq!(line.message.len(), MESSAGE_CHARS);
    }
}
