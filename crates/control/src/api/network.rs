use p2p_types::{AccountId, DeviceId, NetworkId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who may be in a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NetworkKind {
    /// Strangers.
    Open,
    /// Invited members only.
    Closed,
    /// Loopback and LAN: for demos and tests.
    Local,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkSummary {
    #[schema(value_type = String)]
    pub id: NetworkId,
    pub name: String,
    pub kind: NetworkKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkDetails {
    #[schema(value_type = String)]
    pub id: NetworkId,
    pub name: String,
    pub kind: NetworkKind,
    #[schema(value_type = String)]
    pub founder: AccountId,
    pub created_ms: u64,
    pub epoch: u64,
    /// Devices that keep the ledger.
    #[schema(value_type = Vec<String>)]
    pub committee: Vec<DeviceId>,
    pub bootstrap: Vec<String>,
    /// Whether every member counts as trusted.
    pub members_trusted: bool,
    /// The signed network file, in base64: save it, and others can join with it.
    pub file: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateNetwork {
    pub name: String,
    pub kind: NetworkKind,
    /// Whether every member counts as trusted. By default only in a `local` network.
    #[serde(default)]
    pub members_trusted: Option<bool>,
}

/// Exactly one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinNetwork {
    /// An invite link, `p2p-agent://invite/...`.
    #[serde(default)]
    pub invite: Option<String>,
    /// A signed network file, in base64.
    #[serde(default)]
    pub file: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invite {
    pub link: String,
    pub expires_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NearbyNetwork {
    #[schema(value_type = String)]
    pub id: NetworkId,
    pub name: String,
    pub seen_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PeerSummary {
    #[schema(value_type = String)]
    pub device_id: DeviceId,
    pub connected: bool,
    pub trusted: bool,
    /// Round trip, where it was measured.
    pub latency_ms: Option<f64>,
    /// Whether it takes work now.
    pub accepting: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PeerDetails {
    #[schema(value_type = String)]
    pub device_id: DeviceId,
    #[schema(value_type = Option<String>)]
    pub account_id: Option<AccountId>,
    pub connected: bool,
    pub trusted: bool,
    pub latency_ms: Option<f64>,
    pub accepting: bool,
    pub agent_version: Option<String>,
    pub protocols: Vec<String>,
    pub addresses: Vec<String>,
    /// Kinds of tasks it offers.
    pub kinds: Vec<String>,
    pub workers: u32,
    /// Share of its workers that is busy, 0 to 1.
    pub load: f64,
    pub connected_since_ms: Option<u64>,
    /// Parts of tasks it computed for this node, and failed at.
    pub tasks_done: u64,
    pub tasks_failed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustPeer {
    pub trusted: bool,
}
