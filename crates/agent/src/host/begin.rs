//! What one run of the engine begins with: the machine as the store remembers it, and the network
//! that the home belongs to.

use std::sync::Arc;

use p2p_control::api::{ErrorCode, Identity, Problem, TaskState, TextError};
use p2p_net::{Net, NetConfig, NetError, NetEvent};
use p2p_platform::file::FileError;
use p2p_platform::{Home, Keys};
use p2p_protocol::{Network, Node, Restored};
use p2p_store::{Loaded, Record, Store};
use p2p_types::{Ed25519, Scheme};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::Workshop;
use crate::config::{Config, Interfaces};
use crate::document::Document;
use crate::engine::{Parts, SEQUENCE_LANE, storage_problem, uptime_ms};
use crate::wallet::Lanes;
use crate::{home, problem};

/// The file that remembers which free port was taken last time, or, after [`NAMED`], the port that
/// the configuration named.
const PORT_FILE: &str = "run/network.port";
/// Before a port that is not to be taken again once the configuration no longer names it.
const NAMED: &str = "named ";
/// The longest content of that file.
const PORT_FILE_BYTES: usize = 16;

/// What all runs of one process stand on.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) home: &'a Home,
    pub(super) config: &'a Config,
    pub(super) keys: &'a Arc<Keys>,
    pub(super) store: &'a Store,
    pub(super) workshop: &'a Workshop,
}

/// The parts of a run, and what its network says.
type Begun = (Parts, mpsc::Receiver<NetEvent>);

/// The first run of a process.
///
/// # Errors
/// Whatever keeps it from the store, or from the network that the home belongs to.
pub(super) fn begin(ground: &Ground<'_>) -> Result<Begun, Problem> {
    let Ground { home, store, .. } = *ground;
    let mut loaded = store.load().map_err(storage_problem)?;
    end_interrupted(store, &loaded);
    let Some(network) = home::load_network(home)? else { return Ok(alone(ground, loaded)) };
    if home::is_new_to(home, &network)? {
        // Who was in another network is nobody's business in this one.
        loaded.peers.clear();
        if store.commit(0, vec![Record::ForgetPeers]).is_err() {
            warn!("the peers of another network could not be forgotten");
        }
    }
    let membership = home::load_membership(home)?;
    let (net, net_events) = start_net(ground, &network)?;
    let mut parts = parts(ground, loaded, Some(network), membership);
    parts.net = Some(net);
    Ok((parts, net_events))
}

/// The same after a change of network, which must not end a daemon that runs. Where the new network
/// cannot be entered, the node is in none, says why, and does its owner's work.
pub(super) fn begin_again(ground: &Ground<'_>) -> Begun {
    begin(ground).unwrap_or_else(|problem| {
        error!(%problem, "the network cannot be entered; the node goes on in none");
        let remembered = ground.store.load().unwrap_or_else(|error| {
            error!(%error, "nothing that was remembered can be read");
            Loaded::default()
        });
        let mut begun = alone(ground, Loaded { peers: Vec::new(), ..remembered });
        begun.0.warnings.push(format!("The node is in no network now: {problem}"));
        begun
    })
}

/// In no network.
fn alone(ground: &Ground<'_>, loaded: Loaded) -> Begun {
    // A channel whose sender is gone: the loop hears nothing from it.
    (parts(ground, loaded, None, Vec::new()), mpsc::channel(1).1)
}

fn parts(ground: &Ground<'_>, loaded: Loaded, network: Option<Network>, membership: Vec<u8>) -> Parts {
    let Ground { home, config, keys, store, workshop } = *ground;
    let identity: Identity = home::identity_of(keys);
    let scheme: Arc<dyn Scheme> = Arc::new(Ed25519::new(&keys.device));
    let restored = Restored {
        trusted: loaded.trusted,
        distrusted: loaded.untrusted,
        peers: loaded.peers.iter().map(|(device, addresses, _)| (*device, addresses.clone())).collect(),
        paused: loaded.paused,
        // A home that was put back to an older copy must not say again what others have heard under these numbers:
        // they would refuse it, and in the end ban it. No node says more than one thing a millisecond for long.
        sequence: loaded.sequences.get(SEQUENCE_LANE).copied().unwrap_or_default().max(p2p_platform::now().0),
    };
    let lanes = network.as_ref().map(|network| Lanes::of(keys, network));
    let node_config = p2p_protocol::Config {
        money: lanes.as_ref().map(|lanes| lanes.money(config.wallet.limits())).unwrap_or_default(),
        network,
        account: identity.account_id,
        certificate: home::certificate(keys),
        membership,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        max_peers: config.network.max_peers,
    };
    Parts {
        home: home.clone(),
        config: config.clone(),
        keys: Arc::clone(keys),
        identity,
        node: Node::new(node_config, scheme, &restored),
        lanes,
        net: None,
        store: store.clone(),
        abilities: workshop.abilities.clone(),
        cannot_compute: workshop.cannot_compute.clone(),
        warnings: Vec::new(),
        dashboard: None,
        ready_in_ms: uptime_ms(),
        known: loaded.peers,
        usage: loaded.usage,
    }
}

/// Tasks that an earlier process left unfinished are said to have failed: their texts were never
/// written down, so they cannot go on.
fn end_interrupted(store: &Store, loaded: &Loaded) {
    for stored in loaded.tasks.iter().filter(|task| !task.finished) {
        let Some(mut document) = Document::from_bytes(&stored.document) else { continue };
        document.head.state = TaskState::Failed;
        document.head.error = Some(TextError {
            code: ErrorCode::TextFailed,
            message: "the daemon ended before the task did; submit it again".to_owned(),
        });
        let Some(document) = document.to_bytes() else { continue };
        let record = Record::Task { id: stored.id, submitted: stored.submitted, finished: true, document };
        if store.commit(0, vec![record]).is_err() {
            warn!(task = %stored.id, "an interrupted task could not be marked");
        }
    }
}

fn start_net(ground: &Ground<'_>, network: &Network) -> Result<(Net, mpsc::Receiver<NetEvent>), Problem> {
    let Ground { home, config, keys, .. } = *ground;
    let mut bootstrap = config.network.bootstrap.clone();
    bootstrap.extend(network.bootstrap.iter().cloned());
    bootstrap.extend(home::invited_to(home)?);
    let wanted = match config.network.listen_port {
        0 => remembered_port(home).unwrap_or(0),
        port => {
            write_port_file(home, &format!("{NAMED}{port}"));
            port
        }
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

/// Remembers the TCP port of `address` for the next start, so that others find this node again,
/// unless the configuration named it.
pub(crate) fn remember_port(home: &Home, address: &str) {
    let port = address.split("/tcp/").nth(1).and_then(|rest| rest.split('/').next());
    let Some(port) = port else { return };
    if port_file(home).is_none_or(|said| said.strip_prefix(NAMED) != Some(port)) {
        write_port_file(home, port);
    }
}

/// The free port that was taken last time.
fn remembered_port(home: &Home) -> Option<u16> {
    port_file(home)?.parse().ok()
}

fn port_file(home: &Home) -> Option<String> {
    match p2p_platform::file::read_private(&home.root().join(PORT_FILE), PORT_FILE_BYTES) {
        Ok(bytes) => Some(String::from_utf8(bytes).ok()?.trim().to_owned()),
        Err(FileError::Missing(_)) => None,
        Err(error) => {
            warn!(%error, "the port of the last time is not known");
            None
        }
    }
}

fn write_port_file(home: &Home, content: &str) {
    if let Err(error) = p2p_platform::file::write_private(&home.root().join(PORT_FILE), content.as_bytes()) {
        warn!(%error, "the port could not be remembered");
    }
}

fn net_problem(error: NetError) -> Problem {
    let code = match &error {
        NetError::PortInUse { .. } => ErrorCode::PortInUse,
        NetError::Address { .. } | NetError::Listen { .. } => ErrorCode::Config,
        NetError::Key(_) => ErrorCode::Keys,
        NetError::Stack(_) => ErrorCode::Internal,
    };
    let problem = problem::of(code, &error);
    match code {
        // The table knows the command that helps.
        ErrorCode::PortInUse => problem.with_hint(code.row().hint),
        _ => problem,
    }
}

#[cfg(test)]
pub(crate) mod tests;
