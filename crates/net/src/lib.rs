//! Carries what nodes say to each other over libp2p. The only crate that names libp2p.
//!
//! One task owns the swarm: connections, topics, the provider table, dialing. Each peer that is
//! up has two more tasks, one that reads its frames and one that writes ours, so a frame never
//! passes through the swarm's task: [`Net::send`] puts it into the peer's outbox, and what
//! arrives goes straight into the queue of [`NetEvent`]s.
//!
//! A peer is up ([`NetEvent::PeerUp`]) when one connection to it carries our own protocol's
//! stream in both directions and it has said who it is. Of two connections to the same peer the
//! device with the smaller id chooses one, so both sides always speak on the same.
//!
//! Deliberately absent: what a frame means, who is trusted, peer exchange (the conversations
//! bring addresses, [`Net::dial`] takes them), relays and hole punching, names in addresses.

mod address;
mod backoff;
mod bans;
mod behaviour;
mod config;
mod counters;
mod dialer;
mod direct;
mod event;
mod groups;
mod handle;
mod listening;
mod nearby;
mod providers;
mod stack;
mod swarm;
mod topics;

pub use config::{NetConfig, NetError};
pub use event::{NetEvent, PublishedId, SendError};
pub use handle::Net;
