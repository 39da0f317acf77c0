//! The routes, each with the description that becomes the OpenAPI document.

mod computer;
mod network;
mod node;
mod peers;
mod schedule;
mod settings;
mod tasks;
mod wallet;

use std::fmt::Display;
use std::str::FromStr;

use axum::Json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use crate::api::{ErrorCode, Problem};

/// What a handler gives back.
type Answer<T> = Result<Json<T>, Problem>;

/// Everything, with its description.
pub(crate) fn documented() -> OpenApiRouter<App> {
    let api = OpenApiRouter::new()
        .routes(routes!(node::status))
        .routes(routes!(node::events))
        .routes(routes!(node::pause))
        .routes(routes!(node::resume))
        .routes(routes!(node::shutdown))
        .routes(routes!(node::logs))
        .routes(routes!(node::openapi))
        .routes(routes!(computer::show))
        .nest("/peers", peers::routes())
        .nest("/agents", peers::routes())
        .routes(routes!(tasks::list, tasks::submit))
        .routes(routes!(tasks::quote))
        .routes(routes!(tasks::show))
        .routes(routes!(tasks::cancel))
        .routes(routes!(network::show))
        .routes(routes!(network::create))
        .routes(routes!(network::join))
        .routes(routes!(network::leave))
        .routes(routes!(network::invite))
        .routes(routes!(network::nearby))
        .routes(routes!(settings::identity))
        .routes(routes!(settings::list))
        .routes(routes!(settings::set))
        .routes(routes!(settings::departures))
        .routes(routes!(schedule::show))
        .routes(routes!(schedule::timeline))
        .routes(routes!(schedule::signals))
        .routes(routes!(wallet::show))
        .routes(routes!(wallet::rows))
        .routes(routes!(wallet::stats))
        .routes(routes!(wallet::verify));
    open().nest("/api/v1", api)
}

/// What a door without a token may answer.
pub(super) fn open() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(node::health)).routes(routes!(node::metrics))
}

/// An id from an address. What is no id is nothing that could be found.
fn id<T: FromStr<Err: Display>>(text: &str, missing: ErrorCode) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| Problem::new(missing, error.to_string()))
}

/// Whether a number from an address is one of 1 to `most`; why not, in words.
fn within(name: &str, value: u32, most: u32) -> Result<(), Problem> {
    if (1..=most).contains(&value) {
        return Ok(());
    }
    let why = format!("{name} is {value}; it can be from 1 to {most}");
    Err(Problem::new(ErrorCode::BadRequest, why).with_hint("Change it, or leave it out"))
}
