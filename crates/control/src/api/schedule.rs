use p2p_types::{By, Reading, SignalKind, Told, Untold};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Whether this computer may work now, and why not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Schedule {
    /// What it does for others, or why it does not, and when that changes.
    pub sentence: String,
    /// `quiet`, `balanced` or `full`; the settings under `schedule.` may differ from it.
    pub preset: String,
    /// `mine`, `guest` and `duty`.
    pub classes: Vec<ClassVerdict>,
    /// In the order in which they speak.
    pub rules: Vec<RuleState>,
    pub processors: u16,
    /// Minutes east of UTC; `null` where that cannot be told, and hours are read as UTC.
    pub zone_minutes: Option<i16>,
}

/// The answer for one class of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClassVerdict {
    pub class: String,
    pub runs: bool,
    pub sentence: String,
    /// While it runs: how many workers, and how much of the whole computer they may use together.
    pub workers: Option<u16>,
    pub cpu_percent: Option<f64>,
    pub memory_bytes: Option<u64>,
    /// While it does not: a `code` with its figures.
    #[schema(value_type = Option<Object>)]
    pub reason: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub resumes: Option<Value>,
}

/// One rule as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleState {
    pub rule: String,
    /// Whether it can be applied here: `yes`, `off` (the settings have no such rule), `as_utc` or `cannot_tell`.
    pub applies: String,
    /// Why it cannot be applied.
    pub untold: Option<String>,
    /// `free`, `gathers` (there is a cause, not for long enough), `blocks`, or `holds` (the cause has just ended).
    pub effect: String,
    #[schema(value_type = Option<Object>)]
    pub reason: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub resumes: Option<Value>,
    pub seen: Vec<SignalSeen>,
}

/// What one source said last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SignalSeen {
    pub source: String,
    /// What the system was asked with.
    pub by: String,
    pub age_ms: u64,
    #[schema(value_type = Option<Object>)]
    pub reading: Option<Value>,
    /// Why it cannot be told.
    pub untold: Option<String>,
}

/// The day in changes of what guests may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    pub from_ms: u64,
    pub to_ms: u64,
    /// The first may be from before `from_ms`: what was so then.
    pub changes: Vec<TimelineChange>,
}

/// From now on this was so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelineChange {
    pub at_ms: u64,
    pub runs: bool,
    /// The reason's code while it did not run; `stopped` where no daemon ran.
    pub code: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub reason: Option<Value>,
    /// What made it change: `told`, `left`, `policy`, `owner`, `usage` or `time`.
    pub cause: String,
    pub sentence: String,
}

/// What somebody who watches a session tells: the tray app, or `p2p-agent session`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignalReport {
    /// Who tells: a name of its own, at most 64 letters.
    pub source: String,
    /// How long it holds where nothing newer comes; 0 says goodbye.
    pub lease_ms: u64,
    pub told: Vec<SignalTold>,
}

/// One signal: a reading, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignalTold {
    #[schema(value_type = String)]
    pub kind: SignalKind,
    #[schema(value_type = String)]
    pub by: By,
    #[schema(value_type = Option<Object>)]
    pub reading: Option<Reading>,
    #[schema(value_type = Option<String>)]
    pub untold: Option<Untold>,
}

impl SignalReport {
    /// Longest name of a source, in bytes.
    pub const NAME_BYTES: usize = 64;
    /// Most signals of one report.
    pub const MOST: usize = 32;
}

impl From<Told> for SignalTold {
    fn from(told: Told) -> Self {
        Self { kind: told.kind, by: told.by, reading: told.reading.ok(), untold: told.reading.err() }
    }
}

impl SignalTold {
    /// The same as the scheduler takes it; `None` where it contradicts itself.
    #[must_use]
    pub fn read(self) -> Option<Told> {
        let reading = match (self.reading, self.untold) {
            (Some(reading), None) if reading.kind() == self.kind => Ok(reading),
            (None, Some(untold)) => Err(untold),
            _ => return None,
        };
        Some(Told { kind: self.kind, by: self.by, reading })
    }
}
