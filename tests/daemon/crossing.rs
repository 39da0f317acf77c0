//! A task crosses the network.

use p2p_tests::{Node, network, sentences, wait_until};
use serde_json::Value;

fn stages(task: &Value) -> Vec<String> {
    let records = task["stages"].as_array().expect("stages");
    records.iter().map(|record| record["stage"].as_str().unwrap_or_default().to_owned()).collect()
}

fn submit(node: &Node, more: &[&str]) -> Value {
    let words = ["task", "submit", "sentiment", "--privacy", "trusted", "--where", "network", "--wait"];
    node.fine(&[words.as_slice(), more].concat())
}

#[test]
fn a_sentence_is_classified_by_another_node_with_a_receipt() {
    let nodes = network(2);
    let (asker, worker) = (&nodes[0], nodes[1].device());
    let task = submit(asker, &["--text", "a warm and funny film", "--text", "a dull, joyless mess"]);

    assert_eq!(task["state"], "done");
    assert_eq!(stages(&task), ["searching", "assigned", "computing", "done"]);
    assert_eq!(task["results"][0]["label"], "positive");
    assert_eq!(task["results"][1]["label"], "negative");
    assert!(task["results"][0]["score"].as_f64().is_some_and(|score| (0.5..=1.0).contains(&score)));
    assert_eq!(task["providers"], serde_json::json!([worker]));
    let receipt = &task["receipts"][0];
    assert_eq!(receipt["provider"], worker.as_str());
    assert_eq!(receipt["requester"], asker.device().as_str());
    assert_eq!(receipt["texts"], 2);

    let left = asker.fine(&["departures"]);
    assert_eq!(left[0]["to"], worker.as_str());
    assert_eq!(left[0]["task_id"], task["task_id"]);
    let text = left.to_string();
    assert!(!text.contains("warm"), "the list of what left must not hold the texts: {text}");
    assert_eq!(nodes[1].fine(&["departures"]), serde_json::json!([]));
}

#[test]
fn five_nodes_find_each_other_through_one_and_share_a_batch() {
    let nodes = network(5);
    let file = nodes[4].beside("texts");
    std::fs::write(&file, sentences(300)).expect("written");
    let task = submit(&nodes[4], &["--file", &file.to_string_lossy()]);
    assert_eq!(task["state"], "done");
    let results = task["results"].as_array().expect("results");
    assert_eq!(results.len(), 300);
    let words = ["task", "submit", "sentiment", "--file", &file.to_string_lossy(), "--where", "local", "--wait"];
    assert_eq!(&task["results"], &nodes[4].fine(&words)["results"], "the network answers as this computer does");
    let providers = task["providers"].as_array().expect("providers").len();
    assert!(providers >= 2, "{providers} provider did all of it");
    let receipts = task["receipts"].as_array().expect("receipts");
    let covered: u64 = receipts.iter().filter_map(|receipt| receipt["texts"].as_u64()).sum();
    assert_eq!(covered, 300);
}

#[test]
fn embeddings_and_chunks_cross_too() {
    let nodes = network(2);
    let words = |kind| ["task", "submit", kind, "--privacy", "public", "--where", "network", "--wait"];
    let embed = nodes[0].fine(&[words("embed").as_slice(), &["--text", "hello"]].concat());
    let vector = embed["results"][0]["embedding"].as_array().expect("an embedding");
    let length: f64 = vector.iter().filter_map(Value::as_f64).map(|value| value * value).sum();
    assert_eq!(vector.len(), 384);
    assert!((length - 1.0).abs() < 0.05, "of length {length}");

    let long = nodes[0].beside("long.txt");
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(200);
    std::fs::write(&long, &text).expect("written");
    let chunk = nodes[0].fine(&[words("chunk").as_slice(), &["--file", &long.to_string_lossy()]].concat());
    let chunks = chunk["results"][0]["chunks"].as_array().expect("chunks");
    assert!(chunks.len() > 10);
    assert_eq!(chunks[0]["start"], 0);
    for pair in chunks.windows(2) {
        assert!(pair[1]["start"].as_u64() <= pair[0]["end"].as_u64(), "a gap between chunks");
    }
}

#[test]
fn trust_is_the_owners_to_take_back() {
    let nodes = network(2);
    let other = nodes[1].device();
    nodes[0].fine(&["peer", "untrust", &other]);
    let words = ["task", "submit", "sentiment", "--text", "a fine day", "--privacy", "trusted", "--wait"];
    let task = nodes[0].fine(&words);
    assert_eq!(task["providers"], serde_json::json!([nodes[0].device()]), "it must stay here");
    let refused = nodes[0].call(&[words.as_slice(), &["--where", "network", "--json"]].concat());
    assert_eq!(refused.status, 1);
    assert_eq!(refused.json()["error"]["code"], "E2006", "{refused:?}");
    nodes[0].fine(&["peer", "trust", &other]);
    assert_eq!(nodes[0].fine(&words)["providers"], serde_json::json!([other]));
}

#[test]
fn a_paused_node_takes_nothing_from_others_and_does_its_own() {
    let nodes = network(2);
    nodes[1].fine(&["pause"]);
    assert_eq!(nodes[1].status()["state"], "paused");
    wait_until("the pause is known", || nodes[0].status()["peers"][0]["accepting"] == false);
    let words = ["task", "submit", "sentiment", "--text", "a fine day", "--privacy", "public", "--wait"];
    assert_eq!(nodes[0].fine(&words)["providers"], serde_json::json!([nodes[0].device()]));
    let own = nodes[1].fine(&["task", "submit", "sentiment", "--text", "a fine day", "--wait"]);
    assert_eq!(own["state"], "done");
    nodes[1].fine(&["resume"]);
    wait_until("the node takes work again", || nodes[0].status()["peers"][0]["accepting"] == true);
    assert_eq!(nodes[0].fine(&words)["providers"], serde_json::json!([nodes[1].device()]));
}
