//! `up`: starts the daemon, and returns when it is ready.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use p2p_control::Client;
use p2p_control::api::{ErrorCode, NodeState, Problem, Status};
use p2p_platform::Home;
use p2p_platform::file::{self, FileError};
use serde::Serialize;

use super::{init, session, status};
use crate::args::UpArgs;
use crate::context::Context;
use crate::problem::{self, Exit};
use crate::{daemon, moment};

const LIMIT: Duration = Duration::from_secs(15);
/// Between two looks at a daemon that starts: short at first, longer the longer it takes.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// What the daemon says before it has a log, such as a library that is missing.
const STDERR_FILE: &str = "p2p-daemon.stderr";
/// More of it is not looked through for its last line.
const STDERR_BYTES: usize = 64 * 1024;

pub(super) async fn up(context: &Context, args: &UpArgs) -> Result<Exit, Problem> {
    let home = context.home()?;
    if let Some(client) = context.daemon_if_running(&home).await? {
        let status = client.status().await?;
        // It may have been started by somebody without a session, such as the system.
        session::start_if_asked(&home, None);
        reply(context, status, None);
        if let Some(config) = context.config() {
            let config = config.display();
            context.out.note(&format!("It keeps the settings it was started with; for {config} restart it"));
        }
        return Ok(Exit::Fine);
    }
    if !home.keys_dir().exists() {
        let detail = format!("{} holds no keys", home.root().display());
        init::offer(context, &home, Problem::new(ErrorCode::NotInitialized, detail))?;
    }
    if args.foreground {
        p2p_platform::process::guard_memory();
        context.out.note("The node runs in this terminal; Ctrl-C stops it");
        session::start_if_asked(&home, context.config());
        daemon::host(home, context.config().map(Path::to_owned), true).await?;
        return Ok(Exit::Fine);
    }
    start(context, &home, context.config()).await
}

/// Starts the daemon in the background, with the settings of `config` where one is named, and waits
/// until it is ready.
pub(super) async fn start(context: &Context, home: &Home, config: Option<&Path>) -> Result<Exit, Problem> {
    let began = Instant::now();
    let mut child = spawn(home, config)?;
    let status = wait(&mut child, home, began).await?;
    let ours = status.pid == child.id();
    // Whoever starts it from a session has it see that session.
    session::start_if_asked(home, config);
    reply(context, status, ours.then(|| began.elapsed()));
    Ok(Exit::Fine)
}

fn spawn(home: &Home, config: Option<&Path>) -> Result<Child, Problem> {
    let program = p2p_platform::sibling("p2p-daemon").ok_or_else(|| {
        Problem::new(ErrorCode::StartFailed, "p2p-daemon is not beside p2p-agent").with_hint("Install the app again")
    })?;
    let mut command = Command::new(&program);
    p2p_platform::process::detach(&mut command);
    command.arg("--report").stdout(Stdio::piped()).stdin(Stdio::null());
    if !home.is_default() {
        command.arg("--home").arg(home.root());
    }
    if let Some(config) = config {
        let config = std::path::absolute(config).map_err(|error| problem::file(ErrorCode::Config, config, error))?;
        command.arg("--config").arg(config);
    }
    // A daemon must not keep the folder that somebody happened to stand in.
    command.current_dir(home.root());
    if let Some(file) = fresh_stderr(&stderr_file(home))? {
        command.stderr(file);
    }
    command.spawn().map_err(|error| problem::file(ErrorCode::StartFailed, &program, error))
}

fn stderr_file(home: &Home) -> PathBuf {
    home.log_dir().join(STDERR_FILE)
}

/// An empty file for what the daemon says on stderr; `None` where none can be had.
///
/// # Errors
/// E1008 where something lies in its place that must not be written.
fn fresh_stderr(path: &Path) -> Result<Option<File>, Problem> {
    match file::append_private(path) {
        Ok(file) => Ok(file.set_len(0).is_ok().then_some(file)),
        // No folder or no room: the daemon says itself what it lacks.
        Err(FileError::Missing(_) | FileError::Io { .. }) => Ok(None),
        Err(error) => Err(Problem::new(ErrorCode::HomeUnusable, error.to_string())
            .with_hint(format!("Move {} away; a new one is made", path.display()))),
    }
}

/// Asks the socket until a daemon that is ready answers there.
async fn wait(child: &mut Child, home: &Home, began: Instant) -> Result<Status, Problem> {
    let mut pause = FIRST_PAUSE;
    let mut ended = None;
    loop {
        if let Some(status) = ready(home).await {
            return Ok(status);
        }
        if ended.is_none()
            && let Ok(Some(status)) = child.try_wait()
        {
            let problem = why(child, home, status);
            if problem.code != ErrorCode::AlreadyRunning {
                return Err(problem);
            }
            // Another `up` was quicker, and its daemon is about to answer.
            ended = Some(problem);
        }
        if began.elapsed() >= LIMIT {
            return Err(ended.unwrap_or_else(|| give_up(child)));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// Half a start is worse than none.
fn give_up(child: &mut Child) -> Problem {
    let _ = child.kill();
    let _ = child.wait();
    Problem::new(ErrorCode::StartFailed, format!("it did not answer for {}", moment::span(LIMIT)))
}

async fn ready(home: &Home) -> Option<Status> {
    let status = Client::connect(&home.socket()).await.ok()?.status().await.ok()?;
    (status.state != NodeState::Starting).then_some(status)
}

/// Why a daemon ended before it was ready: its own report, else the last it said on stderr.
fn why(child: &mut Child, home: &Home, status: ExitStatus) -> Problem {
    let mut report = String::new();
    if let Some(stdout) = child.stdout.as_mut() {
        // What cannot be read is as good as not said.
        let _ = stdout.read_to_string(&mut report);
    }
    if let Ok(problem) = serde_json::from_str(&report) {
        return problem;
    }
    let said = file::read_end(&stderr_file(home), STDERR_BYTES).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Problem::new(ErrorCode::StartFailed, format!("p2p-daemon ended ({status}): {last}"))
}

#[derive(Debug, Serialize)]
struct Up {
    /// Whether this command started it.
    started: bool,
    /// How long that took.
    took_ms: Option<u64>,
    #[serde(flatten)]
    status: Status,
}

fn reply(context: &Context, status: Status, took: Option<Duration>) {
    let took_ms = took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    let up = Up { started: took.is_some(), took_ms, status };
    context.out.reply(&up, |page| {
        match took {
            Some(took) => page.line(&format!("The node is up: ready in {}.", moment::span(took))),
            None => page.line("The node runs already."),
        }
        page.line(&up.status.sentence);
        page.blank();
        page.facts(&status::facts(&up.status));
    });
    status::warnings(context, &up.status);
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_the_daemon_said_last_time_goes_and_what_lies_in_its_place_stays() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(STDERR_FILE);
        std::fs::write(&path, "old").expect("written");
        assert!(fresh_stderr(&path).expect("a file").is_some());
        assert_eq!(std::fs::read(&path).expect("there"), b"");

        let target = folder.path().join("target");
        std::fs::write(&target, "precious").expect("written");
        std::fs::remove_file(&path).expect("removed");
        std::os::unix::fs::symlink(&target, &path).expect("a link");
        assert_eq!(fresh_stderr(&path).expect_err("a link").code, ErrorCode::HomeUnusable);
        assert_eq!(std::fs::read(&target).expect("there"), b"precious");

        std::fs::remove_file(&path).expect("removed");
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        assert_eq!(fresh_stderr(&path).expect_err("a pipe").code, ErrorCode::HomeUnusable);
        assert!(fresh_stderr(&folder.path().join("none").join(STDERR_FILE)).expect("its folder is missing").is_none());
    }
}
