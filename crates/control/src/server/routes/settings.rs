use axum::Json;
use axum::extract::{Path, State};

use super::Answer;
use crate::api::{ConfigEntry, ConfigValue, Departure, Identity};
use crate::call::Call;
use crate::server::App;
use crate::server::body::Body;

/// Who this node is.
#[utoipa::path(get, path = "/identity", tag = "settings", operation_id = "identity", responses((status = 200, body = Identity)))]
pub(super) async fn identity(State(app): State<App>) -> Answer<Identity> {
    app.ask(Call::Identity).await.map(Json)
}

/// Every setting: what it is, and who said so.
#[utoipa::path(
    get, path = "/config", tag = "settings", operation_id = "config", responses((status = 200, body = Vec<ConfigEntry>))
)]
pub(super) async fn list(State(app): State<App>) -> Answer<Vec<ConfigEntry>> {
    app.ask(Call::Config).await.map(Json)
}

/// Changes one setting, in the file.
#[utoipa::path(
    put, path = "/config/{key}", tag = "settings", operation_id = "setConfig",
    params(("key" = String, Path, description = "Dotted, as in `network.listen_port`")),
    request_body = ConfigValue, responses((status = 200, body = ConfigEntry))
)]
pub(super) async fn set(
    State(app): State<App>,
    Path(key): Path<String>,
    Body(value): Body<ConfigValue>,
) -> Answer<ConfigEntry> {
    app.ask(|reply| Call::SetConfig(key, value, reply)).await.map(Json)
}

/// What left this computer: to whom, what for, how much. Never the text itself.
#[utoipa::path(
    get, path = "/departures", tag = "settings", operation_id = "departures",
    responses((status = 200, body = Vec<Departure>))
)]
pub(super) async fn departures(State(app): State<App>) -> Answer<Vec<Departure>> {
    app.ask(Call::Departures).await.map(Json)
}
