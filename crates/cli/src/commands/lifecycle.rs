//! `down`, `restart`, `pause`, `resume`.

use std::time::{Duration, Instant};

use p2p_control::api::{ErrorCode, PauseRequest, Problem, Status};
use p2p_platform::{Home, process};
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
    let pid = stop(context, &home).await?;
    let took = began.elapsed();
    let document = json!({ "stopped": true, "pid": pid, "took_ms": took.as_millis() });
    context.out.reply(&document, |page| page.line(&format!("The node is stopped ({}).", moment::span(took))));
    Ok(Exit::Fine)
}

pub(super) async fn restart(context: &Context) -> Result<Exit, Problem> {
    let home = context.home()?;
    match stop(context, &home).await {
        Ok(_) => context.out.progress("The node is stopped."),
        Err(problem) if problem.code == ErrorCode::NotRunning => {}
        Err(problem) => return Err(problem),
    }
    if !home.keys_dir().exists() {
        return Err(Problem::new(ErrorCode::NotInitialized, format!("{} holds no keys", home.root().display())));
    }
    start::start(context, &home).await
}

/// Stops the daemon of `home` and returns its process id when the process is gone.
async fn stop(context: &Context, home: &Home) -> Result<u32, Problem> {
    let client = context.daemon(home).await?;
    let pid = client.status().await?.pid;
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
    Ok(pid)
}

pub(super) async fn pause(context: &Context, args: &PauseArgs) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let for_ms = args.duration.map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    let status = client.pause(PauseRequest { for_ms }).await?;
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
