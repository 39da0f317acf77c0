use axum::Json;
use axum::extract::{Path, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, id};
use crate::api::{ErrorCode, PeerDetails, PeerSummary, TrustPeer};
use crate::call::Call;
use crate::server::App;
use crate::server::body::Body;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(trust))
}

/// The nodes this one knows.
#[utoipa::path(get, path = "/", tag = "peers", operation_id = "peers", responses((status = 200, body = Vec<PeerSummary>)))]
async fn list(State(app): State<App>) -> Answer<Vec<PeerSummary>> {
    app.ask(Call::Peers).await.map(Json)
}

/// One node.
#[utoipa::path(
    get, path = "/{id}", tag = "peers", operation_id = "peer",
    params(("id" = String, Path, description = "A device id")), responses((status = 200, body = PeerDetails))
)]
async fn show(State(app): State<App>, Path(peer): Path<String>) -> Answer<PeerDetails> {
    let peer = id(&peer, ErrorCode::NoSuchPeer)?;
    app.ask(|reply| Call::Peer(peer, reply)).await.map(Json)
}

/// Marks a node as trusted, or no longer.
#[utoipa::path(
    put, path = "/{id}/trust", tag = "peers", operation_id = "trust",
    params(("id" = String, Path, description = "A device id")),
    request_body = TrustPeer, responses((status = 200, body = PeerDetails))
)]
async fn trust(
    State(app): State<App>,
    Path(peer): Path<String>,
    Body(request): Body<TrustPeer>,
) -> Answer<PeerDetails> {
    let peer = id(&peer, ErrorCode::NoSuchPeer)?;
    app.ask(|reply| Call::Trust(peer, request, reply)).await.map(Json)
}
