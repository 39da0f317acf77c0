//! The scheduler as its users see it.

mod chance;
mod clocks;
mod oracle;
mod policy;
mod rules;
mod sources;
mod words;
mod world;
