//! `wallet`: what this computer has in credits, and how that came about.

mod csv;
mod export;
mod history;
mod stats;
mod verify;

use p2p_control::api::{NotaryState, Problem, Wallet};

use super::names;
use crate::args::WalletCommand;
use crate::context::Context;
use crate::output::{Page, Tint};
use crate::problem::Exit;
use crate::{credits, moment};

pub(super) async fn run(context: &Context, command: WalletCommand) -> Result<Exit, Problem> {
    match command {
        WalletCommand::Balance => balance(context).await,
        WalletCommand::History { limit, before } => history::run(context, limit, before).await,
        WalletCommand::Stats { days } => stats::run(context, days).await,
        WalletCommand::Export(args) => export::run(context, &args).await,
        WalletCommand::Verify => verify::run(context).await,
    }
}

async fn balance(context: &Context) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let wallet = client.wallet().await?;
    context.out.reply(&wallet, |page| draw(context, page, &wallet));
    Ok(Exit::Fine)
}

fn draw(context: &Context, page: &mut Page, wallet: &Wallet) {
    page.tinted(Tint::Strong, &credits::named(wallet.available));
    page.blank();
    page.facts(&facts(context, wallet));
    if let Some(waiting) = &wallet.waiting {
        page.blank();
        page.tinted(Tint::Warn, waiting);
    }
}

fn facts(context: &Context, wallet: &Wallet) -> Vec<(&'static str, String)> {
    let with = |micro: u64, words: &str| match micro {
        0 => "0".to_owned(),
        _ => format!("{}, {words}", credits::shown(micro)),
    };
    let mut facts = vec![
        ("For any use", credits::shown(wallet.earned)),
        ("For tasks", with(wallet.granted, "given by the network, or paid by others with what they were given")),
        ("Free today", with(wallet.free, "for tasks, until midnight UTC")),
        ("Set aside", with(wallet.held, "for work that others do now; what is not used comes back")),
        ("Pending", with(wallet.pending, "for work you did, until the notary confirms it")),
        (
            "Today",
            format!("{} earned, {} spent", credits::shown(wallet.earned_today), credits::shown(wallet.spent_today)),
        ),
    ];
    if wallet.others > 0 {
        let others = credits::shown(wallet.others);
        facts.push(("Elsewhere", format!("{others}, on your other computers, which spend it themselves")));
    }
    let limits = limits(wallet);
    if !limits.is_empty() {
        facts.push(("Your limits", limits));
    }
    facts.push(("Network", wallet.network.clone()));
    facts.push(("Notary", notary(context, wallet)));
    if let Some(heard) = wallet.heard_ms {
        facts.push(("Confirmed", moment::utc(heard)));
    }
    facts
}

fn limits(wallet: &Wallet) -> String {
    let daily = wallet.daily_limit.map(|limit| format!("{} a day", credits::shown(limit)));
    let total = wallet.total_limit.map(|limit| format!("{} in all", credits::shown(limit)));
    daily.into_iter().chain(total).collect::<Vec<_>>().join(", ")
}

fn notary(context: &Context, wallet: &Wallet) -> String {
    let who = wallet.notary_device.as_ref().map(|id| names::device(context, id));
    let with = |state: &str| who.map_or_else(|| state.to_owned(), |who| format!("{who}, {state}"));
    match wallet.notary {
        NotaryState::Own => "this computer, which keeps the network's books".to_owned(),
        NotaryState::Reachable => with("can be reached"),
        NotaryState::Asleep => with("cannot be reached now"),
    }
}
