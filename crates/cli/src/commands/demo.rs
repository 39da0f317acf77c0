//! `demo`: one sentence, one answer, in words.

use std::time::Duration;

use p2p_control::api::{Problem, SubmitTask, Task, TaskResult, TaskState};
use p2p_types::{DeviceId, Placement, Priority, Privacy, TaskKind};

use super::follow::Follower;
use super::{names, results};
use crate::args::DemoArgs;
use crate::context::Context;
use crate::moment;
use crate::problem::Exit;
use crate::texts;

const SAMPLE: &str = "What a wonderful evening: the food was great and everybody stayed for hours.";

pub(super) async fn run(context: &Context, args: DemoArgs) -> Result<Exit, Problem> {
    let text = args.text.unwrap_or_else(|| SAMPLE.to_owned());
    let no_files: [&str; 0] = [];
    let request = SubmitTask {
        kind: TaskKind::Sentiment,
        texts: texts::gather(TaskKind::Sentiment, &[text.clone().into()], &no_files)?,
        privacy: Privacy::Trusted,
        placement: Placement::Auto,
        priority: Priority::Normal,
        deadline_ms: None,
        chunk: None,
    };
    let client = context.daemon(&context.home()?).await?;
    let follower = Follower::open(&client).await?;
    let own = follower.own;
    context.out.progress(&format!("Is this positive or negative? \"{text}\""));
    let task = client.submit(&request).await?;
    let task = follower.until_finished(context, task).await?;
    context.out.reply(&task, |page| {
        if let Some(sentence) = sentence(context, &task, &own) {
            page.line(&sentence);
        }
    });
    if task.state == TaskState::Done {
        return Ok(Exit::Fine);
    }
    context.out.problem_for_people(&results::why(&task));
    Ok(Exit::Mendable)
}

/// `It sounds positive (97.3 %). This computer computed that in 12 ms.`
fn sentence(context: &Context, task: &Task, own: &DeviceId) -> Option<String> {
    let Some(Some(TaskResult::Label { label, score })) = task.results.first() else { return None };
    let mut sentence = format!("It sounds {label} ({}).", results::percent(*score));
    if let Some(provider) = task.providers.first() {
        let who = if provider == own {
            "This computer".to_owned()
        } else {
            format!("Another computer ({})", names::device(context, provider))
        };
        let took = task.duration_us.map(|took| format!(" in {}", moment::span(Duration::from_micros(took))));
        sentence.push_str(&format!(" {who} computed that{}.", took.unwrap_or_default()));
    }
    Some(sentence)
}
