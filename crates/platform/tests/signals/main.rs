//! The signals on real programs: an X server, compositors, and D-Bus with stand-ins for the
//! system's services. Everything is private to the test; what is not installed is skipped with a
//! sentence.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stderr, reason = "a test that skips says so, and delays are shown")]

mod files;
mod inhibitors;
mod metered;
mod mutter;
mod power;
mod rest;
mod stage;
mod wayland;
mod x11;
