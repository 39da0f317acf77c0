//! A signed task that computes nothing, from assignment to receipt, against request and reply
//! through NATS with messages signed and verified the same way. Both sides are two processes.
//! And the slowest of all those tasks end to end, as the client that asked sees it; and the same tasks
//! paid, by the node that earned the network's first credits.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::report::{Document, Machine, Rival, median};
use crate::fleet::{Fleet, own_group};
use crate::place::Place;
use crate::run::{capture, check_interrupt, say};

/// Messages in one run.
const MESSAGES: u32 = 2000;
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn dispatch(place: &Place, runs: u32) -> Result<Vec<Document>> {
    let machine = Machine::read();
    let nats = Nats::start(place)?;
    let fleet = Fleet::start(place, 2, false)?;
    // The founder has no credits and pays nothing; the other has what newcomers get, and pays.
    let socket = |node: usize| fleet.nodes[node].home.join("run/control.sock").to_string_lossy().into_owned();
    let (unpaid, paid) = (socket(0), socket(1));
    fleet.earn(1)?;
    let (mut ours, mut theirs, mut paying) = (Vec::new(), Vec::new(), Vec::new());
    let mut slowest = 0.0_f64;
    for run in 1..=runs {
        check_interrupt()?;
        let tasks = measured(place, &["dispatch", &unpaid])?;
        paying.push(figure(&measured(place, &["dispatch", &paid])?, "p50_us")?);
        if fleet.spent(1)? == 0 {
            bail!("nothing was paid for the tasks");
        }
        ours.push(figure(&tasks, "p50_us")?);
        let run_slowest = figure(&tasks, "end_to_end_max_us")?;
        slowest = slowest.max(run_slowest);
        theirs.push(figure(&measured(place, &["nats-request", &nats.address])?, "p50_us")?);
        let (ours, theirs) = (ours[ours.len() - 1], theirs[theirs.len() - 1]);
        let paid = paying[paying.len() - 1];
        say(format!(
            "run {run}: ours {ours:.0} us (the slowest end to end {run_slowest:.0} us), paid {paid:.0} us, NATS {theirs:.0} us"
        ));
    }
    let rival = Rival { name: "NATS".to_owned(), version: nats.version.clone(), value: median(&theirs) };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let not_paid = Rival { name: "not paid".to_owned(), version, value: median(&ours) };
    Ok(vec![
        Document::new("dispatch", &machine, &ours, vec![rival]),
        Document::new("overhead", &machine, &[slowest / 1000.0], Vec::new()),
        Document::new("paying", &machine, &paying, vec![not_paid]),
    ])
}

/// What one run of `p2p-bench` was like.
fn measured(place: &Place, words: &[&str]) -> Result<Value> {
    let printed = capture(place.ours("p2p-bench").args(words).arg(MESSAGES.to_string()))?;
    serde_json::from_str(&printed).context("p2p-bench prints JSON")
}

fn figure(run: &Value, name: &str) -> Result<f64> {
    run[name].as_f64().with_context(|| format!("p2p-bench tells no {name}"))
}

/// A server on loopback, and the process that answers requests.
struct Nats {
    address: String,
    version: String,
    processes: Vec<Child>,
    folder: PathBuf,
}

impl Nats {
    fn start(place: &Place) -> Result<Self> {
        let program = place.venv_program("nats-server");
        let version = capture(Command::new(&program).arg("--version"))?;
        let version = version.trim().rsplit([' ', 'v']).next().unwrap_or("unknown").to_owned();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = std::env::temp_dir().join(format!("p2p-nats-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let mut nats = Self { address: format!("127.0.0.1:{port}"), version, processes: Vec::new(), folder };

        say(format!("starting NATS {}", nats.version));
        let mut server = Command::new(program);
        server.args(["--addr", "127.0.0.1", "--port", &port.to_string()]).current_dir(&nats.folder);
        nats.spawn(&mut server)?;
        let end = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(&nats.address).is_err() {
            check_interrupt()?;
            if Instant::now() > end {
                bail!("the NATS server does not answer");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut responder = place.ours("p2p-bench");
        responder.args(["nats-reply", &nats.address]).stdout(Stdio::piped());
        let out = nats.spawn(&mut responder)?.stdout.take().context("stdout is piped")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        if line.trim() != "ready" {
            bail!("the replying process said {line:?}");
        }
        Ok(nats)
    }

    fn spawn(&mut self, command: &mut Command) -> Result<&mut Child> {
        command.stdin(Stdio::null()).stderr(Stdio::null());
        own_group(command);
        let child = command.spawn().with_context(|| format!("cannot start {}", crate::run::shown(command)))?;
        self.processes.push(child);
        Ok(self.processes.last_mut().expect("just pushed"))
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        for child in &mut self.processes {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}
