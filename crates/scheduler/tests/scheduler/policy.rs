//! Policies that contradict themselves, and weeks as they are written.

use p2p_scheduler::{Band, Battery, Policy, Preset, Week, WeekError, When};
use p2p_types::Timestamp;
use proptest::prelude::*;

use crate::world::{DAY, HOUR, MINUTE, SATURDAY, quiet};

fn keys(policy: Policy) -> Vec<&'static str> {
    let found = policy.check().err().unwrap_or_default();
    assert!(found.iter().all(|one| !one.what.is_empty() && !one.mend.is_empty() && one.to_string().contains(one.key)));
    found.iter().map(|one| one.key).collect()
}

#[test]
fn no_preset_contradicts_itself() {
    for preset in Preset::ALL {
        for processors in [0, 1, 2, 8, 256, u16::MAX] {
            assert_eq!(keys(preset.policy(processors)), [""; 0], "{preset:?} on {processors}");
            assert_eq!(*preset.checked(processors), preset.policy(processors));
        }
    }
    assert_eq!(Preset::default(), Preset::Quiet);
}

#[test]
fn contradictions_are_found_and_named() {
    let week = |text: &str| text.parse::<Week>().expect("a week");
    let hard = quiet().hard;
    let cases = [
        (Policy { cpu_permille: 0, ..quiet() }, "cpu_permille"),
        (Policy { cpu_permille: 1001, ..quiet() }, "cpu_permille"),
        (Policy { max_workers: 0, ..quiet() }, "max_workers"),
        (Policy { memory_bytes: 1 << 20, ..quiet() }, "memory_bytes"),
        (Policy { when: When::Idle { after_ms: 0 }, ..quiet() }, "when.after_ms"),
        (Policy { when: When::Idle { after_ms: 2 * DAY }, ..quiet() }, "when.after_ms"),
        (Policy { when: When::Hours, compute: Week::NEVER, ..quiet() }, "compute"),
        (Policy { when: When::Always, compute: week("mon 10:00-12:00"), ..quiet() }, "compute"),
        (Policy { network: Week::NEVER, ..quiet() }, "network"),
        (Policy { compute: week("mon 10:00-12:00"), network: week("mon 12:00-14:00"), ..quiet() }, "network"),
        (Policy { battery: Battery::Above { stop: 0, resume: 10 }, ..quiet() }, "battery.stop"),
        (Policy { battery: Battery::Above { stop: 90, resume: 101 }, ..quiet() }, "battery.stop"),
        (Policy { battery: Battery::Above { stop: 50, resume: 50 }, ..quiet() }, "battery.resume"),
        (Policy { temperature: Some(Band { stop: 70, resume: 70 }), ..quiet() }, "temperature.resume"),
        (Policy { temperature: Some(Band { stop: 100, resume: 70 }), ..quiet() }, "temperature.stop"),
        (Policy { temperature: Some(Band { stop: 10, resume: 5 }), ..quiet() }, "temperature.stop"),
        (Policy { others: Some(Band { stop: 0, resume: 0 }), ..quiet() }, "others.stop"),
        (Policy { others: Some(Band { stop: 300, resume: 400 }), ..quiet() }, "others.resume"),
        (Policy { least_free_memory_bytes: 0, ..quiet() }, "least_free_memory_bytes"),
        (Policy { least_free_disk_bytes: 0, ..quiet() }, "least_free_disk_bytes"),
        (Policy { disk_quota_bytes: 0, ..quiet() }, "disk_quota_bytes"),
        (Policy { data_bytes_a_month: Some(0), ..quiet() }, "data_bytes_a_month"),
        (Policy { upload_bytes_per_s: Some(1), ..quiet() }, "upload_bytes_per_s"),
        (
            Policy { hard: p2p_scheduler::Hard { heat: Band { stop: 90, resume: 95 }, ..hard }, ..quiet() },
            "hard.heat.resume",
        ),
        (
            Policy { hard: p2p_scheduler::Hard { memory: Band { stop: 9, resume: 9 }, ..hard }, ..quiet() },
            "hard.memory.resume",
        ),
        (
            Policy { hard: p2p_scheduler::Hard { disk: Band { stop: 9, resume: 1 }, ..hard }, ..quiet() },
            "hard.disk.resume",
        ),
    ];
    for (policy, key) in cases {
        assert!(keys(policy).contains(&key), "{key}: {:?}", keys(policy));
        assert!(policy.checked().is_err());
    }
    let two = Policy { cpu_permille: 0, max_workers: 0, ..quiet() };
    assert_eq!(keys(two).len(), 2, "all at once");
}

#[test]
fn a_policy_is_plain_data() {
    let policy = Policy { compute: "mon-fri 18:00-23:00".parse().expect("a week"), ..quiet() };
    let json = serde_json::to_string(&policy).expect("json");
    assert!(json.contains(r#""compute":"mon-fri 18:00-23:00""#) && json.contains(r#""mode":"idle""#), "{json}");
    assert_eq!(serde_json::from_str::<Policy>(&json).expect("the same"), policy);
    assert!(serde_json::from_str::<Week>(r#""mon-fry 18:00-23:00""#).is_err());
}

#[test]
fn weeks_are_written_and_read() {
    for (text, again) in [
        ("mon-fri 18:00-23:00, sat 00:00-24:00", "mon-fri 18:00-23:00, sat 00:00-24:00"),
        ("MON 9:00-10:30 , mon 10:30-12:00", "mon 09:00-12:00"),
        ("fri 22:00-06:00", "fri 22:00-24:00, sat 00:00-06:00"),
        ("sun 23:00-01:00", "mon 00:00-01:00, sun 23:00-24:00"),
        ("mon-sun 22:00-00:00", "mon-sun 22:00-24:00"),
        ("mon 08:00-10:00 20:00-22:00", "mon 08:00-10:00 20:00-22:00"),
        ("mon-sun 00:00-24:00", "always"),
        ("always", "always"),
        ("never", "never"),
    ] {
        assert_eq!(text.parse::<Week>().expect(text).to_string(), again);
    }
    for (text, wrong) in [
        ("", WeekError::Part(String::new())),
        ("mon", WeekError::Part("mon".into())),
        ("mon 10:00-12:00,", WeekError::Part(String::new())),
        ("funday 10:00-12:00", WeekError::Day("funday".into())),
        ("fri-mon 10:00-12:00", WeekError::DaysBackwards("fri-mon".into())),
        ("mon 10:15-12:00", WeekError::Time("10:15".into())),
        ("mon 24:30-12:00", WeekError::Time("24:30".into())),
        ("mon 24:00-12:00", WeekError::Time("24:00".into())),
        ("mon +1:00-12:00", WeekError::Time("+1:00".into())),
        ("mon 10:00", WeekError::Span("10:00".into())),
        ("mon 10:00-10:00", WeekError::Empty("10:00-10:00".into())),
    ] {
        assert_eq!(text.parse::<Week>(), Err(wrong), "{text}");
    }
}

#[test]
fn a_grid_is_drawn() {
    let mut week = Week::NEVER;
    week.set(0, 47, true);
    week.set(7, 0, true);
    week.set(0, 48, true);
    assert_eq!(week.to_string(), "mon 23:30-24:00");
    assert!(week.has(0, 47) && !week.has(0, 46) && !week.has(7, 0));
    let zone = -90;
    // Monday 23:30 there is Tuesday 01:00 here.
    let at = Timestamp(SATURDAY + 3 * DAY + HOUR);
    assert!(week.open(at, zone) && !week.open(Timestamp(at.0 - 1), zone));
    assert_eq!(week.next_change(Timestamp(at.0 - DAY), zone), Some(at));
    assert_eq!(week.next_change(at, zone), Some(at.plus_ms(30 * MINUTE)));
    assert_eq!(Week::ALWAYS.next_change(at, zone), None);
}

proptest! {
    #[test]
    fn every_week_can_be_written(days in proptest::array::uniform7(0_u64..1 << 48)) {
        let mut week = Week::NEVER;
        for (day, halves) in days.into_iter().enumerate() {
            (0..48).for_each(|half| week.set(day, half, halves >> half & 1 == 1));
        }
        prop_assert_eq!(week.to_string().parse::<Week>(), Ok(week));
    }

    #[test]
    fn a_change_is_the_next_one(days in proptest::array::uniform7(0_u64..1 << 48), at in 0_u64..2_000_000_000_000, zone in -720_i16..840) {
        let mut week = Week::NEVER;
        for (day, halves) in days.into_iter().enumerate() {
            (0..48).for_each(|half| week.set(day, half, halves >> half & 1 == 1));
        }
        let at = Timestamp(at);
        if let Some(change) = week.next_change(at, zone) {
            prop_assert!(change > at);
            prop_assert_ne!(week.open(change, zone), week.open(at, zone));
            prop_assert_eq!(week.open(Timestamp(change.0 - 1), zone), week.open(at, zone));
        }
    }
}
