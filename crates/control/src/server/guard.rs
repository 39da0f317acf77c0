//! The guard of the loopback doors. Any program and any page that a browser shows can reach
//! 127.0.0.1, so: Host and Origin must be our own (a name that was made to point here is not),
//! and who has no token gets nothing but `/health`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CONNECTION, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, ORIGIN, SET_COOKIE,
};
use axum::http::header::{CACHE_CONTROL, REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::api::{ErrorCode, Problem};

/// What separates the cookie's secret from the token it is made of.
const COOKIE_CONTEXT: &str = "p2p-agent 2026 dashboard cookie";

const WRONG_TOKEN: &str = "The token is wrong; it may have changed when the daemon started";

struct Guard {
    port: u16,
    /// Absent at the door that needs none.
    secrets: Option<Secrets>,
}

struct Secrets {
    /// Comparing digests takes the same time whatever was sent.
    token: blake3::Hash,
    cookie: blake3::Hash,
    cookie_name: String,
    cookie_value: String,
}

/// The same router behind a token.
pub(super) fn with_token(router: Router, port: u16, token: &str) -> Router {
    let cookie_value = blake3::Hash::from(blake3::derive_key(COOKIE_CONTEXT, token.as_bytes())).to_hex().to_string();
    let secrets = Secrets {
        token: blake3::hash(token.as_bytes()),
        cookie: blake3::hash(cookie_value.as_bytes()),
        // Cookies do not know ports: the name tells two nodes on one computer apart.
        cookie_name: format!("p2p-agent-{port}"),
        cookie_value,
    };
    guarded(router, Guard { port, secrets: Some(secrets) })
}

/// The same router for our own Host and Origin only.
pub(super) fn without_token(router: Router, port: u16) -> Router {
    guarded(router, Guard { port, secrets: None })
}

fn guarded(router: Router, guard: Guard) -> Router {
    router.layer(from_fn_with_state(Arc::new(guard), stand))
}

async fn stand(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let mut response = match guard.judge(&request) {
        Verdict::Enter => next.run(request).await,
        Verdict::Glance => once(next.run(request).await),
        Verdict::Welcome(cookie) => {
            (StatusCode::SEE_OTHER, [(LOCATION, "/".to_owned()), (SET_COOKIE, cookie)]).into_response()
        }
        Verdict::Refuse(problem) => once(refuse(problem)),
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Who showed no token gets one answer a connection: nobody can queue up more and keep a place by not
/// reading them.
fn once(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn refuse(problem: Problem) -> Response {
    let unauthorized = problem.status == StatusCode::UNAUTHORIZED.as_u16();
    let mut response = problem.into_response();
    if unauthorized {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

enum Verdict {
    Enter,
    /// For one look at what is open to everybody.
    Glance,
    /// The token came in the address: it moves to this cookie, and the address is cleaned.
    Welcome(String),
    Refuse(Problem),
}

impl Guard {
    fn judge(&self, request: &Request) -> Verdict {
        if let Err(problem) = self.check_origin(request) {
            return Verdict::Refuse(problem);
        }
        let Some(secrets) = &self.secrets else { return Verdict::Enter };
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        if uri.path() == "/health" {
            return Verdict::Glance;
        }
        if let Some(token) = bearer(headers) {
            return if secrets.is_token(token) { Verdict::Enter } else { Verdict::Refuse(unauthorized(WRONG_TOKEN)) };
        }
        let first_page = *method == Method::GET && uri.path() == "/";
        if let Some(token) = uri.query().and_then(token_of).filter(|_| first_page) {
            return if secrets.is_token(token) {
                Verdict::Welcome(secrets.set_cookie())
            } else {
                Verdict::Refuse(unauthorized(WRONG_TOKEN))
            };
        }
        if !secrets.know_cookie(headers) {
            return Verdict::Refuse(unauthorized("There is no token, and no cookie of the dashboard"));
        }
        // A browser always says where a change comes from.
        if !method.is_safe() && !headers.contains_key(ORIGIN) {
            return Verdict::Refuse(forbidden("A change by cookie must say its Origin"));
        }
        Verdict::Enter
    }

    /// Host must be this door; Origin, where it is said, must be the same.
    fn check_origin(&self, request: &Request) -> Result<(), Problem> {
        let headers = request.headers();
        let host = only(headers, &HOST).ok_or_else(|| forbidden("There must be one Host"))?;
        let ours = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        if !ours.iter().any(|name| name == host) {
            return Err(forbidden("The Host is not this door"));
        }
        if request.uri().authority().is_some_and(|authority| authority.as_str() != host) {
            return Err(forbidden("The address is not that of the Host"));
        }
        if headers.contains_key(ORIGIN) && only(headers, &ORIGIN) != Some(format!("http://{host}").as_str()) {
            return Err(forbidden("The Origin is another page"));
        }
        Ok(())
    }
}

impl Secrets {
    fn is_token(&self, token: &str) -> bool {
        self.token == blake3::hash(token.as_bytes())
    }

    fn set_cookie(&self) -> String {
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie_name, self.cookie_value)
    }

    fn know_cookie(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
        cookies
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|(name, value)| name == self.cookie_name && blake3::hash(value.as_bytes()) == self.cookie)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    // One that is there and wrong is never helped by a cookie.
    if !headers.contains_key(AUTHORIZATION) {
        return None;
    }
    let value = only(headers, &AUTHORIZATION).unwrap_or_default();
    let (scheme, token) = value.split_once(' ').unwrap_or_default();
    Some(if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" })
}

fn token_of(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("token="))
}

/// The value of a header that stands exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn unauthorized(why: &str) -> Problem {
    Problem::new(ErrorCode::Unauthorized, why)
}

fn forbidden(why: &str) -> Problem {
    Problem::new(ErrorCode::ForbiddenOrigin, why)
}
