use p2p_types::{AccountId, DeviceId, Privacy, TaskId, TaskKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{NetworkSummary, PeerSummary};

/// What the node is doing, in one word. `sentence` of [`Status`] says it in one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    Starting,
    /// Computing for somebody now.
    Working,
    /// Ready, with nothing to do.
    Waiting,
    /// The owner said pause.
    Paused,
    /// In a network, but no other node can be reached.
    Offline,
    /// In no network yet: own work runs here.
    Alone,
    Stopping,
}

/// The node at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    pub state: NodeState,
    /// What it does, or why it does not, and when that changes.
    pub sentence: String,
    #[schema(value_type = String)]
    pub device_id: DeviceId,
    #[schema(value_type = String)]
    pub account_id: AccountId,
    pub version: String,
    /// The daemon's process id.
    pub pid: u32,
    pub uptime_ms: u64,
    /// From process start to the first answer it could give.
    pub ready_in_ms: u64,
    pub home: String,
    /// The settings file that was named at the start in place of the home's own, where one was.
    pub config_file: Option<String>,
    pub peers: Vec<PeerSummary>,
    pub network: Option<NetworkSummary>,
    /// Where other nodes reach this one.
    pub listening: Vec<String>,
    /// Loopback address of the dashboard, where that door is open. The token is not in it:
    /// `p2p-agent dashboard` prints the address that opens it.
    pub dashboard: Option<String>,
    /// The owner paused it; where `state` is `paused` and this is not, a rule did.
    pub paused_by_hand: bool,
    /// Set while paused by hand with an end.
    pub paused_until_ms: Option<u64>,
    /// Tasks of this owner that are not finished.
    pub open_tasks: u32,
    /// Parts of other people's tasks computing or waiting here.
    pub guest_tasks: u32,
    /// Parts of other people's tasks finished since the daemon started.
    pub guest_tasks_done: u64,
    /// Whether worker, runtime and model were found; the sentence says what to do where not.
    pub can_compute: bool,
    /// How far the last worker closed itself; `null` before the first ran.
    pub sandbox: Option<Sandbox>,
    /// Things that do not work while the rest does, each with what to do.
    pub warnings: Vec<String>,
}

/// What a worker cannot do, as it found out itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sandbox {
    /// Whether it is all that there is to reach.
    pub whole: bool,
    /// What was reached, in words.
    pub reached: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`, or `degraded` with the reasons.
    pub status: String,
    pub ready: bool,
    pub version: String,
    pub reasons: Vec<String>,
}

/// Pause by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// How long; until `resume` where it is absent.
    #[serde(default)]
    pub for_ms: Option<u64>,
    /// Until six in the morning of the next day, by the clock of this computer.
    #[serde(default)]
    pub until_tomorrow: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Identity {
    #[schema(value_type = String)]
    pub device_id: DeviceId,
    #[schema(value_type = String)]
    pub account_id: AccountId,
    /// Where the secret keys are.
    pub keys: KeyStorage,
    pub keys_detail: String,
    /// The account's certificate for this device, in base64.
    pub certificate: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyStorage {
    Keychain,
    File,
}

/// One setting: what it is, and who said so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConfigEntry {
    /// Dotted, as in `network.listen_port`.
    pub key: String,
    pub value: serde_json::Value,
    /// `default`, `system` (/etc), `file` or `environment`.
    pub source: String,
    pub help: String,
    /// Whether a change counts only after `down` and `up`.
    pub needs_restart: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigValue {
    pub value: serde_json::Value,
}

/// Something that left this computer: to whom, what for, how much. Never the text itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Departure {
    pub at_ms: u64,
    #[schema(value_type = String)]
    pub to: DeviceId,
    #[schema(value_type = String)]
    pub task_id: TaskId,
    #[schema(value_type = String)]
    pub kind: TaskKind,
    #[schema(value_type = String)]
    pub privacy: Privacy,
    pub texts: u32,
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    pub at_ms: u64,
    pub level: String,
    pub target: String,
    pub message: String,
}
