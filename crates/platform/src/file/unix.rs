use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::FileError;

const OTHERS: u32 = 0o077;

fn no_follow() -> i32 {
    // Not to wait for the other end where somebody put a pipe.
    (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed()
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

pub(super) fn open_private(path: &Path) -> Result<File, FileError> {
    let owned = || path.to_owned();
    let opened = OpenOptions::new().read(true).custom_flags(no_follow()).open(path);
    let file = opened.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => FileError::Missing(owned()),
        _ if Errno::from_io_error(&source) == Some(Errno::LOOP) => FileError::NotAFile(owned()),
        _ => FileError::Io { path: owned(), source },
    })?;
    let about = file.metadata().map_err(|source| FileError::Io { path: owned(), source })?;
    if !about.is_file() {
        return Err(FileError::NotAFile(owned()));
    }
    if about.uid() != own_uid() {
        return Err(FileError::Foreign { path: owned(), uid: about.uid() });
    }
    if about.mode() & OTHERS != 0 {
        return Err(FileError::Open { path: owned(), mode: about.mode() & 0o777 });
    }
    Ok(file)
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
