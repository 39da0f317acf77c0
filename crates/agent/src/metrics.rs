//! Figures of the node in the Prometheus text format.

use std::fmt::Write as _;

/// Counted since the process started.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counters {
    pub(crate) tasks_submitted: u64,
    pub(crate) tasks_done: u64,
    pub(crate) tasks_failed: u64,
    pub(crate) misbehaved: u64,
    pub(crate) refused: u64,
    pub(crate) sends_failed: u64,
    pub(crate) orders_not_begun: u64,
}

/// What is so now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Gauges {
    pub(crate) peers: usize,
    pub(crate) open_tasks: usize,
    pub(crate) guest_tasks: usize,
    pub(crate) guest_tasks_done: u64,
    pub(crate) resident_bytes: u64,
    pub(crate) uptime_ms: u64,
    pub(crate) ready_in_ms: u64,
    pub(crate) paused: bool,
}

pub(crate) fn render(counters: &Counters, gauges: &Gauges) -> String {
    let mut text = String::new();
    let mut put = |kind: &str, name: &str, help: &str, value: u64| {
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "# HELP p2p_agent_{name} {help}\n# TYPE p2p_agent_{name} {kind}\np2p_agent_{name} {value}");
    };
    put("counter", "tasks_submitted_total", "Tasks of the owner.", counters.tasks_submitted);
    put("counter", "tasks_done_total", "Tasks of the owner that ended with at least one result.", counters.tasks_done);
    put("counter", "tasks_failed_total", "Tasks of the owner that ended without any.", counters.tasks_failed);
    put("counter", "guest_tasks_done_total", "Parts of tasks finished for others.", gauges.guest_tasks_done);
    put("counter", "misbehaved_total", "Messages that were refused.", counters.misbehaved);
    put("counter", "refused_total", "Peers that were turned away by the network.", counters.refused);
    put("counter", "sends_failed_total", "Messages that could not be handed to a peer.", counters.sends_failed);
    put("counter", "orders_not_begun_total", "Orders that the workers could not begin.", counters.orders_not_begun);
    put("gauge", "peers", "Nodes connected.", gauges.peers as u64);
    put("gauge", "open_tasks", "Tasks of the owner that are not finished.", gauges.open_tasks as u64);
    put("gauge", "guest_tasks", "Parts of others' tasks waiting or running.", gauges.guest_tasks as u64);
    put("gauge", "paused", "1 while paused by hand.", u64::from(gauges.paused));
    put("gauge", "resident_bytes", "Memory of this process.", gauges.resident_bytes);
    put("gauge", "uptime_milliseconds", "Since the process started.", gauges.uptime_ms);
    put("gauge", "ready_milliseconds", "From process start to readiness.", gauges.ready_in_ms);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_comment_or_a_sample() {
        let text = render(&Counters { tasks_done: 7, ..Counters::default() }, &Gauges::default());
        assert!(text.contains("\np2p_agent_tasks_done_total 7\n"));
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.split_once(' ').expect("name and value");
            assert!(name.starts_with("p2p_agent_") && value.parse::<u64>().is_ok(), "{line}");
        }
    }
}
