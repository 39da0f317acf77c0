//! Passphrases: typed where nobody sees them, or one line on stdin where no terminal is. Never an
//! argument and never in the environment, which other programs can read.

use std::io::{self, BufRead, IsTerminal as _};

use p2p_control::api::{ErrorCode, Problem};
use zeroize::Zeroizing;

/// The longest passphrase, in bytes.
const LIMIT: usize = 1024;

/// A new passphrase, typed twice.
///
/// # Errors
/// Where it is too short, the second differs from the first, or none comes.
pub(super) fn chosen() -> Result<Zeroizing<String>, Problem> {
    if !io::stdin().is_terminal() {
        return line(io::stdin().lock());
    }
    let first = typed("A passphrase for the file, of 12 characters or more: ")?;
    p2p_agent::home::check_passphrase(&first)?;
    if *typed("The same again: ")? == *first {
        return Ok(first);
    }
    let problem =
        Problem::new(ErrorCode::Usage, "the second was another one").with_hint("Try again; nothing was saved");
    Err(Problem { title: "The passphrases differ".to_owned(), ..problem })
}

/// The passphrase of a file that is there.
///
/// # Errors
/// Where none comes.
pub(super) fn known() -> Result<Zeroizing<String>, Problem> {
    if io::stdin().is_terminal() { typed("The file's passphrase: ") } else { line(io::stdin().lock()) }
}

fn typed(question: &str) -> Result<Zeroizing<String>, Problem> {
    rpassword::prompt_password(question).map(Zeroizing::new).map_err(|error| missing(&error.to_string()))
}

/// One line, without its end.
fn line(source: impl BufRead) -> Result<Zeroizing<String>, Problem> {
    // Room for all of it, so that no copy stays behind where it grew.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
    source.take(LIMIT as u64 + 1).read_until(b'\n', &mut bytes).map_err(|error| missing(&error.to_string()))?;
    if bytes.len() > LIMIT {
        return Err(missing(&format!("the line on stdin is longer than {LIMIT} bytes")));
    }
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok("") => Err(missing("stdin is no terminal, and no line came from it")),
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(missing("the line on stdin is not valid UTF-8")),
    }
}

fn missing(why: &str) -> Problem {
    let problem = Problem::new(ErrorCode::Usage, why);
    let problem = problem.with_hint("Type it in a terminal, or give it as one line on stdin");
    Problem { title: "There is no passphrase".to_owned(), ..problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_read_without_its_end() {
        for (input, passphrase) in [("a b c\n", "a b c"), ("a b c\r\nmore\n", "a b c"), (" a ", " a ")] {
            assert_eq!(*line(input.as_bytes()).expect(input), passphrase);
        }
        assert_eq!(line(&[b'x'; LIMIT][..]).expect("as long as may be").len(), LIMIT);
    }

    #[test]
    fn what_is_no_line_is_said_and_not_shown() {
        for (input, why) in [
            (&b""[..], "no line came"),
            (b"\nsecret\n", "no line came"),
            (b"secret\xff\n", "UTF-8"),
            (&[b'x'; LIMIT + 1], "longer than 1024"),
        ] {
            let refused = line(input).expect_err("refused").to_string();
            assert!(refused.contains(why) && !refused.contains("secret") && !refused.contains("xx"), "{refused}");
        }
    }
}
