//! Files and folders that are for one user alone, and files that may not be what they seem.
//!
//! Nothing here waits for a pipe or reads a device. Only [`read_plain`] and [`read_end`] follow a
//! link at the end of a path. What is written is on the disk whole or not at all, but for what is
//! appended.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::{make_folder, open_lock, own_folder};

/// Why a file was not opened or read.
#[derive(Debug, Error)]
pub enum FileError {
    #[error("{0} does not exist")]
    Missing(PathBuf),
    #[error("others can read {path} (mode {mode:o}) - run `chmod 600 {path}`, and think about who may have read it")]
    Open { path: PathBuf, mode: u32 },
    #[error("{path} belongs to another user (uid {uid}) - make it yours with `chown`, as the administrator")]
    Foreign { path: PathBuf, uid: u32 },
    #[error("{0} is not a plain file (links are not followed)")]
    NotAFile(PathBuf),
    #[error("{0} is not a file but a pipe, a device or a folder - move it away")]
    Special(PathBuf),
    #[error("{path} is longer than {limit} bytes")]
    TooLong { path: PathBuf, limit: usize },
    #[error("{path} cannot be read: {source}")]
    Io { path: PathBuf, source: io::Error },
}

/// Reads a file that is this user's alone, of at most `limit` bytes.
///
/// # Errors
/// When it is missing, not a plain file, too long, somebody else's, or open to others.
pub fn read_private(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    read_whole(system::open_private(path)?, path, limit)
}

/// Reads a file of at most `limit` bytes, whoever it belongs to. A link is followed, because
/// people keep their settings elsewhere; what it leads to has to be a plain file.
///
/// # Errors
/// When it is missing, not a plain file, or too long.
pub fn read_plain(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    read_whole(system::open_plain(path)?, path, limit)
}

/// The last `limit` bytes of a file that may be long, such as a log. It is opened as by
/// [`read_plain`].
///
/// # Errors
/// When it is missing or not a plain file.
pub fn read_end(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let io = |source| FileError::Io { path: path.to_owned(), source };
    let mut file = system::open_plain(path)?;
    let length = file.metadata().map_err(io)?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(limit as u64))).map_err(io)?;
    let mut bytes = Vec::new();
    // It may grow meanwhile.
    file.take(limit as u64).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

/// Opens a file of this user's for writing at its end, and makes it (0600) where there is none.
/// Whatever else is there, a link included, stays as it is.
///
/// # Errors
/// When something that is not a plain file of this user is in its place.
pub fn append_private(path: &Path) -> Result<File, FileError> {
    system::open_append(path)
}

fn read_whole(file: File, path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let io = |source| FileError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() > limit {
        return Err(FileError::TooLong { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// Writes a file for this user alone (0600), in place of the one that may be there. Whoever reads
/// meanwhile sees the old or the new, and the new survives a power cut.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = write_beside(path, bytes)?;
    settle(path, &temporary, fs::rename(&temporary, path))
}

/// Like [`write_private`], but never in place of another file.
///
/// # Errors
/// `AlreadyExists` when something is there, a dangling link included.
pub fn create_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = write_beside(path, bytes)?;
    settle(path, &temporary, system::rename_to_new(&temporary, path))
}

fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let unique = u64::from_le_bytes(crate::random_bytes());
    let temporary = path.with_file_name(format!(".{name}.{unique:016x}"));
    let written = write_new(&temporary, bytes);
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.map(|()| temporary)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file: File = system::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn settle(path: &Path, temporary: &Path, renamed: io::Result<()>) -> io::Result<()> {
    if let Err(error) = renamed {
        let _ = fs::remove_file(temporary);
        return Err(error);
    }
    system::sync_folder(path.parent().ok_or(io::ErrorKind::InvalidInput)?)
}

#[cfg(all(test, unix))]
mod tests;
