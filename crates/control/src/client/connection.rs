//! Connections to the daemon: opened when needed, kept for the next call.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use p2p_platform::socket;
use tokio::time::timeout;

use super::refusal;
use crate::api::{ErrorCode, Problem};

const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
const CALL_PATIENCE: Duration = Duration::from_secs(30);
/// Connections kept for later calls.
const KEPT: usize = 4;
/// Bytes of one answer: the vectors of the largest task, as JSON, twice over.
pub(super) const ANSWER_BYTES: usize = 128 * 1024 * 1024;

type Sender = SendRequest<Full<Bytes>>;

#[derive(Debug, Clone)]
pub(super) struct Connections {
    socket: Arc<Path>,
    kept: Arc<Mutex<Vec<Sender>>>,
}

/// The body of an answer that goes on, and what keeps its connection open.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) body: Incoming,
    _sender: Sender,
}

impl Connections {
    pub(super) async fn open(socket: &Path) -> Result<Self, Problem> {
        let connections = Self { socket: PathBuf::from(socket).into(), kept: Arc::default() };
        let first = connections.connect().await?;
        connections.keep(first);
        Ok(connections)
    }

    /// One request and its whole answer.
    pub(super) async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Problem> {
        let request = request(method, path, body)?;
        let exchange = async {
            let (response, sender) = self.send(request).await?;
            let status = response.status();
            let bytes = collect(response.into_body()).await?;
            self.keep(sender);
            Ok((status, bytes))
        };
        timeout(CALL_PATIENCE, exchange).await.unwrap_or_else(|_| Err(silent("The daemon did not answer in 30 s")))
    }

    /// An answer that goes on for as long as both want.
    pub(super) async fn stream(&self, path: &str) -> Result<Opened, Problem> {
        let request = request(Method::GET, path, Bytes::new())?;
        let opening = async {
            let (response, sender) = self.send(request).await?;
            let status = response.status();
            if !status.is_success() {
                return Err(refusal(status, &collect(response.into_body()).await?));
            }
            Ok(Opened { body: response.into_body(), _sender: sender })
        };
        timeout(CALL_PATIENCE, opening).await.unwrap_or_else(|_| Err(silent("The daemon did not answer in 30 s")))
    }

    async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<(Response<Incoming>, Sender), Problem> {
        // A kept connection may have been closed since. What was not sent on it goes to the next.
        while let Some(mut sender) = self.take() {
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((response, sender)),
                Err(mut failure) => match failure.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(silent(&format!("The daemon ended the call: {}", failure.into_error()))),
                },
            }
        }
        let mut sender = self.connect().await?;
        let ended = |error| silent(&format!("The daemon ended the call: {error}"));
        let response = sender.send_request(request).await.map_err(ended)?;
        Ok((response, sender))
    }

    async fn connect(&self) -> Result<Sender, Problem> {
        let connecting = async {
            let stream = socket::connect(&self.socket).await.map_err(|error| self.unreachable(&error))?;
            handshake(TokioIo::new(stream)).await.map_err(|error| silent(&error.to_string()))
        };
        let (sender, connection) = timeout(CONNECT_PATIENCE, connecting)
            .await
            .unwrap_or_else(|_| Err(silent("The daemon did not take the connection in 2 s")))?;
        // Ends with the last sender and the last body.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection to the daemon ended early");
            }
        });
        Ok(sender)
    }

    fn unreachable(&self, error: &io::Error) -> Problem {
        let code = match error.kind() {
            io::ErrorKind::PermissionDenied => ErrorCode::SocketForeign,
            _ => ErrorCode::NotRunning,
        };
        Problem::new(code, format!("{}: {error}", self.socket.display()))
    }

    fn take(&self) -> Option<Sender> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, sender: Sender) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT && !sender.is_closed() {
            kept.push(sender);
        }
    }
}

fn request(method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, Problem> {
    let mut request = Request::builder().method(method).uri(path).header(HOST, "p2p-agent");
    if !body.is_empty() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    request
        .body(Full::new(body))
        .map_err(|error| Problem::new(ErrorCode::BadRequest, format!("{path:?} is no path: {error}")))
}

async fn collect(mut body: Incoming) -> Result<Bytes, Problem> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| silent(&format!("The answer was cut off: {error}")))?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > ANSWER_BYTES {
                return Err(super::strange("it is too large"));
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes.freeze())
}

fn silent(why: &str) -> Problem {
    Problem::new(ErrorCode::TooBusy, why)
}
