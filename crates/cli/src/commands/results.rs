//! What a task became, as a table.

use std::time::Duration;

use p2p_control::api::{ErrorCode, Problem, Task, TaskResult, TaskState};
use p2p_types::{DeviceId, Privacy};

use super::names;
use crate::context::Context;
use crate::moment;
use crate::output::{Cell, Page, Table, Tint};
use crate::problem::Exit;

/// How much of a text is shown beside its result.
const TEXT_CHARS: usize = 60;
/// How many numbers of a vector are shown.
const NUMBERS: usize = 4;
/// What helps where a task found no computer that may see its texts.
const TRUST_HINT: &str = "See `p2p-agent peer list`; trust one of them with `p2p-agent peer trust ID`, or submit it with --privacy public, or with --where auto to compute it here";

/// Prints a finished task and says how the command ends. `texts` are those of the task, where they
/// are known here.
pub(super) fn reply(context: &Context, task: &Task, texts: &[String], own: &DeviceId) -> Exit {
    context.out.reply(task, |page| {
        table(page, task, texts);
        if let Some(sentence) = sentence(context, task, own) {
            page.blank();
            page.line(&sentence);
        }
    });
    match task.state {
        TaskState::Failed | TaskState::Cancelled => {
            context.out.problem_for_people(&why(task));
            Exit::Mendable
        }
        TaskState::Partial => {
            let failed = task.results.iter().filter(|result| is_error(result.as_ref())).count();
            let detail = format!("{failed} of {} have none", names::count(u64::from(task.texts), "text", "texts"));
            let problem = Problem::new(ErrorCode::TextFailed, detail);
            let problem = Problem { title: "Some texts could not be computed".to_owned(), ..problem };
            context.out.problem_for_people(&problem.with_hint("The table says why"));
            Exit::Mendable
        }
        TaskState::Searching | TaskState::Assigned | TaskState::Computing | TaskState::Done => Exit::Fine,
    }
}

/// Why a task has no results at all.
pub(super) fn why(task: &Task) -> Problem {
    match (&task.error, task.state) {
        (Some(error), _) => {
            let problem = Problem::new(error.code, error.message.clone());
            let problem = match error.code {
                ErrorCode::NoProvider if task.privacy == Privacy::Trusted => problem.with_hint(TRUST_HINT),
                _ => problem,
            };
            // Nothing is explained by what the title says already.
            let said_twice = problem.detail.eq_ignore_ascii_case(&problem.title);
            if said_twice { Problem { detail: how_far(task), ..problem } } else { problem }
        }
        (None, TaskState::Cancelled) => Problem::new(ErrorCode::Cancelled, "you asked for that"),
        (None, _) => Problem::new(ErrorCode::TextFailed, "no text has a result").with_hint("The table says why"),
    }
}

fn how_far(task: &Task) -> String {
    let good = task.results.iter().flatten().filter(|result| !is_error(Some(*result))).count();
    let verb = if good == 1 { "has" } else { "have" };
    format!("{good} of {} {verb} an answer", names::count(u64::from(task.texts), "text", "texts"))
}

/// One row a text; one row a chunk where a text became chunks.
pub(super) fn table(page: &mut Page, task: &Task, texts: &[String]) {
    if task.results.is_empty() {
        return;
    }
    let mut table = Table::new(&["#", "RESULT", "", "TEXT"]).right(&[0, 2]);
    for (at, result) in task.results.iter().enumerate() {
        let text = texts.get(at).map(String::as_str).unwrap_or_default();
        let number = (at + 1).to_string();
        match result {
            Some(TaskResult::Chunks { chunks }) => {
                for chunk in chunks {
                    let piece = text.get(chunk.start as usize..chunk.end as usize).unwrap_or_default();
                    let bytes = format!("bytes {}-{}", chunk.start, chunk.end);
                    let tokens = names::count(u64::from(chunk.tokens), "token", "tokens");
                    table.row(vec![number.as_str().into(), bytes.into(), tokens.into(), shorten(piece).into()]);
                }
            }
            other => {
                let (what, how_sure) = cells(other.as_ref());
                table.row(vec![number.into(), what, how_sure, shorten(text).into()]);
            }
        }
    }
    page.table(&table);
}

fn cells(result: Option<&TaskResult>) -> (Cell, Cell) {
    match result {
        Some(TaskResult::Label { label, score }) => (label.into(), percent(*score).into()),
        Some(TaskResult::Embedding { embedding }) => {
            let first: Vec<String> = embedding.iter().take(NUMBERS).map(|number| format!("{number:.3}")).collect();
            (format!("{} ...", first.join(" ")).into(), format!("{} numbers", embedding.len()).into())
        }
        Some(TaskResult::Error { error }) => {
            (Cell::tinted(Tint::Bad, &format!("{} {}", error.code, error.message)), "".into())
        }
        Some(TaskResult::Nothing {}) => ("nothing, as asked".into(), "".into()),
        Some(TaskResult::Chunks { .. }) | None => (Cell::tinted(Tint::Faint, "not yet"), "".into()),
    }
}

fn sentence(context: &Context, task: &Task, own: &DeviceId) -> Option<String> {
    if task.providers.is_empty() {
        return None;
    }
    let who: Vec<String> = task.providers.iter().map(|id| names::device_or_here(context, id, Some(own))).collect();
    let took = task.duration_us.map(|took| format!(" in {}", moment::span(Duration::from_micros(took))));
    Some(format!("Computed by {}{}.", who.join(", "), took.unwrap_or_default()))
}

fn is_error(result: Option<&TaskResult>) -> bool {
    matches!(result, Some(TaskResult::Error { .. }))
}

pub(super) fn percent(score: f64) -> String {
    format!("{:.1} %", score * 100.0)
}

/// The start of a text, on one line.
fn shorten(text: &str) -> String {
    let mut start: String = text.trim_start().chars().take(TEXT_CHARS).collect();
    if text.trim().chars().count() > TEXT_CHARS {
        start.push_str("...");
    }
    start
}

#[cfg(test)]
mod tests;
