//! Random histories of signals against the oracle.

use std::collections::BTreeMap;

use p2p_scheduler::{Battery, Class, Input, Output, Policy, Preset, Resumes, Rule, Scheduler, SourceId, Verdict, When};
use p2p_types::{By, Inhibitor, Monotonic, Now, Reading, Timestamp, Told, Untold};
use proptest::prelude::*;

use crate::oracle::{Event, Level, Oracle, is_session};
use crate::world::{DAY, GIB, HOUR, MACHINE, MINUTE, SATURDAY, checked, quiet};

/// Everything happens on this grid.
const GRAIN: u64 = 100;
const STARTED: Timestamp = Timestamp(SATURDAY + 17 * HOUR + 57 * MINUTE);
const MONO: Monotonic = Monotonic(9_000_000_000);
/// So long it goes on after the last event.
const AFTER: u64 = 4 * MINUTE;

fn policies() -> impl Strategy<Value = Policy> {
    let on_battery = Policy { when: When::Always, battery: Battery::Always, ..quiet() };
    let week = |text: &str| text.parse().expect("a week");
    prop_oneof![
        Just(quiet()),
        Just(Policy { when: When::Idle { after_ms: 10_000 }, data_bytes_a_month: Some(GIB), ..quiet() }),
        Just(on_battery),
        Just(Preset::Balanced.policy(8)),
        Just(Preset::Full.policy(8)),
        Just(Policy { when: When::Always, battery: Battery::Above { stop: 40, resume: 60 }, ..quiet() }),
        Just(Policy { when: When::Hours, compute: week("sat 18:00-20:00"), ..quiet() }),
        Just(Policy { when: When::Always, network: week("sat 00:00-18:00"), ..quiet() }),
    ]
}

fn reading() -> impl Strategy<Value = Reading> {
    let inhibitor = prop_oneof![
        Just(Inhibitor::Presentation),
        Just(Inhibitor::Call),
        Just(Inhibitor::Media),
        Just(Inhibitor::Game)
    ];
    // A good reading is more likely than a bad one, or nothing would ever run.
    prop_oneof![
        6 => prop_oneof![1 => Just(0_u64), 5 => (0_u64..6000).prop_map(|n| n * GRAIN)].prop_map(|idle_ms| Reading::Input { idle_ms }),
        2 => (prop::bool::weighted(0.8), prop::option::of(30_u8..80), prop::bool::weighted(0.1))
            .prop_map(|(mains, percent, saver)| Reading::Power { mains, percent, saver }),
        2 => (600_i32..1000).prop_map(|decicelsius| Reading::Temperature { decicelsius }),
        1 => prop::bool::weighted(0.3).prop_map(|metered| Reading::Metered { metered }),
        1 => prop::bool::weighted(0.3).prop_map(|full_screen| Reading::FullScreen { full_screen }),
        1 => prop::option::weighted(0.3, inhibitor).prop_map(|inhibitor| Reading::Inhibitor { inhibitor }),
        2 => (0_u16..700).prop_map(|others_permille| Reading::Load { others_permille }),
        1 => prop_oneof![Just(0), Just(GIB / 2), Just(3 * GIB / 2), Just(8 * GIB)].prop_map(|available_bytes| {
            Reading::Memory { available_bytes, total_bytes: 16 * GIB, pressure_permille: None }
        }),
        1 => prop_oneof![Just(0), Just(GIB), Just(21 * GIB / 4), Just(50 * GIB)].prop_map(|free_bytes| Reading::Disk { free_bytes }),
        1 => prop_oneof![Just(0_i16), Just(60), Just(345), Just(-120)].prop_map(|minutes| Reading::Zone { minutes }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let told = (0_u64..3, reading(), prop::bool::weighted(0.1), prop_oneof![1 => 10_u64..300, 3 => 1200_u64..4000]);
    prop_oneof![
        24 => told.prop_map(|(source, reading, fails, lease)| Event::Told {
            source,
            kind: reading.kind(),
            reading: if fails { Err(Untold::Failed) } else { Ok(reading) },
            lease_ms: lease * GRAIN,
        }),
        1 => (0_u64..3).prop_map(|source| Event::Leave { source }),
        1 => prop::option::of((1_u64..600).prop_map(|n| n * GRAIN)).prop_map(|for_ms| Event::Pause { for_ms }),
        2 => Just(Event::Resume),
        1 => prop_oneof![Just(0), Just(2 * GIB)].prop_map(|month_bytes| Event::Data { month_bytes }),
        1 => prop_oneof![3 => Just(0), 1 => Just(30 * GIB)].prop_map(|bytes| Event::Disk { bytes }),
        1 => prop_oneof![Just(-(DAY as i64)), Just(HOUR as i64), Just(-(MINUTE as i64))].prop_map(|by_ms| Event::Set { by_ms }),
    ]
}

fn history() -> impl Strategy<Value = Vec<(u64, Event)>> {
    prop::collection::vec((prop_oneof![1 => Just(1_u64), 3 => 1_u64..100, 2 => 100_u64..700], event()), 1..40).prop_map(
        |steps| {
            let mut at = GRAIN;
            let placed = steps.into_iter().map(|(wait, event)| {
                at += wait * GRAIN;
                (at, event)
            });
            placed.collect()
        },
    )
}

fn input(event: &Event, now: Now) -> Input {
    match event.clone() {
        Event::Told { source, kind, reading, lease_ms } => Input::Told {
            source: SourceId(source),
            session: is_session(source),
            lease_ms,
            told: Told { kind, by: By::Clock, reading },
        },
        Event::Leave { source } => Input::Leave { source: SourceId(source) },
        Event::Pause { for_ms } => Input::PauseByHand { until: for_ms.map(|ms| now.wall.plus_ms(ms)) },
        Event::Resume => Input::Resume,
        Event::Data { month_bytes } => Input::DataUsed { month_bytes },
        Event::Disk { bytes } => Input::DiskUsed { bytes },
        Event::Set { .. } => Input::Tick,
    }
}

/// One run: what came out when. `watch` sees the scheduler on every point of the grid.
fn run(
    policy: &Policy,
    history: &[(u64, Event)],
    every_grain: bool,
    mut watch: impl FnMut(u64, &Scheduler) -> Result<(), TestCaseError>,
) -> Result<Vec<(u64, Output)>, TestCaseError> {
    let oracle = Oracle { policy, history, started_wall: STARTED };
    let now = |at: u64| Now { wall: oracle.wall(at), mono: MONO.plus_ms(at) };
    let mut scheduler = Scheduler::new(checked(*policy), MACHINE, now(0));
    let end = history.last().map_or(0, |(at, _)| *at) + AFTER;
    let mut outputs = Vec::new();
    let mut events = history.iter().peekable();
    for at in (0..=end).step_by(usize::try_from(GRAIN).expect("small")) {
        while let Some((_, event)) = events.next_if(|(when, _)| *when == at) {
            scheduler.handle(now(at), input(event, now(at)));
        }
        if every_grain {
            scheduler.handle(now(at), Input::Tick);
        } else if scheduler.next_deadline(now(at)).is_some_and(|deadline| deadline <= now(at).mono) {
            scheduler.handle(now(at), Input::Tick);
            let next = scheduler.next_deadline(now(at));
            prop_assert!(next.is_none_or(|next| next > now(at).mono), "a circle at {at}");
        }
        while let Some(output) = scheduler.poll_output() {
            outputs.push((at, output));
        }
        watch(at, &scheduler)?;
    }
    Ok(outputs)
}

/// What the oracle remembers of a rule, for the holds.
#[derive(Default)]
struct Track {
    blocks_since: Option<u64>,
    /// When it last had blocked for its whole stop-hold, and when it last was not clear.
    acted: Option<u64>,
    not_clear: Option<u64>,
}

/// Who obeys what, said once more.
fn binds(rule: Rule, class: Class) -> bool {
    use Rule::{Battery, DataAllowance, DiskCritical, HeatCritical, MemoryCritical, Metered, NetworkHours, Starting};
    let hard = [HeatCritical, MemoryCritical, DiskCritical].contains(&rule);
    match class {
        Class::Guest => true,
        Class::Mine => hard,
        Class::Duty => hard || [Battery, Metered, NetworkHours, DataAllowance, Starting].contains(&rule),
    }
}

fn obey(policy: &Policy, history: &[(u64, Event)]) -> Result<usize, TestCaseError> {
    let oracle = Oracle { policy, history, started_wall: STARTED };
    let mut tracks: BTreeMap<Rule, Track> = BTreeMap::new();
    let mut ran = [false; 3];
    let mut changes = 0;
    run(policy, history, true, |at, scheduler| {
        for rule in Rule::all() {
            let level = oracle.level(rule, at);
            let track = tracks.entry(rule).or_default();
            track.blocks_since = (level == Level::Blocks).then(|| track.blocks_since.unwrap_or(at));
            if track.blocks_since.is_some_and(|since| at >= since + rule.hold().stop_ms) {
                track.acted = Some(at);
            }
            if level != Level::Clear {
                track.not_clear = Some(at);
            }
        }
        for class in Class::ALL {
            let bound = || tracks.iter().filter(|(rule, _)| binds(**rule, class));
            match scheduler.verdict(class) {
                Verdict::Run(_) => {
                    for (rule, track) in bound() {
                        prop_assert_ne!(track.acted, Some(at), "{} is outvoted for {:?} at {}", rule.name(), class, at);
                        let held = track.acted.is_none_or(|acted| at - acted >= rule.hold().resume_ms);
                        prop_assert!(ran[class as usize] || held, "{} let go too early at {}", rule.name(), at);
                    }
                }
                Verdict::Pause { reason, resumes } => {
                    let rule = reason.rule();
                    prop_assert!(binds(rule, class), "{} pauses {:?}", rule.name(), class);
                    let track = &tracks[&rule];
                    prop_assert!(track.acted.is_some(), "{} never had a cause", rule.name());
                    let holds = matches!(resumes, Resumes::Shortly { .. }) && rule != Rule::Starting;
                    let level = oracle.level(rule, at);
                    prop_assert_eq!(holds, level == Level::Clear, "{} at {}: {:?}", rule.name(), at, resumes);
                    let since = at - track.not_clear.unwrap_or(0);
                    prop_assert!(since <= rule.hold().resume_ms, "{} holds for {} ms at {}", rule.name(), since, at);
                }
            }
            let runs = scheduler.verdict(class).runs();
            changes += usize::from(ran[class as usize] != runs);
            ran[class as usize] = runs;
        }
        Ok(())
    })?;
    Ok(changes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Nothing is outvoted, nothing flaps, nothing is made up, and what the owner asked for obeys
    /// the hard limits alone.
    #[test]
    fn the_scheduler_obeys_the_oracle(policy in policies(), history in history()) {
        obey(&policy, &history)?;
    }

    #[test]
    fn deadlines_are_all_the_ticks_it_needs(policy in policies(), history in history()) {
        let often = run(&policy, &history, true, |_, _| Ok(()))?;
        let seldom = run(&policy, &history, false, |_, _| Ok(()))?;
        prop_assert_eq!(often, seldom);
    }
}

/// The histories are worth something only where things happen in them.
#[test]
fn histories_are_eventful() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut changes = 0;
    let mut reasons = BTreeMap::new();
    for _ in 0..40 {
        let (policy, history) = (policies(), history()).new_tree(&mut runner).expect("a history").current();
        changes += obey(&policy, &history).expect("obeys");
        for (_, output) in run(&policy, &history, false, |_, _| Ok(())).expect("runs") {
            if let Output::Changed { to: Verdict::Pause { reason, .. }, .. } = output {
                *reasons.entry(reason.rule().name()).or_insert(0) += 1;
            }
        }
    }
    assert!(changes > 150, "{changes} changes");
    assert!(reasons.len() >= 16, "{reasons:?}");
}
