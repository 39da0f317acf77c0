//! `peer`: the other computers.

use std::time::Duration;

use p2p_control::api::{PeerDetails, Problem, TrustPeer};

use super::names;
use crate::args::PeerCommand;
use crate::context::Context;
use crate::moment;
use crate::output::{Cell, Page, Table, Tint};
use crate::problem::Exit;

pub(super) async fn run(context: &Context, command: PeerCommand) -> Result<Exit, Problem> {
    match command {
        PeerCommand::List => list(context).await,
        PeerCommand::Show { id } => show(context, &id).await,
        PeerCommand::Trust { id } => trust(context, &id, true).await,
        PeerCommand::Untrust { id } => trust(context, &id, false).await,
    }
}

async fn list(context: &Context) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let peers = client.peers().await?;
    context.out.reply(&peers, |page| {
        if peers.is_empty() {
            return page.line("No other computer was met yet.");
        }
        let mut table = Table::new(&["PEER", "CONNECTED", "LATENCY", "TRUSTED", "TAKES TASKS"]).right(&[2]);
        for peer in &peers {
            table.row(vec![
                names::device(context, &peer.device_id).into(),
                yes(peer.connected),
                latency(peer.latency_ms).into(),
                yes(peer.trusted),
                yes(peer.accepting),
            ]);
        }
        page.table(&table);
    });
    Ok(Exit::Fine)
}

async fn show(context: &Context, id: &str) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let peer = client.peer(names::find_peer(&client, id).await?).await?;
    context.out.reply(&peer, |page| draw(page, &peer));
    Ok(Exit::Fine)
}

async fn trust(context: &Context, id: &str, trusted: bool) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let id = names::find_peer(&client, id).await?;
    let peer = client.trust(id, TrustPeer { trusted }).await?;
    context.out.reply(&peer, |page| {
        let name = names::device(context, &peer.device_id);
        page.line(&if peer.trusted {
            format!("{name} is trusted: tasks of the class `trusted` may go there.")
        } else {
            format!("{name} is not trusted.")
        });
    });
    Ok(Exit::Fine)
}

fn draw(page: &mut Page, peer: &PeerDetails) {
    let dash = || "-".to_owned();
    let list = |parts: &[String]| if parts.is_empty() { dash() } else { parts.join("  ") };
    let word = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    page.facts(&[
        ("Peer", peer.device_id.to_string()),
        ("Owner", peer.account_id.map_or_else(dash, |id| id.to_string())),
        (
            "Connected",
            peer.connected_since_ms.map_or_else(|| word(peer.connected), |at| format!("since {}", moment::utc(at))),
        ),
        ("Trusted", word(peer.trusted)),
        ("Latency", latency(peer.latency_ms)),
        ("Takes tasks", word(peer.accepting)),
        ("Kinds", list(&peer.kinds)),
        ("Workers", format!("{}, {:.0} % busy", peer.workers, peer.load * 100.0)),
        ("Done for you", done(peer.tasks_done, peer.tasks_failed)),
        ("Version", peer.agent_version.clone().unwrap_or_else(dash)),
        ("Addresses", list(&peer.addresses)),
        ("Protocols", list(&peer.protocols)),
    ]);
}

fn done(done: u64, failed: u64) -> String {
    format!("{}, {failed} failed", names::count(done, "part of a task", "parts of tasks"))
}

fn yes(yes: bool) -> Cell {
    if yes { Cell::tinted(Tint::Good, "yes") } else { Cell::tinted(Tint::Faint, "no") }
}

fn latency(latency_ms: Option<f64>) -> String {
    let micros = |ms: f64| moment::span(Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default());
    match latency_ms {
        None => "-".to_owned(),
        Some(ms) if ms < 10.0 => format!("{ms:.1} ms"),
        Some(ms) => micros(ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_is_one() {
        assert_eq!(done(1, 0), "1 part of a task, 0 failed");
        assert_eq!(done(2, 1), "2 parts of tasks, 1 failed");
    }
}
