//! Our side: tasks that compute nothing, submitted to one daemon and done by another, one after
//! the other. The engine stamps the stages, so the control API is not in the times from
//! assignment to receipt; it is in the times end to end.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use p2p_control::Client;
use p2p_control::api::{EventBody, SubmitTask, Task, TaskStage, TaskState};
use p2p_types::{Placement, Priority, Privacy, TaskKind};

use crate::WARM_UP;

/// Microseconds of each of the tasks.
#[derive(Debug, Default)]
pub(crate) struct Times {
    pub(crate) assignment_to_receipt: Vec<f64>,
    /// As a client sees it: from asking to being told of the answer. All of it is overhead.
    pub(crate) end_to_end: Vec<f64>,
}

pub(crate) fn measure(socket: &Path, messages: usize) -> Result<Times> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = Client::connect(socket).await?;
        let mut events = client.events().await?;
        let mut times = Times::default();
        for number in 0..WARM_UP + messages {
            let asked = Instant::now();
            let submitted = client.submit(&noop()).await?;
            let task = loop {
                let event = events.next().await.context("the daemon ended")??;
                match event.body {
                    EventBody::Task(task) if task.task_id == submitted.task_id && finished(task.state) => break task,
                    _ => {}
                }
            };
            if number >= WARM_UP {
                times.end_to_end.push(asked.elapsed().as_secs_f64() * 1e6);
                times.assignment_to_receipt.push(assignment_to_receipt(&task)?);
            }
        }
        Ok(times)
    })
}

fn noop() -> SubmitTask {
    SubmitTask {
        kind: TaskKind::Noop,
        texts: vec!["a text of an ordinary length, which nobody reads".to_owned()],
        privacy: Privacy::Trusted,
        placement: Placement::Network,
        priority: Priority::Normal,
        deadline_ms: None,
        chunk: None,
    }
}

const fn finished(state: TaskState) -> bool {
    !matches!(state, TaskState::Searching | TaskState::Assigned | TaskState::Computing)
}

fn assignment_to_receipt(task: &Task) -> Result<f64> {
    if task.state != TaskState::Done || task.receipts.len() != 1 {
        bail!("a task ended as {:?} with {} receipts: {:?}", task.state, task.receipts.len(), task.error);
    }
    let at = |wanted: TaskStage| {
        let record = task.stages.iter().find(|record| record.stage == wanted);
        record.map(|record| record.elapsed_us).with_context(|| format!("no stage {wanted:?} in {:?}", task.stages))
    };
    let us = at(TaskStage::Done)?.checked_sub(at(TaskStage::Assigned)?).context("done before it was assigned")?;
    Ok(us as f64)
}
