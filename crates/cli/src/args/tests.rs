use super::*;

#[test]
fn the_tree_is_sound() {
    command().debug_assert();
}

/// Whoever adds a command must put it into the overview.
#[test]
fn the_overview_names_every_command_once() {
    let shown: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let known: Vec<String> =
        Cli::command().get_subcommands().filter(|c| !c.is_hide_set()).map(|c| c.get_name().to_owned()).collect();
    for name in &known {
        assert_eq!(shown.iter().filter(|listed| *listed == name).count(), 1, "{name}");
    }
    assert_eq!(shown.len(), known.len() + 1, "every listed command exists, and `help` is clap's own");
    let help = command().render_help().to_string();
    assert!(help.contains("  up          Start the node"), "{help}");
}

#[test]
fn every_command_has_a_sentence_and_examples() {
    fn walk(command: &clap::Command, path: &str) {
        for child in command.get_subcommands() {
            let path = format!("{path} {}", child.get_name());
            assert!(child.get_about().is_some(), "{path} has no description");
            let after = child.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.starts_with("Examples:\n"), "{path} has no examples");
            let lines = child.clone().render_help().to_string().lines().count();
            assert!(lines < 50, "{path}: {lines} lines of help");
            walk(child, &path);
        }
    }
    walk(&Cli::command(), "p2p-agent");
}

/// Examples are copied by people: each must parse.
#[test]
fn every_example_parses() {
    fn examples(command: &clap::Command, found: &mut Vec<String>) {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = after.lines().filter_map(|line| line.strip_prefix("  p2p-agent "));
        found.extend(lines.map(|line| line.split("   ").next().unwrap_or(line).to_owned()));
        command.get_subcommands().for_each(|child| examples(child, found));
    }
    let mut found = Vec::new();
    examples(&Cli::command(), &mut found);
    assert!(found.len() > 40, "{found:?}");
    for example in found {
        let line = example.split(['|', '<']).next().unwrap_or(&example).trim();
        let parsed = Cli::try_parse_from(std::iter::once("p2p-agent".to_owned()).chain(words_of(line)));
        assert!(parsed.is_ok(), "{line}: {}", parsed.expect_err("checked").render());
    }
}

/// Splits as a shell does, as far as the examples need it.
fn words_of(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().expect("starts with one").push(c),
        }
    }
    words
}

#[test]
fn submit_needs_a_text_from_somewhere() {
    assert!(Cli::try_parse_from(["p2p-agent", "task", "submit", "embed"]).is_err());
    assert!(Cli::try_parse_from(["p2p-agent", "task", "submit", "embed", "--file", "-"]).is_ok());
    assert!(Cli::try_parse_from(["p2p-agent", "task", "submit", "embed", "--text", "-5 degrees"]).is_ok());
}
