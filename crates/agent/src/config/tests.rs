use serde_json::json;

use super::*;

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().to_owned());
    home.create().expect("folders");
    (folder, home)
}

#[test]
fn a_named_home_keeps_to_loopback_by_default() {
    let (_folder, home) = home();
    let config = load(&home, None).expect("defaults");
    assert_eq!(config.network.interfaces, Interfaces::Loopback);
    assert!(!config.network.nearby && !config.dashboard.enabled);
    assert_eq!(config.metrics.port, None);
}

#[test]
fn the_template_says_the_defaults_and_changes_nothing() {
    let (_folder, home) = home();
    let defaults = load(&home, None).expect("defaults");
    std::fs::write(home.config_file(), template(&home)).expect("written");
    assert_eq!(load(&home, None).expect("the template"), defaults);
}

#[test]
fn every_key_can_be_set_over_the_template_and_read_back() {
    let (_folder, home) = home();
    std::fs::write(home.config_file(), template(&home)).expect("written");
    for (key, value) in [
        ("network.listen_port", json!(4001)),
        ("network.bootstrap", json!(["/ip4/127.0.0.1/tcp/1"])),
        ("network.nearby", json!(true)),
        ("metrics.port", json!(9100)),
        ("metrics.port", Value::Null),
        ("log.level", json!("debug")),
        ("dashboard.enabled", json!(true)),
    ] {
        let entry = set(&home, key, value.clone()).expect("set");
        assert_eq!((entry.value, entry.source.as_str()), (value, "file"), "{key}");
    }
    let config = load(&home, None).expect("the changed file");
    assert_eq!((config.network.listen_port, config.log.level.as_str()), (4001, "debug"));
    assert!(config.dashboard.enabled);
}

#[test]
fn a_bad_value_changes_nothing() {
    let (_folder, home) = home();
    set(&home, "log.level", json!("debug")).expect("set");
    let refused = set(&home, "log.level", json!("loud")).expect_err("no level");
    assert_eq!(refused.code, ErrorCode::Config);
    assert!(set(&home, "log.lever", json!("debug")).expect_err("a typo").detail.contains("log.level meant"));
    assert_eq!(load(&home, None).expect("as before").log.level, "debug");
}

#[test]
fn a_file_that_was_named_must_exist_and_replaces_the_homes() {
    let (folder, home) = home();
    set(&home, "log.level", json!("debug")).expect("set");
    let named = folder.path().join("other.yaml");
    assert!(load(&home, Some(&named)).is_err());
    std::fs::write(&named, "work:\n  workers: 3\n").expect("written");
    let config = load(&home, Some(&named)).expect("the named file");
    assert_eq!((config.work.workers, config.log.level.as_str()), (3, "info"));
}
