//! Why an order cannot be done on this computer at all.

use serde::{Deserialize, Serialize};

/// What stands in the way. Programs act on it; people read the reason beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// A file of the installation is not there.
    Missing,
    /// A file of a model is not the one it should be.
    Digest,
    /// A file is there and of no use: it cannot be read or loaded, or is of another version.
    Unusable,
    /// The worker's process cannot be started, or ended before it could be spoken to.
    Process,
    /// The order asks for what no worker does.
    Order,
}

/// That an order cannot be done, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unable {
    pub cause: Cause,
    /// What happened, why, and what to do.
    pub reason: String,
}

impl Unable {
    pub(crate) fn new(cause: Cause, reason: impl Into<String>) -> Self {
        Self { cause, reason: reason.into() }
    }
}
