//! Bad input: each a clear error, nothing lost, nothing crashed.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use p2p_tests::{Node, Said, wait_until};

fn refused(said: &Said, code: &str) {
    assert_eq!(said.status, 1, "{said:?}");
    assert_eq!(said.code(), code, "{said:?}");
    for part in ["title", "detail", "hint"] {
        assert!(said.json()["error"][part].as_str().is_some_and(|text| !text.is_empty()), "no {part}: {said:?}");
    }
}

#[test]
fn bad_tasks_are_refused_by_name_and_the_node_goes_on() {
    let node = Node::new();
    node.up();
    let submit = |more: &[&str]| node.call(&[&["task", "submit"], more, &["--wait", "--json"]].concat());
    refused(&submit(&["poetry", "--text", "x"]), "E2001");
    refused(&submit(&["sentiment", "--text", "  "]), "E2002");
    refused(&submit(&["sentiment", "--text", "x", "--where", "network"]), "E2010");
    refused(&submit(&["sentiment", "--text", "x", "--where", "network", "--privacy", "public"]), "E3001");

    let huge = node.beside("huge");
    fs::write(&huge, "x".repeat(10 * 1024 * 1024)).expect("written");
    refused(&submit(&["sentiment", "--file", &huge.to_string_lossy()]), "E2003");
    let broken = node.beside("broken");
    fs::write(&broken, b"fine\nnot \xff fine\n").expect("written");
    let said = submit(&["sentiment", "--file", &broken.to_string_lossy()]);
    refused(&said, "E2004");
    assert!(said.json()["error"]["detail"].as_str().is_some_and(|detail| detail.contains("broken")), "{said:?}");

    let task = node.fine(&["task", "submit", "sentiment", "--text", "a lovely day", "--wait"]);
    assert_eq!(task["state"], "done");
}

#[test]
fn a_second_daemon_on_a_home_is_refused_and_the_first_goes_on() {
    let node = Node::new();
    node.up();
    let output = node.command("p2p-daemon").output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("[E1002]"), "{said}");
    assert_eq!(node.status()["state"], "alone");
}

#[test]
fn a_taken_port_is_named_where_it_was_asked_for() {
    let node = Node::new();
    node.fine(&["network", "create", "test", "--kind", "local"]);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    node.fine(&["config", "set", "network.listen_port", &port]);
    let said = node.call(&["up", "--json"]);
    refused(&said, "E1004");
    assert!(said.stdout.contains(&port), "{said:?}");
    drop(taken);
    node.up();
}

#[test]
fn a_typo_in_the_configuration_is_shown_with_its_line() {
    let node = Node::new();
    let file = node.home().join("agent.yaml");
    fs::write(&file, "network:\n  listen_prot: 9000\n").expect("written");
    for words in [["config", "validate", "--json"].as_slice(), &["up", "--json"]] {
        let said = node.call(words);
        refused(&said, "E1005");
        assert!(said.stdout.contains("line 2") && said.stdout.contains("network.listen_port"), "{said:?}");
    }
}

#[test]
fn a_socket_of_somebody_else_is_not_taken_over() {
    if !am_root() {
        eprintln!("skipped: only the administrator can make a file that belongs to somebody else");
        return;
    }
    let node = Node::new();
    let socket = node.home().join("run").join("control.sock");
    fs::write(&socket, "").expect("written");
    std::os::unix::fs::chown(&socket, Some(65_534), Some(65_534)).expect("given away");
    refused(&node.call(&["up", "--json"]), "E1003");
    assert!(socket.exists(), "it was removed");
}

#[test]
fn a_model_with_a_wrong_digest_is_refused_and_named() {
    let mut node = Node::new();
    let assets = node.beside("assets");
    copy(&installed_assets(), &assets);
    let model = assets.join("models/minilm-l6-v2/model.onnx");
    let mut bytes = fs::read(&model).expect("the model");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&model, bytes).expect("written");
    node.set("P2P_AGENT_ASSETS", &assets.to_string_lossy());
    node.up();
    let said = node.call(&["task", "submit", "sentiment", "--text", "a lovely day", "--wait", "--json"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.stdout.contains("model.onnx") && said.stdout.contains("digest"), "{said:?}");
    // From then on it says so at once, and offers nothing to others.
    assert_eq!(node.status()["can_compute"], false);
    refused(&node.call(&["task", "submit", "sentiment", "--text", "x", "--json"]), "E1011");
}

#[test]
fn missing_models_are_said_at_start_and_at_once() {
    let mut node = Node::new();
    node.set("P2P_AGENT_ASSETS", &node.beside("nothing").to_string_lossy());
    node.up();
    assert!(node.status()["sentence"].as_str().is_some_and(|said| said.contains("xtask models")), "{}", node.status());
    refused(&node.call(&["task", "submit", "sentiment", "--text", "x", "--json"]), "E1010");
}

#[test]
fn a_peer_of_another_network_stays_outside() {
    let ours = Node::new();
    ours.fine(&["network", "create", "ours", "--kind", "local"]);
    ours.up();
    let address = ours.status()["listening"][0].as_str().expect("an address").to_owned();
    let stranger = Node::new();
    stranger.fine(&["network", "create", "theirs", "--kind", "local"]);
    stranger.fine(&["config", "set", "network.bootstrap", &format!("[{address:?}]")]);
    stranger.up();
    wait_until("the stranger was turned away", || {
        ours.call(&["logs"]).stdout.contains("another network")
            || stranger.call(&["logs"]).stdout.contains("another network")
    });
    assert_eq!((ours.connected(), stranger.connected()), (0, 0));
}

#[test]
fn no_daemon_is_status_three_and_wrong_usage_one() {
    let node = Node::new();
    let said = node.call(&["status", "--json"]);
    assert_eq!((said.status, said.code().as_str()), (3, "E1001"));
    assert_eq!(node.call(&["task", "submit"]).status, 1);
    assert_eq!(node.call(&["no-such-command"]).status, 1);
}

fn installed_assets() -> std::path::PathBuf {
    let found = std::env::var_os("P2P_AGENT_ASSETS").map(std::path::PathBuf::from);
    found.unwrap_or_else(|| {
        let folder = p2p_tests::program("p2p-daemon");
        folder.ancestors().nth(2).expect("a build folder").join("assets")
    })
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("known").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

fn am_root() -> bool {
    std::process::Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
