//! Real daemons for tests: homes of their own in a temporary folder, loopback only, driven by the
//! real command line. What was started ends with the value that holds it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

mod books;
mod credits;

pub use books::{Books, Certified, log_of};
pub use credits::FIRST_CREDIT;

/// How long anything may take that should be quick.
pub const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A program of the build that this test belongs to.
///
/// # Panics
/// When it was not built: `cargo xtask test` builds all of them first.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test is a program");
    let folder = test.parent().and_then(Path::parent).expect("tests lie in <profile>/deps");
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "{} was not built; run `cargo xtask test`", path.display());
    path
}

/// What a call of `p2p-agent` said.
#[derive(Debug)]
pub struct Said {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the program starts");
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The JSON document on stdout.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The code of the problem that was said in JSON.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A node: a home, and its daemon while that runs.
#[derive(Debug)]
pub struct Node {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Node {
    /// A new home in no network; its daemon is off.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let node = Self::bare();
        node.fine(&["init", "--yes"]);
        node
    }

    /// A place for a home that does not exist yet.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn bare() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), environment: Vec::new() }
    }

    /// A new home in the network of `file`, which knocks at `address` first.
    #[must_use]
    pub fn joining(file: &Path, address: &str) -> Self {
        let node = Self::new();
        node.fine(&["network", "join", &file.to_string_lossy()]);
        node.fine(&["config", "set", "network.bootstrap", &format!("[{address:?}]")]);
        node
    }

    /// Sets a variable for every process of this node from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A path beside the home.
    #[must_use]
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program with this node's home and environment.
    #[must_use]
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.arg("--home").arg(self.home()).env_remove("P2P_AGENT_HOME").stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Calls `p2p-agent`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn call(&self, words: &[&str]) -> Said {
        Said::of(self.command("p2p-agent").args(words))
    }

    /// Calls `p2p-agent` with something on its standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn call_with_input(&self, words: &[&str], input: &str) -> Said {
        let file = self.beside("input");
        std::fs::write(&file, input).expect("written");
        Said::of(self.command("p2p-agent").args(words).stdin(std::fs::File::open(file).expect("there")))
    }

    /// Calls `p2p-agent --json`, which must succeed; returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    #[expect(clippy::must_use_candidate, reason = "often called for what it does")]
    pub fn fine(&self, words: &[&str]) -> Value {
        let said = self.call(&[words, &["--json"]].concat());
        assert_eq!(said.status, 0, "p2p-agent {words:?}: {said:?}");
        if said.stdout.trim().is_empty() { Value::Null } else { said.json() }
    }

    /// Ends the daemon in good order.
    pub fn down(&self) {
        self.fine(&["down"]);
    }

    /// Starts the daemon and waits until it is ready.
    pub fn up(&self) {
        self.fine(&["up"]);
    }

    #[must_use]
    pub fn status(&self) -> Value {
        self.fine(&["status"])
    }

    /// The daemon's process id.
    ///
    /// # Panics
    /// When no daemon runs.
    #[must_use]
    pub fn pid(&self) -> u32 {
        u32::try_from(self.status()["pid"].as_u64().expect("a running daemon")).expect("a process id")
    }

    #[must_use]
    pub fn device(&self) -> String {
        self.fine(&["identity", "show"])["device_id"].as_str().unwrap_or_default().to_owned()
    }

    /// Nodes it is connected to.
    #[must_use]
    pub fn connected(&self) -> usize {
        let status = self.status();
        status["peers"].as_array().into_iter().flatten().filter(|peer| peer["connected"] == true).count()
    }

    /// Ends the daemon without a word, as a crash or a power cut would.
    pub fn kill(&self) {
        signal(self.pid(), "-KILL");
    }
}

impl Default for Node {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A daemon that is off, or a test that is failing, is no reason to panic here.
        let _ = self.command("p2p-agent").arg("down").output();
    }
}

/// Sends a signal, as in `-KILL` or `-STOP`.
///
/// # Panics
/// When there is no such process.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([name, &pid.to_string()]).status().expect("kill is there");
    assert!(sent.success(), "no process {pid}");
}

/// Some nodes in one network of kind `local`, each connected to all the others.
///
/// # Panics
/// When they do not find each other in time.
#[must_use]
pub fn network(count: usize) -> Vec<Node> {
    let first = Node::new();
    first.fine(&["network", "create", "test", "--kind", "local"]);
    let file = first.beside("test.p2pnet");
    first.fine(&["network", "show", "--file", &file.to_string_lossy()]);
    first.up();
    let address = first.status()["listening"][0].as_str().expect("an address").to_owned();
    let mut nodes = vec![first];
    for _ in 1..count {
        let node = Node::joining(&file, &address);
        node.up();
        nodes.push(node);
    }
    wait_until("all nodes are connected", || nodes.iter().all(|node| node.connected() == count - 1));
    nodes
}

/// Waits until something is so.
///
/// # Panics
/// When it is not so in time.
pub fn wait_until(what: &str, so: impl Fn() -> bool) {
    wait_within(what, PATIENCE, so);
}

/// Waits for something that may take longer.
///
/// # Panics
/// When it is not so in time.
pub fn wait_within(what: &str, patience: Duration, so: impl Fn() -> bool) {
    let end = Instant::now() + patience;
    while !so() {
        assert!(Instant::now() < end, "not within {} s: {what}", patience.as_secs());
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Short sentences, one a line, in turn for and against something.
#[must_use]
pub fn sentences(count: usize) -> String {
    let subject = ["film", "book", "meal", "walk", "song", "play", "story"];
    let line = |number: usize| {
        let what = subject[number % subject.len()];
        if number.is_multiple_of(2) {
            format!("a wonderful and charming {what}, number {number}")
        } else {
            format!("a dreadful and tedious {what}, number {number}")
        }
    };
    (0..count).map(line).collect::<Vec<_>>().join("\n") + "\n"
}
