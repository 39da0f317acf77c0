//! The nouns every room shares: identities, hashes, time, money-free limits and signatures.
//!
//! Parsing makes invalid values impossible: whoever holds a [`DeviceId`] holds 32 bytes that
//! can be somebody's key, whoever holds a [`Verified`] holds something whose signature was checked.
//! Deliberately absent: clocks, randomness, I/O, and anything about what a message means.

mod credits;
mod hidden;
mod id;
mod key;
pub mod limits;
mod sign;
mod signal;
mod task;
mod time;
mod vector;

pub use credits::{Credits, CreditsError, MICRO};
pub use hidden::is_hidden;
pub use id::{AccountId, DeviceId, Hash, IdError, NetworkId, TaskId, from_base58, to_base58};
pub use sign::{Artefact, Claimed, Ed25519, PublicKey, Scheme, SecretKey, SignError, Signature, Signed, Verified};
pub use signal::{By, Inhibitor, Reading, SignalKind, Told, Untold};
pub use task::{Chunk, Output, Placement, Priority, Privacy, TaskKind, TextFailure, UnknownWord};
pub use time::{Monotonic, Now, Seed, Timestamp};
pub use vector::QuantizedVector;
