//! The real binaries, run as a user runs them: against nothing, against a scripted engine behind
//! the real control server, and against the real daemon.

mod computer;
mod credits;
mod cycle;
mod engine;
mod export;
mod home;
mod identity;
mod node;
mod samples;
mod schedule;
mod talk;
mod tasks;
mod usage;
mod wallet;
