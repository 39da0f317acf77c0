use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::FileError;

const OTHERS: u32 = 0o077;

fn no_follow() -> i32 {
    // Not to wait for the other end where somebody put a pipe.
    (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed()
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

pub(super) fn open_private(path: &Path) -> Result<File, FileError> {
    let file = opened(OpenOptions::new().read(true).custom_flags(no_follow()).open(path), path)?;
    let about = about(&file, path)?;
    if !about.is_file() {
        return Err(FileError::NotAFile(path.to_owned()));
    }
    check_owner(&about, path)?;
    if about.mode() & OTHERS != 0 {
        return Err(FileError::Open { path: path.to_owned(), mode: about.mode() & 0o777 });
    }
    Ok(file)
}

pub(super) fn open_plain(path: &Path) -> Result<File, FileError> {
    // No device behind a link becomes this process's terminal.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = opened(OpenOptions::new().read(true).custom_flags(flags).open(path), path)?;
    if about(&file, path)?.is_file() { Ok(file) } else { Err(FileError::Special(path.to_owned())) }
}

pub(super) fn open_append(path: &Path) -> Result<File, FileError> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(no_follow());
    let file = opened(options.open(path), path)?;
    let about = about(&file, path)?;
    if !about.is_file() {
        return Err(FileError::NotAFile(path.to_owned()));
    }
    check_owner(&about, path)?;
    Ok(file)
}

fn opened(file: io::Result<File>, path: &Path) -> Result<File, FileError> {
    file.map_err(|source| match Errno::from_io_error(&source) {
        Some(Errno::NOENT) => FileError::Missing(path.to_owned()),
        Some(Errno::LOOP) => FileError::NotAFile(path.to_owned()),
        // A pipe that nobody reads, a socket; a folder that would be written.
        Some(Errno::NXIO | Errno::ISDIR) => FileError::Special(path.to_owned()),
        _ => FileError::Io { path: path.to_owned(), source },
    })
}

fn about(file: &File, path: &Path) -> Result<Metadata, FileError> {
    file.metadata().map_err(|source| FileError::Io { path: path.to_owned(), source })
}

fn check_owner(about: &Metadata, path: &Path) -> Result<(), FileError> {
    if about.uid() == own_uid() { Ok(()) } else { Err(FileError::Foreign { path: path.to_owned(), uid: about.uid() }) }
}

pub(super) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(no_follow()).open(path)
}

pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(no_follow());
    let file = options.open(path)?;
    if file.metadata()?.uid() != own_uid() {
        return Err(foreign(path));
    }
    Ok(file)
}

pub(super) fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // The file system does not know the flag: look first, then rename.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => match fs::symlink_metadata(to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(from, to),
            Err(error) => Err(error),
        },
        other => Ok(other?),
    }
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a folder with all above it, 0700 where it is new.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let about = fs::metadata(folder)?;
    if about.uid() == own_uid() { Ok(()) } else { Err(foreign(folder)) }
}

/// Makes a folder 0700 that is nobody else's: not a link, and with no rights for others.
pub(crate) fn own_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let flags = no_follow() | OFlags::DIRECTORY.bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(folder)?;
    let about = opened.metadata()?;
    if about.uid() != own_uid() {
        return Err(foreign(folder));
    }
    if about.mode() & OTHERS != 0 {
        opened.set_permissions(Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn foreign(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, format!("{} belongs to another user", path.display()))
}
