//! From whatever went wrong to one sentence with a code, and to an exit status.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use p2p_control::api::{ErrorCode, Problem};

/// What a command ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Fine,
    /// The user can mend it.
    Mendable,
    OurFault,
    NoDaemon,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Mendable => 1,
            Exit::OurFault => 2,
            Exit::NoDaemon => 3,
        })
    }
}

impl From<&Problem> for Exit {
    fn from(problem: &Problem) -> Self {
        match problem.code.row().exit {
            3 => Self::NoDaemon,
            2 => Self::OurFault,
            _ => Self::Mendable,
        }
    }
}

/// A file that could not be read or written.
pub(crate) fn file(code: ErrorCode, path: &Path, error: impl Display) -> Problem {
    Problem::new(code, format!("{}: {error}", path.display()))
}

/// A problem of this code from a text that reads `what - why - what to do`; any other text is the
/// why.
pub(crate) fn of_three_parts(code: ErrorCode, text: &str) -> Problem {
    let parts: Vec<&str> = text.splitn(3, " - ").collect();
    let [what, why, how] = parts[..] else { return Problem::new(code, text) };
    Problem { title: sentence(what), ..Problem::new(code, why).with_hint(sentence(how)) }
}

/// What clap refused of `command`, and what else it says about that (how the command is used).
pub(crate) fn usage(error: &clap::Error, command: &str) -> (Problem, String) {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let (first, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut detail = first.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut tips = Vec::new();
    let mut beside = Vec::new();
    for line in rest.lines() {
        match line.trim().strip_prefix("tip: ") {
            Some(tip) => tips.push(sentence(tip)),
            None if line.starts_with("For more information") => {}
            None => beside.push(line),
        }
    }
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        beside = text.lines().collect();
        detail = "a command is missing".to_owned();
    }
    let problem = Problem::new(ErrorCode::Usage, detail);
    tips.push(format!("{} `{command} --help`", if tips.is_empty() { "See" } else { "see" }));
    let problem = problem.with_hint(tips.join("; "));
    (problem, beside.join("\n").trim().to_owned())
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> (Problem, String) {
        let error = crate::args::command().try_get_matches_from(line.split(' ')).expect_err("a mistake");
        let arguments: Vec<_> = line.split(' ').map(Into::into).collect();
        usage(&error, &crate::alias::named(&arguments))
    }

    #[test]
    fn usage_errors_say_what_is_wrong_and_what_may_be_meant() {
        let (problem, beside) = refused("p2p-agent task submit embed --txt x");
        assert_eq!(problem.code, ErrorCode::Usage);
        assert_eq!(problem.detail, "unexpected argument '--txt' found");
        assert_eq!(problem.hint, "A similar argument exists: '--text'; see `p2p-agent task submit --help`");
        assert!(beside.starts_with("Usage: p2p-agent task submit"), "{beside}");
        assert!(!beside.contains("For more information"), "{beside}");

        let (problem, _) = refused("p2p-agent statsu");
        assert!(problem.detail.contains("statsu") && problem.hint.contains("status"), "{problem}");

        let (problem, _) = refused("p2p-agent pause --for 30");
        assert!(problem.detail.contains("write it as in"), "{problem}");
        assert_eq!(problem.hint, "See `p2p-agent pause --help`");

        let (problem, _) = refused("p2p-agent --home /x task submit embed");
        assert!(problem.detail.contains("--text") && problem.detail.contains("--file"), "{problem}");
        assert_eq!(problem.hint, "See `p2p-agent task submit --help`");
        assert_eq!(refused("p2p-agent --nonsense").0.hint, "See `p2p-agent --help`");
    }

    #[test]
    fn missing_commands_are_one_sentence_too() {
        let (problem, beside) = refused("p2p-agent task");
        assert!(!problem.detail.contains('\n') && problem.detail.len() < 120, "{problem}");
        assert!(beside.contains("submit"), "{beside}");
    }

    #[test]
    fn texts_of_three_parts_become_whole_problems() {
        let problem = of_three_parts(ErrorCode::HomeUnusable, "no home - HOME is not set - use --home DIR");
        assert_eq!(problem.to_string(), "No home - HOME is not set - Use --home DIR [E1008]");
        let problem = of_three_parts(ErrorCode::HomeUnusable, "out of luck");
        assert_eq!(
            (problem.title.as_str(), problem.detail.as_str()),
            ("The home folder cannot be used", "out of luck")
        );
    }

    #[test]
    fn exit_statuses_follow_the_table() {
        for code in ErrorCode::ALL {
            let expected = match code.row().exit {
                1 => Exit::Mendable,
                2 => Exit::OurFault,
                3 => Exit::NoDaemon,
                other => panic!("{code}: {other}"),
            };
            assert_eq!(Exit::from(&Problem::new(*code, "")), expected);
        }
    }
}
