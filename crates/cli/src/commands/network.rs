//! `network`: through the daemon where one runs, else in the home's files.

use std::io::{Read, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p2p_control::api::{
    CreateNetwork, ErrorCode, JoinNetwork, NetworkDetails, NetworkKind, NotaryState, Problem, Wallet,
};
use serde_json::json;

use super::names;
use crate::args::{CreateArgs, NetworkCommand};
use crate::context::Context;
use crate::credits;
use crate::moment;
use crate::output::Table;
use crate::problem::{self, Exit};

/// Longer files are no network files.
const FILE_BYTES: u64 = 1024 * 1024;

pub(super) async fn run(context: &Context, command: NetworkCommand) -> Result<Exit, Problem> {
    match command {
        NetworkCommand::Create(args) => create(context, args).await,
        NetworkCommand::Show { file } => show(context, file.as_deref()).await,
        NetworkCommand::Invite => invite(context).await,
        NetworkCommand::Join { link } => join(context, &link).await,
        NetworkCommand::Leave { yes } => leave(context, yes).await,
        NetworkCommand::Nearby => nearby(context).await,
    }
}

async fn create(context: &Context, args: CreateArgs) -> Result<Exit, Problem> {
    let home = context.home()?;
    let members_trusted = args.trust_members.then_some(true);
    let request = CreateNetwork { name: args.name, kind: args.kind, members_trusted };
    let network = match context.daemon_if_running(&home).await? {
        Some(client) => client.create_network(&request).await?,
        None => p2p_agent::home::create_network(&home, request)?,
    };
    reply(context, &network, "The network is started.");
    if network.kind == NetworkKind::Open {
        context
            .out
            .note("It is open to whoever has its link or its file; `--kind closed` makes one for invited members");
    }
    context
        .out
        .note("Others join with `p2p-agent network invite`, or the file of `p2p-agent network show --file FILE`");
    Ok(Exit::Fine)
}

async fn join(context: &Context, link: &str) -> Result<Exit, Problem> {
    let home = context.home()?;
    let request = paper(link)?;
    let network = match context.daemon_if_running(&home).await? {
        Some(client) => client.join_network(&request).await?,
        None => p2p_agent::home::join_network(&home, request)?,
    };
    reply(context, &network, "This computer is in the network.");
    Ok(Exit::Fine)
}

/// What lets this computer in: the link itself, or what stands in the file.
fn paper(link: &str) -> Result<JoinNetwork, Problem> {
    if names::is_link(link) {
        return Ok(JoinNetwork { invite: Some(link.to_owned()), file: None });
    }
    let bytes = if link == "-" { read(std::io::stdin().lock(), link)? } else { read_file(Path::new(link))? };
    // A link that came by a file or a pipe was never in a list of processes.
    Ok(match std::str::from_utf8(&bytes) {
        Ok(text) if names::is_link(text.trim()) => JoinNetwork { invite: Some(text.trim().to_owned()), file: None },
        _ => JoinNetwork { invite: None, file: Some(STANDARD.encode(bytes)) },
    })
}

async fn show(context: &Context, file: Option<&Path>) -> Result<Exit, Problem> {
    let home = context.home()?;
    let network = match context.daemon_if_running(&home).await? {
        Some(client) => client.network().await?,
        None => p2p_agent::home::network(&home)?
            .ok_or_else(|| Problem::new(ErrorCode::NoNetwork, "there is nothing to show"))?,
    };
    if let Some(path) = file {
        save(path, &network)?;
    }
    let title =
        file.map_or_else(|| network.name.clone(), |path| format!("The network is saved as {}.", path.display()));
    reply(context, &network, &title);
    Ok(Exit::Fine)
}

async fn invite(context: &Context) -> Result<Exit, Problem> {
    let home = context.home()?;
    let invite = match context.daemon_if_running(&home).await? {
        Some(client) => client.invite().await?,
        None => p2p_agent::home::invite(&home)?,
    };
    context.out.reply(&invite, |page| page.line(&invite.link));
    let until = moment::utc(invite.expires_ms);
    context.out.note(&format!("Whoever has this link can join until {until}: `p2p-agent network join LINK`"));
    Ok(Exit::Fine)
}

/// What leaving means for credits.
fn stays_behind(context: &Context, wallet: &Wallet) {
    let there = wallet.available.saturating_add(wallet.held).saturating_add(wallet.pending);
    if there > 0 {
        let (credits, network) = (credits::named(there), &wallet.network);
        context.out.note(&format!("{credits} stay in {network}: they are yours again when this owner joins it again"));
    }
    if wallet.notary == NotaryState::Own {
        context.out.warn("The network's books are on this computer: nobody's credits move there while it is away");
    }
}

async fn leave(context: &Context, yes: bool) -> Result<Exit, Problem> {
    let home = context.home()?;
    if !yes {
        if !context.out.interactive() {
            let problem = Problem::new(ErrorCode::Usage, "leaving a network must be confirmed");
            return Err(problem.with_hint("Add --yes"));
        }
        context
            .out
            .note("To come back you will need its file or an invite. `network show --file FILE` saves the file.");
        if context.out.ask("Leave the network? Type yes:").as_deref() != Some("yes") {
            return Err(Problem::new(ErrorCode::Cancelled, "you did not say yes").with_hint("Nothing was changed"));
        }
    }
    match context.daemon_if_running(&home).await? {
        Some(client) => {
            // Outside the network nobody can look any more.
            let wallet = client.wallet().await.ok();
            client.leave_network().await?;
            if let Some(wallet) = wallet {
                stays_behind(context, &wallet);
            }
        }
        None => p2p_agent::home::leave_network(&home)?,
    }
    let sentence = "This computer is in no network now. Your own tasks run here.";
    context.out.reply(&json!({ "left": true }), |page| page.line(sentence));
    Ok(Exit::Fine)
}

async fn nearby(context: &Context) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let found = client.nearby().await?;
    context.out.reply(&found, |page| {
        if found.is_empty() {
            return page.line("No network was found nearby.");
        }
        let mut table = Table::new(&["NAME", "SEEN", "NETWORK"]);
        for network in &found {
            let seen = moment::utc(network.seen_ms);
            table.row(vec![network.name.as_str().into(), seen.into(), network.id.to_string().into()]);
        }
        page.table(&table);
    });
    Ok(Exit::Fine)
}

fn reply(context: &Context, network: &NetworkDetails, title: &str) {
    context.out.reply(network, |page| {
        page.line(title);
        page.blank();
        page.facts(&[
            ("Name", network.name.clone()),
            ("Kind", names::kind(network.kind).to_owned()),
            ("Network", network.id.to_string()),
            ("Founder", network.founder.to_string()),
            ("Founded", moment::utc(network.created_ms)),
            ("Trust", if network.members_trusted { "every member" } else { "only computers you choose" }.to_owned()),
            ("Start at", if network.bootstrap.is_empty() { "-".to_owned() } else { network.bootstrap.join("  ") }),
        ]);
    });
}

fn read_file(path: &Path) -> Result<Vec<u8>, Problem> {
    read(std::fs::File::open(path).map_err(|error| unreadable(path, &error))?, path)
}

fn read(source: impl Read, name: impl AsRef<Path>) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    source.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(name.as_ref(), &error))?;
    if bytes.len() as u64 > FILE_BYTES {
        let detail = format!("{} is longer than {FILE_BYTES} bytes", name.as_ref().display());
        return Err(Problem::new(ErrorCode::NetworkFileInvalid, detail));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    problem::file(ErrorCode::NetworkFileInvalid, path, error).with_hint("Check the file's name, or give an invite link")
}

/// Writes the signed file, never over another one.
fn save(path: &Path, network: &NetworkDetails) -> Result<(), Problem> {
    let bytes = STANDARD
        .decode(&network.file)
        .map_err(|error| Problem::new(ErrorCode::Internal, format!("the daemon's network file: {error}")))?;
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let unwritable =
        |error: std::io::Error| problem::file(ErrorCode::Usage, path, error).with_hint("Give another name");
    let mut file = std::fs::File::create_new(path).map_err(unwritable)?;
    file.write_all(&bytes).map_err(unwritable)
}

#[cfg(test)]
mod tests {
    use p2p_types::{AccountId, NetworkId};

    use super::*;

    #[test]
    fn a_saved_network_never_replaces_another_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("office.p2pnet");
        let mut network = NetworkDetails {
            id: NetworkId([1; 32]),
            name: "office".to_owned(),
            kind: NetworkKind::Closed,
            founder: AccountId([2; 32]),
            created_ms: 0,
            epoch: 0,
            committee: Vec::new(),
            bootstrap: Vec::new(),
            members_trusted: false,
            file: STANDARD.encode(b"signed bytes"),
        };
        assert_eq!(save(&path, &network), Ok(()));
        assert_eq!(read_file(&path), Ok(b"signed bytes".to_vec()));
        assert_eq!(save(&path, &network), Ok(()), "the same again is no harm");
        network.file = STANDARD.encode(b"others");
        assert!(save(&path, &network).is_err());
        assert_eq!(read_file(&path), Ok(b"signed bytes".to_vec()));
    }
}
