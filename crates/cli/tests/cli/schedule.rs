//! `schedule` and `doctor`, against a daemon that only knows how to answer.

use p2p_control::api::{ClassVerdict, RuleState, Schedule, SignalSeen, Timeline, TimelineChange};
use serde_json::json;

use crate::engine::{Engine, Script};
use crate::node::Node;

pub(crate) fn schedule() -> Schedule {
    let reason = Some(json!({ "code": "battery", "percent": 82 }));
    let resumes = Some(json!({ "code": "on_mains" }));
    Schedule {
        sentence: "Paused: on battery, 82 %. Resumes on mains power.".to_owned(),
        preset: "quiet".to_owned(),
        classes: vec![ClassVerdict {
            class: "guest".to_owned(),
            runs: false,
            sentence: "Paused: on battery, 82 %. Resumes on mains power.".to_owned(),
            workers: None,
            cpu_percent: None,
            memory_bytes: None,
            reason: reason.clone(),
            resumes: resumes.clone(),
        }],
        rules: vec![RuleState {
            rule: "battery".to_owned(),
            applies: "yes".to_owned(),
            untold: None,
            effect: "blocks".to_owned(),
            reason,
            resumes,
            seen: vec![SignalSeen {
                source: "daemon".to_owned(),
                by: "upower".to_owned(),
                age_ms: 5,
                reading: Some(json!({ "kind": "power", "mains": false, "percent": 82, "saver": false })),
                untold: None,
            }],
        }],
        processors: 8,
        zone_minutes: Some(-90),
    }
}

pub(crate) fn timeline(_hours: u32) -> Timeline {
    let change = TimelineChange {
        at_ms: 5,
        runs: false,
        code: Some("battery".to_owned()),
        reason: Some(json!({ "code": "battery", "percent": 82 })),
        cause: "told".to_owned(),
        sentence: "Paused: on battery, 82 %. Resumes on mains power.".to_owned(),
    };
    Timeline { from_ms: 1, to_ms: 9, changes: vec![change] }
}

fn with_engine() -> (Node, Engine) {
    let node = Node::new();
    let engine = Engine::start(&node.home(), Script::default());
    (node, engine)
}

#[test]
fn the_reason_is_said_with_what_is_known() {
    let (node, _engine) = with_engine();
    for command in ["show", "why"] {
        let said = node.run(&["schedule", command]).expect_status(0).stdout;
        for piece in [
            "Paused: on battery, 82 %. Resumes on mains power.",
            "holds it back",
            "battery, 82 % (upower, 5 ms ago, told by daemon)",
        ] {
            assert!(said.contains(piece), "{piece} is not in {said}");
        }
    }
    let document = node.run(&["schedule", "show", "--json"]).expect_status(0).json();
    assert_eq!(document["rules"][0]["reason"]["code"], "battery");
}

#[test]
fn the_day_is_a_line_a_change() {
    let (node, _engine) = with_engine();
    let said = node.run(&["schedule", "timeline", "--hours", "72"]).expect_status(0).stdout;
    assert!(said.contains("0 ms (0 %)") && said.contains("Paused: on battery, 82 %."), "{said}");
    node.run(&["schedule", "timeline", "--hours", "721"]).expect_error("E1015", 1);
}

#[test]
fn a_preset_or_a_rule_is_set_in_the_file_while_no_node_runs() {
    let node = Node::new();
    node.run(&["init"]).expect_status(0);
    node.run(&["schedule", "set", "balanced"]).expect_status(0);
    node.run(&["schedule", "set", "when", "null"]).expect_status(0);
    node.run(&["schedule", "set", "cpu_percent", "30"]).expect_status(0);
    let value = |key: &str| node.run(&["config", "get", key, "--json"]).expect_status(0).json()["value"].clone();
    assert_eq!((value("schedule.preset"), value("schedule.cpu_percent")), (json!("balanced"), json!(30)));
    for (rule, value, said) in [
        ("cpu_percent", "0", "from 1 to 100"),
        ("hours", "someday 10:00-11:00", "is no weekday"),
        ("hours", "fri-mon 10:00-11:00", "ends before it starts"),
        ("hours", "mon 10:00-10:00", "ends when it starts"),
        ("when", "sometimes", "idle, always, hours"),
        ("preset", "loud", "quiet or balanced or full"),
    ] {
        let ran = node.run(&["schedule", "set", rule, value]);
        ran.expect_error("E1005", 1);
        assert!(ran.stderr.contains(said), "{rule} {value}: {}", ran.stderr);
    }
    node.run(&["schedule", "set", "loud"]).expect_error("E1015", 1);
}

#[test]
fn rules_that_exclude_each_other_are_refused_and_the_file_stays() {
    let node = Node::new();
    node.run(&["init"]).expect_status(0);
    node.run(&["schedule", "set", "hours", "mon 08:00-09:00"]).expect_error("E1005", 1);
    node.run(&["schedule", "set", "when", "hours"]).expect_status(0);
    node.run(&["schedule", "set", "hours", "mon 08:00-09:00"]).expect_status(0);
    let ran = node.run(&["schedule", "set", "network_hours", "tue 08:00-09:00"]);
    ran.expect_error("E1005", 1);
    assert!(ran.stderr.contains("no hour in common") && ran.stderr.contains("line "), "{}", ran.stderr);
    node.run(&["config", "validate"]).expect_status(0);
}

#[test]
fn the_doctor_names_every_signal_and_what_is_wrong() {
    let (node, _engine) = with_engine();
    let ran = node.run(&["doctor", "--json"]);
    let findings = ran.json();
    let of = |what: &str| findings.as_array().expect("a list").iter().find(|one| one["what"] == what).cloned();
    assert_eq!(of("signal: power").expect("told")["verdict"], "fine");
    assert_eq!(of("sandbox").expect("told")["verdict"], "limited");
    let none = Node::new();
    none.run(&["init"]).expect_status(0);
    assert!(none.run(&["doctor"]).expect_status(1).stdout.contains("not running"));
}
