//! Puts a daemon together: lock, keys, store, workers, network, doors; then runs the engine, again
//! for each network the home comes to belong to.

mod begin;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use p2p_control::api::{ErrorCode, NodeState, Problem};
use p2p_control::{Call, LogSource, Server};
use p2p_inference::{Pool, PoolConfig};
use p2p_platform::Alarm;
use p2p_platform::socket::{BindError, Listener};
use p2p_platform::{Assets, Home, HomeLock, LockError, Meter};
use p2p_store::{Store, StoreError};
use p2p_types::{Hash, TaskKind};
use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::computer::Computer;
use crate::config::Config;
use crate::engine::{Engine, Events, Exit, Numbers, Sources, storage_problem};
use crate::rules::Rules;
use crate::{clock, home, problem, unable};
use begin::{Ground, begin, begin_again};

pub(crate) use begin::remember_port;

/// Control calls that wait for the engine.
const WAITING_CALLS: usize = 256;

/// What a daemon is started with.
#[derive(Debug)]
pub struct Host {
    pub home: Home,
    pub config: Config,
    pub logs: LogSource,
}

/// Runs a daemon on the current runtime until it is told to stop.
///
/// # Errors
/// Whatever keeps it from starting, with what to do.
pub async fn run(host: Host) -> Result<(), Problem> {
    let Host { home, config, logs } = host;
    let keys = Arc::new(home::require_keys(&home)?);
    home.create().map_err(|error| unusable(&home, &error.to_string()))?;
    let _lock = HomeLock::acquire(&home).map_err(|error| match error {
        LockError::Held { .. } => Problem::new(ErrorCode::AlreadyRunning, error.to_string()),
        LockError::Io(error) => unusable(&home, &error.to_string()),
    })?;
    let (store, committed) = open_store(&home)?;
    let workshop = Workshop::find(&config)?;
    let (pool, pool_events) = Pool::start(workshop.pool.clone());
    let (calls_in, calls) = mpsc::channel::<Call>(WAITING_CALLS);
    let rules = Rules::begin(&config, home.root().to_path_buf(), clock::now());
    let (leash, heeds_input) = (pool.leash(), rules.heeds_input());
    let server = Server::new(calls_in, logs, workshop.ui.clone()).when_touched(move || {
        if heeds_input.load(Ordering::Relaxed) {
            leash.halt();
        }
    });
    let local = server.serve_local(bind(&home)?);
    let mut warnings = Vec::new();
    let dashboard = open_doors(&server, &home, &config, &mut warnings).await?;

    let (events, numbers) = (Events::new(), Numbers::default());
    let alarm = Alarm::new().map_err(|error| unusable(&home, &format!("the system gives no timer: {error}")))?;
    let computer = Computer::begin(&home, Meter::here(), clock::now());
    let mut sources = Sources { calls, committed, pool, pool_events, rules, alarm, computer, events, numbers };
    let ground = Ground { home: &home, config: &config, keys: &keys, store: &store, workshop: &workshop };
    let mut ready_in_ms = None;
    let ended = loop {
        let (mut parts, net_events) = match ready_in_ms {
            None => match begin(&ground) {
                Ok(begun) => begun,
                Err(problem) => break Err(problem),
            },
            Some(_) => {
                // What counts at once may have been changed since the start.
                let mut config = config.clone();
                if let Ok(now) = crate::config::load(&home, None) {
                    (config.wallet, config.schedule, config.energy) = (now.wallet, now.schedule, now.energy);
                }
                begin_again(&Ground { config: &config, ..ground })
            }
        };
        parts.dashboard.clone_from(&dashboard);
        // Readiness is of the process: a change of network later does not count.
        parts.ready_in_ms = *ready_in_ms.get_or_insert(parts.ready_in_ms);
        parts.warnings.extend(warnings.iter().cloned());
        info!(device = %parts.identity.device_id, ready_in_ms = parts.ready_in_ms, "ready");
        match Engine::new(parts, &mut sources).run(net_events).await {
            Exit::Stop => break Ok(()),
            Exit::Reload => info!("the network changed"),
        }
    };
    server.close();
    // Answers under way get a moment to leave.
    let _ = tokio::time::timeout(Duration::from_millis(500), local).await;
    sources.pool.shutdown().await;
    store.close();
    info!(state = ?NodeState::Stopping, "stopped");
    ended
}

/// What computes: workers, their runtime and models, where they were found.
struct Workshop {
    pool: PoolConfig,
    abilities: BTreeMap<TaskKind, Hash>,
    cannot_compute: Option<Problem>,
    ui: Option<PathBuf>,
}

impl Workshop {
    fn find(config: &Config) -> Result<Self, Problem> {
        let assets = Assets::find();
        let worker = p2p_platform::sibling("p2p-worker");
        let (abilities, cannot_compute) = match (&assets, &worker) {
            (_, None) => {
                (BTreeMap::new(), Some(unable::missing("p2p-worker is not beside the daemon; install the app again")))
            }
            (None, _) => {
                let why = "the runtime and the model were not found; run `cargo xtask models` in a build folder";
                (BTreeMap::new(), Some(unable::missing(why)))
            }
            (Some(assets), Some(_)) => match p2p_inference::verify_assets(&assets.root) {
                Ok(installed) => (installed.digests(), None),
                Err(error) => (BTreeMap::new(), Some(unable::by_assets(&error))),
            },
        };
        if let Some(problem) = &cannot_compute {
            warn!(why = problem.detail, "nothing can be computed here");
        }
        let workers = usize::try_from(config.work.workers).unwrap_or(1);
        Ok(Self {
            pool: PoolConfig {
                worker: worker.unwrap_or_else(|| PathBuf::from("p2p-worker")),
                assets: assets.as_ref().map(|assets| assets.root.clone()).unwrap_or_default(),
                workers,
                idle_after: Duration::from_secs(config.work.idle_worker_s),
            },
            abilities,
            cannot_compute,
            ui: assets.map(|assets| assets.ui()),
        })
    }
}

fn bind(home: &Home) -> Result<Listener, Problem> {
    Listener::bind(&home.socket()).map_err(|error| match error {
        BindError::InUse(_) => Problem::new(ErrorCode::AlreadyRunning, error.to_string()),
        BindError::Foreign(_) => Problem::new(ErrorCode::SocketForeign, error.to_string()),
        BindError::Io { .. } => unusable(home, &error.to_string()),
    })
}

/// Opens the loopback doors that the configuration asks for. Returns the dashboard's address, which
/// many may read; the token that opens it is in the home, for the owner alone.
async fn open_doors(
    server: &Server,
    home: &Home,
    config: &Config,
    warnings: &mut Vec<String>,
) -> Result<Option<String>, Problem> {
    let door = |name: &str, port: u16, error: std::io::Error| {
        let why = format!("the {name} cannot listen on port {port} of 127.0.0.1: {error}");
        Problem::new(ErrorCode::PortInUse, why)
            .with_hint(format!("Choose another with `p2p-agent config set {name}.port PORT`"))
    };
    if let Some(port) = config.metrics.port {
        let (address, _) = server.serve_metrics(port).await.map_err(|error| door("metrics", port, error))?;
        info!(%address, "metrics door open");
    }
    if !config.dashboard.enabled {
        return Ok(None);
    }
    let token = Hash(p2p_platform::random_bytes()).to_string();
    p2p_platform::file::write_private(&home.token_file(), token.as_bytes())
        .map_err(|error| Problem::new(ErrorCode::Storage, error.to_string()))?;
    let port = config.dashboard.port;
    let (address, _) = server.serve_loopback(port, token).await.map_err(|error| door("dashboard", port, error))?;
    info!(%address, "dashboard door open");
    warnings.push("The dashboard's door is open on this computer".to_owned());
    Ok(Some(format!("http://{address}/")))
}

fn open_store(home: &Home) -> Result<(Store, mpsc::Receiver<p2p_store::Committed>), Problem> {
    Store::open(&home.database()).map_err(|error| match error {
        StoreError::Locked => problem::of(ErrorCode::AlreadyRunning, &error),
        _ => storage_problem(error),
    })
}

fn unusable(home: &Home, why: &str) -> Problem {
    Problem::new(ErrorCode::HomeUnusable, format!("{}: {why}", home.root().display()))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use begin::tests::{Bench, no_workers};
