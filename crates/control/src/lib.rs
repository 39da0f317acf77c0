//! The control API: how everything outside the daemon speaks to the engine inside it.
//!
//! [`api`] has the words. The server (feature `server`) turns HTTP into [`Call`]s that the engine
//! answers; the client (feature `client`) speaks to it over the local socket. Deliberately
//! absent: any decision about tasks, peers or networks.

pub mod api;
mod call;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
pub mod openapi;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "client")]
mod session;

pub use call::{Call, LogSource, Reply, Subscription};
#[cfg(feature = "client")]
pub use client::{Client, EventStream, LogStream};
#[cfg(feature = "server")]
pub use server::Server;
#[cfg(feature = "client")]
pub use session::tell_session;
