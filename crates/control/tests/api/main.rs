//! Server and client over real sockets, with an engine that only knows how to answer.

#![cfg(unix)]

mod computer;
mod credits;
mod crowd;
mod document;
mod engine;
mod guard;
mod problems;
mod routes;
mod rules;
mod streams;
mod wire;
