//! `status`: what the node does, once or whenever it changes.

use std::time::Duration;

use p2p_control::Client;
use p2p_control::api::{Computer, ErrorCode, EventBody, NodeState, Problem, Status};
use serde::Serialize;

use super::{computer, names};
use crate::args::StatusArgs;
use crate::context::Context;
use crate::moment;
use crate::output::{Page, Tint};
use crate::problem::Exit;

/// The node and the computer it runs on.
#[derive(Debug, Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    status: &'a Status,
    /// `null` where the daemon is older than that question.
    computer: Option<Computer>,
}

pub(super) async fn run(context: &Context, args: &StatusArgs) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    if args.watch {
        return tokio::select! {
            problem = watch(context, &client) => Err(problem),
            _ = tokio::signal::ctrl_c() => Ok(Exit::Fine),
        };
    }
    let status = client.status().await?;
    let whole = Whole { status: &status, computer: client.computer().await.ok() };
    context.out.reply(&whole, |page| draw(page, &whole));
    warnings(context, &status);
    other_version(context, &status);
    Ok(Exit::Fine)
}

/// Prints each change, and returns why there are no more.
async fn watch(context: &Context, client: &Client) -> Problem {
    loop {
        let mut events = match client.events().await {
            Ok(events) => events,
            Err(problem) => return problem,
        };
        let mut last = None;
        // A gap in the numbers means that events were lost: a new snapshot makes up for them.
        while let Some(Ok(event)) = events.next().await {
            if last.is_some_and(|last| event.number != last + 1) {
                break;
            }
            last = Some(event.number);
            match event.body {
                EventBody::Snapshot(snapshot) => change(context, &snapshot.status),
                EventBody::Status(status) => change(context, &status),
                EventBody::Task(_) | EventBody::Wallet(_) | EventBody::Row(_) => {}
            }
        }
        if last.is_none() {
            return Problem::new(ErrorCode::NotRunning, "it stopped while it was watched");
        }
    }
}

fn change(context: &Context, status: &Status) {
    context.out.item(status, |page| {
        let connected = status.peers.iter().filter(|peer| peer.connected).count() as u64;
        let peers = names::count(connected, "peer", "peers");
        let time = moment::clock(p2p_platform::now().0);
        page.tinted(
            tint(status.state),
            &format!("{time}Z  {:<8}  {peers:<9}  {}", word(status.state), status.sentence),
        );
    });
}

fn draw(page: &mut Page, whole: &Whole<'_>) {
    let Whole { status, computer } = whole;
    page.tinted(tint(status.state), &status.sentence);
    page.blank();
    let mut facts = facts(status);
    if let Some(computer) = computer {
        facts.push(("Computer", computer::in_short(computer)));
        facts.push(("Today (UTC)", computer::today(&computer.energy)));
    }
    page.facts(&facts);
}

/// A few lines on the node.
pub(super) fn facts(status: &Status) -> Vec<(&'static str, String)> {
    let connected = status.peers.iter().filter(|peer| peer.connected).count() as u64;
    let trusted = status.peers.iter().filter(|peer| peer.trusted).count();
    let up = moment::span(Duration::from_millis(status.uptime_ms));
    let ready = moment::span(Duration::from_millis(status.ready_in_ms));
    let mut facts = vec![
        ("Node", status.device_id.to_string()),
        ("Network", status.network.as_ref().map_or_else(|| "none yet".to_owned(), names::network)),
        ("Peers", format!("{} connected, {trusted} trusted", connected)),
        (
            "Tasks",
            format!(
                "{} of yours open, {} of others here, {} of others done",
                status.open_tasks, status.guest_tasks, status.guest_tasks_done
            ),
        ),
        ("Process", format!("{}, up {up}, was ready in {ready}", status.pid)),
        ("Home", status.home.clone()),
    ];
    if let Some(file) = &status.config_file {
        facts.push(("Settings", file.clone()));
    }
    if !status.listening.is_empty() {
        let own = format!("/p2p/{}", status.device_id);
        let addresses: Vec<_> = status.listening.iter().map(|address| address.trim_end_matches(&own)).collect();
        facts.push(("Listening", addresses.join("  ")));
    }
    if let Some(dashboard) = &status.dashboard {
        facts.push(("Dashboard", format!("{dashboard} (`p2p-agent dashboard` prints the address that opens it)")));
    }
    if let Some(until) = status.paused_until_ms {
        facts.push(("Paused until", moment::utc(until)));
    }
    facts
}

/// What does not work while the rest does; in the JSON they stand already.
pub(super) fn warnings(context: &Context, status: &Status) {
    for warning in &status.warnings {
        context.out.warn(warning);
    }
}

/// Says when the daemon was started from another version than this command is.
fn other_version(context: &Context, status: &Status) {
    let own = env!("CARGO_PKG_VERSION");
    if status.version != own {
        let theirs = &status.version;
        context.out.warn(&format!("The daemon is version {theirs}, this command {own}: run `p2p-agent restart`"));
    }
}

const fn word(state: NodeState) -> &'static str {
    match state {
        NodeState::Starting => "starting",
        NodeState::Working => "working",
        NodeState::Waiting => "waiting",
        NodeState::Paused => "paused",
        NodeState::Offline => "offline",
        NodeState::Alone => "alone",
        NodeState::Stopping => "stopping",
    }
}

const fn tint(state: NodeState) -> Tint {
    match state {
        NodeState::Working | NodeState::Waiting => Tint::Good,
        NodeState::Paused | NodeState::Offline => Tint::Warn,
        NodeState::Alone => Tint::Strong,
        NodeState::Starting | NodeState::Stopping => Tint::Faint,
    }
}
