//! `p2p-daemon`: hosts the engine until it is told to stop.

mod signal;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use p2p_control::Client;
use p2p_control::api::{ErrorCode, Problem};
use p2p_platform::Home;

use crate::args::DaemonArgs;
use crate::problem::{self, Exit};
use crate::{context, logging, output, panic};

/// Runs the daemon that this process was called as.
pub fn main() -> ExitCode {
    // First thing: the time to readiness counts from here where the system cannot tell better.
    let _ = p2p_platform::process::started();
    p2p_platform::process::guard_memory();
    let args = match DaemonArgs::try_parse() {
        Ok(args) => args,
        Err(error) if !error.use_stderr() => {
            output::plain(&error.render().to_string());
            return Exit::Fine.into();
        }
        Err(error) => {
            let (problem, beside) = problem::usage(&error, "p2p-daemon");
            output::stderr_line(&format!("Error: {problem}\n{beside}"));
            return Exit::from(&problem).into();
        }
    };
    match run(args.home, args.config, !args.report) {
        Ok(()) => Exit::Fine.into(),
        Err(problem) => {
            if args.report {
                output::plain(&serde_json::to_string(&problem).expect("a problem is plain JSON"));
            } else {
                output::stderr_line(&format!("Error: {problem}"));
            }
            Exit::from(&problem).into()
        }
    }
}

fn run(home: Option<PathBuf>, config: Option<PathBuf>, terminal: bool) -> Result<(), Problem> {
    let home = context::home(home)?;
    panic::catch(Some(home.log_dir()), || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Problem::new(ErrorCode::Internal, format!("no event loop: {error}")))?;
        let ended = runtime.block_on(host(home, config, terminal));
        // What still blocks a thread has nothing left to hand back.
        runtime.shutdown_background();
        ended
    })?
}

/// Hosts the engine of `home` on the current runtime. In a `terminal` the log is on stderr too.
///
/// # Errors
/// Whatever keeps the engine from starting, or ends it.
pub(crate) async fn host(home: Home, config: Option<PathBuf>, terminal: bool) -> Result<(), Problem> {
    if !home.keys_dir().exists() {
        // Said before any folder is made: the name may be a typo.
        return Err(Problem::new(ErrorCode::NotInitialized, format!("{} holds no keys", home.root().display())));
    }
    let home = match config {
        Some(file) => {
            let absolute =
                std::path::absolute(&file).map_err(|error| problem::file(ErrorCode::Config, &file, error))?;
            home.with_config(absolute)
        }
        None => home,
    };
    let config = p2p_agent::config::load(&home, None)?;
    home.create().map_err(|error| problem::file(ErrorCode::HomeUnusable, home.root(), error))?;
    let logging = logging::start(&home, &config.log.level, terminal)?;
    let socket = home.socket();
    let engine = p2p_agent::run(p2p_agent::Host { home, config, logs: logging.source.clone() });
    tokio::pin!(engine);
    let ended = tokio::select! {
        ended = &mut engine => ended,
        () = signal::asked_to_stop() => {
            tracing::info!("asked to stop");
            let stop = async {
                // Before its socket stands the engine has nothing to hand back.
                match Client::connect(&socket).await {
                    Ok(client) => client.shutdown().await,
                    Err(problem) => Err(problem),
                }
            };
            stop_gracefully(&mut engine, stop).await
        }
    };
    if let Err(problem) = &ended {
        tracing::error!(code = %problem.code, "ended: {problem}");
    }
    ended
}

/// Asks the engine to end and drives it until it has. A second signal ends it at once.
async fn stop_gracefully<E, S>(engine: &mut E, stop: S) -> Result<(), Problem>
where
    E: Future<Output = Result<(), Problem>> + Unpin,
    S: Future<Output = Result<(), Problem>>,
{
    let asked = async {
        if stop.await.is_ok() {
            signal::asked_to_stop().await;
        }
    };
    tokio::select! {
        ended = engine => ended,
        () = asked => Ok(()),
    }
}

#[cfg(test)]
mod tests;
