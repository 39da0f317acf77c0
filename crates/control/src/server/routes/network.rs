use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Answer;
use crate::api::{CreateNetwork, Invite, JoinNetwork, NearbyNetwork, NetworkDetails, Problem};
use crate::call::Call;
use crate::server::App;
use crate::server::body::Body;

/// The network this node belongs to.
#[utoipa::path(
    get, path = "/network", tag = "network", operation_id = "network", responses((status = 200, body = NetworkDetails))
)]
pub(super) async fn show(State(app): State<App>) -> Answer<NetworkDetails> {
    app.ask(Call::Network).await.map(Json)
}

/// Founds a network.
#[utoipa::path(
    post, path = "/network/create", tag = "network", operation_id = "createNetwork",
    request_body = CreateNetwork, responses((status = 200, body = NetworkDetails))
)]
pub(super) async fn create(State(app): State<App>, Body(request): Body<CreateNetwork>) -> Answer<NetworkDetails> {
    app.ask(|reply| Call::CreateNetwork(request, reply)).await.map(Json)
}

/// Joins a network, by invite or by file.
#[utoipa::path(
    post, path = "/network/join", tag = "network", operation_id = "joinNetwork",
    request_body = JoinNetwork, responses((status = 200, body = NetworkDetails))
)]
pub(super) async fn join(State(app): State<App>, Body(request): Body<JoinNetwork>) -> Answer<NetworkDetails> {
    app.ask(|reply| Call::JoinNetwork(request, reply)).await.map(Json)
}

/// Leaves the network.
#[utoipa::path(
    post, path = "/network/leave", tag = "network", operation_id = "leaveNetwork",
    responses((status = 204, description = "The node is in no network"))
)]
pub(super) async fn leave(State(app): State<App>) -> Result<StatusCode, Problem> {
    app.ask(Call::LeaveNetwork).await.map(|()| StatusCode::NO_CONTENT)
}

/// A link that others can join with.
#[utoipa::path(post, path = "/network/invite", tag = "network", operation_id = "invite", responses((status = 200, body = Invite)))]
pub(super) async fn invite(State(app): State<App>) -> Answer<Invite> {
    app.ask(Call::Invite).await.map(Json)
}

/// Networks that were heard of nearby.
#[utoipa::path(
    get, path = "/network/nearby", tag = "network", operation_id = "nearby",
    responses((status = 200, body = Vec<NearbyNetwork>))
)]
pub(super) async fn nearby(State(app): State<App>) -> Answer<Vec<NearbyNetwork>> {
    app.ask(Call::Nearby).await.map(Json)
}
