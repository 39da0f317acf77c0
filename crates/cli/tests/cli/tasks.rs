//! Tasks, from the arguments to the engine and from its events to results and a status.

use p2p_types::{Placement, Priority, Privacy};

use crate::engine::{Engine, Script};
use crate::node::Node;
use crate::samples::{OWN, PEER, TASK};

fn with_engine(script: Script) -> (Node, Engine) {
    let node = Node::new();
    let engine = Engine::start(&node.home(), script);
    (node, engine)
}

#[test]
fn waiting_shows_every_step_and_who_did_it_then_the_results() {
    let (node, _engine) = with_engine(Script::default());
    let ran = node.run(&["task", "submit", "sentiment", "--text", "I like it", "--text", "Me too", "--wait"]);
    let ran = ran.expect_status(0);
    let steps: Vec<&str> = ran.stderr.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(steps, ["Searching", "Assigned", "Computing", "Done"], "{}", ran.stderr);
    assert!(ran.stderr.contains(&PEER.short()) && !ran.stderr.contains(&OWN.short()), "{}", ran.stderr);
    assert!(ran.stdout.contains("positive  97.3 %  I like it\n") && ran.stdout.contains("Me too"), "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("Computed by {} in 4 ms.", PEER.short())), "{}", ran.stdout);
}

#[test]
fn programs_get_one_document() {
    let (node, _engine) = with_engine(Script::default());
    let ran = node.run(&["task", "submit", "sentiment", "--text", "I like it", "--wait", "--json"]).expect_status(0);
    let document = ran.json();
    assert_eq!((&document["task_id"], &document["state"]), (&TASK.to_string().into(), &"done".into()));
    assert_eq!(document["stages"].as_array().map(Vec::len), Some(4));
    assert_eq!(document["results"][0]["label"], "positive");
    assert!(document["results"][0]["score"].as_f64().is_some_and(|score| score > 0.9));
    assert_eq!(document["providers"][0], PEER.to_string());
    assert_eq!(document["receipts"].as_array().map(Vec::len), Some(1));
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
}

#[test]
fn a_text_that_failed_leaves_its_error_in_its_place() {
    let (node, _engine) = with_engine(Script { failed: vec![1], ..Script::default() });
    let submit = ["task", "submit", "sentiment", "--text", "a", "--text", "b", "--text", "c", "--wait"];
    let ran = node.run(&submit);
    ran.expect_error("E2012", 1);
    assert!(ran.stdout.contains("2  E2008 the deadline passed") && ran.stdout.contains("97.3 %"), "{}", ran.stdout);
    assert!(ran.stderr.contains("1 of 3 texts"), "{}", ran.stderr);

    let mut json = submit.to_vec();
    json.push("--json");
    let document = node.run(&json).expect_status(1).json();
    assert_eq!(document["state"], "partial");
    assert_eq!(document["results"][1]["error"]["code"], "E2008");
    assert_eq!(document["results"][2]["label"], "positive");
}

#[test]
fn a_task_that_failed_says_why() {
    let (node, _engine) = with_engine(Script { failed: vec![0], ..Script::default() });
    let ran = node.run(&["task", "submit", "sentiment", "--text", "a", "--wait"]);
    ran.expect_error("E2008", 1);
    assert!(ran.stderr.contains("nobody was quick enough"), "{}", ran.stderr);
    let document =
        node.run(&["task", "submit", "sentiment", "--text", "a", "--wait", "--json"]).expect_status(1).json();
    assert_eq!((&document["state"], &document["error"]["code"]), (&"failed".into(), &"E2008".into()));
}

#[test]
fn lost_events_are_asked_for() {
    let (node, _engine) = with_engine(Script { loses_the_end: true, ..Script::default() });
    let ran = node.run(&["task", "submit", "sentiment", "--text", "a", "--wait", "--json"]).expect_status(0);
    assert_eq!(ran.json()["state"], "done");
}

#[test]
fn a_daemon_without_a_stream_to_spare_is_asked_for_every_step() {
    let (node, _engine) = with_engine(Script::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let socket = node.home().socket();
    let taken = runtime.block_on(async {
        let client = p2p_control::Client::connect(&socket).await.expect("it listens");
        let mut taken = Vec::new();
        while let Ok(stream) = client.events().await {
            taken.push(stream);
        }
        taken
    });
    assert!(taken.len() > 1);
    let ran = node.run(&["task", "submit", "sentiment", "--text", "I like it", "--wait"]).expect_status(0);
    assert!(ran.stderr.contains("Computing") && ran.stderr.contains("Done"), "{}", ran.stderr);
    assert!(ran.stdout.contains("positive  97.3 %  I like it\n"), "{}", ran.stdout);
    let ran = node.run(&["demo", "What a lovely day"]).expect_status(0);
    assert!(ran.stdout.starts_with("It sounds positive"), "{}", ran.stdout);
}

#[test]
fn everything_that_was_asked_for_reaches_the_engine() {
    let (node, engine) = with_engine(Script::default());
    let arguments = [
        "task",
        "submit",
        "chunk",
        "--file",
        "-",
        "--privacy",
        "public",
        "--where",
        "network",
        "--priority",
        "high",
        "--deadline",
        "1m30s",
        "--chunk-tokens",
        "64",
        "--chunk-overlap",
        "8",
    ];
    let ran = node.run_with_input(&arguments, b"one\ntwo\n").expect_status(0);
    assert!(ran.stdout.contains(&TASK.to_string()) && ran.stderr.contains("task watch 3f3f3f3f"), "{ran:?}");
    node.run(&["task", "submit", "embed", "--text", "a"]).expect_status(0);

    let asked = engine.asked.lock().expect("no panic");
    let [first, second] = &asked.submitted[..] else { panic!("{asked:?}") };
    assert_eq!(first.texts, ["one\ntwo\n"]);
    assert_eq!((first.privacy, first.placement, first.priority), (Privacy::Public, Placement::Network, Priority::High));
    assert_eq!(
        (first.deadline_ms, first.chunk.map(|chunk| (chunk.tokens, chunk.overlap))),
        (Some(90_000), Some((64, 8)))
    );
    assert_eq!((second.privacy, second.placement), (Privacy::Local, Placement::Auto));
    assert_eq!((second.priority, second.deadline_ms, second.chunk), (Priority::Normal, None, None));
}

#[test]
fn tasks_are_listed_shown_watched_and_cancelled_by_a_part_of_their_id() {
    let (node, engine) = with_engine(Script::default());
    assert!(node.run(&["task", "list"]).expect_status(0).stdout.starts_with("You have submitted no task"));
    node.run(&["task", "submit", "sentiment", "--text", "a"]).expect_status(0);
    let list = node.run(&["task", "list"]).expect_status(0).stdout;
    assert!(list.contains("3f3f3f3f") && list.contains("1/1"), "{list}");
    let shown = node.run(&["task", "show", "3f3f"]).expect_status(0).stdout;
    for piece in [&TASK.to_string()[..], "Searching", "Computing", "positive", "Receipts"] {
        assert!(shown.contains(piece), "{piece} is not in {shown}");
    }
    let document = node.run(&["task", "show", &TASK.to_string(), "--json"]).expect_status(0).json();
    assert_eq!(document["state"], "done");
    let watched = node.run(&["task", "watch", "3f3f"]).expect_status(0);
    assert!(watched.stderr.contains("Assigned") && watched.stdout.contains("positive"), "{watched:?}");
    node.run(&["task", "cancel", "3f3f"]).expect_status(0);
    assert_eq!(engine.asked.lock().expect("no panic").cancelled, 1);
    node.run(&["task", "show", "3f"]).expect_error("E2007", 1);
    node.run(&["task", "show", "ffff"]).expect_error("E2007", 1);
}

#[test]
fn the_demo_answers_in_words_and_sends_only_to_trusted_computers() {
    let (node, engine) = with_engine(Script::default());
    let ran = node.run(&["demo", "What a lovely day"]).expect_status(0);
    let expected = format!("It sounds positive (97.3 %). Another computer ({}) computed that in 4 ms.\n", PEER.short());
    assert_eq!(ran.stdout, expected);
    let asked = engine.asked.lock().expect("no panic");
    assert_eq!(asked.submitted[0].texts, ["What a lovely day"]);
    assert_eq!((asked.submitted[0].privacy, asked.submitted[0].placement), (Privacy::Trusted, Placement::Auto));
}

#[cfg(unix)]
#[test]
fn ctrl_c_cancels_the_task_that_is_waited_for() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let (node, engine) = with_engine(Script { never_ends: true, ..Script::default() });
    let mut command = node.command(&["task", "submit", "sentiment", "--text", "a", "--wait"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("p2p-agent runs");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("Computing")), "it waits for the task");
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.expect("kill runs").success());
    assert!(lines.any(|line| line.ends_with("[E2011]")), "it says that the task was cancelled");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    assert_eq!(engine.asked.lock().expect("no panic").cancelled, 1);
}
