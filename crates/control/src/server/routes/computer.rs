use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::api::Computer;
use crate::call::Call;
use crate::server::App;

/// What this computer is good for, as it was measured, and what its work of today costs.
#[utoipa::path(
    get, path = "/computer", tag = "node", operation_id = "computer", responses((status = 200, body = Computer))
)]
pub(super) async fn show(State(app): State<App>) -> Answer<Computer> {
    app.ask(Call::Computer).await.map(Json)
}
