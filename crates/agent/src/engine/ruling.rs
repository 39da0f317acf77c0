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
        self.sources.rules.tick(now());
        self.rule();
        self.heed_rules();
    }

    pub(super) fn on_told(&mut self, told: Told) {
        self.sources.rules.told(now(), told);
        self.rule();
    }

    pub(super) fn on_signals(&mut self, report: &SignalReport) -> Result<(), Problem> {
        self.sources.rules.report(now(), report)?;
        self.rule();
        // Workers were stopped as the report came in; where the rules see no reason they go on.
        self.lead();
        Ok(())
    }

    /// Carries out what the rules have changed.
    pub(super) fn rule(&mut self) {
        let mut changed = false;
        while let Some(ruling) = self.sources.rules.poll() {
            changed = true;
            if let Some((at, document)) = ruling.kept {
                self.commit(vec![Record::Decision { at, document }]);
            }
        }
        if changed {
            self.heed_rules();
            self.node_changed = true;
        }
    }

    fn heed_rules(&mut self) {
        self.lead();
        let rules = &self.sources.rules;
        let now_ruled = (rules.verdict(Class::Guest).runs(), rules.verdict(Class::Mine).runs());
        if self.ruled != Some(now_ruled) {
            self.ruled = Some(now_ruled);
            self.feed(Input::Rules { guests: now_ruled.0, own_work: now_ruled.1 });
        }
    }

    /// Holds the workers of guests, or lets them go.
    fn lead(&self) {
        let leash = self.sources.pool.leash();
        match self.sources.rules.verdict(Class::Guest) {
            Verdict::Run(Allowance { workers, cpu_permille, .. }) => {
                leash.set(Allowed { workers: *workers, cpu_permille: *cpu_permille });
                leash.go();
            }
            Verdict::Pause { .. } => leash.halt(),
        }
    }

    /// The end of a process is a change, too.
    pub(super) fn end_rules(&mut self) {
        self.commit(vec![Record::Decision { at: now().wall, document: Kept::ENDED.to_bytes() }]);
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
