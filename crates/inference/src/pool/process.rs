//! One worker process: started, greeted, spoken to, ended.

use std::io;
use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use p2p_platform::process::{Fence, Reins, prepare_worker};
use p2p_platform::sandbox::Level;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use tracing::warn;

use super::leash::{Leash, Tether, Watch};
use super::spent::Account;
use super::{PoolConfig, Shared};
use crate::unable::{Cause, Unable};
use crate::wire::{Order, PROTOCOL, Reply, encode, read};

/// How long a worker may take to say hello.
const GREETING: Duration = Duration::from_secs(10);
/// A worker at work says once a second that it runs. One that is silent for so long was stopped
/// or is past help.
pub(super) const SILENCE: Duration = Duration::from_secs(5);
/// How long a worker may take to end when its input ends.
const FAREWELL: Duration = Duration::from_secs(1);
/// A worker that is held now and then is not asked more often whether its time is over.
const PATIENCE: Duration = Duration::from_millis(100);
/// Longest line of a worker's log, in bytes.
const LOG_LINE: u64 = 4096;

/// Memory that a worker may take once its programs and libraries are in place, in bytes of address
/// space: model, tokenizer and the largest orders there are take less than 200 MiB, and allocators
/// reserve more than they use.
pub(crate) const WORKER_MEMORY: u64 = 512 << 20;
/// With less it cannot do the largest orders there are.
pub const LEAST_WORKER_MEMORY: u64 = 256 << 20;

/// Memory of the programs and libraries themselves, and to spare: the system's own limit counts them
/// and ends a worker, which its own limit of address space must never come to.
const PROGRAMS: u64 = 512 << 20;

#[derive(Debug)]
pub(super) struct Process {
    /// Where it is on the leash. Before the child, so that it is dropped first.
    tether: Option<Tether>,
    /// Counts what it uses. Before the child as well.
    account: Option<Account>,
    reins: Option<Arc<Reins>>,
    child: Child,
    /// The system's own limits around it. After the child: where it is dropped the child ends.
    fence: Option<Fence>,
    /// How far it closed its sandbox.
    pub(super) level: Level,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a worker, on the leash where there is one. It must be greeted.
    ///
    /// # Errors
    /// Why there is no worker: what happened, why, what to do.
    pub(super) fn start(shared: &Shared, leash: Option<&Leash>) -> Result<Self, Unable> {
        let Shared { config, spending, .. } = shared;
        let mut command = Command::new(&config.worker);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        prepare_worker(&mut command);
        let program = config.worker.display();
        let mut child = command.spawn().map_err(|error| {
            let cause = if error.kind() == io::ErrorKind::NotFound { Cause::Missing } else { Cause::Process };
            Unable::new(cause, format!("the worker cannot be started - {program}: {error} - install the app again"))
        })?;
        let (Some(input), Some(output), Some(log)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            let reason = "the worker cannot be spoken to - its streams are missing - report this";
            return Err(Unable::new(Cause::Process, reason));
        };
        tokio::spawn(forward_log(log));
        let reins = child.id().and_then(|pid| Reins::take(pid).ok()).map(Arc::new);
        let fence = child.id().map(|pid| shared.leash.fences().around(pid, WORKER_MEMORY + PROGRAMS));
        let output = BufReader::new(output);
        let account = reins.clone().map(|reins| spending.open(reins));
        let mut process = Self { tether: None, account, reins, child, fence, level: Level::default(), input, output };
        if let Some(leash) = leash {
            process.tie(leash, true)?;
        }
        Ok(process)
    }

    /// Exchanges hellos with a worker that just started.
    ///
    /// # Errors
    /// Why it is none: what happened, why, what to do.
    pub(super) async fn greet(&mut self, config: &PoolConfig, memory: u64) -> Result<(), Unable> {
        let program = config.worker.display();
        let watch = self.watch();
        let hello = Order::Hello { protocol: PROTOCOL, assets: config.assets.to_string_lossy().into_owned() };
        let greeted = async {
            // A worker that ended at once may refuse the hello; that it ended is the better reason.
            let sent = self.send(&hello).await;
            let reply = read(&mut self.output).await?;
            if reply.is_some() {
                sent?;
            }
            if !matches!(reply, Some(Reply::Hello { protocol: PROTOCOL })) {
                return Ok(reply);
            }
            self.send(&Order::Close { memory: memory.clamp(LEAST_WORKER_MEMORY, WORKER_MEMORY) }).await?;
            match read(&mut self.output).await? {
                Some(Reply::Closed { level }) => self.level = level,
                Some(_) => return Err(io::Error::other("it did not say how its sandbox is closed")),
                None => return Ok(None),
            }
            Ok::<_, io::Error>(reply)
        };
        let (cause, reason) = match patiently(watch, GREETING, greeted).await {
            Some(Ok(Some(Reply::Hello { protocol: PROTOCOL }))) => return Ok(()),
            Some(Ok(Some(Reply::Hello { protocol }))) => {
                let versions = format!("it speaks {protocol}, the daemon {PROTOCOL}");
                (Cause::Unusable, format!("the worker is of another version - {versions} - install the app again"))
            }
            Some(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => {
                let reason = format!("the worker cannot be understood - {program}: {error} - install the app again");
                (Cause::Unusable, reason)
            }
            Some(_) => {
                let reason =
                    format!("the worker ended as it started - {program} exchanged no hello - see `p2p-agent logs`");
                (Cause::Process, reason)
            }
            None => {
                let silent = format!("{program} said nothing for {} s", GREETING.as_secs());
                (Cause::Process, format!("the worker did not answer in time - {silent} - see `p2p-agent logs`"))
            }
        };
        Err(Unable::new(cause, reason))
    }

    /// Hands over an order.
    ///
    /// # Errors
    /// Those of the pipe, and [`io::ErrorKind::TimedOut`] when nobody takes it for [`SILENCE`].
    pub(super) async fn send(&mut self, order: &Order) -> io::Result<()> {
        if let Some(fence) = &self.fence {
            fence.for_others(self.tether.is_some());
        }
        let frame = encode(order)?;
        let watch = self.watch();
        let sent = async {
            self.input.write_all(&frame).await?;
            self.input.flush().await
        };
        patiently(watch, SILENCE, sent).await.unwrap_or_else(|| Err(silent()))
    }

    /// The next message of a worker at work; `None` when it ended.
    ///
    /// # Errors
    /// Those of the pipe, and [`io::ErrorKind::TimedOut`] after [`SILENCE`].
    pub(super) async fn receive(&mut self) -> io::Result<Option<Reply>> {
        loop {
            match patiently(self.watch(), SILENCE, read(&mut self.output)).await {
                Some(Ok(Some(Reply::Alive))) => {}
                Some(reply) => return reply,
                None => return Err(silent()),
            }
        }
    }

    /// Puts it on the leash.
    ///
    /// # Errors
    /// When it cannot be held: then it may do nothing for guests.
    pub(super) fn tie(&mut self, leash: &Leash, just_started: bool) -> Result<(), Unable> {
        if self.tether.is_none() {
            let reins = self.reins.clone().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound));
            let tied = reins.and_then(|reins| leash.tie(reins, just_started));
            let tether = tied.map_err(|error| {
                let why = format!("a worker for others cannot be held back - {error} - see `p2p-agent logs`");
                Unable::new(Cause::Process, why)
            })?;
            self.tether = Some(tether);
        }
        Ok(())
    }

    /// Lets it off the leash: it runs freely.
    pub(super) fn untie(&mut self) {
        self.tether = None;
    }

    fn watch(&self) -> Option<Watch> {
        self.tether.as_ref().map(Tether::watch)
    }

    /// Ends a worker that has nothing to do.
    pub(super) async fn end(mut self) {
        self.untie();
        self.account = None;
        drop(self.input);
        if timeout(FAREWELL, self.child.wait()).await.is_err() {
            warn!("a worker did not end by itself and was killed");
            let _ = self.child.kill().await;
        }
    }

    /// Ends a worker at once. One that is stopped is not let go for it.
    pub(super) async fn kill(mut self) {
        // It may have ended by itself.
        let _ = self.child.start_kill();
        self.account = None;
        self.untie();
        let _ = self.child.wait().await;
    }
}

/// Waits for what a worker does, for as long as it may take, without the time in which the leash
/// held it: who is held cannot speak, and is not silent.
async fn patiently<T>(watch: Option<Watch>, most: Duration, done: impl Future<Output = T>) -> Option<T> {
    let mut done = pin!(done);
    let begun = Instant::now();
    let held = || watch.as_ref().map_or(Duration::ZERO, Watch::held);
    let before = held();
    let mut left = most;
    loop {
        if let Ok(done) = timeout(left, &mut done).await {
            return Some(done);
        }
        let ran = begun.elapsed().saturating_sub(held().saturating_sub(before));
        if ran >= most {
            return None;
        }
        left = (most - ran).max(PATIENCE);
    }
}

fn silent() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the worker was silent for {} s", SILENCE.as_secs()))
}

async fn forward_log(log: ChildStderr) {
    let mut log = BufReader::new(log);
    loop {
        let mut line = Vec::new();
        match (&mut log).take(LOG_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            // A worker says nothing but its troubles.
            Ok(_) => warn!(target: "p2p_worker", "{}", String::from_utf8_lossy(&line).trim_end()),
        }
    }
}
