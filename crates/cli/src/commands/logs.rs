//! `logs`: what the daemon wrote down.

use std::collections::VecDeque;
use std::path::Path;

use p2p_control::Client;
use p2p_control::api::{ErrorCode, LogLine, Problem};
use p2p_platform::file;

use crate::args::LogsArgs;
use crate::context::Context;
use crate::output::Tint;
use crate::problem::{self, Exit};
use crate::{logging, moment};

/// More of a log file is not looked through; a day's is not longer.
const FILE_BYTES: usize = 24 * 1024 * 1024;

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
    for line in last_lines(&path, lines)? {
        show(context, &line);
    }
    Ok(Exit::Fine)
}

/// The last records in a log file.
fn last_lines(path: &Path, lines: usize) -> Result<VecDeque<LogLine>, Problem> {
    // The reason names the file.
    let end =
        file::read_end(path, FILE_BYTES).map_err(|error| Problem::new(ErrorCode::HomeUnusable, error.to_string()))?;
    let mut last = VecDeque::new();
    for line in end.split(|byte| *byte == b'\n') {
        last.extend(logging::parse(&String::from_utf8_lossy(line)));
        if last.len() > lines {
            last.pop_front();
        }
    }
    Ok(last)
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_last_records_are_read_and_a_pipe_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("p2p-daemon.2025-11-20.log");
        let line = |word: &str| format!("2025-11-20T13:48:02.123Z INFO  p2p_agent::engine: {word}\n");
        let text = [line("one").as_bytes(), b"\xff\n", line("two").as_bytes(), line("three").as_bytes()].concat();
        std::fs::write(&path, text).expect("written");
        let said: Vec<_> = last_lines(&path, 2).expect("a log").into_iter().map(|line| line.message).collect();
        assert_eq!(said, ["two", "three"]);

        std::fs::remove_file(&path).expect("removed");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        assert_eq!(last_lines(&path, 2).expect_err("a pipe").code, ErrorCode::HomeUnusable);
    }
}
