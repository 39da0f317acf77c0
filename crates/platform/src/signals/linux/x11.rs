//! A connection to an X server of this computer, on a thread of its own: its answers are waited
//! for, and a server that hangs must hold up nobody else.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use p2p_types::Untold;
use tokio::sync::mpsc;
use tokio::time::timeout;
use x11rb::reexports::x11rb_protocol::parse_display::{ConnectAddress, parse_display};
use x11rb::reexports::x11rb_protocol::xauth::get_auth;
use x11rb::rust_connection::{DefaultStream, RustConnection};

use super::ANSWER;

/// Closes the socket when it is dropped, which ends the thread wherever it waits.
struct Hold(UnixStream);

impl Drop for Hold {
    fn drop(&mut self) {
        // It is closed already where the server went away.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// What the thread says.
pub(super) struct Events<T> {
    from: mpsc::UnboundedReceiver<T>,
    _hold: Hold,
}

impl<T> Events<T> {
    /// The next event; `None` when the connection is over.
    pub(super) async fn next(&mut self) -> Option<T> {
        self.from.recv().await
    }
}

/// Connects, and runs `body` on a thread. Displays of other computers are not asked: the hands
/// there do not touch this one.
pub(super) async fn connect<T: Send + 'static>(
    display: &str,
    body: impl FnOnce(&RustConnection, usize, &dyn Fn(T)) -> Option<()> + Send + 'static,
) -> Result<Events<T>, Untold> {
    let parsed = parse_display(Some(display)).map_err(|_| Untold::Unsupported)?;
    let (number, screen) = (parsed.display, usize::from(parsed.screen));
    let paths: Vec<String> = parsed
        .connect_instruction()
        .filter_map(|address| match address {
            ConnectAddress::Socket(path) => Some(path),
            _ => None,
        })
        .collect();
    if paths.is_empty() {
        return Err(Untold::Unsupported);
    }
    let stream = timeout(ANSWER, open(paths)).await.map_err(|_| Untold::Failed)?.ok_or(Untold::Failed)?;
    let hold = Hold(stream.try_clone().map_err(|_| Untold::Failed)?);
    let (to, from) = mpsc::unbounded_channel();
    let thread = std::thread::Builder::new().name("signals-x11".to_owned());
    let started = thread.spawn(move || {
        let Ok((stream, (family, host))) = DefaultStream::from_unix_stream(stream) else { return };
        let (name, data) = get_auth(family, &host, number).ok().flatten().unwrap_or_default();
        let Ok(connection) = RustConnection::connect_to_stream_with_auth_info(stream, screen, name, data) else {
            return;
        };
        // Nobody listens when the watch is over.
        body(&connection, screen, &|event| drop(to.send(event)));
    });
    started.map_err(|_| Untold::Failed)?;
    Ok(Events { from, _hold: hold })
}

async fn open(paths: Vec<String>) -> Option<UnixStream> {
    for path in paths {
        // The name without a file first: it is there in containers too.
        for path in [format!("\0{path}"), path] {
            if let Ok(stream) = tokio::net::UnixStream::connect(PathBuf::from(path)).await {
                return stream.into_std().ok();
            }
        }
    }
    None
}
