//! `identity`: who this computer is, and its owner's key on the way to another computer.

mod passphrase;

use std::path::Path;

use p2p_agent::home::{self, ImportedIdentity};
use p2p_control::api::{ErrorCode, Problem};
use p2p_platform::SEALED_BYTES;
use p2p_platform::file::{FileError, create_private, read_plain};
use serde_json::json;

use crate::args::IdentityCommand;
use crate::context::Context;
use crate::problem::{self, Exit};

pub(super) async fn run(context: &Context, command: &IdentityCommand) -> Result<Exit, Problem> {
    match command {
        IdentityCommand::Show => show(context).await,
        IdentityCommand::Export { file } => export(context, file),
        IdentityCommand::Import { file } => import(context, file),
    }
}

async fn show(context: &Context) -> Result<Exit, Problem> {
    let home = context.home()?;
    let identity = match context.daemon_if_running(&home).await? {
        Some(client) => client.identity().await?,
        None => home::identity(&home)?,
    };
    context.out.reply(&identity, |page| {
        page.facts(&[
            ("Node", identity.device_id.to_string()),
            ("Owner", identity.account_id.to_string()),
            ("Keys", identity.keys_detail.clone()),
        ]);
    });
    Ok(Exit::Fine)
}

/// From the home's keys, whether a daemon runs or not: the key goes through no socket.
fn export(context: &Context, file: &Path) -> Result<Exit, Problem> {
    let home = context.home()?;
    // Nobody types a passphrase twice in vain.
    let owner = home::identity(&home)?.account_id;
    let path = std::path::absolute(file).map_err(|error| unwritable(file, &error))?;
    if std::fs::symlink_metadata(&path).is_ok() {
        return Err(unwritable(file, &std::io::ErrorKind::AlreadyExists.into()));
    }
    let sealed = home::export_identity(&home, &passphrase::chosen()?)?;
    create_private(&path, &sealed).map_err(|error| unwritable(file, &error))?;
    let document = json!({ "file": path.display().to_string(), "account_id": owner });
    context.out.reply(&document, |page| {
        page.line("The owner's key is saved, closed with your passphrase.");
        page.blank();
        page.facts(&[("Owner", owner.to_string()), ("File", path.display().to_string())]);
    });
    context.out.note("On your other computer: `p2p-agent identity import FILE`, with the same passphrase");
    context.out.note("Whoever has both is you. Delete the file where it is not needed any more.");
    Ok(Exit::Fine)
}

fn import(context: &Context, file: &Path) -> Result<Exit, Problem> {
    let home = context.home()?;
    home::ready_to_import(&home)?;
    let sealed = read_plain(file, SEALED_BYTES).map_err(|error| unreadable(&error))?;
    let ImportedIdentity { identity, before, kept } = home::import_identity(&home, &sealed, &passphrase::known()?)?;
    let document = json!({
        "imported": kept.is_some(),
        "device_id": identity.device_id,
        "account_id": identity.account_id,
        "account_before": before,
        "key_before": kept,
    });
    context.out.reply(&document, |page| {
        page.line(match kept {
            Some(_) => "This computer belongs to the owner in the file now.",
            None => "This computer belongs to the owner in the file already. Nothing was changed.",
        });
        page.blank();
        let mut facts = vec![("Node", identity.device_id.to_string()), ("Owner", identity.account_id.to_string())];
        if let Some(kept) = &kept {
            facts.push(("Before", before.to_string()));
            facts.push(("Its key", format!("kept {kept}")));
        }
        page.facts(&facts);
    });
    Ok(Exit::Fine)
}

fn unwritable(file: &Path, error: &std::io::Error) -> Problem {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        let problem = problem::file(ErrorCode::Usage, file, "there is something of that name, and it stays as it is");
        let problem = Problem { title: "The file is there already".to_owned(), ..problem };
        return problem.with_hint("Give another name");
    }
    let problem = problem::file(ErrorCode::Usage, file, error).with_hint("Check that its folder exists and has room");
    Problem { title: "The file cannot be written".to_owned(), ..problem }
}

fn unreadable(error: &FileError) -> Problem {
    let why = match error {
        FileError::Special(path) => format!("{} is not a file but a pipe, a device or a folder", path.display()),
        FileError::TooLong { path, .. } => format!("{} is too long for an identity file of P2P Agent", path.display()),
        other => other.to_string(),
    };
    Problem::new(ErrorCode::Keys, why).with_hint("Give the file that `p2p-agent identity export FILE` made")
}
