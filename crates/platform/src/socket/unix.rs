use std::env;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use tokio::net::{UnixListener, UnixStream};

use super::BindError;

/// One connection between processes of the same user.
pub type Stream = UnixStream;

/// Accepts connections of this user's processes. Removes its socket when dropped.
#[derive(Debug)]
pub struct Listener {
    inner: UnixListener,
    path: PathBuf,
    /// Device and inode of our socket, so that we never remove a successor's.
    identity: (u64, u64),
}

impl Listener {
    /// Listens at `path` (0600, in a folder 0700 that is made where it is missing). A socket that
    /// a dead process left behind is replaced. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// [`BindError::InUse`] when somebody answers there, [`BindError::Foreign`] when the socket or
    /// its folder is another user's.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let io = |source| BindError::Io { path: path.to_owned(), source };
        prepare_folder(path)?;
        clear(path)?;
        // Between these two calls the folder's 0700 keeps others out.
        let inner = UnixListener::bind(path).map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse(path.to_owned()),
            _ => io(source),
        })?;
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(io)?;
        let about = fs::symlink_metadata(path).map_err(io)?;
        Ok(Self { inner, path: path.to_owned(), identity: (about.dev(), about.ino()) })
    }

    /// The next connection of this user. Those of others are closed unread.
    ///
    /// # Errors
    /// What the system says; the listener may be asked again after a while.
    pub async fn accept(&self) -> io::Result<Stream> {
        loop {
            let (stream, _) = self.inner.accept().await?;
            match of_this_user(&stream) {
                Ok(()) => return Ok(stream),
                Err(error) => tracing::warn!(%error, "a connection to the control socket was refused"),
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|about| (about.dev(), about.ino()) == self.identity);
        if ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Connects to the socket at `path` and makes sure that the same user listens.
///
/// # Errors
/// `NotFound` and `ConnectionRefused` when nobody listens, `PermissionDenied` when another user does.
pub async fn connect(path: &Path) -> io::Result<Stream> {
    let stream = UnixStream::connect(path).await?;
    of_this_user(&stream)?;
    Ok(stream)
}

/// `$XDG_RUNTIME_DIR/p2p-agent-<uid>/<name>.sock`, or the same in `/tmp`.
pub(crate) fn short_place(name: &str, limit: usize) -> PathBuf {
    let within = |base: PathBuf| base.join(format!("p2p-agent-{}", own_uid())).join(format!("{name}.sock"));
    let session = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    session.map(within).filter(|path| path.as_os_str().len() <= limit).unwrap_or_else(|| within("/tmp".into()))
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn of_this_user(stream: &UnixStream) -> io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    if uid == own_uid() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("the other end belongs to user {uid}")))
}

fn prepare_folder(path: &Path) -> Result<(), BindError> {
    let io = |source| BindError::Io { path: path.to_owned(), source };
    let folder = path.parent().ok_or_else(|| io(io::ErrorKind::InvalidInput.into()))?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
    let about = fs::symlink_metadata(folder).map_err(io)?;
    if about.uid() != own_uid() {
        return Err(BindError::Foreign(folder.to_owned()));
    }
    if !about.is_dir() {
        return Err(io(io::Error::new(io::ErrorKind::NotADirectory, "its folder is a link")));
    }
    if about.mode() & 0o077 != 0 {
        fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(io)?;
    }
    Ok(())
}

/// Removes a socket of ours that nobody answers at. Touches nothing else.
fn clear(path: &Path) -> Result<(), BindError> {
    let io = |source| BindError::Io { path: path.to_owned(), source };
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
    };
    if about.uid() != own_uid() {
        return Err(BindError::Foreign(path.to_owned()));
    }
    if !about.file_type().is_socket() {
        return Err(io(io::Error::new(io::ErrorKind::AlreadyExists, "something that is not a socket is there")));
    }
    if answers(path).map_err(io)? {
        return Err(BindError::InUse(path.to_owned()));
    }
    fs::remove_file(path).map_err(io)
}

/// Whether a process listens at `path`, without waiting for it to accept.
fn answers(path: &Path) -> io::Result<bool> {
    // Flags of `socket` itself are Linux's alone.
    let probe = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&probe, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&probe, true)?;
    match rustix::net::connect(&probe, &SocketAddrUnix::new(path)?) {
        // AGAIN: it listens, and its queue is full.
        Ok(()) | Err(Errno::AGAIN) => Ok(true),
        Err(Errno::CONNREFUSED) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
