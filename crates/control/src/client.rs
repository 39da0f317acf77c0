//! The client: one method a route, over the local socket.

mod computer;
mod connection;
mod schedule;
mod stream;
mod wallet;

use std::path::Path;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use p2p_types::{DeviceId, TaskId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::{
    ConfigEntry, ConfigValue, CreateNetwork, Departure, ErrorCode, Health, Identity, Invite, JoinNetwork, LogLine,
    NearbyNetwork, NetworkDetails, PauseRequest, PeerDetails, PeerSummary, Problem, Status, SubmitTask, Task,
    TaskSummary, TrustPeer,
};
use connection::Connections;
pub use stream::{EventStream, LogStream};

/// A client of the daemon behind one local socket. Cheap to clone; calls may run at the same time.
#[derive(Debug, Clone)]
pub struct Client {
    connections: Connections,
}

impl Client {
    /// Connects to the daemon that listens at `socket`.
    ///
    /// # Errors
    /// `E1001` when nobody listens, `E1003` when another user does, `E4006` when nobody answers.
    pub async fn connect(socket: &Path) -> Result<Self, Problem> {
        Ok(Self { connections: Connections::open(socket).await? })
    }

    /// The node at a glance.
    ///
    /// # Errors
    /// What the daemon says; `E1001` when it has gone, `E4006` when it does not answer in time.
    /// So it is with every call below.
    pub async fn status(&self) -> Result<Status, Problem> {
        self.get("/api/v1/status").await
    }

    /// Whether the node is up.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn health(&self) -> Result<Health, Problem> {
        self.get("/health").await
    }

    /// Prometheus text.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn metrics(&self) -> Result<String, Problem> {
        let bytes = self.call(Method::GET, "/metrics", Bytes::new()).await?;
        String::from_utf8(bytes.into()).map_err(|_| strange("its figures are not text"))
    }

    /// A snapshot, then everything that changes.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn events(&self) -> Result<EventStream, Problem> {
        Ok(EventStream::new(self.connections.stream("/api/v1/events").await?))
    }

    /// The last log lines, oldest first; with `follow` all later ones too, else the stream ends there.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn logs(&self, follow: bool) -> Result<LogStream, Problem> {
        if follow {
            return Ok(LogStream::following(self.connections.stream("/api/v1/logs?follow=true").await?));
        }
        let lines: Vec<LogLine> = self.get("/api/v1/logs").await?;
        Ok(LogStream::of(lines))
    }

    /// Stops work for others.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn pause(&self, request: PauseRequest) -> Result<Status, Problem> {
        self.send(Method::POST, "/api/v1/node/pause", &request).await
    }

    /// Ends a pause.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn resume(&self) -> Result<Status, Problem> {
        self.post("/api/v1/node/resume").await
    }

    /// Asks the daemon to end. It ends after its answer.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn shutdown(&self) -> Result<(), Problem> {
        self.call(Method::POST, "/api/v1/node/shutdown", Bytes::new()).await.map(drop)
    }

    /// The nodes this one knows.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn peers(&self) -> Result<Vec<PeerSummary>, Problem> {
        self.get("/api/v1/peers").await
    }

    /// One node.
    ///
    /// # Errors
    /// `E3005` when it is not known, and as [`Client::status`].
    pub async fn peer(&self, peer: DeviceId) -> Result<PeerDetails, Problem> {
        self.get(&format!("/api/v1/peers/{peer}")).await
    }

    /// Marks a node as trusted, or no longer.
    ///
    /// # Errors
    /// `E3005` when it is not known, and as [`Client::status`].
    pub async fn trust(&self, peer: DeviceId, request: TrustPeer) -> Result<PeerDetails, Problem> {
        self.send(Method::PUT, &format!("/api/v1/peers/{peer}/trust"), &request).await
    }

    /// Submits a task, and comes back when it was accepted.
    ///
    /// # Errors
    /// `E2xxx` when it was not, and as [`Client::status`].
    pub async fn submit(&self, request: &SubmitTask) -> Result<Task, Problem> {
        self.send(Method::POST, "/api/v1/tasks", request).await
    }

    /// This owner's tasks, the newest first.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn tasks(&self) -> Result<Vec<TaskSummary>, Problem> {
        self.get("/api/v1/tasks").await
    }

    /// One task.
    ///
    /// # Errors
    /// `E2007` when there is none, and as [`Client::status`].
    pub async fn task(&self, task: TaskId) -> Result<Task, Problem> {
        self.get(&format!("/api/v1/tasks/{task}")).await
    }

    /// Cancels a task.
    ///
    /// # Errors
    /// `E2007` when there is none, and as [`Client::status`].
    pub async fn cancel(&self, task: TaskId) -> Result<Task, Problem> {
        self.post(&format!("/api/v1/tasks/{task}/cancel")).await
    }

    /// Who this node is.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn identity(&self) -> Result<Identity, Problem> {
        self.get("/api/v1/identity").await
    }

    /// The network this node belongs to.
    ///
    /// # Errors
    /// `E3001` when it is in none, and as [`Client::status`].
    pub async fn network(&self) -> Result<NetworkDetails, Problem> {
        self.get("/api/v1/network").await
    }

    /// Founds a network.
    ///
    /// # Errors
    /// `E3002` when the node is in one, and as [`Client::status`].
    pub async fn create_network(&self, request: &CreateNetwork) -> Result<NetworkDetails, Problem> {
        self.send(Method::POST, "/api/v1/network/create", request).await
    }

    /// Joins a network.
    ///
    /// # Errors
    /// `E3002` to `E3004`, and as [`Client::status`].
    pub async fn join_network(&self, request: &JoinNetwork) -> Result<NetworkDetails, Problem> {
        self.send(Method::POST, "/api/v1/network/join", request).await
    }

    /// Leaves the network.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn leave_network(&self) -> Result<(), Problem> {
        self.call(Method::POST, "/api/v1/network/leave", Bytes::new()).await.map(drop)
    }

    /// A link that others can join with.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn invite(&self) -> Result<Invite, Problem> {
        self.post("/api/v1/network/invite").await
    }

    /// Networks that were heard of nearby.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn nearby(&self) -> Result<Vec<NearbyNetwork>, Problem> {
        self.get("/api/v1/network/nearby").await
    }

    /// Every setting.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn config(&self) -> Result<Vec<ConfigEntry>, Problem> {
        self.get("/api/v1/config").await
    }

    /// Changes one setting.
    ///
    /// # Errors
    /// `E1005` when there is no such key or the value does not fit, and as [`Client::status`].
    pub async fn set_config(&self, key: &str, value: &ConfigValue) -> Result<ConfigEntry, Problem> {
        self.send(Method::PUT, &format!("/api/v1/config/{}", in_path(key)), value).await
    }

    /// What left this computer.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn departures(&self) -> Result<Vec<Departure>, Problem> {
        self.get("/api/v1/departures").await
    }

    /// Any call: the HTTP status and the body, problems included.
    ///
    /// # Errors
    /// When there is no answer at all, or the path is none.
    pub async fn raw(&self, method: &str, path: &str, body: Option<Vec<u8>>) -> Result<(u16, Vec<u8>), Problem> {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| Problem::new(ErrorCode::BadRequest, format!("{method:?} is no HTTP method")))?;
        let (status, bytes) = self.connections.exchange(method, path, body.unwrap_or_default().into()).await?;
        Ok((status.as_u16(), bytes.into()))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        decode(&self.call(Method::GET, path, Bytes::new()).await?)
    }

    async fn post<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        decode(&self.call(Method::POST, path, Bytes::new()).await?)
    }

    async fn send<T: DeserializeOwned>(&self, method: Method, path: &str, body: &impl Serialize) -> Result<T, Problem> {
        let body = serde_json::to_vec(body).expect("our own words are JSON");
        decode(&self.call(method, path, body.into()).await?)
    }

    async fn call(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, Problem> {
        let (status, bytes) = self.connections.exchange(method, path, body).await?;
        if status.is_success() { Ok(bytes) } else { Err(refusal(status, &bytes)) }
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| strange(&error.to_string()))
}

/// What the daemon said when it refused.
fn refusal(status: StatusCode, bytes: &[u8]) -> Problem {
    serde_json::from_slice(bytes).unwrap_or_else(|_| strange(&format!("it says {status} without a reason")))
}

/// An answer that this version cannot read.
fn strange(why: &str) -> Problem {
    Problem::new(ErrorCode::Version, format!("Its answer cannot be read: {why}"))
}

/// A text as one part of a path.
fn in_path(text: &str) -> String {
    use std::fmt::Write as _;
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            write!(path, "%{byte:02X}").expect("writing to memory");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_one_part_of_the_path() {
        assert_eq!(in_path("network.listen_port"), "network.listen_port");
        assert_eq!(in_path("../status?x=ü"), "..%2Fstatus%3Fx%3D%C3%BC");
    }
}
