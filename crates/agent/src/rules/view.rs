//! Rules as the API shows them, and decisions as they are kept.

use std::collections::BTreeMap;

use p2p_control::api::{ClassVerdict, RuleState, Schedule, SignalSeen, Timeline, TimelineChange};
use p2p_scheduler::{Applies, Cause, Class, Effect, Preset, Scheduler, SourceId, Verdict, Words, sentence};
use p2p_store::StoredDecision;
use p2p_types::{Now, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A decision as it is kept. Without a verdict: the daemon ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) verdict: Option<Verdict>,
    pub(crate) cause: Option<Cause>,
}

impl Kept {
    /// No daemon runs from here on.
    pub(crate) const ENDED: Self = Self { verdict: None, cause: None };

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        serde_json::to_vec(&self).unwrap_or_default()
    }
}

pub(super) fn schedule(
    scheduler: &Scheduler,
    now: Now,
    words: &Words,
    names: &BTreeMap<SourceId, String>,
    preset: Preset,
) -> Schedule {
    let classes = Class::ALL.map(|class| class_verdict(class, scheduler.verdict(class), words));
    let rules = scheduler.rules(now).into_iter().map(|state| {
        let seen = state.seen.iter().map(|seen| SignalSeen {
            source: names.get(&seen.source).cloned().unwrap_or_else(|| format!("source {}", seen.source.0)),
            by: seen.by.name().to_owned(),
            age_ms: seen.age_ms,
            reading: seen.reading.ok().map(json),
            untold: seen.reading.err().map(word),
        });
        let (applies, untold) = match state.applies {
            Applies::Yes => ("yes", None),
            Applies::Off => ("off", None),
            Applies::AsUtc => ("as_utc", None),
            Applies::CannotTell { why } => ("cannot_tell", Some(word(why))),
        };
        let effect = match state.effect {
            Effect::Free => "free",
            Effect::Gathers => "gathers",
            Effect::Blocks => "blocks",
            Effect::Holds => "holds",
        };
        RuleState {
            rule: state.rule.name().to_owned(),
            applies: applies.to_owned(),
            untold,
            effect: effect.to_owned(),
            reason: state.why.map(|(reason, _)| json(reason)),
            resumes: state.why.map(|(_, resumes)| json(resumes)),
            seen: seen.collect(),
        }
    });
    Schedule {
        sentence: sentence(scheduler.verdict(Class::Guest), words),
        preset: word(preset),
        classes: classes.into(),
        rules: rules.collect(),
        processors: words.processors,
        zone_minutes: scheduler.zone_minutes(now),
    }
}

fn class_verdict(class: Class, verdict: &Verdict, words: &Words) -> ClassVerdict {
    let allowance = if let Verdict::Run(allowance) = verdict { Some(allowance) } else { None };
    let pause = if let Verdict::Pause { reason, resumes } = verdict { Some((reason, resumes)) } else { None };
    ClassVerdict {
        class: class.name().to_owned(),
        runs: verdict.runs(),
        sentence: sentence(verdict, words),
        workers: allowance.map(|allowance| allowance.workers),
        cpu_percent: allowance.map(|allowance| f64::from(allowance.cpu_permille) / 10.0),
        memory_bytes: allowance.map(|allowance| allowance.memory_bytes),
        reason: pause.map(|(reason, _)| json(reason)),
        resumes: pause.map(|(_, resumes)| json(resumes)),
    }
}

/// The decisions since `from`, in words. One that cannot be read any more is left out.
pub(crate) fn timeline(from: Timestamp, to: Timestamp, kept: &[StoredDecision], words: &Words) -> Timeline {
    let changes = kept.iter().filter_map(|decision| {
        let kept: Kept = serde_json::from_slice(&decision.document).ok()?;
        Some(change(decision.at, kept, &Words { now: decision.at, ..*words }))
    });
    Timeline { from_ms: from.0, to_ms: to.0, changes: changes.collect() }
}

fn change(at: Timestamp, kept: Kept, words: &Words) -> TimelineChange {
    let Some(verdict) = kept.verdict else {
        return TimelineChange {
            at_ms: at.0,
            runs: false,
            code: Some("stopped".to_owned()),
            reason: None,
            cause: "owner".to_owned(),
            sentence: "Not running.".to_owned(),
        };
    };
    let cause = kept.cause.map(json);
    let cause = cause.as_ref().and_then(|cause| cause.get("cause")).and_then(Value::as_str).unwrap_or("time");
    TimelineChange {
        at_ms: at.0,
        runs: verdict.runs(),
        code: verdict.reason().map(|reason| reason.code().to_owned()),
        reason: verdict.reason().map(json),
        cause: cause.to_owned(),
        sentence: sentence(&verdict, words),
    }
}

fn json(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// The name of a plain code.
fn word(value: impl Serialize) -> String {
    json(value).as_str().unwrap_or_default().to_owned()
}
