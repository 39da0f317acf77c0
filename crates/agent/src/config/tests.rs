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
        ("energy.price_per_kwh", json!(0.28)),
        ("energy.currency", json!("CHF")),
    ] {
        let entry = set(&home, key, value.clone()).expect("set");
        assert_eq!((entry.value, entry.source.as_str()), (value, "file"), "{key}");
    }
    let config = load(&home, None).expect("the changed file");
    assert_eq!((config.network.listen_port, config.log.level.as_str()), (4001, "debug"));
    assert!(config.dashboard.enabled);
    assert_eq!((config.energy.price_micros_per_kwh, config.energy.currency.as_str()), (280_000, "CHF"));
}

#[test]
fn a_bad_value_changes_nothing() {
    let (_folder, home) = home();
    set(&home, "log.level", json!("debug")).expect("set");
    let refused = set(&home, "log.level", json!("loud")).expect_err("no level");
    assert_eq!(refused.code, ErrorCode::Config);
    assert!(set(&home, "log.lever", json!("debug")).expect_err("a typo").detail.contains("log.level meant"));
    for (key, value) in [("energy.price_per_kwh", json!(-0.1)), ("energy.currency", json!("euro"))] {
        assert_eq!(set(&home, key, value).expect_err("refused").code, ErrorCode::Config, "{key}");
    }
    for address in ["/x\u{1b}[31m", "/dns4/example.org/tcp/1"] {
        let refused = set(&home, "network.bootstrap", json!([address])).expect_err("no address");
        assert!(refused.code == ErrorCode::Config && !refused.detail.contains('\u{1b}'), "{refused}");
    }
    assert_eq!(load(&home, None).expect("as before").log.level, "debug");
    std::fs::write(home.config_file(), "network:\n  bootstrap: [\"/x\\u001b[31m\"]\n").expect("written");
    assert!(validate(&home, None).expect_err("the daemon could not start").detail.contains("line 2"));
}

#[test]
fn what_is_typed_means_what_it_means_in_the_file() {
    let addresses = json!(["/ip4/127.0.0.1/tcp/1", "/dns4/a.example/udp/2/quic-v1"]);
    assert_eq!(typed("[/ip4/127.0.0.1/tcp/1, /dns4/a.example/udp/2/quic-v1]"), addresses);
    assert_eq!(typed("[\"/ip4/127.0.0.1/tcp/1\",\"/dns4/a.example/udp/2/quic-v1\"]"), addresses);
    assert_eq!(typed("- /ip4/127.0.0.1/tcp/1\n- /dns4/a.example/udp/2/quic-v1"), addresses);
    assert_eq!((typed("9100"), typed("true"), typed("debug")), (json!(9100), json!(true), json!("debug")));
    assert_eq!((typed("null"), typed(""), typed("# x")), (Value::Null, json!(""), json!("# x")));
    assert_eq!(typed("[/ip4"), json!("[/ip4"));
    let (_folder, home) = home();
    let entry = set(&home, "network.bootstrap", typed("[/ip4/127.0.0.1/tcp/1]")).expect("set");
    assert_eq!(entry.value, json!(["/ip4/127.0.0.1/tcp/1"]));
}

#[test]
fn a_home_with_a_named_file_speaks_of_that_and_leaves_it_alone() {
    let (folder, home) = home();
    set(&home, "log.level", json!("debug")).expect("set");
    let named = folder.path().join("other.yaml");
    std::fs::write(&named, "log:\n  level: trace\n").expect("written");
    let home = home.with_config(named.clone());
    let level = |home: &Home| {
        entries(home, None)
            .map(|entries| entries.into_iter().find(|entry| entry.key == "log.level").map(|entry| entry.value))
    };
    assert_eq!(level(&home), Ok(Some(json!("trace"))));
    assert_eq!(load(&home, None).expect("the named file").log.level, "trace");
    let refused = set(&home, "log.level", json!("info")).expect_err("not ours");
    assert!(refused.detail.contains("other.yaml"), "{refused}");
    std::fs::remove_file(&named).expect("removed");
    assert!(level(&home).is_err(), "it does not fall back to another file in silence");
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
