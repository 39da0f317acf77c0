//! A node without others.

use p2p_tests::Node;

#[test]
fn a_node_in_no_network_says_so_and_computes_its_own_at_once() {
    let node = Node::new();
    node.up();
    let status = node.status();
    assert_eq!(status["state"], "alone");
    assert!(status["sentence"].as_str().is_some_and(|said| said.contains("Not in a network")), "{status}");
    let task = node.fine(&["task", "submit", "sentiment", "--text", "what a lovely day", "--wait"]);
    assert_eq!(task["results"][0]["label"], "positive");
    assert_eq!(task["providers"], serde_json::json!([node.device()]));
    let story = task["stages"].to_string();
    assert!(story.contains("on this computer"), "{story}");
    assert_eq!(node.fine(&["departures"]), serde_json::json!([]));
}

#[test]
fn a_node_alone_in_its_network_says_so_and_auto_stays_here() {
    let node = Node::new();
    node.fine(&["network", "create", "lonely"]);
    node.up();
    assert!(node.status()["sentence"].as_str().is_some_and(|said| said.contains("first here")));
    let words = ["task", "submit", "sentiment", "--text", "what a lovely day", "--privacy", "public", "--wait"];
    let task = node.fine(&words);
    assert_eq!(task["state"], "done");
    assert!(task["stages"].to_string().contains("no other computer can take it"), "{}", task["stages"]);
    assert!(task["duration_us"].as_u64().is_some_and(|us| us < 5_000_000));
}

#[test]
fn a_network_is_created_and_left_under_a_running_daemon() {
    let node = Node::new();
    node.up();
    let pid = node.pid();
    node.fine(&["network", "create", "mine", "--kind", "local"]);
    p2p_tests::wait_until("the node is in its network", || node.status()["network"]["name"] == "mine");
    node.fine(&["network", "leave", "--yes"]);
    p2p_tests::wait_until("the node is alone", || node.status()["state"] == "alone");
    assert_eq!(node.pid(), pid, "the daemon is the same");
}

#[test]
fn a_batch_keeps_its_order_and_names_what_failed() {
    let node = Node::new();
    node.up();
    let long = "x ".repeat(40_000);
    let words = [
        "task",
        "submit",
        "sentiment",
        "--text",
        "a lovely day",
        "--text",
        " ",
        "--text",
        &long,
        "--text",
        "awful",
        "--wait",
        "--json",
    ];
    let said = node.call(&words);
    assert_eq!(said.status, 1, "{said:?}");
    let task = said.json();
    assert_eq!(task["state"], "partial");
    assert_eq!(task["results"][0]["label"], "positive");
    assert_eq!(task["results"][1]["error"]["code"], "E2002");
    assert_eq!(task["results"][2]["error"]["code"], "E2003");
    assert_eq!(task["results"][3]["label"], "negative");
}
