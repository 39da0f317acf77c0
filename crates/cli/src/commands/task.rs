//! `task list`, `show`, `watch` and `cancel`.

use std::time::Duration;

use p2p_control::api::{Problem, Task, TaskState, TaskSummary};
use p2p_types::DeviceId;

use super::follow::{Follower, is_finished, word};
use super::{names, results, submit};
use crate::args::TaskCommand;
use crate::context::Context;
use crate::moment;
use crate::output::{Cell, Page, Table, Tint};
use crate::problem::Exit;

pub(super) async fn run(context: &Context, command: TaskCommand) -> Result<Exit, Problem> {
    match command {
        TaskCommand::Submit(args) => submit::run(context, args).await,
        TaskCommand::List => list(context).await,
        TaskCommand::Show { id } => show(context, &id).await,
        TaskCommand::Watch { id } => watch(context, &id).await,
        TaskCommand::Cancel { id } => cancel(context, &id).await,
    }
}

async fn list(context: &Context) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let tasks = client.tasks().await?;
    let own = client.status().await?.device_id;
    context.out.reply(&tasks, |page| {
        if tasks.is_empty() {
            return page.line("You have submitted no task since the daemon started.");
        }
        let mut table = Table::new(&["TASK", "KIND", "STATE", "TEXTS", "TOOK", "AGE", "COMPUTED BY"]).right(&[3, 4, 5]);
        let now = p2p_platform::now().0;
        for task in &tasks {
            table.row(row(context, task, now, &own));
        }
        page.table(&table);
    });
    Ok(Exit::Fine)
}

fn row(context: &Context, task: &TaskSummary, now_ms: u64, own: &DeviceId) -> Vec<Cell> {
    let took = task.duration_us.map_or_else(|| "-".to_owned(), |took| moment::span(Duration::from_micros(took)));
    let age = moment::span(Duration::from_millis(now_ms.saturating_sub(task.submitted_ms)));
    let who: Vec<String> = task.providers.iter().map(|id| names::device_or_here(context, id, Some(own))).collect();
    vec![
        names::task(context, &task.task_id).into(),
        task.kind.as_str().into(),
        state(task.state),
        format!("{}/{}", task.finished, task.texts).into(),
        took.into(),
        age.into(),
        who.join(", ").into(),
    ]
}

async fn show(context: &Context, id: &str) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let task = client.task(names::find_task(&client, id).await?).await?;
    let own = client.status().await?.device_id;
    context.out.reply(&task, |page| draw(context, page, &task, &own));
    Ok(Exit::Fine)
}

fn draw(context: &Context, page: &mut Page, task: &Task, own: &DeviceId) {
    page.facts(&[
        ("Task", task.task_id.to_string()),
        ("Kind", task.kind.to_string()),
        ("State", state_word(task.state).to_owned()),
        ("Texts", format!("{} of {} have an answer", task.finished, task.texts)),
        ("Privacy", task.privacy.to_string()),
        ("Where", task.placement.to_string()),
        ("Submitted", moment::utc(task.submitted_ms)),
        ("Receipts", task.receipts.len().to_string()),
    ]);
    page.blank();
    let mut stages = Table::new(&["STEP", "AFTER", "BY", ""]).right(&[1]);
    for record in &task.stages {
        let who = record.provider.map(|id| names::device_or_here(context, &id, Some(own))).unwrap_or_default();
        let after = moment::span(Duration::from_micros(record.elapsed_us));
        stages.row(vec![word(record.stage).into(), after.into(), who.into(), record.detail.as_str().into()]);
    }
    page.table(&stages);
    if !task.results.is_empty() {
        page.blank();
        results::table(page, task, &[]);
    }
    if let Some(error) = &task.error {
        page.blank();
        page.tinted(Tint::Bad, &format!("{} {}", error.code, error.message));
    }
}

async fn watch(context: &Context, id: &str) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let follower = Follower::open(&client).await?;
    let own = follower.own;
    let task = client.task(names::find_task(&client, id).await?).await?;
    let task = follower.until_finished(context, task).await?;
    Ok(results::reply(context, &task, &[], &own))
}

async fn cancel(context: &Context, id: &str) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let task = client.cancel(names::find_task(&client, id).await?).await?;
    context.out.reply(&task, |page| {
        let id = names::task(context, &task.task_id);
        match task.state {
            TaskState::Cancelled => page.line(&format!("Task {id} is cancelled.")),
            state if is_finished(state) => page.line(&format!("Task {id} was finished before: {}.", state_word(state))),
            _ => page.line(&format!("Task {id} is being cancelled.")),
        }
    });
    Ok(Exit::Fine)
}

fn state(state: TaskState) -> Cell {
    let tint = match state {
        TaskState::Searching | TaskState::Assigned | TaskState::Computing => Tint::Plain,
        TaskState::Done => Tint::Good,
        TaskState::Partial | TaskState::Cancelled => Tint::Warn,
        TaskState::Failed => Tint::Bad,
    };
    Cell::tinted(tint, state_word(state))
}

const fn state_word(state: TaskState) -> &'static str {
    match state {
        TaskState::Searching => "searching",
        TaskState::Assigned => "assigned",
        TaskState::Computing => "computing",
        TaskState::Done => "done",
        TaskState::Partial => "partial",
        TaskState::Failed => "failed",
        TaskState::Cancelled => "cancelled",
    }
}
