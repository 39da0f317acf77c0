//! A daemon at rest: quick to be ready, small, quiet. The benchmarks publish the figures; these
//! are the floors below which the work is unfinished.

use std::fs;
use std::time::Duration;

use p2p_tests::{Node, network};

#[test]
fn it_is_ready_within_a_second() {
    let node = Node::new();
    node.up();
    let ready = node.status()["ready_in_ms"].as_u64().expect("a time");
    assert!(ready < 1000, "ready after {ready} ms");
}

#[test]
fn it_is_small_and_quiet_at_rest() {
    let nodes = network(2);
    std::thread::sleep(Duration::from_secs(2));
    let pid = nodes[0].pid();
    let before = cpu_ticks(pid);
    std::thread::sleep(Duration::from_secs(10));
    let used = cpu_ticks(pid) - before;
    // A tick is 10 ms: 2 of 1000 are 0.2 % of a core. One more for the call of `pid`.
    assert!(used <= 3, "{used} ticks of 10 ms in 10 s");
    let resident = resident_kib(pid);
    assert!(resident < 45 * 1024, "{resident} KiB resident");
}

fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    fields[11].parse::<u64>().expect("user time") + fields[12].parse::<u64>().expect("system time")
}

fn resident_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a size");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}
