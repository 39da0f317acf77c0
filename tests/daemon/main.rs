//! The boundary of the daemon: real processes on loopback, driven by the real command line.

mod alone;
mod chaos;
mod crossing;
mod damaged;
mod earning;
mod failing;
mod owners;
mod polite;
mod refusing;
mod resting;
mod seated;
