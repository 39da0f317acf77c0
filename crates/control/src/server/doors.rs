//! Doors: where connections come from, how many there may be, and how they end.

mod seats;
mod stall;

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use p2p_platform::socket;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub(super) use seats::Seat;
use seats::{CallUnderWay, Seats};
use stall::Stalling;

/// Connections at one door. More displace those that are quiet, or wait outside.
const CONNECTIONS: usize = 160;
/// How long the head of a request may take, the wait for a next request included.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
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
    let seats = Seats::new(CONNECTIONS);
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let stream = door.accept().await?;
            Ok::<_, io::Error>((seats.take().await, stream))
        };
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            _ = closed(&mut closing) => break,
        };
        match accepted {
            Ok((seat, stream)) => {
                connections.spawn(serve_one(stream, seat, router.clone(), closing.clone()));
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

async fn serve_one<S>(stream: S, seat: Seat, router: Router, mut closing: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_header_size(HEAD_BYTES);
    let place = seat.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let under_way = place.call();
        request.extensions_mut().insert(place.clone());
        let answer = TowerToHyperService::new(router.clone()).call(request);
        async move { answer.await.map(|response| response.map(|body| Answer { body, _under_way: under_way })) }
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(Stalling::new(stream, seat.clone())), service));
    let ended = tokio::select! {
        // Looked at first: who has to leave begins no other call.
        biased;
        () = seat.asked_to_leave() => {
            tracing::debug!("a quiet control connection made room for another");
            return;
        }
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

/// The body of an answer. The call is under way until all of it was taken. What of it waits to be
/// written then keeps the place by [`Stalling`].
struct Answer {
    body: Body,
    _under_way: CallUnderWay,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Waits for the server to close; one that was dropped is closed.
pub(super) async fn closed(closing: &mut watch::Receiver<bool>) -> Result<Infallible, ()> {
    let _ = closing.wait_for(|closed| *closed).await;
    Err(())
}
