//! The real daemon: up, working, down.

use std::io::{Read, Write};
use std::process::Command;
use std::time::{Duration, Instant};

use p2p_platform::process;
use serde_json::Value;

use crate::node::{Node, Ran};

fn pid_of(status: &Value) -> u32 {
    status["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("a process id")
}

#[test]
fn up_status_and_down() {
    let node = Node::set_up();
    let up = node.run(&["up", "--json"]).expect_status(0).json();
    assert_eq!(up["started"], true);
    let pid = pid_of(&up);
    assert!(process::is_alive(pid));
    assert!(up["ready_in_ms"].as_u64().is_some_and(|ready| ready < 5000), "{up}");

    let status = node.run(&["status", "--json"]).expect_status(0).json();
    assert_eq!((pid_of(&status), &status["state"]), (pid, &"alone".into()), "{status}");
    let again = node.run(&["up", "--json"]).expect_status(0).json();
    assert_eq!((&again["started"], pid_of(&again)), (&false.into(), pid));

    let logs = node.run(&["logs"]).expect_status(0);
    assert!(!logs.stdout.is_empty(), "the daemon says that it started");
    let down = node.run(&["down", "--json"]).expect_status(0).json();
    assert_eq!(pid_of(&down), pid);
    assert!(!process::is_alive(pid), "`down` returns when the process is gone");
    node.run(&["status"]).expect_error("E1001", 3);

    let at_rest = node.run(&["logs"]).expect_status(0);
    assert!(!at_rest.stdout.is_empty() && at_rest.stderr.contains("No daemon is running"), "{at_rest:?}");
    let lines = node.run(&["logs", "--json"]).expect_status(0).stdout;
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok_and(|line| line["level"].is_string())));
}

#[test]
fn pausing_and_restarting() {
    let node = Node::set_up();
    let first = pid_of(&node.run(&["up", "--json"]).expect_status(0).json());
    let paused = node.run(&["pause", "--for", "10m", "--json"]).expect_status(0).json();
    assert_eq!(paused["state"], "paused");
    assert!(paused["paused_until_ms"].is_u64(), "{paused}");
    let resumed = node.run(&["resume", "--json"]).expect_status(0).json();
    assert_ne!(resumed["state"], "paused");
    let second = pid_of(&node.run(&["restart", "--json"]).expect_status(0).json());
    assert_ne!(first, second);
    assert!(!process::is_alive(first) && process::is_alive(second));
    node.run(&["down"]).expect_status(0);
}

/// The way into the dashboard is told by its own command, and by nothing that programs pass around.
#[test]
fn the_dashboard_is_opened_by_its_own_command() {
    let node = Node::set_up();
    node.run(&["up"]).expect_status(0);
    let ran = node.run(&["dashboard"]);
    ran.expect_error("E4007", 1);
    assert!(ran.stderr.contains("config set dashboard.enabled true"), "{}", ran.stderr);
    node.run(&["config", "set", "dashboard.enabled", "true"]).expect_status(0);
    let waits = node.run(&["dashboard", "--json"]).expect_json_error("E4007", 1);
    assert_eq!(waits["hint"], "Run `p2p-agent restart`");

    node.run(&["restart"]).expect_status(0);
    let address = node.run(&["dashboard", "--json"]).expect_status(0).json()["address"].clone();
    let address = address.as_str().expect("an address");
    let (door, token) = address.split_once("?token=").expect("a token");
    assert_eq!(node.run(&["dashboard"]).expect_status(0).stdout, format!("{address}\n"));
    let status = node.run(&["status", "--json"]).expect_status(0);
    assert_eq!(status.json()["dashboard"], door);
    let logs = node.run(&["logs"]).expect_status(0);
    for said in [&status.stdout, &node.run(&["status"]).stdout, &logs.stdout] {
        assert!(!said.contains(token), "{said}");
    }

    let host = door.trim_start_matches("http://").trim_end_matches('/');
    let mut browser = std::net::TcpStream::connect(host).expect("the door");
    write!(browser, "GET /?token={token} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    browser.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    node.run(&["down"]).expect_status(0);
}

#[test]
fn a_restart_keeps_the_settings_file_that_was_named() {
    let node = Node::set_up();
    let named = node.folder.path().join("named.yaml");
    std::fs::write(&named, "log:\n  level: debug\n").expect("written");
    let path = named.to_str().expect("UTF-8");
    let level = || node.run(&["config", "get", "log.level"]).expect_status(0).stdout;
    node.run(&["up", "--config", path]).expect_status(0);
    let again = node.run(&["restart", "--json"]).expect_status(0).json();
    assert_eq!((&again["config_file"], level().as_str()), (&path.into(), "debug\n"));

    std::fs::remove_file(&named).expect("removed");
    let ran = node.run(&["restart"]);
    ran.expect_error("E1005", 1);
    assert!(ran.stderr.contains("named.yaml"), "{}", ran.stderr);
    assert!(process::is_alive(pid_of(&again)), "it was not stopped for nothing");

    std::fs::write(&named, "log:\n  levle: debug\n").expect("written");
    node.run(&["restart"]).expect_error("E1005", 1);
    assert!(process::is_alive(pid_of(&again)), "nor for settings that cannot be used");

    node.run(&["down"]).expect_status(0);
    let own = node.run(&["up", "--json"]).expect_status(0).json();
    assert_eq!((&own["config_file"], level().as_str()), (&Value::Null, "info\n"));
    node.run(&["down"]).expect_status(0);
}

/// A second daemon on one home names the first, and changes nothing.
#[test]
fn one_daemon_a_home() {
    let node = Node::set_up();
    let pid = pid_of(&node.run(&["up", "--json"]).expect_status(0).json());
    let mut command = Command::new(env!("CARGO_BIN_EXE_p2p-daemon"));
    let second = Ran::of(command.arg("--home").arg(&node.root).output().expect("p2p-daemon runs"));
    second.expect_error("E1002", 1);
    assert!(process::is_alive(pid));
    node.run(&["status"]).expect_status(0);
    node.run(&["down"]).expect_status(0);
}

#[test]
fn a_daemon_needs_a_home_that_is_set_up() {
    let node = Node::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_p2p-daemon"));
    let ran = Ran::of(command.arg("--home").arg(&node.root).output().expect("p2p-daemon runs"));
    ran.expect_error("E1006", 1);
    assert!(!node.root.exists(), "a typo makes no folder");
}

#[cfg(unix)]
#[test]
fn signals_end_it_gracefully() {
    for signal in ["-TERM", "-INT"] {
        let node = Node::set_up();
        let pid = pid_of(&node.run(&["up", "--json"]).expect_status(0).json());
        let sent = Command::new("kill").args([signal, &pid.to_string()]).status().expect("kill runs");
        assert!(sent.success());
        let began = Instant::now();
        while process::is_alive(pid) {
            assert!(began.elapsed() < Duration::from_secs(20), "{signal} does not end it");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!node.home().pid_file().exists(), "{signal}: it cleaned up");
        node.run(&["up"]).expect_status(0);
        node.run(&["down"]).expect_status(0);
    }
}

/// Whatever this build folder can compute, the document and the status agree.
#[test]
fn a_real_task_ends_in_one_document() {
    let node = Node::set_up();
    node.run(&["up"]).expect_status(0);
    let ran =
        node.run(&["task", "submit", "sentiment", "--text", "I like it", "--wait", "--deadline", "60s", "--json"]);
    let document = ran.json();
    if document.get("error").is_some_and(|error| error.get("title").is_some()) {
        assert_ne!(ran.status, 0, "it was refused: {document}");
    } else {
        assert_eq!(ran.status == 0, document["state"] == "done", "{document}");
        assert_eq!(document["results"].as_array().map(Vec::len), Some(1), "{document}");
        assert!(document["stages"].as_array().is_some_and(|stages| stages.len() > 1), "{document}");
    }
    node.run(&["down"]).expect_status(0);
}
