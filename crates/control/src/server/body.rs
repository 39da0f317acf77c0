//! JSON bodies: bounded, timed, and refused with words.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;
use p2p_types::limits::CONTROL_BODY_BYTES;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};

use super::doors::Seat;
use super::{App, LARGE_BODY_BYTES};
use crate::api::{ErrorCode, Problem};

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the rest of a large one may take, from when it has its place on: others wait for that.
const LARGE_PATIENCE: Duration = Duration::from_secs(5);
/// How long a large one may wait for its place. Below the client's own patience.
const PLACE_PATIENCE: Duration = Duration::from_secs(15);
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
    let (bytes, _place) = {
        let _receiving = request.extensions().get::<Seat>().map(Seat::receive);
        collect(request, app).await?
    };
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
        let path = error.path().to_string();
        let why = error.into_inner();
        // A text that breaks off says nothing about the field it breaks off in.
        if let Err(broken) = serde_json::from_str::<IgnoredAny>(text) {
            return Refusal::from(no_json(&broken));
        }
        let field = Some(path).filter(|path| path != ".");
        let detail = match &field {
            Some(field) => format!("The field {field:?} is wrong: {why}"),
            None => format!("The JSON is wrong: {why}"),
        };
        Refusal { field, problem: Problem::new(ErrorCode::BadRequest, detail) }
    })?;
    json.end().map_err(|why| no_json(&why))?;
    Ok(value)
}

fn no_json(why: &serde_json::Error) -> Problem {
    Problem::new(ErrorCode::BadRequest, format!("The body is not valid JSON: {why}"))
        .with_hint("Send one whole JSON document")
}

async fn collect(request: Request, app: &App) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), Problem> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > DRAINED_BYTES) {
        return Err(too_large());
    }
    let mut body = request.into_body();
    let mut bytes = Vec::new();
    let mut seen: u64 = 0;
    let mut place = None;
    let mut until = Instant::now() + PATIENCE;
    while let Some(frame) = timeout_at(until, body.frame()).await.map_err(|_| slow())? {
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
        // Not by what it announces: who sends nothing of it is in nobody's way.
        if place.is_none() && seen > LARGE_BODY_BYTES {
            let free = timeout(PLACE_PATIENCE, app.large_bodies.acquire()).await.map_err(|_| crowded())?;
            place = Some(free.expect("never closed"));
            until = Instant::now() + LARGE_PATIENCE;
        }
    }
    if seen > CONTROL_BODY_BYTES as u64 { Err(too_large()) } else { Ok((bytes, place)) }
}

fn slow() -> Problem {
    Problem::new(ErrorCode::BadRequest, "The body did not arrive in time").with_hint("Send all of it at once")
}

fn crowded() -> Problem {
    Problem::new(ErrorCode::TooBusy, "Other large requests are being read")
}

fn too_large() -> Problem {
    Problem::new(ErrorCode::TooLarge, format!("A request may have {} MiB", CONTROL_BODY_BYTES / 1024 / 1024))
}
