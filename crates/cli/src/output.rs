//! The single gate for everything that is printed. Results go to stdout; progress, hints, warnings
//! and errors to stderr. With `--json` stdout carries JSON alone.

mod page;

use std::io::{IsTerminal, Write};

use p2p_control::api::Problem;
use serde::Serialize;

use crate::args::Global;
use page::harmless_json;
pub(crate) use page::{Cell, Page, Table, Tint, clean};

#[derive(Debug, Clone)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    pub(crate) verbose: bool,
    colour_out: bool,
    colour_err: bool,
}

impl Output {
    pub(crate) fn new(global: &Global) -> Self {
        let colour = !global.no_color && colours_wanted();
        Self {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            colour_out: colour && std::io::stdout().is_terminal(),
            colour_err: colour && std::io::stderr().is_terminal(),
        }
    }

    /// Whether somebody sits there who can be asked.
    pub(crate) fn interactive(&self) -> bool {
        !self.json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Whether stdout is for programs.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Whether colours are wanted, wherever the terminal is.
    pub(crate) const fn colours(&self) -> bool {
        self.colour_out || self.colour_err
    }

    /// The answer of a command: one JSON document, or a page for people.
    pub(crate) fn reply<T: Serialize + ?Sized>(&self, value: &T, draw: impl FnOnce(&mut Page)) {
        if self.json {
            let text = serde_json::to_string_pretty(value).expect("replies have string keys");
            let mut text = harmless_json(&text);
            text.push('\n');
            put(&mut std::io::stdout().lock(), &text);
        } else {
            self.page(draw);
        }
    }

    /// One of many answers that come one after another: a line of JSON each, or a piece of page.
    pub(crate) fn item<T: Serialize + ?Sized>(&self, value: &T, draw: impl FnOnce(&mut Page)) {
        if self.json {
            let mut text = Self::json_line(value);
            text.push('\n');
            put(&mut std::io::stdout().lock(), &text);
        } else {
            self.page(draw);
        }
    }

    /// A document on one line, without the line's end.
    pub(crate) fn json_line<T: Serialize + ?Sized>(value: &T) -> String {
        harmless_json(&serde_json::to_string(value).expect("replies have string keys"))
    }

    /// Text in a format of its own: a completion script, measurements, a table for spreadsheets.
    pub(crate) fn raw(&self, text: &str) {
        put(&mut std::io::stdout().lock(), text);
    }

    /// Progress: for people who wait.
    pub(crate) fn progress(&self, text: &str) {
        if !self.json && !self.quiet {
            self.to_stderr(|page| page.line(text));
        }
    }

    /// Something beside the answer that is good to know.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            self.correction(text);
        }
    }

    /// How the command is rather typed: also for who writes programs.
    pub(crate) fn correction(&self, text: &str) {
        if !self.quiet {
            self.to_stderr(|page| page.tinted(Tint::Faint, text));
        }
    }

    /// Something that does not work while the rest does. Programs read it in the document.
    pub(crate) fn warn(&self, text: &str) {
        if !self.json {
            self.to_stderr(|page| page.tinted(Tint::Warn, &format!("Warning: {text}")));
        }
    }

    /// Why the command did not do what it was asked.
    pub(crate) fn problem(&self, problem: &Problem) {
        if self.json {
            self.reply(&serde_json::json!({ "error": problem }), |_| {});
        } else {
            self.to_stderr(|page| page.error(problem));
        }
    }

    /// A problem that the answer on stdout has told programs already.
    pub(crate) fn problem_for_people(&self, problem: &Problem) {
        if !self.json {
            self.to_stderr(|page| page.error(problem));
        }
    }

    /// More on a problem, line by line; nothing with `--json`.
    pub(crate) fn beside_problem(&self, text: &str) {
        if !self.json {
            self.to_stderr(|page| text.lines().for_each(|line| page.line(line)));
        }
    }

    /// A question, without the end of the line; the answer, trimmed. `None` at the end of input.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        put(&mut std::io::stderr().lock(), &format!("{} ", clean(question)));
        let mut answer = String::new();
        match std::io::stdin().read_line(&mut answer) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(answer.trim().to_owned()),
        }
    }

    fn page(&self, draw: impl FnOnce(&mut Page)) {
        let mut page = Page::new(self.colour_out);
        draw(&mut page);
        put(&mut std::io::stdout().lock(), page.text());
    }

    fn to_stderr(&self, draw: impl FnOnce(&mut Page)) {
        let mut page = Page::new(self.colour_err);
        draw(&mut page);
        // Nobody is left to hear that stderr is closed.
        let _ = std::io::stderr().lock().write_all(page.text().as_bytes());
    }
}

/// A line of the daemon's own on stderr, before or without any log.
pub(crate) fn stderr_line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Text on stdout that no option changes: help, the version, a daemon's report.
pub(crate) fn plain(text: &str) {
    put(&mut std::io::stdout().lock(), text);
}

/// Writes it all at once. A reader that went away (`| head`) ends the command quietly; a full disk
/// behind a redirect does not.
fn put(stream: &mut impl Write, text: &str) {
    let written = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            stderr_line(&format!("Error: The output could not be written - {error} - Check where it goes [E1013]"));
            std::process::exit(1);
        }
    }
}

fn colours_wanted() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
