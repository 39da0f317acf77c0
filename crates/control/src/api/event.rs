use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Status, Task, TaskSummary, Wallet, WalletRow};

/// One message of the event stream. The first is a snapshot; then come changes, numbered without
/// gaps. Whoever sees a gap opens the stream again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    pub number: u64,
    #[serde(flatten)]
    pub body: EventBody,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", content = "data", rename_all = "lowercase")]
pub enum EventBody {
    Snapshot(Box<Snapshot>),
    /// The whole status, whenever any of it changed (times alone do not count).
    Status(Box<Status>),
    /// The whole task, whenever it moved on.
    Task(Box<Task>),
    /// The whole wallet, whenever any of it changed.
    Wallet(Box<Wallet>),
    /// A row that is new or has changed. One that was pending is replaced by a settled one, which
    /// has another id.
    Row(Box<WalletRow>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Snapshot {
    pub status: Status,
    /// The newest first, at most 50.
    pub tasks: Vec<TaskSummary>,
    /// Absent outside a network.
    #[serde(default)]
    pub wallet: Option<Wallet>,
    /// The newest first, at most 20. Empty outside a network.
    #[serde(default)]
    #[schema(required = true)]
    pub rows: Vec<WalletRow>,
}
