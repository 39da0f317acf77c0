//! Rules and signals, over the wire.

use p2p_control::api::{
    ClassVerdict, RuleState, Schedule, SignalReport, SignalSeen, SignalTold, Timeline, TimelineChange,
};
use p2p_types::{By, Reading, SignalKind, Untold};
use serde_json::json;

use crate::engine::Node;

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

pub(crate) fn timeline() -> Timeline {
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

pub(crate) fn report() -> SignalReport {
    let input =
        SignalTold { kind: SignalKind::Input, by: By::X11, reading: Some(Reading::Input { idle_ms: 0 }), untold: None };
    let screen =
        SignalTold { kind: SignalKind::FullScreen, by: By::Nothing, reading: None, untold: Some(Untold::Unsupported) };
    SignalReport { source: "tray-1".to_owned(), lease_ms: 60_000, told: vec![input, screen] }
}

async fn post(node: &Node, body: serde_json::Value) -> (u16, String) {
    let body = Some(body.to_string().into_bytes());
    let (status, body) = node.client().await.raw("POST", "/api/v1/signals", body).await.expect("an answer");
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn a_touch_is_heard_before_the_engine_has_its_turn() {
    let node = Node::start();
    let input =
        |idle_ms: u64| json!({ "kind": "input", "by": "x11", "reading": { "kind": "input", "idle_ms": idle_ms } });
    let report = |told: serde_json::Value| json!({ "source": "s", "lease_ms": 1000, "told": [told] });
    assert_eq!(post(&node, report(input(1000))).await.0, 200);
    assert_eq!(node.touches(), 0);
    assert_eq!(post(&node, report(input(0))).await.0, 200);
    assert_eq!(node.touches(), 1);
}

#[tokio::test]
async fn reports_that_contradict_themselves_are_refused() {
    let node = Node::start();
    let good = json!({ "kind": "input", "by": "x11", "reading": { "kind": "input", "idle_ms": 0 } });
    let cases = [
        json!({ "source": "", "lease_ms": 1, "told": [] }),
        json!({ "source": "x".repeat(65), "lease_ms": 1, "told": [] }),
        json!({ "source": "a b", "lease_ms": 1, "told": [] }),
        json!({ "source": "s", "lease_ms": -1, "told": [] }),
        json!({ "source": "s", "lease_ms": 1, "told": vec![good; 33] }),
        json!({ "source": "s", "lease_ms": 1, "told": [{ "kind": "power", "by": "x11", "reading": { "kind": "input", "idle_ms": 0 } }] }),
        json!({ "source": "s", "lease_ms": 1, "told": [{ "kind": "input", "by": "x11" }] }),
        json!({ "source": "s", "lease_ms": 1, "told": [{ "kind": "input", "by": "a guess", "untold": "failed" }] }),
    ];
    for body in cases {
        let (status, said) = post(&node, body.clone()).await;
        assert_eq!(status, 400, "{body}");
        assert!(said.contains("E4002"), "{said}");
    }
    assert_eq!(node.touches(), 0);
    assert!(node.asked().is_empty());
}
