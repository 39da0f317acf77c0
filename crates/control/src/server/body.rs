//! JSON bodies: bounded, timed, and refused with words.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;
use p2p_types::limits::CONTROL_BODY_BYTES;
use serde::de::DeserializeOwned;
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

use super::{App, LARGE_BODY_BYTES};
use crate::api::{ErrorCode, Problem};

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is read and thrown away of a body that is too large, so that who sends it hears why.
const DRAINED_BYTES: u64 = 4 * CONTROL_BODY_BYTES as u64;

/// A body that was read and is a `T`. An empty body reads as `{}`.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        read(request, app).await.map(Self).map_err(|refusal| refusal.problem)
    }
}

/// Why a body was refused.
pub(super) struct Refusal {
    /// The field that is to blame, where one is.
    pub(super) field: Option<String>,
    pub(super) problem: Problem,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { field: None, problem }
    }
}

/// Reads and decodes the body of `request`.
pub(super) async fn read<T: DeserializeOwned>(request: Request, app: &App) -> Result<T, Refusal> {
    let slow = |_| Problem::new(ErrorCode::BadRequest, "The body did not arrive in time");
    let (bytes, _place) = timeout(PATIENCE, collect(request, app)).await.map_err(slow)??;
    let bytes = if bytes.is_empty() { b"{}".to_vec() } else { bytes };
    decode(&bytes)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        Problem::new(ErrorCode::InvalidText, format!("The request stops being UTF-8 after {at} bytes"))
    })?;
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = Some(error.path().to_string()).filter(|path| path != ".");
        let why = error.into_inner();
        let detail = match &field {
            Some(field) => format!("The field {field:?} is wrong: {why}"),
            None => format!("The JSON is wrong: {why}"),
        };
        Refusal { field, problem: Problem::new(ErrorCode::BadRequest, detail) }
    })?;
    json.end().map_err(|why| Problem::new(ErrorCode::BadRequest, format!("The JSON is wrong: {why}")))?;
    Ok(value)
}

async fn collect(request: Request, app: &App) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), Problem> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > DRAINED_BYTES) {
        return Err(too_large());
    }
    // Chunked bodies announce nothing: they count as large.
    let place = if announced.is_none_or(|length| length > LARGE_BODY_BYTES) {
        Some(app.large_bodies.acquire().await.expect("never closed"))
    } else {
        None
    };
    let mut body = request.into_body();
    let mut bytes = Vec::new();
    let mut seen: u64 = 0;
    while let Some(frame) = body.frame().await {
        let cut = |error| Problem::new(ErrorCode::BadRequest, format!("The body was cut off: {error}"));
        let Ok(data) = frame.map_err(cut)?.into_data() else { continue };
        seen += data.len() as u64;
        if seen > DRAINED_BYTES {
            return Err(too_large());
        }
        if seen <= CONTROL_BODY_BYTES as u64 {
            bytes.extend_from_slice(&data);
        } else {
            bytes = Vec::new();
        }
    }
    if seen > CONTROL_BODY_BYTES as u64 { Err(too_large()) } else { Ok((bytes, place)) }
}

fn too_large() -> Problem {
    Problem::new(ErrorCode::TooLarge, format!("A request may have {} MiB", CONTROL_BODY_BYTES / 1024 / 1024))
}
