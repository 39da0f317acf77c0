//! Each rule pauses and resumes as its holds say.

use p2p_scheduler::{
    Band, Battery, Cause, Class, Effect, HOLDS, Input, Output, Policy, Preset, Reason, Resumes, Rule, Verdict, Week,
    When,
};
use p2p_types::{Inhibitor, Reading, SignalKind, Untold};

use crate::world::{GIB, HOUR, MINUTE, SECOND, TRAY, World, always, checked, inhibits, memory, power, quiet};

const MIB: u64 = 1 << 20;

#[test]
fn the_owner_comes_back_and_goes() {
    let mut world = World::idle(quiet());
    world.read(Reading::Input { idle_ms: 0 });
    assert_eq!(world.why(), Some(Reason::Owner), "at once");
    assert_eq!(world.resumes(), Resumes::AfterIdle { ms: 3 * MINUTE });
    let changed = world.outputs.pop().expect("for the log");
    let cause = Cause::Told { source: TRAY, kind: SignalKind::Input };
    assert!(
        matches!(changed, Output::Changed { class: Class::Guest, cause: told, from: Verdict::Run(_), .. } if told == cause)
    );
    world.pass(2 * MINUTE);
    world.read(Reading::Input { idle_ms: 0 });
    world.pass(3 * MINUTE - 1);
    assert_eq!(world.why(), Some(Reason::Owner));
    world.pass(1);
    assert!(world.guest().runs(), "{:?}", world.guest());
    assert!(
        matches!(world.outputs.last(), Some(Output::Changed { cause: Cause::Time, at, .. }) if *at == world.now.wall)
    );
}

#[test]
fn rules_of_the_screen() {
    let mut world = World::idle(quiet());
    let full = |full_screen| Reading::FullScreen { full_screen };
    world.pauses(full(true), 0, Reason::FullScreen, full(false), 10 * SECOND);
    for inhibitor in [Inhibitor::Presentation, Inhibitor::Call, Inhibitor::Media, Inhibitor::Game] {
        world.read(Reading::Input { idle_ms: HOUR });
        world.pauses(inhibits(Some(inhibitor)), 0, Reason::Inhibitor { inhibitor }, inhibits(None), 30 * SECOND);
    }
    // What is allowed does not count, and what is not still does.
    let mut world = World::new(Policy { media_allowed: true, full_screen_allowed: true, ..always() });
    world.read(full(true));
    world.read(inhibits(Some(Inhibitor::Media)));
    assert!(world.guest().runs());
    world.tell(crate::world::DAEMON, false, MINUTE, SignalKind::Inhibitor, Ok(inhibits(Some(Inhibitor::Game))));
    assert_eq!(world.why(), Some(Reason::Inhibitor { inhibitor: Inhibitor::Game }));
}

#[test]
fn rules_of_power() {
    let mut world = World::new(always());
    let reason = Reason::Battery { percent: Some(82) };
    world.pauses(power(false, 82), 0, reason, power(true, 82), 30 * SECOND);
    let saver = |saver| Reading::Power { mains: true, percent: Some(82), saver };
    world.pauses(saver(true), 0, Reason::PowerSaver, saver(false), 30 * SECOND);

    let mut world = World::new(Policy { battery: Battery::Above { stop: 60, resume: 70 }, ..always() });
    world.read(power(false, 60));
    assert!(world.guest().runs());
    world.pauses(power(false, 59), 0, Reason::Battery { percent: Some(59) }, power(false, 70), 30 * SECOND);
    world.read(power(false, 59));
    world.read(power(false, 69));
    world.pass(HOUR / 10);
    assert_eq!(world.why(), Some(Reason::Battery { percent: Some(69) }), "between the two it stays as it is");
    assert_eq!(world.resumes(), Resumes::OnMainsOrPercent { percent: 70 });
    assert!(matches!(world.outputs.last(), Some(Output::Reworded { class: Class::Duty, .. })), "{:?}", world.outputs);
    world.read(Reading::Power { mains: false, percent: None, saver: false });
    assert_eq!(world.why(), Some(Reason::Battery { percent: None }), "nobody knows how long it lasts");
}

#[test]
fn rules_of_the_computer() {
    let mut world = World::new(always());
    let heat = |celsius: i32| Reading::Temperature { decicelsius: celsius * 10 };
    world.pauses(heat(75), 10 * SECOND, Reason::Temperature { celsius: 75 }, heat(65), MINUTE);
    world.pauses(heat(95), 0, Reason::HeatCritical { celsius: 95 }, heat(65), MINUTE);
    let load = |others_permille| Reading::Load { others_permille };
    world.pauses(load(600), 10 * SECOND, Reason::Load { percent: 60 }, load(150), MINUTE);
    let low = Reason::Memory { available_mib: 512 };
    world.pauses(memory(512 * MIB), 3 * SECOND, low, memory(2 * GIB), MINUTE);
    world.pauses(memory(MIB), 0, Reason::MemoryCritical { available_mib: 1 }, memory(2 * GIB), 30 * SECOND);
    let disk = |free_bytes| Reading::Disk { free_bytes };
    world.pauses(disk(GIB), 0, Reason::DiskFree { free_mib: 1024 }, disk(6 * GIB), MINUTE);
    let metered = |metered| Reading::Metered { metered };
    world.pauses(metered(true), 0, Reason::Metered, metered(false), 30 * SECOND);
}

#[test]
fn a_spike_of_other_programs_is_no_reason() {
    let mut world = World::new(always());
    for _ in 0..20 {
        world.read(Reading::Load { others_permille: 900 });
        world.pass(9 * SECOND);
        world.read(Reading::Load { others_permille: 200 });
        world.pass(SECOND);
    }
    assert!(world.guest().runs());
    assert_eq!(world.outputs, [], "not a word");
    // Nor is a quiet moment a reason to go on.
    world.read(Reading::Load { others_permille: 900 });
    world.pass(10 * SECOND);
    for _ in 0..20 {
        world.read(Reading::Load { others_permille: 0 });
        world.pass(59 * SECOND);
        world.read(Reading::Load { others_permille: 200 });
        world.pass(SECOND);
    }
    assert!(!world.guest().runs());
}

#[test]
fn pressure_for_memory_counts_as_little_memory() {
    let mut world = World::new(always());
    let pressed = |pressure| Reading::Memory {
        available_bytes: 8 * GIB,
        total_bytes: 16 * GIB,
        pressure_permille: Some(pressure),
    };
    let reason = Reason::Memory { available_mib: 8192 };
    world.pauses(pressed(300), 3 * SECOND, reason, pressed(10), MINUTE);
}

/// What the workers may take does not fit in again on a small computer, ever: an eighth of it will do.
#[test]
fn a_small_computer_goes_on_again_too() {
    let mut world = World::new(always());
    let free = |available_bytes| Reading::Memory { available_bytes, total_bytes: 2 * GIB, pressure_permille: None };
    let reason = Reason::Memory { available_mib: 512 };
    world.pauses(free(GIB / 2), 3 * SECOND, reason, free(GIB + GIB / 4), MINUTE);
}

#[test]
fn usage_has_limits() {
    let mut world = World::new(Policy { data_bytes_a_month: Some(GIB), ..always() });
    world.handle(Input::DataUsed { month_bytes: GIB });
    assert_eq!(world.why(), Some(Reason::DataAllowance { used_mib: 1024, allowance_mib: 1024 }));
    assert!(!world.scheduler.verdict(Class::Duty).runs());
    assert!(
        matches!(world.scheduler.verdict(Class::Mine), Verdict::Run(allowance) if !allowance.network),
        "what can wait should wait"
    );
    world.handle(Input::DataUsed { month_bytes: 0 });
    assert!(world.guest().runs(), "a new month");
    world.handle(Input::DiskUsed { bytes: 3 * GIB });
    assert_eq!(world.why(), Some(Reason::DiskQuota { used_mib: 3072, quota_mib: 2048 }));
}

#[test]
fn each_class_obeys_its_own_rules() {
    let runs = |world: &World| Class::ALL.map(|class| world.scheduler.verdict(class).runs());
    let mut world = World::idle(quiet());
    world.handle(Input::PauseByHand { until: None });
    assert_eq!(runs(&world), [true, false, true], "a pause by hand is for guests");
    world.handle(Input::Resume);
    assert_eq!(runs(&world), [true; 3], "at once");
    world.read(Reading::Input { idle_ms: 0 });
    assert_eq!(runs(&world), [true, false, true]);
    world.read(power(false, 50));
    assert_eq!(runs(&world), [true, false, false]);
    world.read(memory(MIB));
    assert_eq!(runs(&world), [false; 3]);
    for (rule, _) in HOLDS {
        assert!(rule.binds(Class::Guest), "guests obey every rule");
        assert_eq!(rule.binds(Class::Mine), rule.is_hard(), "{}", rule.name());
    }
}

#[test]
fn the_reason_is_the_first_that_has_a_cause_now() {
    let mut world = World::idle(quiet());
    world.read(power(false, 50));
    world.read(Reading::FullScreen { full_screen: true });
    assert_eq!(world.why(), Some(Reason::FullScreen));
    world.read(Reading::FullScreen { full_screen: false });
    assert_eq!(world.why(), Some(Reason::Battery { percent: Some(50) }), "one that only holds lets it speak");
    world.handle(Input::PauseByHand { until: None });
    assert_eq!(world.why(), Some(Reason::ByHand { until: None }));
    let state = |world: &World, rule: Rule| world.scheduler.rules(world.now)[rule as usize].effect;
    assert_eq!(state(&world, Rule::FullScreen), Effect::Holds);
    assert_eq!(state(&world, Rule::Battery), Effect::Blocks);
    world.read(Reading::Load { others_permille: 900 });
    assert_eq!(state(&world, Rule::Load), Effect::Gathers);
    assert_eq!(state(&world, Rule::Metered), Effect::Free);
}

#[test]
fn a_rule_that_the_owner_takes_back_is_not_held() {
    let mut world = World::new(always());
    world.read(Reading::Metered { metered: true });
    world.read(Reading::FullScreen { full_screen: true });
    world.read(Reading::FullScreen { full_screen: false });
    world.handle(Input::Policy(Box::new(checked(Policy { metered_allowed: true, ..always() }))));
    assert_eq!(world.why(), Some(Reason::FullScreen), "its hold goes on");
    world.pass(10 * SECOND);
    assert!(world.guest().runs());
    world.handle(Input::Policy(Box::new(checked(always()))));
    assert_eq!(world.why(), Some(Reason::Metered));
    world.handle(Input::Policy(Box::new(checked(Policy { metered_allowed: true, ..always() }))));
    assert!(world.guest().runs(), "at once");
}

#[test]
fn fewer_workers_before_shorter_slices() {
    let allowed = |cpu_permille, max_workers| {
        let world = World::new(Policy { cpu_permille, max_workers, memory_bytes: 16 * GIB, ..always() });
        match world.guest() {
            Verdict::Run(allowance) => (allowance.workers, allowance.cpu_permille),
            Verdict::Pause { .. } => panic!("it runs"),
        }
    };
    assert_eq!(allowed(250, 8), (2, 250));
    assert_eq!(allowed(300, 8), (3, 300), "three workers, a little slowed");
    assert_eq!(allowed(100, 8), (1, 100), "less than one core: a slice of one");
    assert_eq!(allowed(1000, 2), (2, 250), "two workers cannot use more");
    assert_eq!(allowed(1000, 100), (8, 1000));
    let world = World::new(Preset::Full.policy(8));
    let Verdict::Run(mine) = world.scheduler.verdict(Class::Mine) else { panic!("it runs") };
    assert_eq!((mine.workers, mine.cpu_permille, mine.network), (8, 1000, true));
    assert_eq!(mine.memory_bytes, 16 * GIB - 128 * MIB);
}

#[test]
fn no_more_workers_than_fit_in_the_memory_that_is_given() {
    let workers = |memory_bytes| {
        let world = World::new(Policy { cpu_permille: 1000, max_workers: 8, memory_bytes, ..always() });
        let Verdict::Run(allowance) = world.guest() else { panic!("it runs") };
        (allowance.workers, allowance.memory_bytes)
    };
    // A quarter of a GiB each.
    assert_eq!(workers(GIB), (4, GIB));
    assert_eq!(workers(GIB / 4), (1, GIB / 4));
    assert_eq!(workers(64 * GIB).0, 8);
}

#[test]
fn nothing_runs_for_others_before_anything_could_be_told() {
    let mut world = World::starting(always());
    assert_eq!(world.why(), Some(Reason::Starting));
    assert!(world.scheduler.verdict(Class::Mine).runs());
    world.pass(SECOND);
    world.read(power(false, 50));
    world.pass(MINUTE);
    let ran = |output: &Output| matches!(output, Output::Changed { to: Verdict::Run(_), .. });
    assert!(!world.outputs.iter().any(ran), "{:?}", world.outputs);
}

#[test]
fn a_computer_where_nothing_can_be_told_works_when_it_is_set_to() {
    for policy in [always(), Policy { when: When::Hours, compute: "sat 10:00-14:00".parse().unwrap(), ..quiet() }] {
        let mut world = World::new(policy);
        assert!(world.guest().runs());
        let rules = world.scheduler.rules(world.now);
        let untold = |rule: &Rule, why| rules[*rule as usize].applies == p2p_scheduler::Applies::CannotTell { why };
        assert!([Rule::FullScreen, Rule::Inhibitor].iter().all(|rule| untold(rule, Untold::NoSession)));
        assert!(
            [Rule::Battery, Rule::Temperature, Rule::Metered, Rule::Load, Rule::Memory, Rule::DiskFree]
                .iter()
                .all(|rule| untold(rule, Untold::Unsupported))
        );
        assert!(rules.iter().all(|state| state.effect == Effect::Free && state.why.is_none()));
        world.say(SignalKind::Temperature, Err(Untold::Absent));
        let rules = world.scheduler.rules(world.now);
        let heat = &rules[Rule::Temperature as usize];
        assert_eq!(heat.applies, p2p_scheduler::Applies::CannotTell { why: Untold::Absent });
        assert_eq!(heat.seen[0].reading, Err(Untold::Absent));
        assert!(world.guest().runs());
    }
    let world = World::new(quiet());
    let reason = Reason::CannotTell { kind: SignalKind::Input, why: Untold::NoSession };
    assert_eq!(world.why(), Some(reason), "nobody guesses that the owner is away");
}

#[test]
fn what_our_workers_take_does_not_start_and_stop_them_in_a_circle() {
    let mut world = World::new(always());
    world.read(memory(GIB - MIB));
    world.pass(3 * SECOND);
    // The workers are gone: what they had is free, and would be taken again at once.
    world.read(memory(2 * GIB - 2 * MIB));
    world.pass(5 * MINUTE);
    assert!(!world.guest().runs());
    assert_eq!(world.resumes(), Resumes::MemoryFree { mib: 2048 });
}

#[test]
fn no_temperature_ceiling_is_none_but_the_hard_one() {
    let mut world = World::new(Policy { temperature: None, others: None, ..always() });
    world.read(Reading::Temperature { decicelsius: 940 });
    world.read(Reading::Load { others_permille: 1000 });
    world.pass(MINUTE);
    assert!(world.guest().runs());
    let tight = Policy { temperature: Some(Band { stop: 60, resume: 50 }), ..always() };
    world.handle(Input::Policy(Box::new(checked(tight))));
    world.pass(10 * SECOND);
    assert_eq!(world.why(), Some(Reason::Temperature { celsius: 94 }));
    assert!(Week::ALWAYS.is_always());
}
