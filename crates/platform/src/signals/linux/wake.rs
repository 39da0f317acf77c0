//! Descriptors that wake a task.
#![allow(unsafe_code)]

use std::os::fd::OwnedFd;

use p2p_types::Untold;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

pub(super) fn wake(on: impl Into<OwnedFd>, interest: Interest) -> Result<AsyncFd<OwnedFd>, Untold> {
    // SAFETY: the descriptor of an `OwnedFd` is the same one, and open, as long as it lives.
    unsafe { AsyncFd::register_with_interest(on.into(), interest) }.map_err(|_| Untold::Failed)
}
