//! `init`: keys, settings and, if wanted, a network.

use p2p_agent::home::{InitNetwork, InitOptions, InitReport};
use p2p_control::api::{ErrorCode, Problem};
use p2p_platform::Home;
use serde_json::json;

use super::{names, session};
use crate::args::InitArgs;
use crate::context::Context;
use crate::problem::Exit;

/// What a new network is called when nobody says.
const NETWORK_NAME: &str = "home";

pub(super) fn run(context: &Context, args: InitArgs) -> Result<Exit, Problem> {
    let home = context.home()?;
    let network = match args.network {
        Some(network) => chosen(&network, args.name)?,
        None if args.name.is_some() => {
            let problem = Problem::new(ErrorCode::Usage, "--name is the name of a new network");
            return Err(problem.with_hint("Add `--network new`"));
        }
        None if args.yes || !context.out.interactive() => InitNetwork::None,
        None => asked(context)?,
    };
    let report = p2p_agent::home::init(&home, InitOptions { network })?;
    reply(context, &home, &report);
    without_session(context, &home)?;
    Ok(Exit::Fine)
}

/// Offers to set up `home`, where somebody sits there who can say yes.
///
/// # Errors
/// E1006 when nobody does, or they say no.
pub(super) fn offer(context: &Context, home: &Home, missing: Problem) -> Result<(), Problem> {
    if !context.out.interactive() {
        return Err(missing);
    }
    context.out.note(&format!("{} holds no node yet.", home.root().display()));
    match context.out.ask("Set it up now? [Y/n]").as_deref() {
        Some("" | "y" | "Y" | "yes") => {}
        _ => return Err(missing),
    }
    let report = p2p_agent::home::init(home, InitOptions { network: asked(context)? })?;
    reply(context, home, &report);
    without_session(context, home)
}

/// A computer that nobody sits at would wait for ever for somebody to go away.
fn without_session(context: &Context, home: &Home) -> Result<(), Problem> {
    let heeds_input = p2p_agent::config::load(home, None)?.schedule.heeds_input();
    if heeds_input && !session::is_here() {
        p2p_agent::config::set(home, "schedule.when", json!("always"))?;
        context.out.note(
            "Nobody can be seen using this computer from here, so it works for others always. With a desktop: `p2p-agent schedule set when idle`",
        );
    }
    Ok(())
}

fn asked(context: &Context) -> Result<InitNetwork, Problem> {
    let question = "Which network? Press Enter for none yet, type new to start one, or paste an invite link or a network file's name:";
    let answer = context.out.ask(question).unwrap_or_default();
    if answer.is_empty() {
        return Ok(InitNetwork::None);
    }
    let name = if answer == "new" {
        context.out.ask(&format!("What shall it be called? [{NETWORK_NAME}]")).filter(|name| !name.is_empty())
    } else {
        None
    };
    chosen(&answer, name)
}

fn chosen(network: &str, name: Option<String>) -> Result<InitNetwork, Problem> {
    if network == "new" {
        return Ok(InitNetwork::New { name: name.unwrap_or_else(|| NETWORK_NAME.to_owned()) });
    }
    if name.is_some() {
        let problem = Problem::new(ErrorCode::Usage, "a network that is joined has its name already");
        return Err(problem.with_hint("Leave --name out, or use `--network new`"));
    }
    Ok(if names::is_link(network) {
        InitNetwork::Invite(network.to_owned())
    } else {
        InitNetwork::File(network.into())
    })
}

fn reply(context: &Context, home: &Home, report: &InitReport) {
    let document = json!({
        "device_id": report.device_id,
        "account_id": report.account_id,
        "keys": report.keys,
        "keys_detail": report.keys_detail,
        "network": report.network,
        "config_file": report.config_file.display().to_string(),
        "home": home.root().display().to_string(),
    });
    context.out.reply(&document, |page| {
        page.line("This computer is set up.");
        page.blank();
        let network = report.network.as_ref();
        page.facts(&[
            ("Node", report.device_id.to_string()),
            ("Owner", report.account_id.to_string()),
            ("Keys", report.keys_detail.clone()),
            ("Settings", report.config_file.display().to_string()),
            ("Network", network.map_or_else(|| "none yet".to_owned(), names::network)),
        ]);
    });
    context.out.note("Next: `p2p-agent up` starts the node, `p2p-agent demo` shows it work");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_new_a_link_or_a_file() {
        assert!(matches!(chosen("new", None), Ok(InitNetwork::New { name }) if name == NETWORK_NAME));
        assert!(matches!(chosen("new", Some("lab".into())), Ok(InitNetwork::New { name }) if name == "lab"));
        assert!(matches!(chosen("p2p-agent://invite/x", None), Ok(InitNetwork::Invite(_))));
        assert!(matches!(chosen("./lab.p2pnet", None), Ok(InitNetwork::File(path)) if path.ends_with("lab.p2pnet")));
        assert!(chosen("lab.p2pnet", Some("lab".into())).is_err());
    }
}
