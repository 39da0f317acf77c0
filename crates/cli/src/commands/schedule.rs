//! `schedule`: when this computer works for others, and why not.

use p2p_control::api::{ClassVerdict, ErrorCode, Problem, RuleState, Schedule, SignalSeen, Timeline};
use serde_json::Value;

use crate::args::{ConfigCommand, ScheduleCommand};
use crate::context::Context;
use crate::moment;
use crate::output::{Cell, Page, Table, Tint};
use crate::problem::Exit;

const PRESETS: [&str; 3] = ["quiet", "balanced", "full"];

pub(super) async fn run(context: &Context, command: ScheduleCommand) -> Result<Exit, Problem> {
    match command {
        ScheduleCommand::Show => show(context).await,
        ScheduleCommand::Why => why(context).await,
        ScheduleCommand::Set { rule, value } => set(context, rule, value).await,
        ScheduleCommand::Timeline { hours } => timeline(context, hours).await,
    }
}

async fn show(context: &Context) -> Result<Exit, Problem> {
    let schedule = context.daemon(&context.home()?).await?.schedule().await?;
    context.out.reply(&schedule, |page| {
        page.tinted(Tint::Strong, &schedule.sentence);
        page.blank();
        let mut facts = vec![("Preset", schedule.preset.clone())];
        facts.extend(schedule.classes.iter().map(|class| (name_of(&class.class), allowance(class, &schedule))));
        page.facts(&facts);
        page.blank();
        page.table(&table(schedule.rules.iter()));
    });
    Ok(Exit::Fine)
}

/// Only what holds it back, might soon, or cannot be told.
async fn why(context: &Context) -> Result<Exit, Problem> {
    let schedule = context.daemon(&context.home()?).await?.schedule().await?;
    context.out.reply(&schedule, |page| {
        page.tinted(Tint::Strong, &schedule.sentence);
        part(
            page,
            "Rules that hold it back, or soon will:",
            schedule.rules.iter().filter(|rule| rule.effect != "free"),
        );
        let untold = schedule.rules.iter().filter(|rule| rule.applies == "cannot_tell");
        part(page, "Rules that cannot be applied on this computer:", untold);
    });
    Ok(Exit::Fine)
}

fn part<'a>(page: &mut Page, title: &str, rules: impl Iterator<Item = &'a RuleState>) {
    let mut rules = rules.peekable();
    if rules.peek().is_some() {
        page.blank();
        page.line(title);
        page.table(&table(rules));
    }
}

async fn set(context: &Context, rule: String, value: Option<String>) -> Result<Exit, Problem> {
    let (key, value) = match value {
        Some(value) => (format!("schedule.{}", rule.strip_prefix("schedule.").unwrap_or(&rule)), value),
        None if PRESETS.contains(&rule.as_str()) => ("schedule.preset".to_owned(), rule),
        None => {
            let problem = Problem::new(ErrorCode::Usage, format!("{rule:?} is no preset, and a rule needs a value"));
            return Err(problem.with_hint("Use quiet, balanced or full, or `p2p-agent schedule set RULE VALUE`"));
        }
    };
    let done = super::config::run(context, ConfigCommand::Set { key, value }).await?;
    // The new rules may ask what nobody tells yet.
    let home = context.home()?;
    if context.daemon_if_running(&home).await?.is_some() {
        super::session::start_if_asked(&home, None);
    }
    Ok(done)
}

async fn timeline(context: &Context, hours: u32) -> Result<Exit, Problem> {
    let timeline = context.daemon(&context.home()?).await?.timeline(hours).await?;
    context.out.reply(&timeline, |page| {
        if timeline.changes.is_empty() {
            page.line("Nothing is on record yet.");
            return;
        }
        page.facts(&[("Worked, or was ready to", share(&timeline))]);
        page.blank();
        let mut table = Table::new(&["FROM", "FOR", "WHAT"]);
        for (at, until) in spans(&timeline) {
            let change = &timeline.changes[at];
            let tint = if change.runs { Tint::Good } else { Tint::Plain };
            let from = change.at_ms.max(timeline.from_ms);
            table.row(vec![
                moment::utc(from).into(),
                moment::span(std::time::Duration::from_millis(until.saturating_sub(from))).into(),
                Cell::tinted(tint, &change.sentence),
            ]);
        }
        page.table(&table);
    });
    Ok(Exit::Fine)
}

/// Each change, and when the next came.
fn spans(timeline: &Timeline) -> impl Iterator<Item = (usize, u64)> + '_ {
    let ends = timeline.changes.iter().skip(1).map(|change| change.at_ms).chain([timeline.to_ms]);
    ends.enumerate()
}

fn share(timeline: &Timeline) -> String {
    let worked: u64 = spans(timeline)
        .filter(|(at, _)| timeline.changes[*at].runs)
        .map(|(at, until)| until.saturating_sub(timeline.changes[at].at_ms.max(timeline.from_ms)))
        .sum();
    let known =
        timeline.to_ms.saturating_sub(timeline.changes.first().map_or(0, |first| first.at_ms.max(timeline.from_ms)));
    let percent = (worked * 100).checked_div(known).unwrap_or(0);
    format!("{} ({percent} %)", moment::span(std::time::Duration::from_millis(worked)))
}

fn name_of(class: &str) -> &'static str {
    match class {
        "mine" => "Your own tasks",
        "guest" => "Tasks of others",
        _ => "Network duties",
    }
}

fn allowance(class: &ClassVerdict, schedule: &Schedule) -> String {
    match (class.workers, class.cpu_percent) {
        (Some(workers), Some(percent)) => {
            format!("run: {workers} of {} processors at most, {percent} % of the computer", schedule.processors)
        }
        _ => class.sentence.clone(),
    }
}

fn table<'a>(rules: impl Iterator<Item = &'a RuleState>) -> Table {
    let mut table = Table::new(&["RULE", "NOW", "KNOWN"]);
    for rule in rules {
        table.row(vec![rule.rule.replace('_', " ").into(), effect(rule), known(rule)]);
    }
    table
}

fn effect(rule: &RuleState) -> Cell {
    match (rule.applies.as_str(), rule.effect.as_str()) {
        (_, "blocks") => Cell::tinted(Tint::Warn, "holds it back"),
        (_, "holds") => Cell::tinted(Tint::Warn, "lets go soon"),
        (_, "gathers") => Cell::tinted(Tint::Warn, "may hold it back soon"),
        ("off", _) => Cell::tinted(Tint::Faint, "not asked for"),
        ("cannot_tell", _) => Cell::tinted(Tint::Faint, "cannot be applied here"),
        ("as_utc", _) => "fine, by UTC".into(),
        _ => "fine".into(),
    }
}

fn known(rule: &RuleState) -> Cell {
    let said: Vec<String> = rule.seen.iter().map(seen).collect();
    match (said.is_empty(), &rule.untold) {
        (false, _) => said.join("; ").into(),
        (true, Some(why)) => Cell::tinted(Tint::Faint, untold(why)),
        (true, None) => Cell::tinted(Tint::Faint, "-"),
    }
}

/// `mains, 82 %, by upower, 3 s ago`.
pub(super) fn seen(seen: &SignalSeen) -> String {
    let what = match (&seen.reading, &seen.untold) {
        (Some(reading), _) => reading_in_words(reading),
        (None, Some(why)) => untold(why).to_owned(),
        (None, None) => "nothing".to_owned(),
    };
    let age = moment::span(std::time::Duration::from_millis(seen.age_ms));
    match seen.by.as_str() {
        "nothing" => format!("{what} ({})", seen.source),
        by => format!("{what} ({by}, {age} ago, told by {})", seen.source),
    }
}

fn reading_in_words(reading: &Value) -> String {
    let number = |name: &str| reading.get(name).and_then(Value::as_u64).unwrap_or_default();
    let yes = |name: &str| reading.get(name).and_then(Value::as_bool).unwrap_or_default();
    let mib = |name: &str| format!("{} MB", number(name) >> 20);
    match reading.get("kind").and_then(Value::as_str).unwrap_or_default() {
        "input" if number("idle_ms") == 0 => "in use".to_owned(),
        "input" => format!("untouched for {}", moment::span(std::time::Duration::from_millis(number("idle_ms")))),
        "power" => {
            let charge = reading.get("percent").and_then(Value::as_u64).map(|percent| format!(", {percent} %"));
            let saver = if yes("saver") { ", power saver on" } else { "" };
            format!("{}{}{saver}", if yes("mains") { "mains" } else { "battery" }, charge.unwrap_or_default())
        }
        "temperature" => {
            let tenths = reading.get("decicelsius").and_then(Value::as_i64).unwrap_or_default();
            format!("{} °C", tenths / 10)
        }
        "metered" => if yes("metered") { "paid by volume" } else { "not paid by volume" }.to_owned(),
        "full_screen" => if yes("full_screen") { "filled" } else { "not filled" }.to_owned(),
        "inhibitor" => reading.get("inhibitor").and_then(Value::as_str).unwrap_or("nothing").to_owned(),
        "load" => format!("other programs use {} %", number("others_permille") / 10),
        "memory" => format!("{} of {} free", mib("available_bytes"), mib("total_bytes")),
        "disk" => format!("{} free", mib("free_bytes")),
        "zone" => {
            let minutes = reading.get("minutes").and_then(Value::as_i64).unwrap_or_default();
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("UTC{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
        _ => reading.to_string(),
    }
}

pub(super) fn untold(why: &str) -> &'static str {
    match why {
        "no_session" => "cannot tell: nobody watches a session",
        "absent" => "there is none",
        "unsupported" => "cannot tell: this system does not say",
        "failed" => "cannot tell: the system gave no answer",
        _ => "cannot tell: who told it has gone",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn readings_are_said_in_words() {
        for (reading, words) in [
            (json!({ "kind": "input", "idle_ms": 0 }), "in use"),
            (json!({ "kind": "power", "mains": false, "percent": 82, "saver": true }), "battery, 82 %, power saver on"),
            (json!({ "kind": "power", "mains": true, "percent": null, "saver": false }), "mains"),
            (json!({ "kind": "temperature", "decicelsius": -57 }), "-5 °C"),
            (json!({ "kind": "zone", "minutes": -90 }), "UTC-01:30"),
            (json!({ "kind": "inhibitor", "inhibitor": "call" }), "call"),
            (
                json!({ "kind": "memory", "available_bytes": 1 << 30, "total_bytes": 1u64 << 32, "pressure_permille": null }),
                "1024 MB of 4096 MB free",
            ),
        ] {
            assert_eq!(reading_in_words(&reading), words);
        }
    }
}
