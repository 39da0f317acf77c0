//! Doors: where connections come from, how many there may be, and how they end.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use p2p_platform::socket;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Connections at one door; more wait outside.
const CONNECTIONS: usize = 64;
/// How long the head of a request may take, the wait for a next request included.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of the head of a request.
const HEAD_BYTES: usize = 16 * 1024;
/// After an accept that failed, mostly for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long calls under way may take to finish when the server closes.
const GRACE: Duration = Duration::from_secs(2);

/// Something that connections come from.
pub(super) trait Door: Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Door for socket::Listener {
    type Stream = socket::Stream;

    async fn accept(&self) -> io::Result<Self::Stream> {
        Self::accept(self).await
    }
}

impl Door for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = Self::accept(self).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Serves every connection of `door` until `closing`.
pub(super) async fn serve<D: Door>(door: D, router: Router, mut closing: watch::Receiver<bool>) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let seat = Arc::clone(&seats).acquire_owned().await.expect("never closed");
            door.accept().await.map(|stream| (seat, stream))
        };
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            _ = closed(&mut closing) => break,
        };
        match accepted {
            Ok((seat, stream)) => {
                let connection = serve_one(stream, router.clone(), closing.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(seat);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a control connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(door);
    let finished = async { while connections.join_next().await.is_some() {} };
    // Whatever is still open after that is dropped with the set.
    let _ = timeout(GRACE, finished).await;
}

async fn serve_one<S>(stream: S, router: Router, mut closing: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_header_size(HEAD_BYTES);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = closed(&mut closing) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a control connection ended early");
    }
}

/// Waits for the server to close; one that was dropped is closed.
pub(super) async fn closed(closing: &mut watch::Receiver<bool>) -> Result<Infallible, ()> {
    let _ = closing.wait_for(|closed| *closed).await;
    Err(())
}
