use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;

use super::{Answer, id};
use crate::api::{ErrorCode, Problem, Quote, SubmitTask, Task, TaskSummary};
use crate::call::Call;
use crate::server::{App, body};

/// This owner's tasks, the newest first.
#[utoipa::path(get, path = "/tasks", tag = "tasks", operation_id = "tasks", responses((status = 200, body = Vec<TaskSummary>)))]
pub(super) async fn list(State(app): State<App>) -> Answer<Vec<TaskSummary>> {
    app.ask(Call::Tasks).await.map(Json)
}

/// Submits a task. It goes on by itself: see it with `tasks/{id}`, or in the events.
#[utoipa::path(
    post, path = "/tasks", tag = "tasks", operation_id = "submit",
    request_body = SubmitTask, responses((status = 202, body = Task))
)]
pub(super) async fn submit(State(app): State<App>, request: Request) -> Result<(StatusCode, Json<Task>), Problem> {
    let request = wanted(request, &app).await?;
    let task = app.ask(|reply| Call::Submit(request, reply)).await?;
    Ok((StatusCode::ACCEPTED, Json(task)))
}

/// What a task would cost, and how much of it would leave this computer. Runs nothing.
#[utoipa::path(
    post, path = "/tasks/quote", tag = "tasks", operation_id = "quote",
    request_body = SubmitTask, responses((status = 200, body = Quote))
)]
pub(super) async fn quote(State(app): State<App>, request: Request) -> Answer<Quote> {
    let request = wanted(request, &app).await?;
    app.ask(|reply| Call::Quote(request, reply)).await.map(Json)
}

/// The task that a body asks for.
async fn wanted(request: Request, app: &App) -> Result<SubmitTask, Problem> {
    let request: SubmitTask = body::read(request, app).await.map_err(|refusal| {
        if refusal.field.as_deref() == Some("kind") {
            return Problem::new(ErrorCode::UnknownKind, refusal.problem.detail);
        }
        refusal.problem
    })?;
    let longest = SubmitTask::LONGEST_DEADLINE_MS;
    if let Some(deadline) = request.deadline_ms.filter(|deadline| !(1..=longest).contains(deadline)) {
        let why = format!("deadline_ms is {deadline}; it can be from 1 to {longest}");
        return Err(Problem::new(ErrorCode::TaskRejected, why).with_hint("Change it, or leave it out"));
    }
    Ok(request)
}

/// One task: its stages, results and receipts.
#[utoipa::path(
    get, path = "/tasks/{id}", tag = "tasks", operation_id = "task",
    params(("id" = String, Path, description = "A task id")), responses((status = 200, body = Task))
)]
pub(super) async fn show(State(app): State<App>, Path(task): Path<String>) -> Answer<Task> {
    let task = id(&task, ErrorCode::NoSuchTask)?;
    app.ask(|reply| Call::Task(task, reply)).await.map(Json)
}

/// Cancels a task. What has its result keeps it.
#[utoipa::path(
    post, path = "/tasks/{id}/cancel", tag = "tasks", operation_id = "cancel",
    params(("id" = String, Path, description = "A task id")), responses((status = 200, body = Task))
)]
pub(super) async fn cancel(State(app): State<App>, Path(task): Path<String>) -> Answer<Task> {
    let task = id(&task, ErrorCode::NoSuchTask)?;
    app.ask(|reply| Call::Cancel(task, reply)).await.map(Json)
}
