//! Workers on the leash: caps by the kernel's own clock, halts, and who is never held.

use std::fs;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use p2p_inference::{Allowed, Class, PoolConfig, PoolEvent, WorkOrder};
use p2p_platform::process::Reins;
use p2p_types::{Output, TaskKind};

use crate::support::{Bench, config, order, texts, until, workers};

const WINDOW: Duration = Duration::from_secs(1);
const SAMPLE: Duration = Duration::from_millis(20);

fn much(texts: usize) -> Vec<String> {
    (0..texts).map(|number| format!("{number} {}", "the river takes the meadow ".repeat(20 + number % 20))).collect()
}

fn guests(texts: &[String]) -> WorkOrder {
    let timeout = Duration::from_secs(600);
    WorkOrder { class: Class::Guest, timeout, ..order(TaskKind::Embed, texts) }
}

fn processors() -> usize {
    available_parallelism().map_or(1, usize::from)
}

async fn progress(bench: &mut Bench) {
    let event = tokio::time::timeout(Duration::from_secs(120), bench.events.recv()).await.expect("in time");
    assert!(matches!(event, Some(PoolEvent::Progress { .. })), "{event:?}");
}

fn reins(pids: &[u32]) -> Vec<Reins> {
    pids.iter().map(|pid| Reins::take(*pid).expect("it runs")).collect()
}

fn clocks(reins: &[Reins]) -> Duration {
    reins.iter().map(|one| one.cpu_time().expect("it runs")).sum()
}

fn state(pid: u32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('-')
}

/// What all processors together were busy and idle for, in hundredths of a second.
fn machine() -> (f64, f64) {
    let stat = fs::read_to_string("/proc/stat").expect("Linux");
    let first = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let times: Vec<f64> = first.filter_map(|word| word.parse().ok()).take(8).collect();
    let idle = times[3] + times[4];
    (times.iter().sum::<f64>() - idle, idle)
}

struct Sample {
    at: Instant,
    ours: Duration,
    busy: f64,
    idle: f64,
}

/// Samples for a while; of every window of a second the part of the computer that was ours, in
/// thousandths, and the part that was others'.
async fn windows(reins: &[Reins], length: Duration) -> Vec<(f64, f64)> {
    let begun = Instant::now();
    let mut samples = Vec::new();
    while begun.elapsed() < length {
        let (busy, idle) = machine();
        samples.push(Sample { at: Instant::now(), ours: clocks(reins), busy, idle });
        tokio::time::sleep(SAMPLE).await;
    }
    let mut found = Vec::new();
    for (place, from) in samples.iter().enumerate() {
        let Some(to) = samples[place..].iter().find(|to| to.at - from.at >= WINDOW) else { break };
        let wall = (to.at - from.at).as_secs_f64() * processors() as f64;
        let ours = (to.ours - from.ours).as_secs_f64() / wall;
        let busy = to.busy - from.busy;
        let others = busy / (busy + to.idle - from.idle) - ours;
        found.push((ours * 1000.0, others * 1000.0));
    }
    found
}

#[tokio::test]
async fn under_a_low_cap_runs_are_smaller_and_answers_the_same() {
    let sentences: Vec<String> =
        include_str!("../../../../models/bench/sentences.txt").lines().map(str::to_owned).collect();
    let mut bench = Bench::new();
    let mut seen = Vec::new();
    for cpu_permille in [1000, 100] {
        bench.pool.leash().set(Allowed { workers: 1, cpu_permille, ..Allowed::default() });
        bench.give(guests(&sentences));
        let mut runs = 1;
        let outcomes = loop {
            match bench.events.recv().await {
                Some(PoolEvent::Progress { .. }) => runs += 1,
                Some(PoolEvent::Done { outcomes, .. }) => break outcomes,
                other => panic!("{other:?}"),
            }
        };
        assert!(outcomes.iter().all(Result::is_ok));
        seen.push((runs, outcomes));
    }
    bench.pool.leash().set(Allowed::default());
    let [(whole, expected), (small, answers)] = &seen[..] else { panic!("two") };
    assert!(*small > whole * 5 / 4, "{whole} runs, {small} under a cap");
    let equal = expected.iter().zip(answers).filter(|(a, b)| a == b).count();
    assert!(equal >= 99, "{equal} of 100 in smaller runs");
}

#[tokio::test]
async fn no_second_is_above_the_cap() {
    let most = processors().min(4);
    let mut bench = Bench::with(PoolConfig { workers: most, ..config() });
    let leash = bench.pool.leash();
    let long = much(1500);
    let workers_for = |cap: u16| (usize::from(cap) * processors()).div_ceil(1000).min(most);
    for cap in [500, 300, 100] {
        leash.set(Allowed {
            workers: u16::try_from(workers_for(cap)).expect("few"),
            cpu_permille: cap,
            ..Allowed::default()
        });
        let orders: Vec<u64> = (0..workers_for(cap)).map(|_| bench.give(guests(&long))).collect();
        until("the workers", || workers().len() == orders.len()).await;
        let windows = windows(&reins(&workers()), Duration::from_secs(5)).await;
        let reachable = f64::from(cap).min(orders.len() as f64 * 1000.0 / processors() as f64);
        let above = windows.iter().map(|(ours, _)| *ours).fold(0.0, f64::max);
        assert!(above <= f64::from(cap) + 20.0, "{above:.1} of 1000 in a second, the cap is {cap}");
        let quiet: Vec<f64> = windows.iter().filter(|(_, others)| *others <= 50.0).map(|(ours, _)| *ours).collect();
        let loud = windows.len() - quiet.len();
        if quiet.is_empty() {
            println!("cap {cap}: others were busy in all {loud} windows; at most {above:.1}; no claim about the mean");
        } else {
            let mean = quiet.iter().sum::<f64>() / quiet.len() as f64;
            println!("cap {cap}: at most {above:.1}, mean {mean:.1} of {} windows, {loud} not counted", quiet.len());
            assert!((mean - reachable).abs() <= 10.0, "{mean:.1} of 1000, the cap is {cap}");
        }
        for order in orders {
            bench.pool.stop(order);
        }
        until("their end", || workers().is_empty()).await;
    }
    let stats = leash.stats();
    assert!(stats.stops > 0 && stats.continues > 0, "{stats:?}");
}

#[tokio::test]
async fn a_halt_stops_at_once_and_a_go_goes_on() {
    let mut bench = Bench::new();
    let leash = bench.pool.leash();
    let given = bench.give(guests(&much(60)));
    progress(&mut bench).await;
    let pid = workers()[0];
    let reins = reins(&[pid]);
    for _ in 0..10 {
        let halted = Instant::now();
        leash.halt();
        leash.halt();
        assert!(leash.halted() && halted.elapsed() < Duration::from_millis(50), "it waits for nothing");
        tokio::time::sleep(Duration::from_millis(50).saturating_sub(halted.elapsed())).await;
        let then = clocks(&reins);
        tokio::time::sleep(Duration::from_millis(100)).await;
        // A thread that had no processor when the signal came needs one to take it.
        let ran = clocks(&reins).saturating_sub(then);
        assert!(ran < Duration::from_millis(1), "it runs on: {ran:?}");
        until("it counts as stopped", || state(pid) == 'T').await;
        leash.go();
        until("it goes on", || clocks(&reins) > then).await;
    }
    // Longer than a worker may be silent.
    leash.halt();
    tokio::time::sleep(Duration::from_secs(7)).await;
    leash.go();
    let PoolEvent::Done { work_id, outcomes, .. } = bench.end().await else { panic!("no outcomes") };
    assert!(work_id == given && outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(workers(), [pid], "a worker that was held is not a silent one");
}

#[tokio::test]
async fn a_halted_guest_gives_its_memory_back_and_the_owner_works() {
    let mut bench = Bench::new();
    let leash = bench.pool.leash();
    // One that is busy, and one that waits for more work of guests.
    bench.outcomes(guests(&texts(&["warm"]))).await;
    let given = bench.give(guests(&much(400)));
    progress(&mut bench).await;
    leash.halt();
    let begun = Instant::now();
    // It is still there, stopped, and in nobody's way.
    let own = bench.outcomes(order(TaskKind::Embed, &texts(&["the owner's"]))).await;
    assert!(own[0].is_ok() && workers().iter().any(|pid| state(*pid) == 'T'), "{own:?}");
    println!("the owner's order took {:?} beside a halted one", begun.elapsed());
    let stopped = Instant::now();
    bench.pool.stop(given);
    until("the end of the halted one", || workers().len() == 1).await;
    println!("memory was back after {:?}", stopped.elapsed());
    assert!(stopped.elapsed() < Duration::from_secs(1), "{:?}", stopped.elapsed());
    // Nothing of guests begins until it may, and then it does.
    let waiting = bench.give(guests(&texts(&["a guest's"])));
    assert_eq!(bench.outcomes(order(TaskKind::Noop, &texts(&["a"]))).await, [Ok(Output::Nothing)]);
    assert_eq!(workers().len(), 1);
    leash.go();
    assert!(matches!(bench.end().await, PoolEvent::Done { work_id, .. } if work_id == waiting));
}

#[tokio::test]
async fn a_worker_that_waits_for_guests_ends_with_a_halt_and_the_owners_does_not() {
    let mut bench = Bench::new();
    bench.outcomes(guests(&texts(&["a"]))).await;
    let begun = Instant::now();
    bench.pool.leash().halt();
    until("its end", || workers().is_empty()).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    bench.pool.leash().go();
    bench.outcomes(guests(&texts(&["a"]))).await;
    bench.outcomes(order(TaskKind::Noop, &texts(&["a"]))).await;
    bench.pool.leash().halt();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(workers().len(), 1);
}

#[tokio::test]
async fn answers_under_a_low_cap_are_the_same_and_the_owner_is_not_capped() {
    let mut bench = Bench::new();
    let all = much(6);
    let free = bench.embed(&all).await;
    let leash = bench.pool.leash();
    assert_eq!(leash.stats().stops, 0, "the owner's work was held");
    leash.set(Allowed { workers: 1, cpu_permille: 20, ..Allowed::default() });
    let outcomes = bench.outcomes(guests(&all)).await;
    let held: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Ok(Output::Embedding(vector)) => vector.values,
            other => panic!("no embedding: {other:?}"),
        })
        .collect();
    assert_eq!(held, free);
    let stats = leash.stats();
    // More where nobody else wants the processors.
    assert!(stats.stops > 0 && stats.stops == stats.continues, "{stats:?}");
    // The same worker, off the leash.
    let before = workers();
    bench.embed(&all).await;
    assert_eq!((leash.stats(), workers()), (stats, before));
    assert_ne!(state(workers()[0]), 'T', "it is free");
}

/// The whole life of a worker, its start included.
#[tokio::test]
async fn a_worker_starts_under_one_percent_and_is_not_taken_for_a_dead_one() {
    let mut bench = Bench::new();
    let leash = bench.pool.leash();
    leash.set(Allowed { workers: 1, cpu_permille: 10, ..Allowed::default() });
    bench.give(guests(&texts(&["a"])));
    until("a worker", || workers().len() == 1).await;
    let first = workers();
    tokio::time::sleep(Duration::from_secs(7)).await;
    leash.set(Allowed::default());
    let PoolEvent::Done { outcomes, .. } = bench.end().await else { panic!("no outcomes") };
    assert!(outcomes[0].is_ok() && workers() == first, "{outcomes:?}");
}

#[tokio::test]
async fn a_pool_ends_with_workers_on_the_leash() {
    let mut bench = Bench::with(PoolConfig { workers: 2, ..config() });
    let leash = bench.pool.leash();
    bench.give(guests(&much(400)));
    bench.give(guests(&much(400)));
    progress(&mut bench).await;
    until("two workers", || workers().len() == 2).await;
    leash.halt();
    let begun = Instant::now();
    bench.pool.shutdown().await;
    assert!(workers().is_empty() && begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // Nobody is left to be held.
    leash.go();
    leash.set(Allowed::default());
}
