//! `identity export` and `identity import`: an owner's key from one home to another.

use std::path::PathBuf;

use crate::node::{Node, Ran};

const PASSPHRASE: &[u8] = b"four words of no kind\n";

fn export(node: &Node) -> PathBuf {
    let file = node.folder.path().join("owner.p2pid");
    node.run_with_input(&["identity", "export", file.to_str().expect("UTF-8")], PASSPHRASE).expect_status(0);
    file
}

fn import(node: &Node, file: &std::path::Path, passphrase: &[u8], more: &[&str]) -> Ran {
    let file = file.to_str().expect("UTF-8");
    node.run_with_input(&[&["identity", "import", file], more].concat(), passphrase)
}

fn shown(node: &Node, field: &str) -> String {
    let document = node.run(&["identity", "show", "--json"]).expect_status(0).json();
    document[field].as_str().expect("text").to_owned()
}

#[test]
fn an_owner_is_taken_to_a_second_computer() {
    let (first, second) = (Node::set_up(), Node::set_up());
    let (device, before) = (shown(&second, "device_id"), shown(&second, "account_id"));
    let file = export(&first);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    let ran = import(&second, &file, PASSPHRASE, &[]).expect_status(0);
    assert!(ran.stdout.contains("belongs to the owner in the file now"), "{}", ran.stdout);
    assert!(ran.stdout.contains(&before) && ran.stdout.contains("account.before-"), "{}", ran.stdout);
    assert_eq!(shown(&second, "account_id"), shown(&first, "account_id"));
    assert_eq!(shown(&second, "device_id"), device, "the device stays what it was");
    assert_ne!(shown(&first, "device_id"), device);

    let again = import(&second, &file, PASSPHRASE, &["--json"]).expect_status(0).json();
    assert_eq!((&again["imported"], &again["key_before"]), (&false.into(), &serde_json::Value::Null));
    let again = import(&second, &file, PASSPHRASE, &[]).expect_status(0);
    assert!(again.stdout.contains("Nothing was changed"), "{}", again.stdout);
}

#[test]
fn an_export_replaces_no_file_and_tells_no_secret() {
    let node = Node::set_up();
    let file = node.folder.path().join("owner.p2pid");
    let name = file.to_str().expect("UTF-8");
    let refused = node.run_with_input(&["identity", "export", name], b"elevenchars\n");
    refused.expect_error("E1015", 1);
    assert!(refused.stderr.contains("too short") && !refused.stderr.contains("elevenchars"), "{}", refused.stderr);
    node.run(&["identity", "export", name]).expect_error("E1015", 1);
    assert!(!file.exists());

    let ran = node.run_with_input(&["identity", "export", name, "--json"], PASSPHRASE).expect_status(0);
    assert_eq!(ran.json()["account_id"], shown(&node, "account_id"));
    let secret = std::fs::read_to_string(node.home().keys_dir().join("account.key")).expect("text");
    let secret = secret.lines().last().expect("hexadecimal");
    let saved = std::fs::read_to_string(&file).expect("text");
    assert!(!saved.contains(secret) && !ran.stdout.contains(secret) && !ran.stderr.contains(secret));

    // Whatever can be told before is not asked for after a passphrase: none is given here.
    let refused = node.run(&["identity", "export", name]);
    refused.expect_error("E1015", 1);
    assert!(refused.stderr.contains("there already") && refused.stderr.contains("another name"), "{}", refused.stderr);
    assert_eq!(std::fs::read_to_string(&file).expect("text"), saved, "it stays as it is");
    let nowhere = node.folder.path().join("nowhere").join("owner.p2pid");
    node.run_with_input(&["identity", "export", nowhere.to_str().expect("UTF-8")], PASSPHRASE).expect_error("E1015", 1);

    // A name without a folder is of the folder that the command runs in.
    let mut here = node.command(&["identity", "export", "here.p2pid"]);
    let input = std::fs::write(node.folder.path().join("line"), PASSPHRASE)
        .and_then(|()| std::fs::File::open(node.folder.path().join("line")));
    let output = here.current_dir(node.folder.path()).stdin(input.expect("a file")).output().expect("it runs");
    Ran::of(output).expect_status(0);
    assert!(node.folder.path().join("here.p2pid").is_file());
}

#[test]
fn what_cannot_be_imported_is_said_and_changes_nothing() {
    let (first, second) = (Node::set_up(), Node::set_up());
    let before = shown(&second, "account_id");
    let file = export(&first);
    let whole = std::fs::read(&file).expect("bytes");
    let other = second.folder.path().join("other");

    let ran = import(&second, &file, b"another passphrase\n", &[]);
    ran.expect_error("E1009", 1);
    assert!(ran.stderr.contains("the passphrase does not open") && !ran.stderr.contains("another"), "{}", ran.stderr);
    import(&second, &file, b"another passphrase\n", &["--json"]).expect_json_error("E1009", 1);
    for (content, why) in
        [(&whole[..whole.len() / 2], "cut"), (b"hello", "not an identity file"), (b"", "not an identity file")]
    {
        std::fs::write(&other, content).expect("written");
        let ran = import(&second, &other, PASSPHRASE, &[]);
        ran.expect_error("E1009", 1);
        assert!(ran.stderr.contains(why), "{why}: {}", ran.stderr);
    }
    std::fs::write(&other, vec![b'x'; 100_000]).expect("written");
    for (path, why) in [
        (other, "too long"),
        (second.folder.path().join("nowhere"), "does not exist"),
        (second.folder.path().to_owned(), "a folder"),
        #[cfg(unix)]
        (PathBuf::from("/dev/zero"), "a device"),
    ] {
        let ran = import(&second, &path, b"", &[]);
        ran.expect_error("E1009", 1);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
    assert_eq!(shown(&second, "account_id"), before);

    let nobody = Node::new();
    import(&nobody, &file, b"", &[]).expect_error("E1006", 1);
    nobody.run(&["identity", "export", "x"]).expect_error("E1006", 1);
    assert!(!nobody.root.exists(), "asking makes no home");
}

#[test]
fn a_node_that_runs_exports_and_does_not_import() {
    let (first, second) = (Node::set_up(), Node::set_up());
    let theirs = export(&second);
    first.run(&["up"]).expect_status(0);
    let ours = export(&first);
    let ran = import(&first, &theirs, b"", &[]);
    ran.expect_error("E1002", 1);
    assert!(ran.stderr.contains("p2p-agent down"), "{}", ran.stderr);
    first.run(&["status"]).expect_status(0);
    first.run(&["down"]).expect_status(0);

    // The daemon begins with the new owner.
    import(&second, &ours, PASSPHRASE, &[]).expect_status(0);
    second.run(&["up"]).expect_status(0);
    assert_eq!(shown(&second, "account_id"), shown(&first, "account_id"));
    second.run(&["down"]).expect_status(0);
}

#[test]
fn a_closed_network_keeps_its_owner() {
    let (first, second) = (Node::set_up(), Node::set_up());
    second.run(&["network", "create", "office", "--kind", "closed"]).expect_status(0);
    let file = export(&first);
    let ran = import(&second, &file, PASSPHRASE, &[]);
    ran.expect_error("E3002", 1);
    assert!(ran.stderr.contains("network leave") && ran.stderr.contains("new invite"), "{}", ran.stderr);
    second.run(&["network", "leave", "--yes"]).expect_status(0);
    import(&second, &file, PASSPHRASE, &[]).expect_status(0);
}
