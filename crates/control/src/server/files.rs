//! The dashboard: the built user interface as files, under a strict policy.

use std::path::Path;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, X_FRAME_OPTIONS};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get};
use tower_http::services::ServeDir;

/// Nothing from anywhere else, no inline script, no frame around it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// Built files carry a digest in their name.
const FOREVER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>P2P Agent</title>\n\
    <h1>The dashboard is not built yet</h1>\n\
    <p>The node runs. To build its page, run <code>cargo xtask demo</code> in the source folder once, \
    or install the app; then load this page again.</p>\n</html>\n";

/// The same router, with the dashboard at every path that is nobody else's.
pub(super) fn with_dashboard(router: Router, ui: Option<&Path>) -> Router {
    let built = ui.filter(|folder| folder.join("index.html").is_file());
    let pages = match built {
        Some(folder) => Router::new().fallback_service(ServeDir::new(folder)),
        None => Router::new().route("/", get(|| async { Html(NOT_BUILT) })),
    };
    let pages = pages.layer(from_fn(under_policy));
    // A typing error in a call is no missing page, whatever its method.
    router.route("/api/{*rest}", any(StatusCode::NOT_FOUND)).fallback_service(pages)
}

async fn under_policy(request: Request, next: Next) -> Response {
    let forever = request.uri().path().starts_with("/assets/");
    let mut response = next.run(request).await.into_response();
    let success = response.status().is_success();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if forever && success {
        headers.insert(CACHE_CONTROL, FOREVER);
    }
    response
}
