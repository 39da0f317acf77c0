//! What the computer is good for and what its work costs, in `status` and `doctor`.

use p2p_control::api::{
    Computer, ComputerLack, ComputerMeasured, ComputerRole, ComputerTier, Energy, EnergyMethod, Footprint,
};

use crate::engine::{Engine, Script};
use crate::node::Node;

pub(crate) fn computer() -> Computer {
    Computer {
        tier: ComputerTier::Standard,
        footprint: Footprint { disk_bytes: 200 << 20, memory_bytes: 1 << 30 },
        roles: vec![ComputerRole::Infer, ComputerRole::Cache],
        lacks: vec![ComputerLack::Speed],
        measured: ComputerMeasured {
            processors: 4,
            memory_bytes: Some(8 << 30),
            battery: Some(true),
            network_bytes_per_second: None,
            round_trip_ms: None,
            storage_free_bytes: Some(30 << 30),
        },
        tokens_per_second: Some(2_400),
        energy: Energy {
            since_ms: 0,
            watt_hours_today: 3.1,
            method: EnergyMethod::Model,
            watts_per_core: 6.0,
            assumptions: "estimated: 6 W for each busy core".to_owned(),
            meter: Some("only the administrator may read it".to_owned()),
            cost_today: 0.00093,
            currency: "EUR".to_owned(),
            price_per_kwh: 0.3,
            cpu_seconds_today: 1860.0,
            tasks_today: 12,
            tasks_for_others_today: 10,
            texts_today: 40,
            earned_today: Some(2_660_000),
        },
    }
}

#[test]
fn status_says_what_the_day_cost_and_what_was_done_for_it() {
    let node = Node::new();
    let _engine = Engine::start(&node.home(), Script::default());
    let said = node.run(&["status"]).expect_status(0).stdout;
    for piece in [
        "standard: fit to compute for others, keep answers; about 2,400 tokens a second on one core",
        "12 tasks (10 for others), 3.1 Wh, about 0.00093 EUR (estimated: 6 W a busy core), 2.66 credits earned",
    ] {
        assert!(said.contains(piece), "{piece} is not in {said}");
    }
    let document = node.run(&["status", "--json"]).expect_status(0).json();
    assert_eq!((&document["state"], &document["computer"]["tier"]), (&"waiting".into(), &"standard".into()));
}

#[test]
fn the_doctor_says_what_was_measured_and_what_cannot_be_told() {
    let node = Node::new();
    let _engine = Engine::start(&node.home(), Script::default());
    let findings = node.run(&["doctor", "--json"]).json();
    let of = |what: &str| findings.as_array().expect("a list").iter().find(|one| one["what"] == what).cloned();
    let verdict = |what: &str| of(what).expect("told")["verdict"].clone();
    assert_eq!((verdict("computer"), verdict("speed")), ("fine".into(), "fine".into()));
    assert_eq!((verdict("connection"), verdict("energy")), ("limited".into(), "limited".into()));
    let energy = of("energy").expect("told")["detail"].to_string();
    assert!(energy.contains("estimated") && energy.contains("only the administrator"), "{energy}");
}
