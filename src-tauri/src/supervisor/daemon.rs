//! The daemon as a process of ours: how it starts, how one learns why it ended, how it stops.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use p2p_control::Client;
use p2p_control::api::{ErrorCode, Problem};
use p2p_platform::{Home, process, sibling};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStdout, Command};

/// How long a daemon may take to finish what it does, and then to obey a signal.
const STOP_LIMIT: Duration = Duration::from_secs(10);
const SIGNAL_LIMIT: Duration = Duration::from_secs(2);
/// The longest report of a failed start that is read.
const REPORT_BYTES: u64 = 64 * 1024;
/// What the daemon says before it has a log, such as a library that is missing.
const STDERR_FILE: &str = "p2p-daemon.stderr";

/// A daemon that this app started.
#[derive(Debug)]
pub(super) struct Daemon {
    child: Child,
    stdout: Option<ChildStdout>,
    said: std::path::PathBuf,
}

/// Starts the daemon of this home; makes the node first where there is none yet.
pub(super) async fn start(home: &Home) -> Result<Daemon, Problem> {
    if !home.keys_dir().exists() {
        initialize(home).await?;
    }
    let program = program("p2p-daemon")?;
    let mut command = Command::new(&program);
    // A session of its own: what is typed in a terminal must not reach it past this app.
    process::detach(command.as_std_mut());
    command.arg("--report").stdout(Stdio::piped());
    in_home(&mut command, home);
    let said = home.log_dir().join(STDERR_FILE);
    if let Ok(file) = File::create(&said) {
        command.stderr(file);
    }
    let mut child = command.spawn().map_err(|error| failed(format!("{}: {error}", program.display())))?;
    Ok(Daemon { stdout: child.stdout.take(), child, said })
}

impl Daemon {
    /// Its process id, while it runs.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it has ended, and if so, why.
    pub(super) async fn ended(&mut self) -> Option<Result<(), Problem>> {
        // A process that cannot be asked about is treated as gone: the socket tells the truth.
        let status = match self.child.try_wait() {
            Ok(None) => return None,
            Ok(Some(status)) => status,
            Err(error) => return Some(Err(failed(error.to_string()))),
        };
        if status.success() {
            return Some(Ok(()));
        }
        let mut report = Vec::new();
        if let Some(stdout) = self.stdout.take() {
            // What cannot be read is as good as not said.
            let _ = stdout.take(REPORT_BYTES).read_to_end(&mut report).await;
        }
        let problem = serde_json::from_slice(&report).unwrap_or_else(|_| {
            let said = std::fs::read_to_string(&self.said).unwrap_or_default();
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            failed(format!("p2p-daemon ended ({status}): {last}"))
        });
        Some(Err(problem))
    }

    /// Asks it to end, insists, and returns when it has.
    pub(super) async fn stop(mut self, socket: &Path) {
        let asked = async { Client::connect(socket).await?.shutdown().await };
        let answer = tokio::time::timeout(STOP_LIMIT, asked).await;
        if matches!(answer, Ok(Ok(()))) && tokio::time::timeout(STOP_LIMIT, self.child.wait()).await.is_ok() {
            return;
        }
        if let Some(id) = self.child.id() {
            // Already gone is what was wanted.
            let _ = process::terminate(id);
        }
        if tokio::time::timeout(SIGNAL_LIMIT, self.child.wait()).await.is_err() {
            tracing::warn!("the daemon did not end when asked; it is ended now");
            // The same: gone is what was wanted.
            let _ = self.child.kill().await;
        }
    }
}

async fn initialize(home: &Home) -> Result<(), Problem> {
    let mut command = Command::new(program("p2p-agent")?);
    command.args(["init", "--yes", "--json"]).stdin(Stdio::null());
    in_home(&mut command, home);
    let output = command.output().await.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    #[derive(serde::Deserialize)]
    struct Refusal {
        error: Problem,
    }
    let problem = match serde_json::from_slice::<Refusal>(&output.stdout) {
        Ok(Refusal { error }) => error,
        Err(_) => failed(format!("p2p-agent init ended ({})", output.status)),
    };
    // Somebody else was quicker.
    if problem.code == ErrorCode::AlreadyInitialized { Ok(()) } else { Err(problem) }
}

fn in_home(command: &mut Command, home: &Home) {
    if !home.is_default() {
        command.arg("--home").arg(home.root());
    }
}

fn program(name: &str) -> Result<std::path::PathBuf, Problem> {
    sibling(name).ok_or_else(|| failed(format!("{name} is not beside the app")).with_hint("Install the app again"))
}

fn failed(detail: impl Into<String>) -> Problem {
    Problem::new(ErrorCode::StartFailed, detail)
}
