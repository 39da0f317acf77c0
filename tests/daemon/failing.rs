//! What dies in the middle.

use std::time::{Duration, Instant};

use p2p_tests::{Node, network, sentences, signal, wait_until};
use serde_json::Value;

const TEXTS: usize = 1500;

fn begin(node: &Node, file: &str) -> String {
    let words = ["task", "submit", "sentiment", "--file", file, "--privacy", "trusted", "--where", "network"];
    node.fine(&words)["task_id"].as_str().expect("a task").to_owned()
}

fn finish(node: &Node, task: &str) -> Value {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let shown = node.fine(&["task", "show", task]);
        if ["done", "partial", "failed", "cancelled"].iter().any(|state| shown["state"] == *state) {
            return shown;
        }
        assert!(Instant::now() < end, "the task never ended: {shown}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The labels of a finished task.
fn labels(task: &Value) -> Vec<String> {
    assert_eq!(task["state"], "done", "{}", task["stages"]);
    let results = task["results"].as_array().expect("results");
    results.iter().map(|result| result["label"].as_str().unwrap_or_default().to_owned()).collect()
}

/// What this computer answers itself, undisturbed: the right answers.
fn right(node: &Node, file: &str) -> Vec<String> {
    labels(&node.fine(&["task", "submit", "sentiment", "--file", file, "--where", "local", "--wait"]))
}

/// The usual time is that of two providers together, measured just before.
#[test]
fn killing_the_provider_ends_in_the_right_result_from_another_in_twice_the_usual_time() {
    let nodes = network(3);
    let file = nodes[0].beside("texts");
    std::fs::write(&file, sentences(TEXTS)).expect("written");
    let file = file.to_string_lossy().into_owned();

    // Both workers warm, then the usual time of both together.
    let right = right(&nodes[0], &file);
    assert_eq!(labels(&finish(&nodes[0], &begin(&nodes[0], &file))), right);
    let usual = finish(&nodes[0], &begin(&nodes[0], &file));
    assert_eq!(labels(&usual), right);
    let usual_us = usual["duration_us"].as_u64().expect("it ended");

    let task = begin(&nodes[0], &file);
    let victim = &nodes[1];
    let pid = victim.pid();
    wait_until("the victim has answered a part", || {
        let shown = nodes[0].fine(&["task", "show", &task]);
        let providers = shown["providers"].as_array().expect("providers").clone();
        providers.iter().any(|device| *device == victim.device().as_str()) && shown["state"] == "computing"
    });
    signal(pid, "-KILL");
    let killed = finish(&nodes[0], &task);
    assert_eq!(labels(&killed), right);
    let stages = killed["stages"].to_string();
    assert!(stages.contains("retrying"), "the victim had nothing when it died: {stages}");
    let took_us = killed["duration_us"].as_u64().expect("it ended");
    eprintln!("usual {} ms, with a provider killed {} ms", usual_us / 1000, took_us / 1000);
    assert!(took_us <= usual_us * 2, "{took_us} us is more than twice {usual_us} us");
}

#[test]
fn a_provider_that_hangs_is_left_for_another() {
    let nodes = network(3);
    let words = ["task", "submit", "sentiment", "--text", "a lovely day", "--privacy", "trusted", "--where", "network"];
    let first = nodes[0].fine(&[words.as_slice(), &["--wait"]].concat());
    let chosen = first["providers"][0].as_str().expect("a provider").to_owned();
    let hung = nodes.iter().find(|node| node.device() == chosen).expect("one of ours");
    let pid = hung.pid();
    signal(pid, "-STOP");
    let task = nodes[0].fine(&[words.as_slice(), &["--wait"]].concat());
    signal(pid, "-CONT");
    assert_eq!(task["state"], "done");
    assert_ne!(task["providers"][0], chosen.as_str());
}

#[test]
fn a_killed_worker_costs_no_answer() {
    let node = Node::new();
    node.up();
    let file = node.beside("texts");
    std::fs::write(&file, sentences(TEXTS)).expect("written");
    let right = right(&node, &file.to_string_lossy());
    let words = ["task", "submit", "sentiment", "--file", &file.to_string_lossy()];
    let task = node.fine(&words)["task_id"].as_str().expect("a task").to_owned();
    let pid = node.pid();
    wait_until("a worker runs", || worker_of(pid).is_some());
    std::thread::sleep(Duration::from_millis(300));
    if let Some(worker) = worker_of(pid) {
        signal(worker, "-KILL");
    }
    assert_eq!(labels(&finish(&node, &task)), right);
}

#[test]
fn a_killed_daemon_keeps_its_name_its_history_and_its_list_of_departures() {
    let nodes = network(2);
    let words = ["task", "submit", "sentiment", "--text", "a fine day", "--privacy", "trusted", "--where", "network"];
    let task = nodes[0].fine(&[words.as_slice(), &["--wait"]].concat());
    let (device, id) = (nodes[0].device(), task["task_id"].as_str().expect("a task").to_owned());
    nodes[0].kill();
    wait_until("the daemon is gone", || nodes[0].call(&["status"]).status == 3);
    nodes[0].up();
    assert_eq!(nodes[0].device(), device);
    assert_eq!(nodes[0].fine(&["task", "show", &id])["results"], task["results"]);
    assert_eq!(nodes[0].fine(&["departures"])[0]["task_id"], id.as_str());
    wait_until("it found the other again", || nodes[0].connected() == 1);
    assert_eq!(nodes[0].fine(&[words.as_slice(), &["--wait"]].concat())["state"], "done");
}

#[test]
fn a_cancelled_task_ends_and_says_so() {
    let nodes = network(2);
    let file = nodes[0].beside("texts");
    std::fs::write(&file, sentences(TEXTS)).expect("written");
    let task = begin(&nodes[0], &file.to_string_lossy());
    let cancelled = nodes[0].fine(&["task", "cancel", &task]);
    assert_eq!(cancelled["state"], "cancelled");
    wait_until("the provider is free", || nodes[1].status()["guest_tasks"] == 0);
}

/// The worker process of a daemon, by its parent.
fn worker_of(daemon: u32) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{daemon}/task/{daemon}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}
