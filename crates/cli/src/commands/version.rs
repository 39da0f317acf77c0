//! `version`.

use p2p_control::api::Problem;
use serde_json::json;

use crate::context::Context;
use crate::problem::Exit;

pub(super) async fn run(context: &Context) -> Result<Exit, Problem> {
    let own = env!("CARGO_PKG_VERSION");
    let daemon = daemon(context).await;
    context.out.reply(&json!({ "version": own, "daemon": daemon }), |page| {
        page.line(&format!("P2P Agent {own}"));
        match &daemon {
            Some(theirs) if theirs == own => {}
            Some(theirs) => page.line(&format!("The daemon that runs is {theirs}.")),
            None => {}
        }
    });
    Ok(Exit::Fine)
}

/// The version of the daemon that runs. A daemon that cannot be asked is no reason to fail here.
async fn daemon(context: &Context) -> Option<String> {
    let home = context.home().ok()?;
    let client = context.daemon_if_running(&home).await.ok()??;
    client.status().await.ok().map(|status| status.version)
}
