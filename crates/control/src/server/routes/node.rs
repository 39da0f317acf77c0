use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Answer;
use crate::api::{Event, Health, LogLine, NodeState, PauseRequest, Problem, Status};
use crate::call::Call;
use crate::server::body::Body;
use crate::server::{App, sse};

/// Whoever asks for health wants to know now.
const HEALTH_PATIENCE: Duration = Duration::from_secs(2);

/// The node at a glance.
#[utoipa::path(get, path = "/status", tag = "node", operation_id = "status", responses((status = 200, body = Status)))]
pub(super) async fn status(State(app): State<App>) -> Answer<Status> {
    app.ask(Call::Status).await.map(Json)
}

/// Everything that changes, as server-sent events.
///
/// The first event is a snapshot; then come changes, numbered without gaps. A reader that falls
/// behind is cut off, and opens the stream again.
#[utoipa::path(
    get, path = "/events", tag = "node", operation_id = "events",
    responses((status = 200, body = Event, content_type = "text/event-stream", description = "Each `data:` is one event"))
)]
pub(super) async fn events(State(app): State<App>) -> Result<Response, Problem> {
    let place = sse::take_place(&app)?;
    let subscription = app.ask(Call::Subscribe).await?;
    Ok(sse::events(&app, place, subscription))
}

/// Stops work for others until `resume`, or for a while.
#[utoipa::path(
    post, path = "/node/pause", tag = "node", operation_id = "pause",
    request_body = PauseRequest, responses((status = 200, body = Status))
)]
pub(super) async fn pause(State(app): State<App>, Body(request): Body<PauseRequest>) -> Answer<Status> {
    app.ask(|reply| Call::Pause(request, reply)).await.map(Json)
}

/// Ends a pause.
#[utoipa::path(post, path = "/node/resume", tag = "node", operation_id = "resume", responses((status = 200, body = Status)))]
pub(super) async fn resume(State(app): State<App>) -> Answer<Status> {
    app.ask(Call::Resume).await.map(Json)
}

/// Ends the daemon.
#[utoipa::path(
    post, path = "/node/shutdown", tag = "node", operation_id = "shutdown",
    responses((status = 202, description = "It is ending"))
)]
pub(super) async fn shutdown(State(app): State<App>) -> Result<StatusCode, Problem> {
    app.ask(Call::Shutdown).await.map(|()| StatusCode::ACCEPTED)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogQuery {
    #[serde(default)]
    follow: bool,
}

/// A name of its own, or the macro would want the parameters described twice.
type LogParameters = Query<LogQuery>;

/// The daemon's last log lines, oldest first.
#[utoipa::path(
    get, path = "/logs", tag = "node", operation_id = "logs", 
    params(("follow" = Option<bool>, Query,
        description = "Stay, and send every new line as a server-sent event after the kept ones")),
    responses((status = 200, content(
        (Vec<LogLine> = "application/json"),
        (LogLine = "text/event-stream")
    ), description = "With `follow`, each `data:` is one line"))
)]
pub(super) async fn logs(State(app): State<App>, Query(query): LogParameters) -> Result<Response, Problem> {
    if !query.follow {
        return Ok(Json(app.logs.lines()).into_response());
    }
    let place = sse::take_place(&app)?;
    let (recent, new) = app.logs.subscribe();
    Ok(sse::log_lines(&app, place, recent, new))
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "node", operation_id = "openapi",
    responses((status = 200, body = serde_json::Value, description = "OpenAPI 3.1"))
)]
pub(super) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(crate::openapi::document())
}

/// Whether the node is up, for watchdogs. Needs no token.
#[utoipa::path(get, path = "/health", tag = "node", operation_id = "health", responses((status = 200, body = Health)))]
pub(super) async fn health(State(app): State<App>) -> Answer<Health> {
    let status = app.ask_within(HEALTH_PATIENCE, Call::Status).await?;
    let word = if status.warnings.is_empty() { "ok" } else { "degraded" };
    Ok(Json(Health {
        status: word.to_owned(),
        ready: !matches!(status.state, NodeState::Starting | NodeState::Stopping),
        version: status.version,
        reasons: status.warnings,
    }))
}

/// Figures for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "node", operation_id = "metrics",
    responses((status = 200, body = String, content_type = "text/plain", description = "Prometheus text"))
)]
pub(super) async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let text = app.ask(Call::Metrics).await?;
    // OpenMetrics says where it ends, and wants to be called by its name.
    let kind = if text.trim_end().ends_with("# EOF") {
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    } else {
        "text/plain; version=0.0.4; charset=utf-8"
    };
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}
