//! A home in a temporary folder, and `p2p-agent` run on it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use p2p_platform::Home;
use serde_json::Value;
use tempfile::TempDir;

/// Nothing takes as long, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) struct Node {
    pub(crate) folder: TempDir,
    pub(crate) root: PathBuf,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Node {
    /// A home that does not exist yet.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("node");
        Self { folder, root }
    }

    /// A home with keys.
    pub(crate) fn set_up() -> Self {
        let node = Self::new();
        node.run(&["init", "--yes"]).expect_status(0);
        node
    }

    pub(crate) fn home(&self) -> Home {
        Home::at(self.root.clone())
    }

    /// The command, with nothing of this machine's own settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_p2p-agent"));
        for (name, _) in
            std::env::vars().filter(|(name, _)| name.starts_with("P2P_AGENT_") && name != "P2P_AGENT_ASSETS")
        {
            command.env_remove(name);
        }
        command.arg("--home").arg(&self.root).args(arguments);
        command.env("HOME", self.folder.path()).env("COLUMNS", "120").stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with_input(arguments, b"")
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("p2p-agent runs");
        child.stdin.take().expect("piped").write_all(input).expect("it reads all its input");
        Ran::in_time(child)
    }
}

impl Drop for Node {
    /// No daemon outlives its test.
    fn drop(&mut self) {
        let pid = std::fs::read_to_string(self.home().pid_file()).ok().and_then(|text| text.trim().parse().ok());
        if let Some(pid) = pid.filter(|pid| *pid != std::process::id()) {
            let _ = p2p_platform::process::terminate(pid);
        }
    }
}

impl Ran {
    /// What the command did; one that hangs is ended, and fails the test.
    pub(crate) fn in_time(child: Child) -> Self {
        let pid = child.id();
        let (ended, end) = mpsc::channel();
        let waiting = std::thread::spawn(move || {
            let output = child.wait_with_output();
            let _ = ended.send(());
            output
        });
        let hangs = end.recv_timeout(PATIENCE).is_err();
        if hangs {
            let _ = p2p_platform::process::terminate(pid);
        }
        let ran = Self::of(waiting.join().expect("it waits only").expect("it ends"));
        assert!(!hangs, "it hangs: {ran:?}");
        ran
    }

    pub(crate) fn of(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }

    #[track_caller]
    pub(crate) fn expect_status(self, status: i32) -> Self {
        assert_eq!(self.status, status, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// The one document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    /// An error for people: one line of the known form, with its code, and nothing on stdout.
    #[track_caller]
    pub(crate) fn expect_error(&self, code: &str, status: i32) -> &Self {
        assert_eq!(self.status, status, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        let line = self.stderr.lines().find(|line| line.starts_with("Error: ")).unwrap_or_default();
        let end = format!("[{code}]");
        assert!(line.ends_with(&end) && line.matches(" - ").count() >= 2, "{line:?} in {}", self.stderr);
        self
    }

    /// The same for programs: the problem document on stdout.
    #[track_caller]
    pub(crate) fn expect_json_error(&self, code: &str, status: i32) -> Value {
        assert_eq!(self.status, status, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        let error = self.json()["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        for field in ["title", "detail", "hint"] {
            assert!(error[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {error}");
        }
        error
    }
}
