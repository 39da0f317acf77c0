//! The server: HTTP and JSON in, [`Call`]s out.
//!
//! A request passes a door (who may enter), the guard of that door (loopback only: token, Host,
//! Origin), a route (what is asked), and comes back as JSON or as a problem document.

mod ask;
mod body;
mod doors;
mod failure;
mod files;
mod guard;
mod routes;
mod sse;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use p2p_platform::socket;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use crate::call::{Call, LogSource};

pub(crate) use routes::documented;

/// Bodies above [`LARGE_BODY_BYTES`] that are in memory at one time.
const LARGE_BODIES: usize = 4;
/// From here on a body needs one of the [`LARGE_BODIES`] places.
const LARGE_BODY_BYTES: u64 = 64 * 1024;
/// Event and log streams open at one time. The places that a door has beyond these are for calls.
const STREAMS: usize = 128;

/// What every route may use.
#[derive(Debug, Clone)]
pub(crate) struct App {
    calls: mpsc::Sender<Call>,
    logs: LogSource,
    large_bodies: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    closing: watch::Receiver<bool>,
    touched: Touched,
}

/// What is done at once when a report says that somebody is there.
#[derive(Clone)]
struct Touched(Arc<dyn Fn() + Send + Sync>);

impl fmt::Debug for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Touched")
    }
}

/// Answers the control API at as many doors as are opened, until it is closed or dropped.
#[derive(Debug)]
pub struct Server {
    app: App,
    ui: Option<PathBuf>,
    close: watch::Sender<bool>,
}

impl Server {
    /// A server that asks whoever receives `calls`. `ui` is the folder of the dashboard's files.
    #[must_use]
    pub fn new(calls: mpsc::Sender<Call>, logs: LogSource, ui: Option<PathBuf>) -> Self {
        let (close, closing) = watch::channel(false);
        let large_bodies = Arc::new(Semaphore::new(LARGE_BODIES));
        let streams = Arc::new(Semaphore::new(STREAMS));
        Self { app: App { calls, logs, large_bodies, streams, closing, touched: Touched(Arc::new(|| {})) }, ui, close }
    }

    /// Has `touched` called on the way in, before the engine's turn, whenever a report says that somebody has
    /// just touched the computer. It must not block.
    #[must_use]
    pub fn when_touched(mut self, touched: impl Fn() + Send + Sync + 'static) -> Self {
        self.app.touched = Touched(Arc::new(touched));
        self
    }

    /// Opens the local door. Who may enter, the listener checks. The handle ends when the server closes.
    pub fn serve_local(&self, listener: socket::Listener) -> JoinHandle<()> {
        let router = failure::answered(self.api());
        tokio::spawn(doors::serve(listener, router, self.app.closing.clone()))
    }

    /// Opens the loopback door at 127.0.0.1 (port 0: any): the API and the dashboard, for who has
    /// the token. The dashboard's first address is `http://ADDRESS/?token=TOKEN`.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn serve_loopback(&self, port: u16, token: String) -> io::Result<(SocketAddr, JoinHandle<()>)> {
        let (listener, address) = bind(port).await?;
        let router = files::with_dashboard(self.api(), self.ui.as_deref());
        let router = guard::with_token(failure::answered(router), address.port(), &token);
        Ok((address, tokio::spawn(doors::serve(listener, router, self.app.closing.clone()))))
    }

    /// Opens a loopback door for `/health` and `/metrics` alone, without a token.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn serve_metrics(&self, port: u16) -> io::Result<(SocketAddr, JoinHandle<()>)> {
        let (listener, address) = bind(port).await?;
        let router = Router::from(routes::open()).with_state(self.app.clone());
        let router = guard::without_token(failure::answered(router), address.port());
        Ok((address, tokio::spawn(doors::serve(listener, router, self.app.closing.clone()))))
    }

    /// Stops accepting, ends the streams and lets calls under way finish. The handles of the
    /// doors end when that is done, or after two seconds.
    pub fn close(&self) {
        self.close.send_replace(true);
    }

    fn api(&self) -> Router {
        Router::from(documented()).with_state(self.app.clone())
    }
}

async fn bind(port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
