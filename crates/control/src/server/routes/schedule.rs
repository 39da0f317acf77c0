use axum::Json;
use axum::extract::{Query, State};
use p2p_types::Reading;
use serde::Deserialize;

use super::{Answer, within};
use crate::api::{ErrorCode, Problem, Schedule, SignalReport, Timeline};
use crate::call::Call;
use crate::server::App;
use crate::server::body::Body;

const DAY_HOURS: u32 = 24;
const MOST_HOURS: u32 = 30 * DAY_HOURS;

/// Whether this computer may work now, rule by rule.
#[utoipa::path(
    get, path = "/schedule", tag = "schedule", operation_id = "schedule", responses((status = 200, body = Schedule))
)]
pub(super) async fn show(State(app): State<App>) -> Answer<Schedule> {
    app.ask(Call::Schedule).await.map(Json)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimelineQuery {
    #[serde(default = "a_day")]
    hours: u32,
}

const fn a_day() -> u32 {
    DAY_HOURS
}

/// A name of its own, or the macro would want the parameters described twice.
type TimelineParameters = Query<TimelineQuery>;

/// What guests might do when, oldest first.
#[utoipa::path(
    get, path = "/schedule/timeline", tag = "schedule", operation_id = "timeline",
    params(("hours" = Option<u32>, Query, minimum = 1, maximum = 720, description = "How far back; 24 where it is absent")),
    responses((status = 200, body = Timeline))
)]
pub(super) async fn timeline(State(app): State<App>, Query(query): TimelineParameters) -> Answer<Timeline> {
    within("hours", query.hours, MOST_HOURS)?;
    app.ask(|reply| Call::Timeline(query.hours, reply)).await.map(Json)
}

/// What somebody who watches a session tells. Whoever tells nothing more within the lease is not believed any longer.
#[utoipa::path(
    post, path = "/signals", tag = "schedule", operation_id = "signals", request_body = SignalReport,
    responses((status = 200))
)]
pub(super) async fn signals(State(app): State<App>, Body(report): Body<SignalReport>) -> Answer<()> {
    check(&report)?;
    if report.told.iter().any(|told| matches!(told.reading, Some(Reading::Input { idle_ms: 0 }))) {
        // Whoever works for others stops now; the engine hears why in its turn.
        (app.touched.0)();
    }
    app.ask(|reply| Call::Signals(report, reply)).await.map(Json)
}

fn check(report: &SignalReport) -> Result<(), Problem> {
    let refuse = |why: &str| Err(Problem::new(ErrorCode::BadRequest, why));
    let name = report.source.as_str();
    if name.is_empty() || name.len() > SignalReport::NAME_BYTES || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse("source is no name: 1 to 64 letters, digits and signs");
    }
    if report.told.len() > SignalReport::MOST {
        return refuse("too many signals at once");
    }
    if report.told.iter().any(|told| told.read().is_none()) {
        return refuse("a signal has a reading of its own kind, or says why there is none");
    }
    Ok(())
}
