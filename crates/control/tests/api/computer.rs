//! A sample of what a computer is good for.

use p2p_control::api::*;

pub(crate) fn computer() -> Computer {
    Computer {
        tier: ComputerTier::Standard,
        footprint: Footprint { disk_bytes: 200 << 20, memory_bytes: 1 << 30 },
        roles: vec![ComputerRole::Infer, ComputerRole::Cache],
        lacks: vec![ComputerLack::Speed],
        measured: ComputerMeasured {
            processors: 4,
            memory_bytes: Some(8 << 30),
            battery: None,
            network_bytes_per_second: None,
            round_trip_ms: Some(0.25),
            storage_free_bytes: Some(9),
        },
        tokens_per_second: Some(2_400),
        energy: Energy {
            since_ms: 86_400_000,
            watt_hours_today: 3.1,
            method: EnergyMethod::Model,
            watts_per_core: 6.0,
            assumptions: "estimated".to_owned(),
            meter: Some("only the administrator may read it".to_owned()),
            cost_today: 0.00093,
            currency: "EUR".to_owned(),
            price_per_kwh: 0.3,
            cpu_seconds_today: 1860.5,
            tasks_today: 12,
            tasks_for_others_today: 10,
            texts_today: 40,
            earned_today: Some(2_660_000),
        },
    }
}

#[test]
fn what_cannot_be_told_is_null_and_there() {
    let shown = serde_json::to_value(computer()).expect("JSON");
    assert_eq!(shown["tier"], "standard");
    let measured = shown["measured"].as_object().expect("an object");
    assert!(measured["battery"].is_null() && measured.contains_key("network_bytes_per_second"), "{shown}");
}
