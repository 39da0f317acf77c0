//! Following one task, from wherever it is to its end: on the event stream, or by asking where the
//! daemon has no stream to spare.

use std::time::Duration;

use p2p_control::api::{ErrorCode, Event, EventBody, Problem, StageRecord, Task, TaskStage, TaskState};
use p2p_control::{Client, EventStream};
use p2p_types::DeviceId;

use super::names;
use crate::context::Context;
use crate::moment;

/// Between two questions where there is no stream: short at first, longer the longer it takes.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Questions one after another that a crowded daemon may leave without an answer.
const UNANSWERED: u32 = 5;

/// Hears of tasks. Opened before a task is submitted, so that nothing of it is missed.
pub(super) struct Follower<'a> {
    client: &'a Client,
    news: News,
    /// This computer.
    pub(super) own: DeviceId,
}

/// How it is heard that a task moved on.
enum News {
    /// As it happens. The number is that of the last event.
    Told {
        events: EventStream,
        number: u64,
    },
    Asked {
        pause: Duration,
        unanswered: u32,
    },
}

impl News {
    /// Opens a stream, and says which computer it is of. Where all streams are taken, it asks.
    async fn open(client: &Client) -> Result<(Self, DeviceId), Problem> {
        let mut events = match client.events().await {
            Ok(events) => events,
            Err(problem) if problem.code == ErrorCode::TooBusy => {
                let own = client.status().await?.device_id;
                return Ok((Self::Asked { pause: FIRST_PAUSE, unanswered: 0 }, own));
            }
            Err(problem) => return Err(problem),
        };
        let first = events.next().await.ok_or_else(closed)??;
        let EventBody::Snapshot(snapshot) = first.body else {
            return Err(Problem::new(ErrorCode::Version, "the event stream does not start with a snapshot"));
        };
        Ok((Self::Told { events, number: first.number }, snapshot.status.device_id))
    }
}

impl<'a> Follower<'a> {
    pub(super) async fn open(client: &'a Client) -> Result<Self, Problem> {
        let (news, own) = News::open(client).await?;
        Ok(Self { client, news, own })
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
            match &mut self.news {
                News::Told { events, number } => match events.next().await {
                    Some(Ok(event)) if event.number == *number + 1 => {
                        *number = event.number;
                        if let Some(moved) = of_task(event, task) {
                            return Ok(moved);
                        }
                    }
                    // The stream broke off, or events were lost: ask, and follow from there.
                    _ => {
                        self.news = News::open(self.client).await?.0;
                        return self.client.task(task.task_id).await;
                    }
                },
                News::Asked { pause, unanswered } => {
                    tokio::time::sleep(*pause).await;
                    *pause = (*pause * 3 / 2).min(LONGEST_PAUSE);
                    match self.client.task(task.task_id).await {
                        Err(problem) if problem.code == ErrorCode::TooBusy && *unanswered < UNANSWERED => {
                            *unanswered += 1;
                        }
                        answer => {
                            *unanswered = 0;
                            return answer;
                        }
                    }
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
