//! One worker process: started, greeted, spoken to, ended.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use p2p_platform::process::prepare_worker;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use tracing::warn;

use super::PoolConfig;
use crate::unable::{Cause, Unable};
use crate::wire::{Order, PROTOCOL, Reply, encode, read};

/// How long a worker may take to say hello.
const GREETING: Duration = Duration::from_secs(10);
/// A worker at work says once a second that it runs. One that is silent for so long was stopped
/// or is past help.
pub(super) const SILENCE: Duration = Duration::from_secs(5);
/// How long a worker may take to end when its input ends.
const FAREWELL: Duration = Duration::from_secs(1);
/// Longest line of a worker's log, in bytes.
const LOG_LINE: u64 = 4096;

#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a worker and exchanges hellos.
    ///
    /// # Errors
    /// Why there is no worker: what happened, why, what to do.
    pub(super) async fn start(config: &PoolConfig) -> Result<Self, Unable> {
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
        let mut process = Self { child, input, output: BufReader::new(output) };
        let hello = Order::Hello { protocol: PROTOCOL, assets: config.assets.to_string_lossy().into_owned() };
        let greeted = async {
            // A worker that ended at once may refuse the hello; that it ended is the better reason.
            let sent = process.send(&hello).await;
            let reply = read(&mut process.output).await?;
            if reply.is_some() {
                sent?;
            }
            Ok::<_, io::Error>(reply)
        };
        let (cause, reason) = match timeout(GREETING, greeted).await {
            Ok(Ok(Some(Reply::Hello { protocol: PROTOCOL }))) => return Ok(process),
            Ok(Ok(Some(Reply::Hello { protocol }))) => {
                let versions = format!("it speaks {protocol}, the daemon {PROTOCOL}");
                (Cause::Unusable, format!("the worker is of another version - {versions} - install the app again"))
            }
            Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => {
                let reason = format!("the worker cannot be understood - {program}: {error} - install the app again");
                (Cause::Unusable, reason)
            }
            Ok(_) => {
                let reason =
                    format!("the worker ended as it started - {program} exchanged no hello - see `p2p-agent logs`");
                (Cause::Process, reason)
            }
            Err(_) => {
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
        let frame = encode(order)?;
        let sent = async {
            self.input.write_all(&frame).await?;
            self.input.flush().await
        };
        timeout(SILENCE, sent).await.map_err(|_| silent())?
    }

    /// The next message of a worker at work; `None` when it ended.
    ///
    /// # Errors
    /// Those of the pipe, and [`io::ErrorKind::TimedOut`] after [`SILENCE`].
    pub(super) async fn receive(&mut self) -> io::Result<Option<Reply>> {
        loop {
            match timeout(SILENCE, read(&mut self.output)).await {
                Ok(Ok(Some(Reply::Alive))) => {}
                Ok(reply) => return reply,
                Err(_) => return Err(silent()),
            }
        }
    }

    /// Ends a worker that has nothing to do.
    pub(super) async fn end(mut self) {
        drop(self.input);
        if timeout(FAREWELL, self.child.wait()).await.is_err() {
            warn!("a worker did not end by itself and was killed");
            let _ = self.child.kill().await;
        }
    }

    /// Ends a worker at once.
    pub(super) async fn kill(mut self) {
        // It may have ended by itself.
        let _ = self.child.kill().await;
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
