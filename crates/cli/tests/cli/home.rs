//! Commands that need no daemon: `init`, settings, networks and identity of a home at rest.

use std::path::Path;

use crate::node::Node;

#[test]
fn without_a_daemon_commands_say_so_with_status_3() {
    let node = Node::new();
    for arguments in [
        &["status"][..],
        &["status", "--watch"],
        &["down"],
        &["pause"],
        &["resume"],
        &["demo"],
        &["peer", "list"],
        &["task", "list"],
        &["task", "submit", "sentiment", "--text", "x", "--wait"],
        &["privacy", "log"],
        &["logs", "-f"],
        &["metrics"],
        &["dashboard"],
    ] {
        let ran = node.run(arguments);
        ran.expect_error("E1001", 3);
        assert!(ran.stderr.contains("p2p-agent up"), "{arguments:?}: {}", ran.stderr);
        let mut json = arguments.to_vec();
        json.push("--json");
        node.run(&json).expect_json_error("E1001", 3);
    }
    assert!(!node.root.exists(), "asking makes no home");
}

#[test]
fn init_makes_keys_for_the_owner_alone_and_only_once() {
    let node = Node::new();
    let document = node.run(&["init", "--yes", "--json"]).expect_status(0).json();
    assert!(document["device_id"].as_str().is_some_and(|id| id.starts_with("12D3KooW")), "{document}");
    assert!(document["account_id"].as_str().is_some_and(|id| id.starts_with("acct-")), "{document}");
    assert_eq!((&document["keys"], &document["network"]), (&"file".into(), &serde_json::Value::Null));
    assert!(Path::new(document["config_file"].as_str().expect("a path")).exists());

    let keys: Vec<_> = std::fs::read_dir(node.home().keys_dir()).expect("keys").filter_map(Result::ok).collect();
    assert!(!keys.is_empty());
    #[cfg(unix)]
    for key in keys {
        use std::os::unix::fs::PermissionsExt;
        let mode = key.metadata().expect("readable").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", key.path());
    }

    node.run(&["init", "--yes"]).expect_error("E1007", 1);
    let again = node.run(&["identity", "show", "--json"]).expect_status(0).json();
    assert_eq!(again["device_id"], document["device_id"], "the keys are as they were");
}

#[test]
fn nobody_is_asked_where_nobody_sits() {
    let node = Node::new();
    let ran = node.run(&["up"]);
    ran.expect_error("E1006", 1);
    assert!(ran.stderr.contains("p2p-agent init") && !node.root.exists(), "{}", ran.stderr);
    node.run(&["up", "--json"]).expect_json_error("E1006", 1);
    node.run(&["restart"]).expect_error("E1006", 1);
    node.run(&["init"]).expect_status(0);
}

#[test]
fn a_home_that_is_no_folder_is_said_to_be_none() {
    let mut node = Node::new();
    node.root = node.folder.path().join("file");
    std::fs::write(&node.root, "x").expect("written");
    for arguments in [&["status"][..], &["init", "--yes"], &["up"], &["identity", "show"], &["restart"]] {
        let ran = node.run(arguments);
        ran.expect_error("E1008", 1);
        assert!(ran.stderr.contains("is not a folder"), "{arguments:?}: {}", ran.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_named() {
    let node = Node::set_up();
    let data = node.root.join("data");
    std::fs::remove_dir_all(&data).expect("removed");
    std::os::unix::fs::symlink(node.folder.path().join("nowhere"), &data).expect("a link");
    let ran = node.run(&["up"]);
    ran.expect_error("E1008", 1);
    assert!(ran.stderr.contains("data: it is a link that leads nowhere"), "{}", ran.stderr);
}

#[test]
fn a_network_is_made_saved_joined_and_left() {
    let founder = Node::new();
    let made = founder.run(&["init", "--network", "new", "--name", "office", "--json"]).expect_status(0).json();
    assert_eq!(made["network"]["name"], "office");
    founder.run(&["network", "create", "another"]).expect_error("E3002", 1);

    let file = founder.folder.path().join("office.p2pnet");
    let file = file.to_str().expect("UTF-8");
    let shown = founder.run(&["network", "show", "--file", file, "--json"]).expect_status(0).json();
    assert_eq!(shown["id"], made["network"]["id"]);

    let member = Node::set_up();
    member.run(&["network", "show"]).expect_error("E3001", 1);
    let joined = member.run(&["network", "join", file, "--json"]).expect_status(0).json();
    assert_eq!(joined["id"], shown["id"]);
    member.run(&["network", "leave"]).expect_error("E1015", 1);
    member.run(&["network", "leave", "--yes"]).expect_status(0);
    member.run(&["network", "show"]).expect_error("E3001", 1);

    let link = founder.run(&["network", "invite", "--json"]).expect_status(0).json();
    let link = link["link"].as_str().expect("a link");
    let invited = member.run_with_input(&["network", "join", "-", "--json"], format!("{link}\n").as_bytes());
    assert_eq!(invited.expect_status(0).json()["id"], shown["id"]);

    let other = Node::new();
    other.run(&["init", "--network", file]).expect_status(0);
    assert_eq!(other.run(&["network", "show", "--json"]).json()["id"], shown["id"]);
}

#[test]
fn who_makes_an_open_network_hears_that_it_is_one() {
    for (kind, open) in [(&[][..], true), (&["--kind", "closed"][..], false)] {
        let node = Node::set_up();
        let ran = node.run(&[&["network", "create", "office"][..], kind].concat()).expect_status(0);
        assert_eq!(ran.stderr.contains("`--kind closed`"), open, "{}", ran.stderr);
    }
}

#[test]
fn what_is_no_network_cannot_be_joined() {
    let node = Node::set_up();
    node.run(&["network", "join", "/nowhere/office.p2pnet"]).expect_error("E3004", 1);
    node.run(&["network", "join", "p2p-agent://invite/nonsense"]).expect_error("E3003", 1);
    let file = node.folder.path().join("notes.txt");
    std::fs::write(&file, "no network").expect("written");
    node.run(&["network", "join", file.to_str().expect("UTF-8")]).expect_error("E3004", 1);
    node.run(&["init", "--network", "p2p-agent://invite/x", "--name", "y"]).expect_error("E1015", 1);
}

#[test]
fn settings_are_read_changed_and_checked() {
    let node = Node::set_up();
    node.run(&["config", "validate"]).expect_status(0);
    node.run(&["config", "set", "network.listen_port", "9123"]).expect_status(0);
    assert_eq!(node.run(&["config", "get", "network.listen_port"]).expect_status(0).stdout, "9123\n");
    let entry = node.run(&["config", "get", "network.listen_port", "--json"]).expect_status(0).json();
    assert_eq!((&entry["value"], &entry["source"]), (&9123.into(), &"file".into()));
    let list = node.run(&["config", "list", "--json"]).expect_status(0).json();
    assert!(list.as_array().is_some_and(|entries| entries.len() > 5), "{list}");
    let table = node.run(&["config", "list"]).expect_status(0).stdout;
    assert!(table.starts_with("SETTING") && table.contains("network.listen_port"), "{table}");
    let path = node.run(&["config", "path", "--json"]).expect_status(0).json();
    assert_eq!(path["used"], node.home().config_file().to_str().expect("UTF-8"));

    node.run(&["config", "set", "network.listen_prt", "1"]).expect_error("E1005", 1);
    node.run(&["config", "set", "network.listen_port", "loud"]).expect_error("E1005", 1);
    node.run(&["config", "get", "nonsense"]).expect_error("E1005", 1);
    assert_eq!(node.run(&["config", "get", "network.listen_port"]).stdout, "9123\n", "nothing was lost");

    node.run(&["config", "set", "network.bootstrap", "[/ip4/127.0.0.1/tcp/1]"]).expect_status(0);
    let bootstrap = node.run(&["config", "get", "network.bootstrap"]).expect_status(0).stdout;
    assert_eq!(bootstrap, "[\"/ip4/127.0.0.1/tcp/1\"]\n");
}

#[test]
fn a_typo_in_the_settings_is_named_with_its_line() {
    let node = Node::set_up();
    std::fs::write(node.home().config_file(), "network:\n  listen_prot: 9000\n").expect("written");
    let ran = node.run(&["config", "validate"]);
    ran.expect_error("E1005", 1);
    assert!(ran.stderr.contains("listen_prot") && ran.stderr.contains("listen_port"), "{}", ran.stderr);
    assert!(ran.stderr.contains("agent.yaml:2") || ran.stderr.contains("line 2"), "{}", ran.stderr);
    node.run(&["config", "validate", "--json"]).expect_json_error("E1005", 1);
    let ran = node.run(&["up"]);
    ran.expect_error("E1005", 1);
    assert!(ran.stderr.contains("listen_prot"), "the daemon's own words: {}", ran.stderr);

    let named = node.folder.path().join("named.yaml");
    std::fs::write(&named, "network:\n  listen_port: 9001\n").expect("written");
    let named = named.to_str().expect("UTF-8");
    node.run(&["config", "validate", "--config", named]).expect_status(0);
    assert_eq!(node.run(&["--config", named, "config", "get", "network.listen_port"]).stdout, "9001\n");
    node.run(&["--config", named, "config", "set", "network.listen_port", "1"]).expect_error("E1015", 1);
    node.run(&["--config", "/nowhere.yaml", "config", "validate"]).expect_error("E1005", 1);
}

#[test]
fn what_cannot_be_a_task_is_refused_before_any_daemon_is_asked() {
    let node = Node::new();
    let file = node.folder.path().join("texts.txt");
    let path = file.to_str().expect("UTF-8");
    let submit = |kind, content: &[u8]| {
        std::fs::write(&file, content).expect("written");
        node.run(&["task", "submit", kind, "--file", path])
    };
    submit("sentimint", b"x").expect_error("E2001", 1);
    submit("sentiment", b"").expect_error("E2002", 1);
    submit("chunk", &vec![b'x'; 10 * 1024 * 1024]).expect_error("E2003", 1);
    let ran = submit("sentiment", b"fine\nnot \xff\n");
    ran.expect_error("E2004", 1);
    assert!(ran.stderr.contains(path) && ran.stderr.contains("byte 9"), "{}", ran.stderr);
    node.run(&["task", "submit", "embed", "--text", ""]).expect_error("E2002", 1);
    node.run(&["task", "submit", "embed", "--text", "x", "--chunk-tokens", "64"]).expect_error("E2005", 1);
    node.run(&["task", "submit", "embed", "--file", "/nowhere.txt"]).expect_error("E1015", 1);
}
