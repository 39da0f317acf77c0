//! `dashboard`: the address that opens the dashboard. No other command prints its token.

use p2p_control::Client;
use p2p_control::api::{ErrorCode, Problem};
use p2p_platform::Home;
use p2p_platform::file::read_private;
use serde_json::json;

use crate::context::Context;
use crate::problem::Exit;

/// More than a token has.
const TOKEN_BYTES: usize = 256;
/// The setting that opens the door.
const SETTING: &str = "dashboard.enabled";

pub(super) async fn run(context: &Context) -> Result<Exit, Problem> {
    let home = context.home()?;
    let client = context.daemon(&home).await?;
    let Some(door) = client.status().await?.dashboard else { return Err(closed(&client).await) };
    let address = format!("{door}?token={}", token(&home)?);
    context.out.reply(&json!({ "address": address }), |page| page.line(&address));
    context.out.note("Open it in a browser on this computer; whoever has this address can use the node");
    Ok(Exit::Fine)
}

fn token(home: &Home) -> Result<String, Problem> {
    let unreadable = |why: String| {
        Problem::new(ErrorCode::HomeUnusable, why).with_hint("Run `p2p-agent restart`, which makes a new token")
    };
    let bytes = read_private(&home.token_file(), TOKEN_BYTES).map_err(|error| unreadable(error.to_string()))?;
    let token = String::from_utf8(bytes).unwrap_or_default();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(unreadable(format!("{} holds no token", home.token_file().display())));
    }
    Ok(token)
}

/// Why the door is closed, and how it is opened.
async fn closed(client: &Client) -> Problem {
    let entries = client.config().await.unwrap_or_default();
    if entries.iter().any(|entry| entry.key == SETTING && entry.value == true) {
        let problem = Problem::new(ErrorCode::DoorClosed, "the node was started before it was told to open it");
        return problem.with_hint("Run `p2p-agent restart`");
    }
    Problem::new(ErrorCode::DoorClosed, format!("the node was not told to open it: {SETTING} is false"))
}
