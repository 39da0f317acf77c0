//! What the owner's rules change in what this node does.

use p2p_control::Reply;
use p2p_control::api::{Problem, SignalReport, Timeline};
use p2p_inference::Allowed;
use p2p_protocol::Input;
use p2p_scheduler::{Allowance, Class, Verdict};
use p2p_store::Record;
use p2p_types::{Timestamp, Told};

use super::{Engine, storage_problem};
use crate::clock::now;
use crate::rules::{self, Kept};

const HOUR_MS: u64 = 3_600_000;

impl Engine<'_> {
    /// A run begins with the rules as they are.
    pub(super) fn begin_rules(&mut self) {
        if let Some(until) = self.parts.node.paused() {
            self.sources.rules.pause(now(), until);
        }
        if let Some(died) = self.usage.died_at() {
            // Nobody worked from then on, though nobody could say so.
            self.commit(vec![Record::Decision { at: died, document: Kept::ENDED.to_bytes() }]);
        }
        self.count_usage();
        self.sources.rules.tick(now());
        self.rule();
        self.heed_rules();
    }

    pub(super) fn on_told(&mut self, told: Option<Vec<Told>>) {
        self.sources.rules.heard(now(), told);
        self.rule();
    }

    pub(super) fn on_signals(&mut self, report: &SignalReport) -> Result<(), Problem> {
        let taken = self.sources.rules.report(now(), report);
        self.rule();
        // Workers were stopped as the report came in; where the rules see no reason they go on.
        self.lead();
        taken
    }

    /// Carries out what the rules have changed.
    pub(super) fn rule(&mut self) {
        let mut changed = false;
        while let Some(ruling) = self.sources.rules.poll() {
            changed = true;
            if let Some((at, document)) = ruling.kept {
                let alive = self.usage.record(now(), false);
                self.commit(vec![Record::Decision { at, document }, alive]);
            }
        }
        self.heed_pause();
        if changed {
            self.heed_rules();
            self.node_changed = true;
        }
    }

    /// A pause by hand ends when the rules say so, which know by which clock; where the calendar jumped, what is
    /// on disk follows.
    fn heed_pause(&mut self) {
        match (self.sources.rules.by_hand(), self.parts.node.paused()) {
            (None, Some(_)) => self.feed(Input::Resume),
            (Some(until), Some(kept)) if until != kept => self.feed(Input::Pause { until }),
            _ => {}
        }
    }

    fn heed_rules(&mut self) {
        self.lead();
        let rules = &self.sources.rules;
        if let Some(net) = &self.parts.net {
            net.limit_upload(rules.upload_bytes_per_s());
        }
        let runs = |class| rules.verdict(class).runs();
        let ruled = (runs(Class::Guest), runs(Class::Mine), runs(Class::Duty));
        if self.ruled != Some(ruled) {
            self.ruled = Some(ruled);
            let (guests, own_work, duties) = ruled;
            self.feed(Input::Rules { guests, own_work, duties });
        }
    }

    /// Holds the workers of guests, or lets them go.
    fn lead(&self) {
        let leash = self.sources.pool.leash();
        match self.sources.rules.verdict(Class::Guest) {
            Verdict::Run(Allowance { workers, cpu_permille, memory_bytes, .. }) => {
                let worker_bytes = memory_bytes / u64::from((*workers).max(1));
                leash.set(Allowed { workers: *workers, cpu_permille: *cpu_permille, worker_bytes });
                leash.go();
            }
            Verdict::Pause { .. } => leash.halt(),
        }
    }

    /// The end of a process is a change, too.
    pub(super) fn end_rules(&mut self) {
        self.close_usage();
        self.commit(vec![Record::Decision { at: now().wall, document: Kept::ENDED.to_bytes() }]);
    }

    /// This run ends, and the process goes on.
    pub(super) fn close_usage(&mut self) {
        if let Some(net) = &self.parts.net {
            self.usage.count(now(), net.traffic());
        }
        let closed = self.usage.record(now(), true);
        self.commit(vec![closed]);
    }

    /// What was used up since the last look.
    pub(super) fn count_usage(&mut self) {
        self.usage.count(now(), self.parts.net.as_ref().map_or(0, p2p_net::Net::traffic));
        self.usage.weigh(self.parts.home.root());
        self.sources.rules.used(now(), self.usage.month_bytes(now()), self.usage.home_bytes());
        let alive = self.usage.record(now(), false);
        self.commit(vec![alive]);
        self.rule();
        // Workers that a touch stopped of which no report came stay so no longer than this.
        self.lead();
    }

    pub(super) fn timeline(&self, hours: u32, reply: Reply<Timeline>) {
        let to = now().wall;
        let from = Timestamp(to.0.saturating_sub(u64::from(hours) * HOUR_MS));
        let words = self.sources.rules.words(now());
        let store = self.parts.store.clone();
        tokio::spawn(async move {
            let kept = store.decisions(from).await;
            // Nobody waiting for an answer any more is no error.
            drop(reply.send(match kept {
                Ok(kept) => Ok(rules::timeline(from, to, &kept, &words)),
                Err(error) => Err(storage_problem(error)),
            }));
        });
    }
}
