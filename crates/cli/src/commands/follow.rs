//! Following one task on the event stream, from wherever it is to its end.

use std::time::Duration;

use p2p_control::api::{ErrorCode, Event, EventBody, Problem, StageRecord, Task, TaskStage, TaskState};
use p2p_control::{Client, EventStream};
use p2p_types::DeviceId;

use super::names;
use crate::context::Context;
use crate::moment;

/// An open event stream, so that nothing of a task submitted from here on is missed.
pub(super) struct Follower<'a> {
    client: &'a Client,
    events: EventStream,
    /// The number of the last event.
    number: u64,
    /// This computer.
    pub(super) own: DeviceId,
}

impl<'a> Follower<'a> {
    pub(super) async fn open(client: &'a Client) -> Result<Self, Problem> {
        let mut events = client.events().await?;
        let first = events.next().await.ok_or_else(closed)??;
        let EventBody::Snapshot(snapshot) = first.body else {
            return Err(Problem::new(ErrorCode::Version, "the event stream does not start with a snapshot"));
        };
        Ok(Self { client, events, number: first.number, own: snapshot.status.device_id })
    }

    /// Shows the stages of `task` as they come, and returns it finished. Ctrl-C cancels the task;
    /// a second one ends the command.
    pub(super) async fn until_finished(mut self, context: &Context, mut task: Task) -> Result<Task, Problem> {
        let mut shown = 0;
        let mut cancelled = false;
        loop {
            for record in task.stages.iter().skip(shown) {
                stage(context, record, &self.own);
            }
            shown = shown.max(task.stages.len());
            if is_finished(task.state) {
                // Events leave out the results of large tasks.
                let whole = task.results.len() == task.texts as usize;
                return if whole { Ok(task) } else { self.client.task(task.task_id).await };
            }
            tokio::select! {
                next = self.next(&task) => task = next?,
                _ = tokio::signal::ctrl_c() => {
                    if cancelled {
                        return Err(Problem::new(ErrorCode::Cancelled, "you stopped waiting for it"));
                    }
                    cancelled = true;
                    context.out.progress("Cancelling; Ctrl-C once more stops waiting");
                    task = self.client.cancel(task.task_id).await?;
                }
            }
        }
    }

    /// The task after it moved on.
    async fn next(&mut self, task: &Task) -> Result<Task, Problem> {
        loop {
            match self.events.next().await {
                Some(Ok(event)) if event.number == self.number + 1 => {
                    self.number = event.number;
                    if let Some(moved) = of_task(event, task) {
                        return Ok(moved);
                    }
                }
                // The stream broke off, or events were lost: ask, and follow from there.
                _ => {
                    let fresh = Self::open(self.client).await?;
                    (self.events, self.number) = (fresh.events, fresh.number);
                    return self.client.task(task.task_id).await;
                }
            }
        }
    }
}

fn of_task(event: Event, task: &Task) -> Option<Task> {
    match event.body {
        EventBody::Task(moved) if moved.task_id == task.task_id => Some(*moved),
        _ => None,
    }
}

fn closed() -> Problem {
    Problem::new(ErrorCode::NotRunning, "it stopped while it was asked")
}

pub(super) const fn is_finished(state: TaskState) -> bool {
    match state {
        TaskState::Searching | TaskState::Assigned | TaskState::Computing => false,
        TaskState::Done | TaskState::Partial | TaskState::Failed | TaskState::Cancelled => true,
    }
}

fn stage(context: &Context, record: &StageRecord, own: &DeviceId) {
    let after = moment::span(Duration::from_micros(record.elapsed_us));
    let who = record.provider.map(|id| names::device_or_here(context, &id, Some(own))).unwrap_or_default();
    // The detail may have named it.
    let who = if record.detail.contains(&who) { String::new() } else { format!("{who}  ") };
    context.out.progress(&format!("{:<9}  {after:>10}  {who}{}", word(record.stage), record.detail));
}

pub(super) const fn word(stage: TaskStage) -> &'static str {
    match stage {
        TaskStage::Searching => "Searching",
        TaskStage::Assigned => "Assigned",
        TaskStage::Computing => "Computing",
        TaskStage::Retrying => "Retrying",
        TaskStage::Done => "Done",
        TaskStage::Failed => "Failed",
        TaskStage::Cancelled => "Cancelled",
    }
}
