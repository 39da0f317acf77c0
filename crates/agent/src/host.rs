//! Puts a daemon together: lock, keys, store, workers, network, doors; then runs the engine, again
//! for each network the home comes to belong to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use p2p_control::api::{ErrorCode, Identity, NodeState, Problem, TaskState};
use p2p_control::{Call, LogSource, Server};
use p2p_inference::{Pool, PoolConfig};
use p2p_net::{Net, NetConfig, NetError, NetEvent};
use p2p_platform::socket::{BindError, Listener};
use p2p_platform::{Assets, Home, HomeLock, Keys, LockError};
use p2p_protocol::{Node, Restored};
use p2p_store::{Record, Store, StoreError};
use p2p_types::{Ed25519, Hash, Scheme, TaskKind};
use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::config::{Config, Interfaces};
use crate::engine::{Engine, Exit, Parts, Sources, history_document, storage_problem, uptime_ms};
use crate::engine::{Events, Numbers, SEQUENCE_LANE};
use crate::home;

/// Control calls that wait for the engine.
const WAITING_CALLS: usize = 256;
/// The file that remembers which free port was taken last time.
const PORT_FILE: &str = "run/network.port";

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
    let server = Server::new(calls_in, logs, workshop.ui.clone());
    let local = server.serve_local(bind(&home)?);
    let mut warnings = Vec::new();
    let dashboard = open_doors(&server, &home, &config, &mut warnings).await?;

    let mut sources =
        Sources { calls, committed, pool, pool_events, events: Events::new(), numbers: Numbers::default() };
    let mut ready_in_ms = None;
    let ended = loop {
        let begun = begin(&home, &config, &keys, &store, &workshop);
        let (mut parts, net_events) = match begun {
            Ok(begun) => begun,
            Err(problem) => break Err(problem),
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
    cannot_compute: Option<String>,
    ui: Option<PathBuf>,
}

impl Workshop {
    fn find(config: &Config) -> Result<Self, Problem> {
        let assets = Assets::find();
        let worker = p2p_platform::sibling("p2p-worker");
        let (abilities, cannot_compute) = match (&assets, &worker) {
            (_, None) => {
                (BTreeMap::new(), Some("p2p-worker is not beside the daemon; install the app again".to_owned()))
            }
            (None, _) => {
                let why = "the runtime and the model were not found; run `cargo xtask models` in a build folder";
                (BTreeMap::new(), Some(why.to_owned()))
            }
            (Some(assets), Some(_)) => match p2p_inference::verify_assets(&assets.root) {
                Ok(installed) => (installed.digests(), None),
                Err(error) => (BTreeMap::new(), Some(error.to_string())),
            },
        };
        if let Some(why) = &cannot_compute {
            warn!(why, "nothing can be computed here");
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

/// One run's parts: the machine as the store remembers it, and the network it is in.
fn begin(
    home: &Home,
    config: &Config,
    keys: &Arc<Keys>,
    store: &Store,
    workshop: &Workshop,
) -> Result<(Parts, mpsc::Receiver<NetEvent>), Problem> {
    let mut loaded = store.load().map_err(storage_problem)?;
    end_interrupted(store, &loaded);
    let network = home::load_network(home)?;
    if let Some(network) = &network
        && home::is_new_to(home, network)?
    {
        // Who was in another network is nobody's business in this one.
        loaded.peers.clear();
        if store.commit(0, vec![Record::ForgetPeers]).is_err() {
            warn!("the peers of another network could not be forgotten");
        }
    }
    let identity: Identity = home::identity_of(keys);
    let device = Ed25519::new(&keys.device);
    let scheme: Arc<dyn Scheme> = Arc::new(device);
    let (net, net_events) = match &network {
        None => {
            // A channel whose sender is gone: the loop hears nothing from it.
            (None, mpsc::channel(1).1)
        }
        Some(network) => {
            let mut bootstrap = config.network.bootstrap.clone();
            bootstrap.extend(network.bootstrap.iter().cloned());
            bootstrap.extend(home::invited_to(home)?);
            let (net, events) = start_net(home, config, keys, network, bootstrap)?;
            (Some(net), events)
        }
    };
    let restored = Restored {
        trusted: loaded.trusted,
        distrusted: loaded.untrusted,
        peers: loaded.peers.iter().map(|(device, addresses, _)| (*device, addresses.clone())).collect(),
        paused: loaded.paused,
        sequence: loaded.sequences.get(SEQUENCE_LANE).copied().unwrap_or_default(),
    };
    let node_config = p2p_protocol::Config {
        network,
        account: identity.account_id,
        certificate: home::certificate(keys),
        membership: home::load_membership(home)?,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let parts = Parts {
        home: home.clone(),
        config: config.clone(),
        keys: Arc::clone(keys),
        identity,
        node: Node::new(node_config, scheme, &restored),
        net,
        store: store.clone(),
        abilities: workshop.abilities.clone(),
        cannot_compute: workshop.cannot_compute.clone(),
        warnings: Vec::new(),
        dashboard: None,
        ready_in_ms: uptime_ms(),
        known: loaded.peers,
    };
    Ok((parts, net_events))
}

/// Tasks that an earlier process left unfinished are said to have failed: their texts were never
/// written down, so they cannot go on.
fn end_interrupted(store: &Store, loaded: &p2p_store::Loaded) {
    for stored in loaded.tasks.iter().filter(|task| !task.finished) {
        let Some(mut task) = history_document(stored) else { continue };
        task.state = TaskState::Failed;
        task.error = Some(p2p_control::api::TextError {
            code: ErrorCode::TextFailed,
            message: "the daemon ended before the task did; submit it again".to_owned(),
        });
        let Ok(document) = serde_json::to_vec(&task) else { continue };
        let record = Record::Task { id: stored.id, submitted: stored.submitted, finished: true, document };
        if store.commit(0, vec![record]).is_err() {
            warn!(task = %stored.id, "an interrupted task could not be marked");
        }
    }
}

fn start_net(
    home: &Home,
    config: &Config,
    keys: &Keys,
    network: &p2p_protocol::Network,
    bootstrap: Vec<String>,
) -> Result<(Net, mpsc::Receiver<NetEvent>), Problem> {
    let remembered = || std::fs::read_to_string(home.root().join(PORT_FILE)).ok()?.trim().parse::<u16>().ok();
    let wanted = match config.network.listen_port {
        0 => remembered().unwrap_or(0),
        port => port,
    };
    let start = |port: u16| {
        Net::start(NetConfig {
            secret: keys.device.clone(),
            network: network.id,
            network_name: network.name.clone(),
            listen: listen_addresses(config.network.interfaces, port),
            bootstrap: bootstrap.clone(),
            topics: vec![p2p_protocol::PRESENCE_TOPIC],
            nearby: config.network.nearby && config.network.interfaces == Interfaces::All,
            agent_version: format!("p2p-agent/{}", env!("CARGO_PKG_VERSION")),
            max_peers: config.network.max_peers,
        })
    };
    match start(wanted) {
        // A port that nobody asked for by name is only a preference.
        Err(NetError::PortInUse { address }) if config.network.listen_port == 0 || config.network.any_port => {
            info!(address, "the usual port is taken; taking any");
            start(0).map_err(net_problem)
        }
        other => other.map_err(net_problem),
    }
}

fn listen_addresses(interfaces: Interfaces, port: u16) -> Vec<String> {
    let hosts: &[&str] = match interfaces {
        Interfaces::Loopback => &["/ip4/127.0.0.1"],
        Interfaces::All if std::net::TcpListener::bind("[::]:0").is_ok() => &["/ip4/0.0.0.0", "/ip6/::"],
        // A computer without IPv6.
        Interfaces::All => &["/ip4/0.0.0.0"],
    };
    hosts.iter().flat_map(|host| [format!("{host}/tcp/{port}"), format!("{host}/udp/{port}/quic-v1")]).collect()
}

/// Remembers the TCP port of `address` for the next start, so that others find this node again.
pub(crate) fn remember_port(home: &Home, address: &str) {
    let port = address.split("/tcp/").nth(1).and_then(|rest| rest.split('/').next());
    if let Some(port) = port
        && let Err(error) = p2p_platform::file::write_private(&home.root().join(PORT_FILE), port.as_bytes())
    {
        warn!(%error, "the port could not be remembered");
    }
}

fn bind(home: &Home) -> Result<Listener, Problem> {
    Listener::bind(&home.socket()).map_err(|error| match error {
        BindError::InUse(_) => Problem::new(ErrorCode::AlreadyRunning, error.to_string()),
        BindError::Foreign(_) => Problem::new(ErrorCode::SocketForeign, error.to_string()),
        BindError::Io { .. } => unusable(home, &error.to_string()),
    })
}

/// Opens the loopback doors that the configuration asks for. Returns the dashboard's address.
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
    let (address, _) =
        server.serve_loopback(port, token.clone()).await.map_err(|error| door("dashboard", port, error))?;
    info!(%address, "dashboard door open");
    warnings.push("The dashboard's door is open on this computer".to_owned());
    Ok(Some(format!("http://{address}/?token={token}")))
}

fn open_store(home: &Home) -> Result<(Store, mpsc::Receiver<p2p_store::Committed>), Problem> {
    Store::open(&home.database()).map_err(|error| match error {
        StoreError::Locked => Problem::new(ErrorCode::AlreadyRunning, error.to_string()),
        _ => storage_problem(error),
    })
}

fn net_problem(error: NetError) -> Problem {
    let code = match &error {
        NetError::PortInUse { .. } => ErrorCode::PortInUse,
        NetError::Address { .. } | NetError::Listen { .. } => ErrorCode::Config,
        NetError::Key(_) => ErrorCode::Keys,
        NetError::Stack(_) => ErrorCode::Internal,
    };
    let said = error.to_string();
    let mut pieces = said.splitn(3, " - ");
    let (what, why, todo) = (pieces.next(), pieces.next(), pieces.next());
    let detail = [what, why].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let problem = Problem::new(code, detail);
    match (code, todo) {
        (ErrorCode::PortInUse, _) | (_, None) => problem,
        (_, Some(todo)) => problem.with_hint(todo),
    }
}

fn unusable(home: &Home, why: &str) -> Problem {
    Problem::new(ErrorCode::HomeUnusable, format!("{}: {why}", home.root().display()))
}
