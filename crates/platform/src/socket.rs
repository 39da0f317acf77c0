//! The local door: a Unix socket or a named pipe that only its owner may use.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::short_place;
pub use system::{Listener, Stream, connect};

/// Why nobody can listen there.
#[derive(Debug, Error)]
pub enum BindError {
    /// Somebody listens and answers.
    #[error("another process listens at {0}")]
    InUse(PathBuf),
    /// The socket, or the folder it must lie in, is another user's.
    #[error("{0} belongs to another user")]
    Foreign(PathBuf),
    #[error("cannot listen at {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
}
