//! `identity show`.

use p2p_control::api::Problem;

use crate::args::IdentityCommand;
use crate::context::Context;
use crate::problem::Exit;

pub(super) async fn run(context: &Context, command: &IdentityCommand) -> Result<Exit, Problem> {
    let IdentityCommand::Show = command;
    let home = context.home()?;
    let identity = match context.daemon_if_running(&home).await? {
        Some(client) => client.identity().await?,
        None => p2p_agent::home::identity(&home)?,
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
