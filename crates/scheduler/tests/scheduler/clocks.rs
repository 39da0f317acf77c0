//! Clocks that jump, computers that sleep, hours, and pauses by hand.

use p2p_scheduler::{Applies, Cause, Class, Input, Output, Policy, Reason, Resumes, Rule, When};
use p2p_types::{Now, Reading, SignalKind, Timestamp, Untold};

use crate::world::{DAY, HOUR, MINUTE, SATURDAY, SECOND, TRAY, World, always, power, quiet};

fn hours(week: &str) -> Policy {
    Policy { when: When::Hours, compute: week.parse().expect("hours"), ..quiet() }
}

#[test]
fn hours_open_and_close_on_time() {
    let mut world = World::new(hours("sat 18:00-20:00"));
    assert_eq!(
        (world.why(), world.resumes()),
        (Some(Reason::Hours), Resumes::At { at: Timestamp(SATURDAY + 18 * HOUR) })
    );
    world.pass(6 * HOUR - 5 * SECOND - 1);
    assert!(!world.guest().runs());
    world.pass(1);
    assert!(world.guest().runs());
    world.pass(2 * HOUR);
    assert_eq!(world.resumes(), Resumes::At { at: Timestamp(SATURDAY + 7 * DAY + 18 * HOUR) });
    assert_eq!(world.scheduler.rules(world.now)[Rule::Hours as usize].applies, Applies::AsUtc);
}

#[test]
fn hours_follow_the_zone_and_a_clock_that_is_set() {
    let mut world = World::new(hours("sat 18:00-20:00"));
    world.read(Reading::Zone { minutes: 345 });
    assert_eq!(world.resumes(), Resumes::At { at: Timestamp(SATURDAY + 12 * HOUR + 15 * MINUTE) }, "Kathmandu");
    world.read(Reading::Zone { minutes: 6 * 60 });
    assert!(world.guest().runs(), "the owner flew east");
    // Back a day, and nobody says so: within a minute it is noticed.
    world.now.wall = Timestamp(world.now.wall.0 - DAY);
    world.pass(MINUTE);
    assert_eq!(world.why(), Some(Reason::Hours));
    world.now.wall = world.now.wall.plus_ms(DAY);
    world.pass(MINUTE);
    assert!(world.guest().runs());
    // A zone that nobody tells any more is still the best there is.
    world.pass(20 * MINUTE);
    assert!(world.guest().runs());
}

#[test]
fn hours_of_the_network_are_for_guests_and_duties() {
    let mut world = World::new(Policy { network: "mon-sun 00:00-06:00".parse().expect("hours"), ..always() });
    assert_eq!(world.why(), Some(Reason::NetworkHours));
    assert!(!world.scheduler.verdict(Class::Duty).runs() && world.scheduler.verdict(Class::Mine).runs());
    world.pass(12 * HOUR);
    assert!(world.guest().runs());
}

#[test]
fn no_timer_minds_a_wall_clock_that_jumps() {
    let mut world = World::new(quiet());
    world.read(Reading::Input { idle_ms: 0 });
    for jump in [DAY, 0] {
        world.now.wall = Timestamp(SATURDAY + jump);
        world.handle(Input::Tick);
        world.pass(80 * SECOND);
        assert_eq!(world.why(), Some(Reason::Owner));
    }
    world.pass(20 * SECOND);
    assert!(world.guest().runs());
}

#[test]
fn after_a_sleep_of_eight_hours_nothing_old_is_believed() {
    let mut world = World::idle(quiet());
    world.read(power(true, 90));
    world.leap(8 * HOUR);
    world.handle(Input::Tick);
    let untold = |kind| Some(Reason::CannotTell { kind, why: Untold::SourceGone });
    assert_eq!(world.why(), untold(SignalKind::Input));
    world.read(Reading::Input { idle_ms: 8 * HOUR });
    world.pass(10 * SECOND);
    assert_eq!(world.why(), untold(SignalKind::Power), "it may have been unplugged");
    world.read(power(false, 30));
    assert_eq!(world.why(), Some(Reason::Battery { percent: Some(30) }));
    world.read(power(true, 30));
    world.pass(30 * SECOND);
    assert!(world.guest().runs());
}

#[test]
fn a_pause_lasts_as_long_as_was_said() {
    let mut world = World::new(always());
    let until = world.now.wall.plus_ms(30 * MINUTE);
    world.handle(Input::PauseByHand { until: Some(until) });
    assert_eq!(
        (world.why(), world.resumes()),
        (Some(Reason::ByHand { until: Some(until) }), Resumes::At { at: until })
    );
    // The clock is set back an hour: the pause is no longer for it, and says the new time.
    world.now.wall = Timestamp(world.now.wall.0 - HOUR);
    world.handle(Input::Tick);
    assert_eq!(world.resumes(), Resumes::At { at: Timestamp(until.0 - HOUR) });
    world.pass(30 * MINUTE - 1);
    assert!(!world.guest().runs());
    world.pass(1);
    assert!(world.guest().runs());
    assert!(matches!(world.outputs.last(), Some(Output::Changed { cause: Cause::Time, .. })));
    world.handle(Input::PauseByHand { until: Some(Timestamp(1)) });
    assert!(world.guest().runs(), "that was long ago");
    world.handle(Input::PauseByHand { until: None });
    world.pass(30 * DAY);
    assert!(!world.guest().runs(), "until resumed");
    world.handle(Input::Resume);
    assert!(world.guest().runs());
}

#[test]
fn tomorrow_is_local() {
    let mut world = World::new(always());
    assert_eq!(world.scheduler.until_tomorrow(world.now), Timestamp(SATURDAY + 30 * HOUR));
    world.read(Reading::Zone { minutes: -300 });
    assert_eq!(world.scheduler.until_tomorrow(world.now), Timestamp(SATURDAY + 35 * HOUR));
}

#[test]
fn who_has_nothing_to_wait_for_sleeps() {
    let mut world = World::new(always());
    assert_eq!(world.scheduler.next_deadline(world.now), None);
    world.handle(Input::PauseByHand { until: None });
    assert_eq!(world.scheduler.next_deadline(world.now), None);
    world.handle(Input::Resume);
    world.tell(TRAY, true, 10 * SECOND, SignalKind::FullScreen, Ok(Reading::FullScreen { full_screen: false }));
    world.pass(5 * MINUTE);
    assert_eq!(world.scheduler.next_deadline(world.now), None, "what is gone is not waited for");
    // A deadline that was slept through is due now, not in the past.
    let mut world = World::new(hours("sat 18:00-20:00"));
    world.leap(HOUR);
    let now: Now = world.now;
    assert_eq!(world.scheduler.next_deadline(now), Some(now.mono));
}
