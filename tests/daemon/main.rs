//! The boundary of the daemon: real processes on loopback, driven by the real command line.

mod alone;
mod crossing;
mod failing;
mod refusing;
mod resting;
