//! Errors of the rooms below as problems. Their texts read `what - why - what to do`; a problem has
//! a place of its own for each.

use std::fmt::Display;

use p2p_control::api::{ErrorCode, Problem};

/// A problem of this code, with the error's own what and why, and its advice where it gives one.
pub(crate) fn of(code: ErrorCode, error: &impl Display) -> Problem {
    let said = error.to_string();
    let (why, advice) = split(&said);
    let problem = Problem::new(code, why);
    match advice {
        Some(advice) => problem.with_hint(sentence(advice)),
        None => problem,
    }
}

/// What happened and why, without what to do about it.
pub(crate) fn why(error: &impl Display) -> String {
    split(&error.to_string()).0
}

fn split(said: &str) -> (String, Option<&str>) {
    let Some(end) = said[quoted(said)..].find(" - ").map(|at| quoted(said) + at) else {
        return (said.to_owned(), None);
    };
    let (what, rest) = (&said[..end], &said[end + 3..]);
    // What another library said stands in the middle, and may have dashes of its own.
    match rest.rsplit_once(" - ") {
        Some((why, advice)) => (format!("{what}: {why}"), Some(advice)),
        None => (format!("{what}: {rest}"), None),
    }
}

/// How much of the beginning is a path in quotes, which may hold anything.
fn quoted(said: &str) -> usize {
    let Some(rest) = said.strip_prefix('"') else { return 0 };
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        match c {
            '"' if !escaped => return at + 2,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    0
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use p2p_store::StoreError;

    use super::*;

    #[test]
    fn each_part_has_a_place_of_its_own() {
        let path = PathBuf::from("/data - old/a\"b - c.sqlite");
        let problem = of(ErrorCode::Storage, &StoreError::Corrupt { path: path.clone() });
        assert_eq!(problem.title, ErrorCode::Storage.row().title);
        let why = "cannot be read: it is damaged, or another program wrote it; nothing was changed";
        assert_eq!(problem.detail, format!("{path:?} {why}"));
        assert!(problem.hint.starts_with("Restore a copy, or move it"), "{problem}");
        assert!(!problem.hint.contains("room and rights"), "one advice is enough: {problem}");

        let source = std::io::Error::other("no - really - not");
        let problem = of(ErrorCode::Storage, &StoreError::Io { path: path.clone(), source });
        assert_eq!(problem.detail, format!("{path:?} cannot be used: no - really - not"));
        assert_eq!(problem.hint, "Check the disk and the permissions of the folder");
    }

    #[test]
    fn what_has_fewer_parts_is_a_why() {
        let problem = of(ErrorCode::Storage, &"out of luck");
        assert_eq!((problem.detail.as_str(), problem.hint.as_str()), ("out of luck", ErrorCode::Storage.row().hint));
        assert_eq!(why(&"the door - is shut"), "the door: is shut");
        assert_eq!(why(&"\"half a path - and - more"), "\"half a path: and");
    }
}
