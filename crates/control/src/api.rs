//! The words of the control API: what goes in, what comes out. No behaviour.
//!
//! Times are milliseconds since the Unix epoch (`_ms`), durations say their unit in the name.

mod computer;
mod error;
mod event;
mod network;
mod node;
mod schedule;
mod task;
mod wallet;

pub use computer::{
    Computer, ComputerLack, ComputerMeasured, ComputerRole, ComputerTier, Energy, EnergyMethod, Footprint,
};
pub use error::{ErrorCode, Problem};
pub use event::{Event, EventBody, Snapshot};
pub use network::{
    CreateNetwork, Invite, JoinNetwork, NearbyNetwork, NetworkDetails, NetworkKind, NetworkSummary, PeerDetails,
    PeerSummary, TrustPeer,
};
pub use node::{
    ConfigEntry, ConfigValue, Departure, Health, Identity, KeyStorage, LogLine, NodeState, PauseRequest, Sandbox,
    Status,
};
pub use schedule::{ClassVerdict, RuleState, Schedule, SignalReport, SignalSeen, SignalTold, Timeline, TimelineChange};
pub use task::{
    Chunk, ChunkOptions, Provider, Receipt, ReceiptTimings, StageRecord, SubmitTask, Task, TaskResult, TaskStage,
    TaskState, TaskSummary, TextError,
};
pub use wallet::{
    MICRO_CREDITS, NotaryState, Quote, RowDirection, RowReason, RowState, Wallet, WalletCheck, WalletDay, WalletPage,
    WalletRow, WalletRows, WalletStats, WalletSums,
};
