//! Worlds in which work is paid, each made of its seed. `P2P_AGENT_SEED` replays one; `P2P_AGENT_SEEDS` runs
//! that many.

use crate::{Report, Sabotage, Scenario, run};

/// As many as fit into a minute of two small cores.
const SEEDS: u64 = 1000;

fn number(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("a number"))
}

/// One of four parts of all seeds, so that they run beside each other.
fn run_part(part: u64) -> Vec<Report> {
    let count = number("P2P_AGENT_SEEDS").unwrap_or(SEEDS);
    let seeds = match number("P2P_AGENT_SEED") {
        Some(seed) => vec![seed],
        None => (0..count).filter(|seed| seed % 4 == part).collect(),
    };
    let (mut reports, mut violations) = (Vec::new(), Vec::new());
    for seed in seeds {
        match run(&Scenario::with_money(seed)) {
            Ok(report) => reports.push(report),
            Err(violation) => {
                println!("{violation}");
                violations.push(violation);
            }
        }
    }
    assert!(violations.is_empty(), "{} worlds broke, the first: {}", violations.len(), violations[0]);
    reports
}

fn part(part: u64) {
    let reports = run_part(part);
    let sum = |count: fn(&Report) -> u64| reports.iter().map(count).sum::<u64>();
    let (canaries, settled, crashes) =
        (sum(|report| report.canaries), sum(|report| report.settled), sum(|report| report.crashes));
    println!("{} worlds: {canaries} canaries, {settled} holds settled, {crashes} crashes", reports.len());
    if reports.len() > 10 {
        assert!(canaries > 0 && settled > 0 && crashes > 0);
    }
}

#[test]
fn credits_first_quarter() {
    part(0);
}

#[test]
fn credits_second_quarter() {
    part(1);
}

#[test]
fn credits_third_quarter() {
    part(2);
}

#[test]
fn credits_last_quarter() {
    part(3);
}

#[test]
fn the_same_seed_gives_the_same_run_with_money() {
    let trace = |seed| run(&Scenario::with_money(seed)).unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(trace(11), trace(11));
    assert_ne!(trace(11).trace, trace(12).trace);
}

/// A checker that never finds anything proves nothing.
#[test]
fn broken_money_is_found() {
    let broken = [
        (Sabotage::UnwrittenRecords, &["durable", "log"][..]),
        (Sabotage::LostPayments, &["unpaid"]),
        (Sabotage::UnheardLimits, &["limits"]),
        (Sabotage::NoExcuses, &["honesty"]),
    ];
    for (sabotage, checkers) in broken {
        let violation = (0..60).find_map(|seed| run(&Scenario { sabotage, ..Scenario::with_money(seed) }).err());
        let violation = violation.unwrap_or_else(|| panic!("{sabotage:?} is not found"));
        assert!(checkers.contains(&violation.checker), "{sabotage:?}: {violation}");
    }
}
