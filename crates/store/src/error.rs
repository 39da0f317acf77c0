//! Why something could not be kept or read back.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

/// More commits than the queue holds are unfinished, or the store is closed. Nothing was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the store takes no more commits now")]
pub struct StoreBusy;

/// Why the store could not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Somebody else has the database open, or held its write lock for too long.
    #[error("the database is in use - another program has it open - stop that program and try again")]
    Locked,
    /// Not a database of ours, or a damaged one. Nothing was changed.
    #[error(
        "{path:?} cannot be read - it is damaged, or another program wrote it; nothing was changed - \
         restore a copy, or move it and its -wal file away and start with an empty one"
    )]
    Corrupt { path: PathBuf },
    /// Written by a later release. Nothing was changed.
    #[error(
        "the database has version {found}, this release knows {known} - a newer release wrote it - \
         install that release, or use another home"
    )]
    Newer { found: u32, known: u32 },
    /// A notary's log lost something before its end. Nothing was changed.
    #[error(
        "{path:?} is damaged at byte {at} - the disk or another program changed it, and whole records follow; \
         nothing was changed - restore a copy of the file"
    )]
    DamagedLog { path: PathBuf, at: u64 },
    /// No room: on the disk, or under the database's own cap.
    #[error("the database cannot grow - the disk is full, or its own limit is reached - free some space")]
    Full,
    #[error("{path:?} cannot be used - {source} - check the disk and the permissions of the folder")]
    Io { path: PathBuf, source: io::Error },
    /// Too many reads wait.
    #[error("too many reads of the database wait - something asks too often - try again")]
    Busy,
    /// The store was closed before it came to this.
    #[error("the database is closed - the node is stopping - start it again")]
    Closed,
    #[error("the database refused - {source} - look at the log, and report it if it stays")]
    Database { source: rusqlite::Error },
}

impl StoreError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> Self {
        move |source| match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { path: path.to_owned() },
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy) => Self::Locked,
            _ => Self::Database { source },
        }
    }
}
