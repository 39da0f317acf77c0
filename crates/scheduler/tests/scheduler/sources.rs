//! Several sources, sources that die, and sources that lie about themselves.

use p2p_scheduler::{Applies, Battery, Class, Input, Output, Policy, Reason, Rule, SourceId};
use p2p_types::{Inhibitor, Reading, SignalKind, Untold};

use crate::world::{DAEMON, GIB, HOUR, MINUTE, SECOND, TRAY, World, always, checked, inhibits, memory, power, quiet};

const INPUT: SignalKind = SignalKind::Input;

fn untold(kind: SignalKind, why: Untold) -> Option<Reason> {
    Some(Reason::CannotTell { kind, why })
}

fn away(idle_ms: u64) -> Result<Reading, Untold> {
    Ok(Reading::Input { idle_ms })
}

#[test]
fn a_lease_that_ends_pauses_and_says_so() {
    let mut world = World::new(quiet());
    world.tell(TRAY, true, 30 * SECOND, INPUT, away(HOUR));
    world.pass(10 * SECOND);
    assert!(world.guest().runs());
    world.pass(20 * SECOND - 1);
    assert!(world.guest().runs());
    world.pass(1);
    assert_eq!(world.why(), untold(INPUT, Untold::SourceGone));
    // It comes back and knows better than to say that somebody was there.
    world.tell(TRAY, true, 30 * SECOND, INPUT, away(HOUR));
    world.pass(10 * SECOND - 1);
    assert_eq!(world.why(), untold(INPUT, Untold::SourceGone), "it holds");
    world.pass(1);
    assert!(world.guest().runs());
}

#[test]
fn sessions_combine_by_the_least_idle() {
    let mut world = World::idle(quiet());
    let other = SourceId(9);
    world.tell(other, true, MINUTE, INPUT, away(0));
    assert_eq!(world.why(), Some(Reason::Owner));
    world.tell(other, true, 10 * MINUTE, INPUT, away(HOUR));
    assert!(world.guest().runs(), "the newest word of a source is its word");
    // One session's source dies. Somebody may have sat there to the end.
    world.tell(other, true, MINUTE, INPUT, away(HOUR));
    world.pass(MINUTE);
    assert_eq!(world.why(), Some(Reason::Owner));
    world.pass(3 * MINUTE);
    assert!(world.guest().runs(), "and what is gone does not wedge the rest: {:?}", world.guest());
}

#[test]
fn a_session_that_cannot_be_watched_hides_its_owner() {
    let mut world = World::idle(quiet());
    world.tell(SourceId(9), true, MINUTE, INPUT, Err(Untold::Failed));
    assert_eq!(world.why(), untold(INPUT, Untold::Failed));
    // Who never saw a session says nothing about one.
    let mut world = World::idle(quiet());
    world.tell(DAEMON, false, MINUTE, INPUT, Err(Untold::NoSession));
    world.tell(SourceId(9), true, MINUTE, INPUT, Err(Untold::Unsupported));
    assert!(world.guest().runs());
}

#[test]
fn goodbye_ends_a_word_at_once() {
    let mut world = World::idle(quiet());
    world.handle(Input::Leave { source: TRAY });
    assert_eq!(world.why(), untold(INPUT, Untold::SourceGone));
}

#[test]
fn power_that_cannot_be_told_any_more_pauses_after_a_grace() {
    let mut world = World::new(always());
    world.read(power(true, 80));
    world.say(SignalKind::Power, Err(Untold::Failed));
    world.pass(MINUTE - 1);
    assert!(world.guest().runs(), "a service that starts again is not noticed");
    world.pass(1);
    assert_eq!(world.why(), untold(SignalKind::Power, Untold::Failed));
    assert!(!world.scheduler.verdict(Class::Duty).runs());
    world.handle(Input::Policy(Box::new(checked(Policy { battery: Battery::Always, ..always() }))));
    assert!(world.guest().runs(), "who has no such rule need not know");
    world.handle(Input::Policy(Box::new(checked(always()))));
    assert!(!world.guest().runs());
    world.read(power(true, 80));
    world.pass(30 * SECOND);
    assert!(world.guest().runs());
    // A desktop has no plug to pull.
    let mut world = World::new(always());
    world.read(Reading::Power { mains: true, percent: None, saver: false });
    world.say(SignalKind::Power, Err(Untold::Failed));
    world.pass(HOUR / 10);
    assert!(world.guest().runs());
}

#[test]
fn on_battery_stays_so_while_it_cannot_be_told() {
    let mut world = World::new(always());
    world.tell(DAEMON, false, 10 * SECOND, SignalKind::Power, Ok(power(false, 80)));
    world.pass(11 * SECOND);
    assert_eq!(world.why(), Some(Reason::Battery { percent: Some(80) }), "the grace is for both sides");
    world.pass(2 * MINUTE);
    assert_eq!(world.why(), untold(SignalKind::Power, Untold::SourceGone));
}

#[test]
fn metered_and_disk_are_cautious_too_and_the_rest_is_let_go() {
    for (reading, kind) in [
        (Reading::Metered { metered: false }, SignalKind::Metered),
        (Reading::Disk { free_bytes: 1 << 40 }, SignalKind::Disk),
    ] {
        let mut world = World::new(always());
        world.read(reading);
        world.handle(Input::Leave { source: DAEMON });
        world.pass(MINUTE);
        assert_eq!(world.why(), untold(kind, Untold::SourceGone));
        assert!(world.scheduler.verdict(Class::Mine).runs(), "what is unknown is no hard limit");
    }
    let mut world = World::new(always());
    world.read(Reading::Temperature { decicelsius: 990 });
    world.read(Reading::FullScreen { full_screen: true });
    world.handle(Input::Leave { source: DAEMON });
    world.handle(Input::Leave { source: TRAY });
    assert!(!world.scheduler.verdict(Class::Mine).runs());
    world.pass(MINUTE + MINUTE);
    assert!(world.guest().runs() && world.scheduler.verdict(Class::Mine).runs());
    let rules = world.scheduler.rules(world.now);
    assert_eq!(rules[Rule::Temperature as usize].applies, Applies::CannotTell { why: Untold::SourceGone });
    assert_eq!(rules[Rule::Temperature as usize].seen[0].reading, Err(Untold::SourceGone));
}

#[test]
fn who_says_that_there_is_nothing_to_know_is_believed() {
    let mut world = World::new(always());
    world.read(Reading::Metered { metered: true });
    world.say(SignalKind::Metered, Err(Untold::Unsupported));
    world.pass(MINUTE);
    assert!(world.guest().runs(), "{:?}", world.guest());
    // But not who never knew.
    world.read(Reading::Metered { metered: true });
    world.tell(SourceId(9), false, HOUR, SignalKind::Metered, Err(Untold::Unsupported));
    world.handle(Input::Leave { source: DAEMON });
    world.pass(2 * MINUTE);
    assert_eq!(world.why(), untold(SignalKind::Metered, Untold::SourceGone));
}

#[test]
fn a_source_that_is_always_late_does_not_make_work_flicker() {
    let mut world = World::new(Policy { ..always() });
    for _ in 0..30 {
        world.tell(DAEMON, false, 10 * SECOND, SignalKind::Power, Ok(power(true, 80)));
        world.tell(DAEMON, false, 10 * SECOND, SignalKind::Metered, Ok(Reading::Metered { metered: false }));
        world.pass(15 * SECOND);
    }
    assert_eq!(world.outputs, [], "the grace covers it");
    let mut world = World::new(quiet());
    for _ in 0..30 {
        world.tell(TRAY, true, 10 * SECOND, INPUT, away(HOUR));
        world.pass(15 * SECOND);
    }
    let changed = world.outputs.iter().any(|output| matches!(output, Output::Changed { .. }));
    assert!(!changed, "it stays paused: {:?}", world.outputs);
}

#[test]
fn machine_wide_kinds_combine_by_the_most_cautious() {
    let pairs = [
        (power(true, 90), power(false, 80), Reason::Battery { percent: Some(80) }),
        (
            Reading::Power { mains: true, percent: None, saver: false },
            Reading::Power { mains: true, percent: None, saver: true },
            Reason::PowerSaver,
        ),
        (Reading::Metered { metered: false }, Reading::Metered { metered: true }, Reason::Metered),
        (Reading::FullScreen { full_screen: false }, Reading::FullScreen { full_screen: true }, Reason::FullScreen),
        (inhibits(None), inhibits(Some(Inhibitor::Call)), Reason::Inhibitor { inhibitor: Inhibitor::Call }),
        (
            Reading::Temperature { decicelsius: 300 },
            Reading::Temperature { decicelsius: 800 },
            Reason::Temperature { celsius: 80 },
        ),
        (Reading::Load { others_permille: 0 }, Reading::Load { others_permille: 500 }, Reason::Load { percent: 50 }),
        (memory(8 * GIB), memory(GIB / 2), Reason::Memory { available_mib: 512 }),
        (
            Reading::Disk { free_bytes: 100 * GIB },
            Reading::Disk { free_bytes: GIB },
            Reason::DiskFree { free_mib: 1024 },
        ),
    ];
    for (good, bad, reason) in pairs {
        for (first, second) in [(good, bad), (bad, good)] {
            let mut world = World::new(always());
            world.tell(DAEMON, false, MINUTE, good.kind(), Ok(first));
            world.tell(SourceId(9), false, MINUTE, good.kind(), Ok(second));
            world.pass(10 * SECOND);
            assert_eq!(world.why(), Some(reason));
        }
    }
}

#[test]
fn sources_are_bounded_and_a_live_session_is_never_pushed_out() {
    let mut world = World::new(quiet());
    world.read(Reading::Input { idle_ms: 0 });
    for n in 0..100 {
        world.tell(SourceId(100 + n), false, 10 * MINUTE, INPUT, away(HOUR));
        world.tell(SourceId(100 + n), false, 10 * MINUTE, SignalKind::Load, Ok(Reading::Load { others_permille: 0 }));
    }
    assert_eq!(world.why(), Some(Reason::Owner), "the owner is still heard");
    let load = &world.scheduler.rules(world.now)[Rule::Load as usize];
    assert_eq!(load.seen.len(), 15);
    assert_eq!(load.seen[14].source, SourceId(199), "the oldest went");
    // Where there is no place for a session, its owner cannot be seen.
    let mut world = World::new(quiet());
    for n in 0..16 {
        world.tell(SourceId(n), true, 10 * MINUTE, INPUT, away(HOUR));
    }
    world.pass(10 * SECOND);
    assert!(world.guest().runs());
    world.tell(SourceId(99), true, MINUTE, INPUT, away(0));
    assert_eq!(world.why(), untold(INPUT, Untold::Failed));
    world.pass(MINUTE + 10 * SECOND);
    assert!(world.guest().runs());
}

#[test]
fn no_lease_is_longer_than_ten_minutes_and_no_kind_is_taken_for_another() {
    let mut world = World::new(quiet());
    world.tell(TRAY, true, u64::MAX, INPUT, away(u64::MAX));
    world.pass(10 * MINUTE - 1);
    assert!(world.guest().runs());
    world.pass(1);
    assert!(!world.guest().runs());
    world.tell(TRAY, true, HOUR, INPUT, Ok(power(true, 1)));
    assert_eq!(world.why(), untold(INPUT, Untold::Failed));
}
