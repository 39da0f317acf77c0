//! Help, mistakes of usage, completions: no home is touched.

use std::io::Read;
use std::process::{Command, Stdio};

use crate::node::{Node, Ran};

#[test]
fn help_is_an_overview_and_fine() {
    let node = Node::new();
    for arguments in [&["--help"][..], &["help"], &["-h"]] {
        let ran = node.run(arguments).expect_status(0);
        for piece in ["This node:", "Work:", "Others:", "Examples:", "  demo ", "--home <DIR>", "Exit status:"] {
            assert!(ran.stdout.contains(piece), "{piece} is not in {}", ran.stdout);
        }
        assert!(ran.stderr.is_empty() && !ran.stdout.contains('\x1b'), "{ran:?}");
        assert!(ran.stdout.lines().count() < 60, "{}", ran.stdout);
    }
    let ran = node.run(&["help", "task", "submit"]).expect_status(0);
    assert!(ran.stdout.contains("--deadline <DURATION>") && ran.stdout.contains("Examples:"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("noop"), "for benchmarks only");
    assert!(!node.root.exists(), "help makes no home");
}

#[test]
fn versions_are_told() {
    let node = Node::new();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(node.run(&["--version"]).expect_status(0).stdout, format!("p2p-agent {version}\n"));
    assert_eq!(node.run(&["version"]).expect_status(0).stdout, format!("P2P Agent {version}\n"));
    let document = node.run(&["version", "--json"]).expect_status(0).json();
    assert_eq!((&document["version"], &document["daemon"]), (&version.into(), &serde_json::Value::Null));
}

#[test]
fn mistakes_of_usage_are_status_1_with_a_code_and_a_tip() {
    let node = Node::new();
    let ran = node.run(&["statsu"]);
    ran.expect_error("E1015", 1);
    assert!(ran.stderr.contains("'status'") && ran.stdout.is_empty(), "{ran:?}");
    let ran = node.run(&["task", "submit", "sentiment", "--txt", "x"]);
    ran.expect_error("E1015", 1);
    assert!(ran.stderr.contains("--text") && ran.stderr.contains("Usage: p2p-agent task submit"), "{}", ran.stderr);
    node.run(&[]).expect_status(1);
    node.run(&["task"]).expect_status(1);
    node.run(&["task", "submit", "sentiment"]).expect_error("E1015", 1);
    node.run(&["pause", "--for", "30"]).expect_error("E1015", 1);
    node.run(&["task", "submit", "embed", "--text", "x", "--privacy", "secret"]).expect_error("E1015", 1);
    let error = node.run(&["statsu", "--json"]).expect_json_error("E1015", 1);
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("status")), "{error}");
}

#[test]
fn old_and_other_names_work_and_say_the_canonical_one() {
    let node = Node::new();
    for (typed, canonical) in [
        (&["stop", "agent"][..], "p2p-agent down"),
        (&["list", "peers"], "p2p-agent peer list"),
        (&["task", "status", "0123"], "p2p-agent task show"),
        (&["balance"], "p2p-agent wallet balance"),
        (&["departures"], "p2p-agent privacy log"),
    ] {
        let ran = node.run(typed);
        ran.expect_error("E1001", 3);
        assert!(ran.stderr.contains(&format!("`{canonical}`")), "{}", ran.stderr);
    }
    let quiet = node.run(&["--quiet", "stop", "agent"]);
    assert_eq!(quiet.stderr.lines().count(), 1, "{}", quiet.stderr);
    assert!(!node.run(&["--help"]).stdout.contains("stop agent"), "they are hidden");
}

#[test]
fn completions_are_there_for_four_shells() {
    let node = Node::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = node.run(&["completion", shell]).expect_status(0).stdout;
        for word in ["task", "submit", "untrust", "foreground"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
    node.run(&["completion", "tcsh"]).expect_error("E1015", 1);
}

/// `p2p-agent completion bash | head -1`
#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let node = Node::new();
    let mut command = node.command(&["completion", "bash"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("p2p-agent runs");
    let mut first = [0; 1];
    child.stdout.take().expect("piped").read_exact(&mut first).expect("one byte");
    let ran = Ran::of(child.wait_with_output().expect("it ends"));
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
}

#[test]
fn the_daemon_has_help_and_refuses_what_it_does_not_know() {
    let daemon = |arguments: &[&str]| {
        Ran::of(Command::new(env!("CARGO_BIN_EXE_p2p-daemon")).args(arguments).output().expect("p2p-daemon runs"))
    };
    let help = daemon(&["--help"]).expect_status(0);
    assert!(help.stdout.contains("--home <DIR>") && !help.stdout.contains("--report"), "{}", help.stdout);
    daemon(&["--hme", "x"]).expect_error("E1015", 1);
}
