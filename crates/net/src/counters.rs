//! What is counted, and how it is told.

use libp2p::metrics::{Metrics, Recorder, Registry};
use prometheus_client::metrics::counter::Counter;

/// Our own counters; libp2p's stand beside them in the same registry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counters {
    frames_in: Counter,
    frames_out: Counter,
    bytes_in: Counter,
    bytes_out: Counter,
    outbox_full: Counter,
    commands_dropped: Counter,
    published_dropped: Counter,
    refused: Counter,
}

impl Counters {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let counters = Self::default();
        let registry = registry.sub_registry_with_prefix("p2p_net");
        for (name, help, counter) in [
            ("frames_received", "Direct frames received", &counters.frames_in),
            ("frames_sent", "Direct frames written", &counters.frames_out),
            ("frame_bytes_received", "Bytes of direct frames received", &counters.bytes_in),
            ("frame_bytes_sent", "Bytes of direct frames written", &counters.bytes_out),
            ("outbox_full", "Frames refused because too much was waiting for the peer", &counters.outbox_full),
            ("commands_dropped", "Commands dropped because too many were waiting", &counters.commands_dropped),
            ("published_dropped", "Topic messages dropped because a limit was reached", &counters.published_dropped),
            ("peers_refused", "Peers turned away", &counters.refused),
        ] {
            registry.register(name, help, counter.clone());
        }
        counters
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.frames_in.inc();
        self.bytes_in.inc_by(bytes as u64);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.frames_out.inc();
        self.bytes_out.inc_by(bytes as u64);
    }

    pub(crate) fn outbox_full(&self) {
        self.outbox_full.inc();
    }

    pub(crate) fn command_dropped(&self) {
        self.commands_dropped.inc();
    }

    pub(crate) fn published_dropped(&self) {
        self.published_dropped.inc();
    }

    pub(crate) fn refused(&self) {
        self.refused.inc();
    }
}

/// libp2p's own metrics, fed with its events.
pub(crate) struct Libp2pMetrics(Metrics);

impl Libp2pMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        Self(Metrics::new(registry))
    }

    pub(crate) fn record<E>(&self, event: &E)
    where
        Metrics: Recorder<E>,
    {
        self.0.record(event);
    }
}

/// Prometheus text of everything in `registry`, without the closing `# EOF`, so that others can
/// be appended.
pub(crate) fn text(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, registry);
    let end = text.trim_end().trim_end_matches("# EOF").len();
    text.truncate(end);
    text
}

/// What libp2p's counters of bandwidth add up to. It has no other way to ask them.
pub(crate) fn traffic(registry: &Registry) -> u64 {
    let lines = text(registry);
    let counted = lines.lines().filter(|line| line.starts_with("libp2p_bandwidth_bytes_total"));
    counted.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_things_are_told() {
        let mut registry = Registry::default();
        let counters = Counters::register(&mut registry);
        counters.received(7);
        counters.refused();
        let text = text(&registry);
        assert!(text.contains("p2p_net_frame_bytes_received_total 7\n"), "{text}");
        assert!(text.contains("p2p_net_peers_refused_total 1\n") && !text.contains("EOF"), "{text}");
    }
}
