//! 200 nodes in all weathers. `P2P_AGENT_SEED` replays one seed in all of them.

use crate::{Faults, Links, Load, Report, SECOND, Sabotage, Scenario, run};

/// The seeds of a scenario, or the one that somebody wants to see again.
fn seeds(fixed: &[u64]) -> Vec<u64> {
    let wanted = std::env::var("P2P_AGENT_SEED").ok();
    wanted.map_or_else(|| fixed.to_vec(), |seed| vec![seed.parse().expect("P2P_AGENT_SEED is a number")])
}

fn run_all(fixed: &[u64], scenario: &Scenario) -> Vec<Report> {
    let run = |seed: u64| {
        let report = run(&Scenario { seed, ..scenario.clone() }).unwrap_or_else(|violation| panic!("{violation}"));
        println!("seed {seed}, {}: {report:?}", scenario.name);
        report
    };
    seeds(fixed).into_iter().map(run).collect()
}

const STORM: Faults = Faults {
    crashes_per_minute: 40,
    seams_per_minute: 60,
    partitions_per_minute: 4,
    severed_per_minute: 200,
    sleeps_per_minute: 40,
    skewed_permille: 300,
};

fn stormy() -> Scenario {
    let links = Links { loss_permille: 20, twice_permille: 30, jitter_us: 20_000, ..Links::default() };
    Scenario { name: "storm", links, faults: STORM, ..Scenario::default() }
}

#[test]
fn calm() {
    for report in run_all(&[1], &Scenario::default()) {
        assert_eq!((report.lost, report.crashes), (0, 0));
        assert!(report.done > 200 && report.crossed > 300 && report.confided > 20, "{report:?}");
    }
}

#[test]
fn loss_and_delay() {
    let links = Links {
        loss_permille: 100,
        twice_permille: 100,
        jitter_us: 200_000,
        latency_us: (5_000, 150_000),
        ..Links::default()
    };
    for report in run_all(&[2], &Scenario { name: "loss and delay", links, ..Scenario::default() }) {
        assert!(report.done > 200, "{report:?}");
    }
}

#[test]
fn partitions() {
    let faults = Faults { partitions_per_minute: 8, severed_per_minute: 100, ..Faults::default() };
    for report in run_all(&[3], &Scenario { name: "partitions", faults, ..Scenario::default() }) {
        assert!(report.done > 150, "{report:?}");
    }
}

#[test]
fn crashes_between_disk_and_network() {
    let faults = Faults { crashes_per_minute: 60, seams_per_minute: 300, ..Faults::default() };
    for report in run_all(&[4], &Scenario { name: "crashes", faults, ..Scenario::default() }) {
        assert!(report.crashes > 100, "{report:?}");
    }
}

#[test]
fn everything_at_once() {
    for report in run_all(&[5, 6], &stormy()) {
        assert!(report.crashes > 25 && report.done > 100, "{report:?}");
    }
}

#[test]
fn large_tasks_over_few_nodes() {
    let load = Load { tasks: 40, large_permille: 1000, ..Load::default() };
    let faults = Faults {
        crashes_per_minute: 4,
        seams_per_minute: 4,
        partitions_per_minute: 2,
        severed_per_minute: 30,
        sleeps_per_minute: 4,
        ..STORM
    };
    for report in run_all(&[8], &Scenario { name: "few", nodes: 12, load, faults, ..stormy() }) {
        assert!(report.crossed > 200, "{report:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let small = Scenario { nodes: 30, storm_us: 20 * SECOND, ..stormy() };
    let trace = |seed| run(&Scenario { seed, ..small.clone() }).unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(trace(11), trace(11));
    assert_ne!(trace(11).trace, trace(12).trace);
}

/// A checker that never finds anything proves nothing.
#[test]
fn what_is_broken_is_found() {
    let broken = [
        (Sabotage::ForgetSequences, &["sequences", "honesty"][..]),
        (Sabotage::LyingWorkers, &["results", "receipts"]),
        (Sabotage::UnheardDistrust, &["privacy"]),
        (Sabotage::LostResults, &["liveness"]),
    ];
    for (sabotage, checkers) in broken {
        let load = Load { trust_changes: 2000, ..Load::default() };
        let scenario = Scenario { seed: 9, nodes: 40, storm_us: 20 * SECOND, load, sabotage, ..stormy() };
        let violation = run(&scenario).expect_err("it is broken");
        assert!(checkers.contains(&violation.checker), "{sabotage:?}: {violation}");
        assert!(violation.to_string().contains("P2P_AGENT_SEED=9"), "{violation}");
    }
}
