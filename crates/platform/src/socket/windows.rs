#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};
use tokio::sync::Mutex;
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_PIPE_BUSY, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES};

use super::BindError;

/// The owner may do everything, nobody else anything; nothing is inherited.
const OWNER_ONLY: &str = "D:P(A;;GA;;;OW)";
/// How often a client asks again while all instances of the pipe are taken.
const BUSY_RETRY: Duration = Duration::from_millis(20);

/// One connection between processes of the same user.
#[derive(Debug)]
pub enum Stream {
    Server(NamedPipeServer),
    Client(NamedPipeClient),
}

/// Accepts connections of this user's processes.
#[derive(Debug)]
pub struct Listener {
    name: PathBuf,
    /// The instance that waits for the next client.
    waiting: Mutex<NamedPipeServer>,
}

impl Listener {
    /// Listens at the pipe `path`. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// [`BindError::InUse`] when the pipe exists: being first is what makes it ours.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let first = create(path, true).map_err(|source| {
            if source.raw_os_error() == Some(ERROR_ACCESS_DENIED.cast_signed()) {
                BindError::InUse(path.to_owned())
            } else {
                BindError::Io { path: path.to_owned(), source }
            }
        })?;
        Ok(Self { name: path.to_owned(), waiting: Mutex::new(first) })
    }

    /// The next connection. The pipe's rights keep other users out.
    ///
    /// # Errors
    /// What the system says; the listener may be asked again after a while.
    pub async fn accept(&self) -> io::Result<Stream> {
        let mut waiting = self.waiting.lock().await;
        waiting.connect().await?;
        let next = create(&self.name, false)?;
        Ok(Stream::Server(std::mem::replace(&mut *waiting, next)))
    }
}

/// Connects to the pipe at `path`.
///
/// # Errors
/// `NotFound` when nobody listens, `PermissionDenied` when another user does.
pub async fn connect(path: &Path) -> io::Result<Stream> {
    loop {
        match ClientOptions::new().open(path) {
            Ok(client) => return Ok(Stream::Client(client)),
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY.cast_signed()) => {
                tokio::time::sleep(BUSY_RETRY).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Every pipe lives in one place; the name tells homes apart.
pub(crate) fn short_place(name: &str, _limit: usize) -> PathBuf {
    PathBuf::from(format!(r"\\.\pipe\p2p-agent-{name}"))
}

fn create(path: &Path, first: bool) -> io::Result<NamedPipeServer> {
    let text: Vec<u16> = OWNER_ONLY.encode_utf16().chain([0]).collect();
    let mut descriptor: PSECURITY_DESCRIPTOR = ptr::null_mut();
    // SAFETY: `text` ends with a zero, and `descriptor` is written before it is read. The
    // descriptor is alive while the pipe is made and freed once, after it.
    unsafe {
        let made = ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text.as_ptr(),
            SDDL_REVISION_1,
            &mut descriptor,
            ptr::null_mut(),
        );
        if made == 0 {
            return Err(io::Error::last_os_error());
        }
        let mut attributes = SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).expect("a small structure"),
            lpSecurityDescriptor: descriptor,
            bInheritHandle: 0,
        };
        let pipe = ServerOptions::new()
            .first_pipe_instance(first)
            .reject_remote_clients(true)
            .create_with_security_attributes_raw(path, (&raw mut attributes).cast::<c_void>());
        LocalFree(descriptor);
        pipe
    }
}

macro_rules! to_either {
    ($self:ident, $inner:ident => $call:expr) => {
        match $self.get_mut() {
            Self::Server(pipe) => {
                let $inner = Pin::new(pipe);
                $call
            }
            Self::Client(pipe) => {
                let $inner = Pin::new(pipe);
                $call
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        to_either!(self, pipe => pipe.poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        to_either!(self, pipe => pipe.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        to_either!(self, pipe => pipe.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        to_either!(self, pipe => pipe.poll_shutdown(cx))
    }
}
