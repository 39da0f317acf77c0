//! Streams of events: a snapshot first, then changes, for as long as the reader keeps up.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::unfold;
use futures::{Stream, StreamExt};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};

use super::doors::closed;
use super::{App, STREAMS};
use crate::api::{ErrorCode, Event, EventBody, LogLine, Problem};
use crate::call::Subscription;

/// A comment now and then shows both ends that the other is there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The place of one stream among all that may be open.
pub(super) fn take_place(app: &App) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(&app.streams).try_acquire_owned().map_err(|_| {
        let why = format!("All {STREAMS} places for those who follow events or logs are taken");
        Problem::new(ErrorCode::TooBusy, why)
            .with_hint("End a `status --watch`, a `logs -f` or a dashboard's page, or ask without following")
    })
}

/// The state now, then every change.
pub(super) fn events(app: &App, place: OwnedSemaphorePermit, subscription: Subscription) -> Response {
    let Subscription { snapshot, number, events } = subscription;
    let first = Arc::new(Event { number, body: EventBody::Snapshot(Box::new(snapshot)) });
    let message = |event: Arc<Event>| as_json(&*event).id(event.number.to_string());
    // What the snapshot has already is not said again.
    stream(app, place, vec![first], events, message, move |event| event.number > number)
}

/// The log lines kept, then every new one.
pub(super) fn log_lines(
    app: &App,
    place: OwnedSemaphorePermit,
    recent: Vec<LogLine>,
    new: broadcast::Receiver<LogLine>,
) -> Response {
    stream(app, place, recent, new, |line| as_json(&line), |_| true)
}

struct State<T> {
    first: std::vec::IntoIter<T>,
    live: broadcast::Receiver<T>,
    closing: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

fn as_json(item: &impl Serialize) -> Message {
    Message::default().json_data(item).expect("our own words are JSON")
}

fn stream<T: Clone + Send + 'static>(
    app: &App,
    place: OwnedSemaphorePermit,
    first: Vec<T>,
    live: broadcast::Receiver<T>,
    message: impl Fn(T) -> Message + Send + 'static,
    wanted: impl Fn(&T) -> bool + Send + 'static,
) -> Response {
    let state = State { first: first.into_iter(), live, closing: app.closing.clone(), _place: place };
    let messages = items(state, wanted).map(move |item| Ok::<_, Infallible>(message(item)));
    Sse::new(messages).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// Ends when the sender ends, when the server closes, and when the reader lags too far behind:
/// whoever opens the stream again gets a fresh start, never a gap.
fn items<T: Clone + Send + 'static>(
    state: State<T>,
    wanted: impl Fn(&T) -> bool + Send + 'static,
) -> impl Stream<Item = T> + Send {
    unfold((state, wanted), |(mut state, wanted)| async move {
        if let Some(item) = state.first.next() {
            return Some((item, (state, wanted)));
        }
        loop {
            let item = tokio::select! {
                item = state.live.recv() => item.ok()?,
                _ = closed(&mut state.closing) => return None,
            };
            if wanted(&item) {
                return Some((item, (state, wanted)));
            }
        }
    })
}
