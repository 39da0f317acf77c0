//! Tasks that are no longer in memory: read from the store, beside the loop.

use p2p_control::Reply;
use p2p_control::api::{Departure, ErrorCode, Problem, Task, TaskSummary};
use p2p_store::{Store, StoreError};
use p2p_types::TaskId;

use crate::document::{self, Document};
use crate::view;

/// Most tasks and departures in a list.
const LISTED: u32 = 200;

/// Answers with the tasks in memory and, behind them, those of the store.
pub(super) fn list(store: Store, in_memory: Vec<TaskSummary>, reply: Reply<Vec<TaskSummary>>) {
    tokio::spawn(async move {
        let answer = store.tasks(LISTED).await.map_err(problem).map(|stored| {
            let mut all = in_memory;
            let known: Vec<TaskId> = all.iter().map(|task| task.task_id).collect();
            let others = stored.iter().filter(|task| !known.contains(&task.id));
            let others = others.filter_map(|task| document::head(&task.document));
            all.extend(others.map(|task| view::summary_of(&task)));
            all.sort_by_key(|task| std::cmp::Reverse(task.submitted_ms));
            all.truncate(LISTED as usize);
            all
        });
        let _ = reply.send(answer);
    });
}

/// Answers with one task of the store.
pub(super) fn one(store: Store, id: TaskId, reply: Reply<Task>) {
    tokio::spawn(async move {
        let answer = match store.task(id).await {
            Ok(None) => Err(no_such_task(id)),
            Ok(Some(stored)) => {
                let document = Document::from_bytes(&stored.document);
                document.map(Document::into_task).ok_or_else(|| unreadable(id))
            }
            Err(error) => Err(problem(error)),
        };
        let _ = reply.send(answer);
    });
}

pub(super) fn departures(store: Store, reply: Reply<Vec<Departure>>) {
    tokio::spawn(async move {
        let answer = store.departures(LISTED).await.map_err(problem).map(|stored| {
            let rows = stored.into_iter().map(|row| Departure {
                at_ms: row.at.0,
                to: row.to,
                task_id: row.task,
                kind: row.kind,
                privacy: row.privacy,
                texts: row.texts,
                bytes: row.bytes,
            });
            rows.collect()
        });
        let _ = reply.send(answer);
    });
}

fn no_such_task(id: TaskId) -> Problem {
    Problem::new(ErrorCode::NoSuchTask, format!("none of this node's tasks is {id}"))
}

fn unreadable(id: TaskId) -> Problem {
    let why = format!("what was kept of task {id} is damaged, or a newer release wrote it");
    Problem::new(ErrorCode::Storage, why).with_hint("Submit it again, or install the newer release")
}

pub(crate) fn problem(error: StoreError) -> Problem {
    crate::problem::of(ErrorCode::Storage, &error)
}
