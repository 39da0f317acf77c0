//! What the window may ask for: one command that forwards calls to the daemon, one channel that
//! forwards its events, one command that has it started (and one that leaves a file: [`crate::keep`]).
//! There is no second API here.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use p2p_control::Client;
use p2p_control::api::{ErrorCode, Event, Problem};
use p2p_platform::Home;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tauri::State;
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tokio::sync::watch;

use crate::supervisor::{Link, Supervisor, View};

const API: &str = "/api/v1/";
/// The longest path that is forwarded.
const PATH_BYTES: usize = 512;
/// Between two tries to open the event stream of a daemon that is there.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What the commands work with.
#[derive(Debug)]
pub(crate) struct Bridge {
    home: Home,
    supervisor: Supervisor,
    /// The window has one stream: the one it asked for last.
    following: Mutex<Option<JoinHandle<()>>>,
}

/// An answer of the daemon, problems included.
#[derive(Debug, Serialize)]
pub(crate) struct Reply {
    status: u16,
    body: Value,
}

/// What goes through the channel.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Message {
    Link { link: Link },
    Event { event: Box<Event> },
}

/// The methods of the control API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Method {
    #[serde(rename = "GET")]
    Get,
    #[serde(rename = "POST")]
    Post,
    #[serde(rename = "PUT")]
    Put,
}

impl Bridge {
    pub(crate) fn new(home: Home, supervisor: Supervisor) -> Self {
        Self { home, supervisor, following: Mutex::new(None) }
    }

    /// Ends the stream of a window that was closed.
    pub(crate) fn unfollow(&self) {
        self.replace(None);
    }

    fn replace(&self, next: Option<JoinHandle<()>>) {
        let mut following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = std::mem::replace(&mut *following, next) {
            last.abort();
        }
    }
}

/// Forwards one call to the daemon.
#[tauri::command]
pub(crate) async fn call(
    bridge: State<'_, Bridge>,
    method: Method,
    path: String,
    body: Option<Value>,
) -> Result<Reply, Problem> {
    check(&path)?;
    let method = match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
    };
    let body = body.map(|body| serde_json::to_vec(&body).expect("a JSON value is JSON"));
    let client = Client::connect(&bridge.home.socket()).await?;
    let (status, bytes) = client.raw(method, &path, body).await?;
    let body = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes) };
    let body = body.map_err(|error| Problem::new(ErrorCode::Internal, format!("the answer is no JSON: {error}")))?;
    Ok(Reply { status, body })
}

/// Sends every event of the daemon through `channel`, from a snapshot on, and whether it can be
/// reached; until the window closes or asks again.
#[tauri::command]
pub(crate) async fn follow(bridge: State<'_, Bridge>, channel: Channel<Message>) -> Result<(), Problem> {
    let task = tauri::async_runtime::spawn(forward(bridge.home.clone(), bridge.supervisor.view(), channel));
    bridge.replace(Some(task));
    Ok(())
}

/// Starts the daemon where none runs.
#[tauri::command]
pub(crate) async fn start_daemon(bridge: State<'_, Bridge>) -> Result<(), Problem> {
    bridge.supervisor.start().await
}

/// Only the control API, and only calls that end.
fn check(path: &str) -> Result<(), Problem> {
    let refuse = |why: &str| Err(Problem::new(ErrorCode::NotFound, why));
    let Some(rest) = path.strip_prefix(API) else { return refuse("the window reaches the control API alone") };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./%?=&".contains(&byte);
    if path.len() > PATH_BYTES || !path.bytes().all(plain) || rest.contains("..") {
        return refuse("this is no path of the control API");
    }
    let route = rest.split('?').next().unwrap_or_default().trim_end_matches('/');
    if route == "events" || route == "logs" {
        return refuse("streams do not go through calls");
    }
    Ok(())
}

async fn forward(home: Home, mut view: watch::Receiver<View>, channel: Channel<Message>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let link = view.borrow_and_update().link.clone();
        let open = link == Link::Open;
        if !open {
            pause = FIRST_PAUSE;
            if channel.send(Message::Link { link }).is_err() {
                return;
            }
        } else if let Some(Gone) = forward_events(&home, &channel, &mut pause).await {
            return;
        }
        // A daemon that is there but gave no stream, or ended it, is asked again soon.
        tokio::select! {
            changed = view.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(pause), if open => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}

/// The window, or the page in it, is no longer there.
struct Gone;

async fn forward_events(home: &Home, channel: &Channel<Message>, pause: &mut Duration) -> Option<Gone> {
    let client = Client::connect(&home.socket()).await.ok()?;
    let mut events = client.events().await.ok()?;
    if channel.send(Message::Link { link: Link::Open }).is_err() {
        return Some(Gone);
    }
    // A stream that broke is opened again; the window sees its snapshot and needs no reason.
    while let Some(Ok(event)) = events.next().await {
        *pause = FIRST_PAUSE;
        if channel.send(Message::Event { event: Box::new(event) }).is_err() {
            return Some(Gone);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_reaches_the_control_api_alone() {
        for path in ["/api/v1/status", "/api/v1/peers/12D3KooWabc/trust", "/api/v1/tasks?limit=5"] {
            assert!(check(path).is_ok(), "{path}");
        }
        for path in [
            "/metrics",
            "/health",
            "/",
            "",
            "api/v1/status",
            "/api/v2/status",
            "/api/v1/../../metrics",
            "http://elsewhere/api/v1/status",
            "/api/v1/status HTTP/1.1\r\nHost: x",
            "/api/v1/tasks/\u{202e}",
            "/api/v1/events",
            "/api/v1/events/",
            "/api/v1/logs?follow=true",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
        assert!(check(&format!("/api/v1/{}", "x".repeat(PATH_BYTES))).is_err());
    }

    #[test]
    fn the_window_is_told_in_the_words_that_it_knows() {
        let problem = Problem::new(ErrorCode::NotRunning, "nobody");
        let link = Message::Link { link: Link::Unreachable { problem } };
        let json = serde_json::to_value(&link).expect("messages are JSON");
        assert_eq!(json["kind"], "link");
        assert_eq!(json["link"]["state"], "unreachable");
        assert_eq!(json["link"]["problem"]["code"], "E1001");
        let open = serde_json::to_value(Link::Open).expect("links are JSON");
        assert_eq!(open, serde_json::json!({ "state": "open" }));
    }
}
