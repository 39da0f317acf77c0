use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::{Answer, within};
use crate::api::{Wallet, WalletCheck, WalletPage, WalletRows, WalletStats};
use crate::call::Call;
use crate::server::App;

/// What this computer has, and what is on the way.
#[utoipa::path(get, path = "/wallet", tag = "wallet", operation_id = "wallet", responses((status = 200, body = Wallet)))]
pub(super) async fn show(State(app): State<App>) -> Answer<Wallet> {
    app.ask(Call::Wallet).await.map(Json)
}

/// A name of its own, or the macro would want the parameters described twice.
type PageParameters = Query<WalletPage>;

/// The history, a page at a time, the newest first.
#[utoipa::path(
    get, path = "/wallet/rows", tag = "wallet", operation_id = "walletRows",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "At most so many; 50 where it is absent"),
        ("before" = Option<u64>, Query, description = "Only rows with a lower number: `next` of the page before")
    ),
    responses((status = 200, body = WalletRows))
)]
pub(super) async fn rows(State(app): State<App>, Query(page): PageParameters) -> Answer<WalletRows> {
    within("limit", page.limit, WalletPage::MOST)?;
    app.ask(|reply| Call::WalletRows(page, reply)).await.map(Json)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatsQuery {
    #[serde(default = "usual_days")]
    days: u32,
}

const fn usual_days() -> u32 {
    WalletStats::USUAL_DAYS
}

/// As above.
type StatsParameters = Query<StatsQuery>;

/// Earnings and spending by day (UTC), today last.
#[utoipa::path(
    get, path = "/wallet/stats", tag = "wallet", operation_id = "walletStats",
    params(("days" = Option<u32>, Query, minimum = 1, maximum = 366, description = "How many; 30 where it is absent")),
    responses((status = 200, body = WalletStats))
)]
pub(super) async fn stats(State(app): State<App>, Query(query): StatsParameters) -> Answer<WalletStats> {
    within("days", query.days, WalletStats::MOST_DAYS)?;
    app.ask(|reply| Call::WalletStats(query.days, reply)).await.map(Json)
}

/// The wallet computed again, from the log and the notary's certificates.
#[utoipa::path(
    get, path = "/wallet/verify", tag = "wallet", operation_id = "walletVerify",
    responses((status = 200, body = WalletCheck))
)]
pub(super) async fn verify(State(app): State<App>) -> Answer<WalletCheck> {
    app.ask(Call::WalletVerify).await.map(Json)
}
