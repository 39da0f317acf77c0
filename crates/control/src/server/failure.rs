//! Every answer that is not a success is a problem document, whoever wrote it.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};

use crate::api::{ErrorCode, Problem};

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
/// Bytes of somebody else's error text that are passed on.
const DETAIL_BYTES: usize = 1024;

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).expect("texts and numbers");
        (status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response()
    }
}

/// The same router, whose errors are problem documents all.
pub(super) fn answered(router: Router) -> Router {
    router.layer(from_fn(explain))
}

async fn explain(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let status = response.status();
    if status.is_success() || status.is_redirection() || response.headers().get(CONTENT_TYPE) == Some(&PROBLEM_JSON) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let said = to_bytes(body, DETAIL_BYTES).await.unwrap_or_default();
    let explained = problem(status, &method, &path, String::from_utf8_lossy(&said).trim()).into_response();
    // `Allow` of a 405, and whatever else was set, stays.
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, PROBLEM_JSON);
    let body = if method == Method::HEAD { Body::empty() } else { explained.into_body() };
    Response::from_parts(parts, body)
}

fn problem(status: StatusCode, method: &Method, path: &str, said: &str) -> Problem {
    let path: String = path.chars().take(120).collect();
    let or = |otherwise: String| if said.is_empty() { otherwise } else { said.to_owned() };
    let mut problem = match status {
        StatusCode::NOT_FOUND => Problem::new(ErrorCode::NotFound, or(format!("Nothing is at {path}"))),
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::new(ErrorCode::NotFound, format!("{path} does not answer to {method}"))
        }
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(ErrorCode::TooLarge, or(format!("{path} takes less"))),
        _ if status.is_client_error() => Problem::new(ErrorCode::BadRequest, or(format!("{path} says {status}"))),
        _ => Problem::new(ErrorCode::Internal, or(format!("{path} says {status}"))),
    };
    problem.status = status.as_u16();
    problem
}
