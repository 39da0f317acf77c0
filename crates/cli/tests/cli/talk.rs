//! Everything else that is asked of a daemon.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::engine::{Engine, Script};
use crate::node::Node;
use crate::samples::{OWN, PEER};

fn with_engine() -> (Node, Engine) {
    let node = Node::new();
    let engine = Engine::start(&node.home(), Script::default());
    (node, engine)
}

#[test]
fn status_says_the_sentence_first() {
    let (node, _engine) = with_engine();
    let ran = node.run(&["status"]).expect_status(0);
    assert!(ran.stdout.starts_with("Waiting for work.\n"), "{}", ran.stdout);
    for piece in [&OWN.to_string()[..], "1 connected, 0 trusted", "none yet", "1 min", "7 of others done"] {
        assert!(ran.stdout.contains(piece), "{piece} is not in {}", ran.stdout);
    }
    assert!(ran.stderr.starts_with("Warning: The key file"), "{}", ran.stderr);
    let document = node.run(&["status", "--json"]).expect_status(0).json();
    for field in ["state", "device_id", "version", "pid", "uptime_ms", "ready_in_ms", "peers", "network"] {
        assert!(document.get(field).is_some(), "{field} is not in {document}");
    }
}

#[test]
fn watching_prints_a_line_a_change() {
    let (node, _engine) = with_engine();
    for json in [false, true] {
        let mut command = node.command(if json { &["status", "--watch", "--json"] } else { &["status", "--watch"] });
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("p2p-agent runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let (first, second) = (lines.next().expect("the state"), lines.next().expect("the change"));
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        if json {
            let state = |line: &str| {
                serde_json::from_str::<serde_json::Value>(line).expect("a document a line")["state"].clone()
            };
            assert_eq!((state(&first), state(&second)), ("waiting".into(), "paused".into()));
        } else {
            assert!(first.ends_with("Waiting for work.") && second.ends_with("Paused by you."), "{first}\n{second}");
        }
    }
}

#[test]
fn up_where_a_node_runs_already_is_fine() {
    let (node, _engine) = with_engine();
    let ran = node.run(&["up"]).expect_status(0);
    assert!(ran.stdout.starts_with("The node runs already.\nWaiting for work.\n"), "{}", ran.stdout);
    let document = node.run(&["up", "--json"]).expect_status(0).json();
    assert_eq!((&document["started"], &document["state"]), (&false.into(), &"waiting".into()));
}

#[test]
fn pausing_has_a_length() {
    let (node, engine) = with_engine();
    let ran = node.run(&["pause", "--for", "30m"]).expect_status(0);
    assert_eq!(ran.stdout, "Paused by you, for 30 min.\n");
    node.run(&["pause"]).expect_status(0);
    assert_eq!(node.run(&["resume"]).expect_status(0).stdout, "Waiting for work.\n");
    let asked: Vec<_> = engine.asked.lock().expect("no panic").paused.iter().map(|pause| pause.for_ms).collect();
    assert_eq!(asked, [Some(1_800_000), None]);
}

#[test]
fn peers_are_listed_shown_and_trusted_by_the_end_of_their_id() {
    let (node, engine) = with_engine();
    let list = node.run(&["peer", "list"]).expect_status(0).stdout;
    assert!(list.starts_with("PEER") && list.contains(&PEER.short()) && list.contains("1.2 ms"), "{list}");
    assert!(node.run(&["peer", "list", "--verbose"]).stdout.contains(&PEER.to_string()));
    node.run(&["peer", "trust", &PEER.short()]).expect_status(0);
    node.run(&["peer", "untrust", &PEER.to_string()]).expect_status(0);
    let asked: Vec<_> = engine.asked.lock().expect("no panic").trusted.iter().map(|trust| trust.trusted).collect();
    assert_eq!(asked, [true, false]);
    node.run(&["peer", "show", "nobody"]).expect_error("E3005", 1);
}

#[test]
fn a_peer_cannot_steer_the_terminal() {
    let (node, _engine) = with_engine();
    let shown = node.run(&["peer", "show", &PEER.short()]).expect_status(0).stdout;
    assert!(shown.contains("1.0") && shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
}

#[test]
fn what_left_is_listed_without_the_texts() {
    let (node, _engine) = with_engine();
    let list = node.run(&["privacy", "log"]).expect_status(0).stdout;
    assert!(
        list.contains("2025-11-20 13:48:02Z") && list.contains(&PEER.short()) && list.contains("trusted"),
        "{list}"
    );
    let document = node.run(&["privacy", "log", "--json"]).expect_status(0).json();
    assert_eq!(document[0]["bytes"], 31);
}

#[test]
fn the_last_log_lines_are_shown() {
    let (node, _engine) = with_engine();
    let ran = node.run(&["logs", "-n", "2"]).expect_status(0);
    let said: Vec<_> = ran.stdout.lines().filter_map(|line| line.split(": ").nth(1)).collect();
    assert_eq!(said, ["line 3", "line 4"]);
    let json = node.run(&["logs", "-n", "1", "--json"]).expect_status(0);
    assert_eq!(json.json()["message"], "line 4");
}

#[test]
fn a_running_daemon_is_told_of_settings() {
    let (node, _engine) = with_engine();
    assert_eq!(node.run(&["config", "get", "network.listen_port"]).expect_status(0).stdout, "9000\n");
    let ran = node.run(&["config", "set", "network.listen_port", "9100"]).expect_status(0);
    assert_eq!(ran.stdout, "network.listen_port is 9100 now.\n");
    assert!(ran.stderr.contains("p2p-agent restart"), "{}", ran.stderr);
}

#[test]
fn a_file_that_is_named_is_read_also_where_a_daemon_runs() {
    let (node, _engine) = with_engine();
    let named = node.folder.path().join("named.yaml");
    std::fs::write(&named, "network:\n  listen_port: 9001\n").expect("written");
    let named = named.to_str().expect("UTF-8");
    assert_eq!(node.run(&["--config", named, "config", "get", "network.listen_port"]).stdout, "9001\n");
    node.run(&["--config", named, "config", "set", "network.listen_port", "1"]).expect_error("E1015", 1);
    let ran = node.run(&["--config", named, "up"]).expect_status(0);
    assert!(ran.stderr.contains("settings it was started with"), "{}", ran.stderr);
}

#[test]
fn measurements_are_passed_on_as_they_are() {
    let (node, _engine) = with_engine();
    assert_eq!(node.run(&["metrics"]).expect_status(0).stdout, "# TYPE peers gauge\npeers 1\n");
}

#[test]
fn problems_of_the_daemon_are_told_as_it_tells_them() {
    let (node, _engine) = with_engine();
    let ran = node.run(&["network", "show"]);
    ran.expect_error("E3001", 1);
    assert!(ran.stderr.contains("none was joined"), "{}", ran.stderr);
}
