//! The computer itself in the loop: what it is good for, and what its work costs.

use p2p_control::api;
use p2p_inference::PoolEvent;
use p2p_types::{Reading, SignalKind};

use super::Engine;
use crate::clock::now;
use crate::computer::{Around, Seen};

impl Engine<'_> {
    /// An order is about to begin.
    pub(super) fn work_begins(&mut self) {
        if self.running.is_empty() {
            self.sources.computer.begins(now(), self.sources.pool.spent());
        }
    }

    /// Nobody wants an order any more: the pool will not tell of it.
    pub(super) fn work_stopped(&mut self) {
        if self.running.is_empty() {
            self.sources.computer.look(now(), self.sources.pool.spent(), false);
        }
    }

    /// What the pool tells, with the day's sums.
    pub(super) fn on_pool_counted(&mut self, event: PoolEvent) {
        let texts = match &event {
            PoolEvent::Done { outcomes, .. } => Some(outcomes.len()),
            PoolEvent::Unavailable { .. } => None,
            PoolEvent::Progress { .. } => return self.on_pool(event),
        };
        let done_before = self.parts.node.counts().2;
        self.on_pool(event);
        let computer = &mut self.sources.computer;
        if let Some(texts) = texts {
            computer.done(now(), texts, self.parts.node.counts().2 > done_before);
        }
        computer.look(now(), self.sources.pool.spent(), !self.running.is_empty());
        if computer.wants_keeping(now()) {
            // Beside the loop, which waits for no disk.
            drop(tokio::task::spawn_blocking(computer.keep(now())));
        }
    }

    /// The end of a process: the day goes on in the next.
    pub(super) fn end_computer(&mut self) {
        self.sources.computer.look(now(), self.sources.pool.spent(), false);
        self.sources.computer.keep(now())();
    }

    pub(super) fn computer(&mut self) -> api::Computer {
        // Orders under way count as far as they are. At rest nothing is read.
        if !self.running.is_empty() {
            self.sources.computer.look(now(), self.sources.pool.spent(), true);
        }
        let reading = |kind| self.sources.rules.reading(kind);
        let seen = Seen {
            processors: p2p_platform::processors(),
            memory_bytes: p2p_platform::memory_bytes(),
            battery: match reading(SignalKind::Power) {
                Some(Reading::Power { percent, .. }) => Some(percent.is_some()),
                _ => None,
            },
            storage_free_bytes: match reading(SignalKind::Disk) {
                Some(Reading::Disk { free_bytes }) => Some(free_bytes),
                _ => None,
            },
            round_trip_us: {
                let connected = self.parts.node.peers().filter(|(_, peer)| peer.connected);
                connected.filter_map(|(_, peer)| peer.rtt_us).min()
            },
        };
        let earned_today = self.wallet().map(|wallet| wallet.earned_today);
        let around = Around { price: &self.parts.config.energy, earned_today };
        self.sources.computer.view(now(), &seen, around)
    }
}
