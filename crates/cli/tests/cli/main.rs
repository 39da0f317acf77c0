//! The real binaries, run as a user runs them: against nothing, against a scripted engine behind
//! the real control server, and against the real daemon.

mod cycle;
mod engine;
mod home;
mod node;
mod samples;
mod talk;
mod tasks;
mod usage;
