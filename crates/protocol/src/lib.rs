//! Every conversation between nodes, as state machines that are fed and drained.
//!
//! [`Node::handle`] is one mutation; [`Node::poll_output`] is drained until empty;
//! [`Node::next_deadline`] is the only timer. The machine is told the time, is given its chance
//! as a [`p2p_types::Seed`] and performs nothing itself, so the same code runs over libp2p and in
//! the simulator.
//!
//! Outputs of one `handle` are one batch: whoever performs them makes every [`Output::Persist`]
//! durable before any later output of the queue leaves (durable before visible).
//! Deliberately absent: sockets, disks, clocks, threads, what a price should be, reputation.

mod bucket;
mod digest;
mod envelope;
mod identity;
mod io;
mod membership;
mod network;
mod node;
mod outcome;
mod pay;
mod peers;
mod post;
mod provider;
mod receipt;
mod requester;
pub mod wire;
mod work;

pub use digest::{input_hash, output_hash};
pub use envelope::{CLOCK_SKEW_MS, ENVELOPE_LIFE_MS, Refused};
pub use identity::{certify, check_certificate};
pub use io::{ChunkSizes, Class, Durable, Entry, Input, Output, Rejection, Restored, TaskRequest, Work};
pub use membership::{Admitted, check_membership, make_admission, make_membership};
pub use network::{Charter, InviteLink, Network, NetworkError, NetworkKind, found_network};
pub use node::{Config, Node};
pub use outcome::TextOutcome;
pub use p2p_types::is_hidden;
pub use pay::{Balance, KeptVoucher, Limits, Money, Payer, Pending};
pub use peers::{PRESENCE_TOPIC, Peer};
pub use receipt::CheckedReceipt;
pub use requester::{Stage, StageRecord, State, Task};
