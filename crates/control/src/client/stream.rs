//! Server-sent events, read as they come.

use std::collections::VecDeque;

use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use super::connection::{ANSWER_BYTES, Opened};
use super::{decode, strange};
use crate::api::{ErrorCode, Event, LogLine, Problem};

/// The node's state and its changes. Ends when the daemon ends, and when this reader was too
/// slow: then open another.
#[derive(Debug)]
pub struct EventStream(Messages);

impl EventStream {
    pub(super) fn new(opened: Opened) -> Self {
        Self(Messages::new(opened))
    }

    /// The next event; `None` at the end. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<Event, Problem>> {
        self.0.next().await
    }
}

/// Log lines, oldest first.
#[derive(Debug)]
pub struct LogStream {
    kept: VecDeque<LogLine>,
    messages: Option<Messages>,
}

impl LogStream {
    pub(super) fn of(lines: Vec<LogLine>) -> Self {
        Self { kept: lines.into(), messages: None }
    }

    pub(super) fn following(opened: Opened) -> Self {
        Self { kept: VecDeque::new(), messages: Some(Messages::new(opened)) }
    }

    /// The next line; `None` at the end. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<LogLine, Problem>> {
        if let Some(line) = self.kept.pop_front() {
            return Some(Ok(line));
        }
        self.messages.as_mut()?.next().await
    }
}

#[derive(Debug)]
struct Messages {
    opened: Option<Opened>,
    parser: Parser,
}

impl Messages {
    fn new(opened: Opened) -> Self {
        Self { opened: Some(opened), parser: Parser::default() }
    }

    async fn next<T: DeserializeOwned>(&mut self) -> Option<Result<T, Problem>> {
        let message = self.message().await?;
        let message = message.and_then(|data| decode(&data));
        if message.is_err() {
            self.opened = None;
        }
        Some(message)
    }

    async fn message(&mut self) -> Option<Result<Vec<u8>, Problem>> {
        loop {
            if let Some(data) = self.parser.ready.pop_front() {
                return Some(Ok(data));
            }
            let frame = self.opened.as_mut()?.body.frame().await?;
            match frame {
                Ok(frame) => {
                    if frame.into_data().is_ok_and(|data| self.parser.feed(&data).is_err()) {
                        return Some(Err(strange("one event is too large")));
                    }
                }
                Err(error) => {
                    let why = format!("The stream was cut off: {error}");
                    return Some(Err(Problem::new(ErrorCode::TooBusy, why)));
                }
            }
        }
    }
}

/// Finds the data of messages in pieces of a stream, as the HTML standard has it. Of the fields
/// only `data` means something here; comments keep the connection awake.
#[derive(Debug, Default)]
struct Parser {
    /// A line that has not ended yet.
    line: Vec<u8>,
    /// Lines of data of a message that has not ended yet.
    data: Option<Vec<u8>>,
    ready: VecDeque<Vec<u8>>,
}

struct TooLarge;

impl Parser {
    fn feed(&mut self, piece: &[u8]) -> Result<(), TooLarge> {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if self.line.len() + self.data.as_ref().map_or(0, Vec::len) > ANSWER_BYTES {
                return Err(TooLarge);
            }
            if self.line.ends_with(b"\n") {
                let mut line = std::mem::take(&mut self.line);
                line.pop();
                if line.ends_with(b"\r") {
                    line.pop();
                }
                self.end_line(&line);
            }
        }
        Ok(())
    }

    fn end_line(&mut self, line: &[u8]) {
        if line.is_empty() {
            self.ready.extend(self.data.take());
        } else if let Some(value) = line.strip_prefix(b"data:") {
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] =
        b"id: 1\ndata: {\"a\":1}\n\n: still here\n\nevent: x\r\ndata:one\r\ndata: two\r\n\r\ndata: half";

    #[test]
    fn pieces_of_any_size_give_the_same_messages() {
        for size in 1..=STREAM.len() {
            let mut parser = Parser::default();
            for piece in STREAM.chunks(size) {
                assert!(parser.feed(piece).is_ok());
            }
            let messages: Vec<_> = parser.ready.iter().map(|data| String::from_utf8_lossy(data)).collect();
            assert_eq!(messages, ["{\"a\":1}", "one\ntwo"], "in pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut parser = Parser::default();
        let piece = vec![b'x'; 16 * 1024 * 1024];
        let refused = (0..20).position(|_| parser.feed(&piece).is_err());
        assert_eq!(refused, Some(ANSWER_BYTES / piece.len()));
    }
}
