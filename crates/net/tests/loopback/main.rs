//! Real nodes over real sockets, on loopback only.

mod banned;
mod cost;
mod hostile;
mod nearby;
mod node;
mod pair;
mod providers;
mod several;
mod topics;
