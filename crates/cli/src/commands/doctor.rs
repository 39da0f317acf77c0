//! `doctor`: what works on this computer, what does not, and what to do about it.

use p2p_control::api::{Computer, ErrorCode, Problem, Schedule, Status};
use serde::Serialize;

use super::computer;
use super::schedule::seen;
use crate::context::Context;
use crate::output::{Cell, Table, Tint};
use crate::problem::Exit;

/// Rules about what only somebody in a session sees.
const OF_SESSION: [&str; 3] = ["owner", "full_screen", "inhibitor"];

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    /// `fine`, `limited` (the node goes on without it) or `wrong`.
    verdict: &'static str,
    detail: String,
}

pub(super) async fn run(context: &Context) -> Result<Exit, Problem> {
    let home = context.home()?;
    let mut findings = vec![settings(context, &home)];
    match context.daemon_if_running(&home).await? {
        None => {
            let problem = Problem::new(ErrorCode::NotRunning, "the rest is seen while it runs");
            findings.push(finding("node", "wrong", format!("not running: {}", problem.hint)));
        }
        Some(client) => {
            let status = client.status().await?;
            findings.extend(of_status(&status));
            // A daemon older than that question goes on without it.
            findings.extend(client.computer().await.iter().flat_map(of_computer));
            findings.extend(of_signals(&client.schedule().await?));
        }
    }
    let wrong = findings.iter().any(|finding| finding.verdict == "wrong");
    context.out.reply(&findings, |page| {
        let mut table = Table::new(&["WHAT", "", "DETAIL"]);
        for finding in &findings {
            let tint = match finding.verdict {
                "fine" => Tint::Good,
                "limited" => Tint::Warn,
                _ => Tint::Bad,
            };
            let mark = Cell::tinted(tint, finding.verdict);
            table.row(vec![finding.what.as_str().into(), mark, finding.detail.as_str().into()]);
        }
        page.table(&table);
    });
    Ok(if wrong { Exit::Mendable } else { Exit::Fine })
}

fn finding(what: &str, verdict: &'static str, detail: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), verdict, detail: detail.into() }
}

fn settings(context: &Context, home: &p2p_platform::Home) -> Finding {
    match p2p_agent::config::validate(home, context.config()) {
        Ok(warnings) if warnings.is_empty() => finding("settings", "fine", "sound"),
        Ok(warnings) => finding("settings", "limited", warnings.join("; ")),
        Err(problem) => finding("settings", "wrong", format!("{} - {}", problem.detail, problem.hint)),
    }
}

fn of_status(status: &Status) -> Vec<Finding> {
    let mut findings = vec![finding("node", "fine", status.sentence.clone())];
    findings.push(match status.can_compute {
        true => finding("models", "fine", "worker, runtime and model are there"),
        false => finding("models", "wrong", "nothing can be computed: see the sentence of the node"),
    });
    findings.push(match &status.sandbox {
        None => finding("sandbox", "limited", "not known before the first worker ran"),
        Some(sandbox) if sandbox.whole => finding("sandbox", "fine", sandbox.reached.clone()),
        Some(sandbox) => finding("sandbox", "limited", sandbox.reached.clone()),
    });
    findings.push(match &status.network {
        None => finding("network", "limited", "in none: only your own tasks run"),
        Some(network) => {
            let connected = status.peers.iter().filter(|peer| peer.connected).count();
            let verdict = if connected == 0 { "limited" } else { "fine" };
            finding("network", verdict, format!("{}: connected to {connected}", network.name))
        }
    });
    findings.extend(status.warnings.iter().map(|warning| finding("warning", "limited", warning.clone())));
    findings
}

/// What was measured of the computer, and what follows from it.
fn of_computer(computer: &Computer) -> Vec<Finding> {
    let measured = &computer.measured;
    let known = |known: bool| if known { "fine" } else { "limited" };
    let whole = measured.memory_bytes.is_some() && measured.storage_free_bytes.is_some() && measured.battery.is_some();
    vec![
        finding("computer", known(whole), computer::measured(computer)),
        finding("roles", known(!computer.roles.is_empty()), computer::roles(&computer.roles)),
        finding("speed", known(computer.tokens_per_second.is_some()), computer::speed(computer)),
        finding("connection", known(measured.network_bytes_per_second.is_some()), computer::road(computer)),
        finding("energy", known(computer.energy.meter.is_none()), computer::basis(&computer.energy)),
    ]
}

/// Every signal, and who tells it.
fn of_signals(schedule: &Schedule) -> Vec<Finding> {
    let mut told = Vec::new();
    let mut findings = Vec::new();
    for rule in &schedule.rules {
        if rule.seen.is_empty() && OF_SESSION.contains(&rule.rule.as_str()) {
            let why = super::schedule::untold("no_session");
            findings.push(finding(&format!("signal: {}", rule.rule.replace('_', " ")), "limited", why));
        } else if rule.seen.is_empty() && rule.applies == "cannot_tell" {
            let why = rule.untold.as_deref().map_or("cannot tell", super::schedule::untold);
            findings.push(finding(&format!("rule: {}", rule.rule.replace('_', " ")), "limited", why));
        }
        for signal in &rule.seen {
            let text = seen(signal);
            if !told.contains(&text) {
                let verdict = if signal.reading.is_some() { "fine" } else { "limited" };
                findings.push(finding(&format!("signal: {}", kind(signal, &rule.rule)), verdict, text.clone()));
                told.push(text);
            }
        }
    }
    findings
}

fn kind(signal: &p2p_control::api::SignalSeen, rule: &str) -> String {
    let kind = signal.reading.as_ref().and_then(|reading| reading.get("kind")).and_then(serde_json::Value::as_str);
    kind.unwrap_or(rule).replace('_', " ")
}
