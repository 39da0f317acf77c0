//! Every rule as it stands now, for `doctor`, `schedule why` and the settings page.

use p2p_types::{By, Now, Reading, Untold};

use super::Scheduler;
use crate::judge::judge;
use crate::{Applies, Reason, Resumes, Rule, SourceId};

/// What a rule does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing.
    Free,
    /// There is a cause, and it has not lasted long enough.
    Gathers,
    /// It pauses.
    Blocks,
    /// Its cause is over, and it pauses until that has lasted long enough.
    Holds,
}

/// What one source said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub source: SourceId,
    pub by: By,
    pub age_ms: u64,
    /// [`Untold::SourceGone`] where its lease is over.
    pub reading: Result<Reading, Untold>,
}

/// One rule now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleState {
    pub rule: Rule,
    pub applies: Applies,
    pub effect: Effect,
    /// What it blocks or holds for.
    pub why: Option<(Reason, Resumes)>,
    /// What it knows, and from whom. Empty where nobody ever said a word, or it needs none.
    pub seen: Vec<Seen>,
}

impl Scheduler {
    /// All rules in the order in which they speak.
    #[must_use]
    pub fn rules(&self, now: Now) -> Vec<RuleState> {
        Rule::all().map(|rule| self.state(rule, now)).collect()
    }

    fn state(&self, rule: Rule, now: Now) -> RuleState {
        let gate = self.gate(rule);
        let effect = match () {
            () if gate.holds() => Effect::Holds,
            () if gate.closed => Effect::Blocks,
            () if gate.gathers() => Effect::Gathers,
            () => Effect::Free,
        };
        let words = rule.signal().into_iter().flat_map(|kind| self.board.words(kind));
        let seen = words
            .map(|(source, entry)| Seen {
                source,
                by: entry.by,
                age_ms: now.mono.since(entry.at) / 1000,
                reading: if entry.lives(now.mono) { entry.reading } else { Err(Untold::SourceGone) },
            })
            .collect();
        let applies = judge(rule, &self.facts(now)).applies;
        RuleState { rule, applies, effect, why: gate.why(rule.hold()), seen }
    }
}
