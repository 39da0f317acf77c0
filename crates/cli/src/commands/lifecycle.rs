//! `down`, `restart`, `pause`, `resume`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use p2p_control::Client;
use p2p_control::api::{ErrorCode, PauseRequest, Problem, Status};
use p2p_platform::process;
use serde_json::json;

use super::start;
use crate::args::PauseArgs;
use crate::context::Context;
use crate::moment;
use crate::problem::Exit;

/// A daemon finishes or hands back what it computes; longer than this nothing takes.
const LIMIT: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn down(context: &Context) -> Result<Exit, Problem> {
    let home = context.home()?;
    let began = Instant::now();
    let client = context.daemon(&home).await?;
    let pid = client.status().await?.pid;
    stop(&client, pid).await?;
    let took = began.elapsed();
    let document = json!({ "stopped": true, "pid": pid, "took_ms": took.as_millis() });
    context.out.reply(&document, |page| page.line(&format!("The node is stopped ({}).", moment::span(took))));
    Ok(Exit::Fine)
}

pub(super) async fn restart(context: &Context) -> Result<Exit, Problem> {
    let home = context.home()?;
    let mut config = context.config().map(Path::to_owned);
    if let Some(client) = context.daemon_if_running(&home).await? {
        let status = client.status().await?;
        if config.is_none() {
            config = kept(&status)?;
        }
        // What the next daemon could not start with is said while this one still runs.
        p2p_agent::config::load(&home, config.as_deref())?;
        stop(&client, status.pid).await?;
        context.out.progress("The node is stopped.");
    }
    if !home.keys_dir().exists() {
        return Err(Problem::new(ErrorCode::NotInitialized, format!("{} holds no keys", home.root().display())));
    }
    start::start(context, &home, config.as_deref()).await
}

/// The settings file that the daemon was started with, where it was one of its owner's. Looked for
/// before the daemon is stopped, or it would stay so.
///
/// # Errors
/// E1005 where the file has gone.
fn kept(status: &Status) -> Result<Option<PathBuf>, Problem> {
    let Some(file) = status.config_file.as_ref().map(PathBuf::from) else { return Ok(None) };
    if file.is_file() {
        return Ok(Some(file));
    }
    let why = format!("the node runs with {}, which is not there any more", file.display());
    let hint = "Name another with --config FILE, or run `p2p-agent down` and `p2p-agent up` for the node's own";
    Err(Problem::new(ErrorCode::Config, why).with_hint(hint))
}

/// Stops the daemon and returns when its process is gone.
async fn stop(client: &Client, pid: u32) -> Result<(), Problem> {
    client.shutdown().await?;
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    while process::is_alive(pid) {
        if began.elapsed() >= LIMIT {
            let detail = format!("process {pid} is still finishing after {}", moment::span(LIMIT));
            return Err(Problem::new(ErrorCode::TooBusy, detail).with_hint("Wait, or end the process yourself"));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
    Ok(())
}

pub(super) async fn pause(context: &Context, args: &PauseArgs) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let for_ms = args.duration.map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    let status = client.pause(PauseRequest { for_ms, until_tomorrow: args.until_tomorrow }).await?;
    reply(context, &status);
    Ok(Exit::Fine)
}

pub(super) async fn resume(context: &Context) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let status = client.resume().await?;
    reply(context, &status);
    Ok(Exit::Fine)
}

fn reply(context: &Context, status: &Status) {
    context.out.reply(status, |page| page.line(&status.sentence));
}
