//! Rights come from the user's profile folder, which its owner alone may enter.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

use super::FileError;

pub(super) fn open_private(path: &Path) -> Result<File, FileError> {
    if !fs::symlink_metadata(path).map_err(|source| failed(path, source))?.is_file() {
        return Err(FileError::NotAFile(path.to_owned()));
    }
    File::open(path).map_err(|source| failed(path, source))
}

pub(super) fn open_plain(path: &Path) -> Result<File, FileError> {
    if !fs::metadata(path).map_err(|source| failed(path, source))?.is_file() {
        return Err(FileError::Special(path.to_owned()));
    }
    File::open(path).map_err(|source| failed(path, source))
}

pub(super) fn open_append(path: &Path) -> Result<File, FileError> {
    match fs::symlink_metadata(path) {
        Ok(about) if !about.is_file() => return Err(FileError::NotAFile(path.to_owned())),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(path, error)),
        _ => {}
    }
    OpenOptions::new().append(true).create(true).open(path).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> FileError {
    match source.kind() {
        io::ErrorKind::NotFound => FileError::Missing(path.to_owned()),
        _ => FileError::Io { path: path.to_owned(), source },
    }
}

pub(super) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

pub(super) fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(from, to)
}

pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    // A folder cannot be flushed here; NTFS journals the rename.
    Ok(())
}

pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

pub(crate) fn own_folder(folder: &Path) -> io::Result<()> {
    make_folder(folder)
}
