//! Models at work: the pool that feeds, watches and kills worker processes, and what a worker
//! does inside.
//!
//! The daemon uses [`Pool`] and [`verify_assets`] only. [`worker`] is what `p2p-worker` runs:
//! the tokenizer, ONNX Runtime and the models live in that process and nowhere else, so its
//! memory goes back to the system when it ends and a crash in it costs one task.
//! Deliberately absent: who the work is for.

mod assets;
mod pool;
mod unable;
mod wire;
pub mod worker;

pub use assets::{AssetError, Installed, verify_assets};
pub use pool::{Allowed, Class, LEAST_WORKER_MEMORY, Leash, Pool, PoolConfig, PoolEvent, Spent, Stats, WorkOrder};
pub use unable::{Cause, Unable};
pub use wire::ChunkOptions;
