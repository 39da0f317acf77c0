use p2p_types::{DeviceId, Hash, Placement, Priority, Privacy, TaskId, TaskKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ErrorCode;

/// A task to be computed: one kind of work over one or more texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitTask {
    /// `embed`, `chunk`, `sentiment` (or `noop`, for benchmarks).
    #[schema(value_type = String, example = "sentiment")]
    pub kind: TaskKind,
    /// The results keep this order, one each.
    pub texts: Vec<String>,
    /// `local` (the default), `trusted` or `public`.
    #[serde(default = "local")]
    #[schema(value_type = String, default = "local")]
    pub privacy: Privacy,
    /// `auto` (the default), `local` or `network`.
    #[serde(default = "auto", rename = "where")]
    #[schema(value_type = String, default = "auto")]
    pub placement: Placement,
    /// `low`, `normal` (the default) or `high`.
    #[serde(default = "normal")]
    #[schema(value_type = String, default = "normal")]
    pub priority: Priority,
    /// How long the whole task may take.
    #[serde(default)]
    pub deadline_ms: Option<u64>,
    /// Only for `chunk`.
    #[serde(default)]
    pub chunk: Option<ChunkOptions>,
}

impl SubmitTask {
    /// Longer than this no task may take: 366 days.
    pub const LONGEST_DEADLINE_MS: u64 = 366 * 24 * 60 * 60 * 1000;
}

const fn local() -> Privacy {
    Privacy::Local
}

const fn auto() -> Placement {
    Placement::Auto
}

const fn normal() -> Priority {
    Priority::Normal
}

/// How long texts are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChunkOptions {
    /// Most tokens in one chunk, 8 to 512.
    pub tokens: u32,
    /// Tokens that a chunk shares with the one before it, less than half of `tokens`.
    pub overlap: u32,
}

/// Where a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    Searching,
    Assigned,
    Computing,
    /// Every text has its result.
    Done,
    /// Some texts have results, the others errors.
    Partial,
    Failed,
    Cancelled,
}

/// A step on the way of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TaskStage {
    Searching,
    Assigned,
    Computing,
    /// A provider failed, refused or vanished; its texts go elsewhere.
    Retrying,
    Done,
    Failed,
    Cancelled,
}

/// One line of the story of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StageRecord {
    pub stage: TaskStage,
    pub at_ms: u64,
    /// Microseconds since the task was submitted, on a clock that never goes back.
    pub elapsed_us: u64,
    /// Who did it, where somebody did.
    #[schema(value_type = Option<String>)]
    pub provider: Option<DeviceId>,
    /// One sentence, for people.
    pub detail: String,
}

/// A task as its requester sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Task {
    #[schema(value_type = String)]
    pub task_id: TaskId,
    #[schema(value_type = String)]
    pub kind: TaskKind,
    #[schema(value_type = String)]
    pub privacy: Privacy,
    #[serde(rename = "where")]
    #[schema(value_type = String)]
    pub placement: Placement,
    #[schema(value_type = String)]
    pub priority: Priority,
    pub state: TaskState,
    pub stages: Vec<StageRecord>,
    pub texts: u32,
    /// Texts that have an answer. One that failed has none.
    pub finished: u32,
    pub submitted_ms: u64,
    /// From submission to the last result.
    pub duration_us: Option<u64>,
    /// One for each text, in order; `null` where none is known yet.
    pub results: Vec<Option<TaskResult>>,
    /// Who computed at least one text, in order of first result.
    #[schema(value_type = Vec<String>)]
    pub providers: Vec<DeviceId>,
    pub receipts: Vec<Receipt>,
    /// Why the task as a whole failed.
    pub error: Option<TextError>,
}

/// A task in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskSummary {
    #[schema(value_type = String)]
    pub task_id: TaskId,
    #[schema(value_type = String)]
    pub kind: TaskKind,
    pub state: TaskState,
    pub texts: u32,
    pub finished: u32,
    pub submitted_ms: u64,
    pub duration_us: Option<u64>,
    #[schema(value_type = Vec<String>)]
    pub providers: Vec<DeviceId>,
}

/// What one text became.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum TaskResult {
    Label { label: String, score: f64 },
    Embedding { embedding: Vec<f32> },
    Chunks { chunks: Vec<Chunk> },
    Error { error: TextError },
    Nothing {},
}

/// A piece of a long text: byte offsets, and its length in tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Chunk {
    pub start: u32,
    pub end: u32,
    pub tokens: u32,
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TextError {
    #[schema(value_type = String, example = "E2004")]
    pub code: ErrorCode,
    pub message: String,
}

/// What a provider signed for a finished part of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    #[schema(value_type = String)]
    pub provider: DeviceId,
    #[schema(value_type = String)]
    pub requester: DeviceId,
    #[schema(value_type = String)]
    pub task_id: TaskId,
    pub subtask: u32,
    /// The texts it covers: `texts` of them from `first_text` on.
    pub first_text: u32,
    pub texts: u32,
    #[schema(value_type = String)]
    pub input_hash: Hash,
    #[schema(value_type = String)]
    pub model_hash: Hash,
    #[schema(value_type = String)]
    pub output_hash: Hash,
    pub timings: ReceiptTimings,
    /// The signed bytes, in base64: what anybody can check.
    pub signed: String,
}

/// As the provider measured it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptTimings {
    pub received_ms: u64,
    pub finished_ms: u64,
    pub queued_us: u64,
    pub compute_us: u64,
}

/// A node that a task ran on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    #[schema(value_type = String)]
    pub device_id: DeviceId,
    pub texts: u32,
}
