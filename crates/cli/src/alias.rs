//! Other ways to say a command: verb before noun, `start` and `stop`, old names. Each is turned
//! into the canonical form before the arguments are parsed, and the canonical form is said.

use std::ffi::OsString;

/// First and second word as typed, and what they mean. An empty second word means that there is
/// none; the words of one row are tried from the longest on.
const FORMS: &[(&str, &[&str], &[&str])] = &[
    ("start", &["agent", "node", "daemon"], &["up"]),
    ("start", &[""], &["up"]),
    ("stop", &["agent", "node", "daemon"], &["down"]),
    ("stop", &[""], &["down"]),
    ("restart", &["agent", "node", "daemon"], &["restart"]),
    ("pause", &["agent", "node"], &["pause"]),
    ("resume", &["agent", "node"], &["resume"]),
    ("show", &["status"], &["status"]),
    ("open", &["dashboard"], &["dashboard"]),
    ("show", &["dashboard"], &["dashboard"]),
    ("status", &["agent", "node"], &["status"]),
    ("s", &[""], &["status"]),
    ("submit", &["task"], &["task", "submit"]),
    ("list", &["task", "tasks"], &["task", "list"]),
    ("show", &["task"], &["task", "show"]),
    ("task", &["status"], &["task", "show"]),
    ("watch", &["task"], &["task", "watch"]),
    ("cancel", &["task"], &["task", "cancel"]),
    ("balance", &[""], &["wallet", "balance"]),
    ("show", &["wallet", "balance"], &["wallet", "balance"]),
    ("wallet", &["show"], &["wallet", "balance"]),
    ("wallet", &["list"], &["wallet", "history"]),
    ("list", &["peer", "peers", "agents", "nodes"], &["peer", "list"]),
    ("show", &["peer", "agent", "node"], &["peer", "show"]),
    ("trust", &["peer"], &["peer", "trust"]),
    ("untrust", &["peer"], &["peer", "untrust"]),
    ("create", &["network"], &["network", "create"]),
    ("show", &["network"], &["network", "show"]),
    ("join", &["network"], &["network", "join"]),
    ("leave", &["network"], &["network", "leave"]),
    ("list", &["networks"], &["network", "nearby"]),
    ("show", &["identity"], &["identity", "show"]),
    ("departures", &[""], &["privacy", "log"]),
    ("get", &["config"], &["config", "get"]),
    ("set", &["config"], &["config", "set"]),
    ("validate", &["config"], &["config", "validate"]),
    ("show", &["config"], &["config", "list"]),
    ("list", &["config"], &["config", "list"]),
    ("config", &["show"], &["config", "list"]),
    ("config", &["show-active", "show-search-path"], &["config", "path"]),
    ("show", &["metrics"], &["metrics"]),
    ("show", &["logs"], &["logs"]),
    ("tail", &["logs"], &["logs"]),
];

/// Options that are followed by a value of their own.
const WITH_VALUE: &[&str] = &["--home", "--config", "-c"];

/// The arguments in canonical form, and that form where it differs from what was typed.
pub(crate) fn canonical(arguments: Vec<OsString>) -> (Vec<OsString>, Option<String>) {
    let Some(first) = next_word(&arguments, 1) else { return (arguments, None) };
    let second = next_word(&arguments, first + 1);
    let verb = arguments[first].to_str().unwrap_or_default();
    let noun = second.and_then(|at| arguments[at].to_str()).unwrap_or_default();

    let fits = |wanted: &str| FORMS.iter().find(|(word, nouns, _)| *word == verb && nouns.contains(&wanted));
    let (form, nouns) = match (fits(noun).filter(|_| !noun.is_empty()), fits("")) {
        (Some(form), _) => (form, second),
        (None, Some(form)) => (form, None),
        (None, None) => return (arguments, None),
    };

    let mut rewritten = Vec::with_capacity(arguments.len() + 1);
    for (at, argument) in arguments.into_iter().enumerate() {
        if at == first {
            rewritten.extend(form.2.iter().map(OsString::from));
        } else if Some(at) != nouns {
            rewritten.push(argument);
        }
    }
    (rewritten, Some(format!("p2p-agent {}", form.2.join(" "))))
}

/// The command that canonical arguments name, as far as they name one: `p2p-agent task submit`.
pub(crate) fn named(arguments: &[OsString]) -> String {
    let mut name = "p2p-agent".to_owned();
    let tree = crate::args::command();
    let (mut command, mut from) = (&tree, 1);
    while let Some(at) = next_word(arguments, from) {
        let Some(child) = arguments[at].to_str().and_then(|word| command.find_subcommand(word)) else { break };
        name.push(' ');
        name.push_str(child.get_name());
        (command, from) = (child, at + 1);
    }
    name
}

/// Where the next argument stands that is neither an option nor an option's value.
fn next_word(arguments: &[OsString], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(argument) = arguments.get(at) {
        let text = argument.to_str()?;
        if text == "--" {
            return None;
        }
        if WITH_VALUE.contains(&text) {
            at += 1;
        } else if !text.starts_with('-') {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(line: &str) -> (String, Option<String>) {
        let arguments = line.split(' ').map(OsString::from).collect();
        let (arguments, said) = canonical(arguments);
        let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        (words.join(" "), said)
    }

    #[test]
    fn verbs_before_nouns_become_canonical() {
        for (typed, meant) in [
            ("p2p-agent start agent", "p2p-agent up"),
            ("p2p-agent start", "p2p-agent up"),
            ("p2p-agent start --foreground", "p2p-agent up --foreground"),
            ("p2p-agent stop agent", "p2p-agent down"),
            ("p2p-agent submit task embed --text x", "p2p-agent task submit embed --text x"),
            ("p2p-agent --home /x --json list peers -q", "p2p-agent --home /x --json peer list -q"),
            ("p2p-agent task status 3f", "p2p-agent task show 3f"),
            ("p2p-agent s --watch", "p2p-agent status --watch"),
            ("p2p-agent departures --json", "p2p-agent privacy log --json"),
            ("p2p-agent config show-active", "p2p-agent config path"),
        ] {
            let (said, canonical) = rewritten(typed);
            assert_eq!(said, meant, "{typed}");
            assert!(canonical.is_some_and(|form| said.replace("--home /x --json ", "").starts_with(&form)), "{typed}");
        }
    }

    #[test]
    fn what_is_canonical_stays_and_nothing_is_said() {
        for line in [
            "p2p-agent status",
            "p2p-agent status --watch",
            "p2p-agent task list",
            "p2p-agent demo start",
            "p2p-agent restart",
            "p2p-agent pause --for 30m",
            "p2p-agent --home start status",
            "p2p-agent nonsense",
            "p2p-agent",
        ] {
            assert_eq!(rewritten(line), (line.to_owned(), None));
        }
    }

    /// Every form leads to a command that exists.
    #[test]
    fn every_form_leads_somewhere() {
        let tree = crate::args::command();
        for (verb, _, meant) in FORMS {
            let mut at = &tree;
            for word in *meant {
                at = at.find_subcommand(word).unwrap_or_else(|| panic!("{verb} leads to {meant:?}"));
            }
        }
    }
}
