//! `logs`: what the daemon wrote down.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::Path;

use p2p_control::Client;
use p2p_control::api::{ErrorCode, LogLine, Problem};

use crate::args::LogsArgs;
use crate::context::Context;
use crate::output::Tint;
use crate::problem::{self, Exit};
use crate::{logging, moment};

pub(super) async fn run(context: &Context, args: &LogsArgs) -> Result<Exit, Problem> {
    let home = context.home()?;
    let Some(client) = context.daemon_if_running(&home).await? else {
        if args.follow {
            return Err(Problem::new(ErrorCode::NotRunning, "there is nothing to follow"));
        }
        return from_file(context, &home.log_dir(), args.lines);
    };
    let mut recent = client.logs(false).await?;
    let mut kept = VecDeque::new();
    while let Some(line) = recent.next().await {
        kept.push_back(line?);
    }
    let skipped = kept.len().saturating_sub(args.lines);
    if !args.follow {
        kept.iter().skip(skipped).for_each(|line| show(context, line));
        return Ok(Exit::Fine);
    }
    tokio::select! {
        ended = follow(context, &client, skipped) => ended,
        _ = tokio::signal::ctrl_c() => Ok(Exit::Fine),
    }
}

/// Shows what the daemon has and what comes, but the first `skipped` lines.
async fn follow(context: &Context, client: &Client, mut skipped: usize) -> Result<Exit, Problem> {
    let mut lines = client.logs(true).await?;
    while let Some(line) = lines.next().await {
        let line = line?;
        if skipped > 0 {
            skipped -= 1;
        } else {
            show(context, &line);
        }
    }
    Ok(Exit::Fine)
}

fn from_file(context: &Context, dir: &Path, lines: usize) -> Result<Exit, Problem> {
    let unreadable = |path: &Path, error| problem::file(ErrorCode::HomeUnusable, path, error);
    let newest = logging::newest(dir).map_err(|error| unreadable(dir, error))?;
    let Some(path) = newest else {
        return Err(Problem::new(ErrorCode::NotRunning, format!("{} holds no log either", dir.display())));
    };
    context.out.note(&format!("No daemon is running; this is {}", path.display()));
    let file = std::fs::File::open(&path).map_err(|error| unreadable(&path, error))?;
    let mut last = VecDeque::new();
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|error| unreadable(&path, error))?;
        if last.len() >= lines {
            last.pop_front();
        }
        last.extend(logging::parse(&line));
    }
    last.iter().for_each(|line| show(context, line));
    Ok(Exit::Fine)
}

fn show(context: &Context, line: &LogLine) {
    context.out.item(line, |page| {
        let tint = match line.level.as_str() {
            "error" => Tint::Bad,
            "warn" => Tint::Warn,
            "debug" | "trace" => Tint::Faint,
            _ => Tint::Plain,
        };
        let level = line.level.to_ascii_uppercase();
        page.tinted(tint, &format!("{} {level:<5} {}: {}", moment::utc(line.at_ms), line.target, line.message));
    });
}
