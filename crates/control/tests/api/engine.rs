//! An engine for tests: it answers every call with a sample, and writes down what it was asked.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use p2p_control::api::*;
use p2p_control::{Call, Client, LogSource, Server, Subscription};
use p2p_platform::socket::Listener;
use p2p_types::{AccountId, DeviceId, NetworkId, Placement, Priority, Privacy, TaskId, TaskKind};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;

use crate::{computer, credits, rules};

pub(crate) const DEVICE: DeviceId = DeviceId([1; 32]);
pub(crate) const ACCOUNT: AccountId = AccountId([2; 32]);
pub(crate) const NETWORK: NetworkId = NetworkId([3; 32]);
pub(crate) const TASK: TaskId = TaskId([4; 16]);
pub(crate) const SNAPSHOT: u64 = 7;
/// How far a reader of the events may be behind.
pub(crate) const LAG: usize = 4;

/// A server at a local door, and the engine behind it.
pub(crate) struct Node {
    folder: tempfile::TempDir,
    pub(crate) socket: PathBuf,
    pub(crate) server: Server,
    pub(crate) door: JoinHandle<()>,
    pub(crate) logs: LogSource,
    pub(crate) events: broadcast::Sender<Arc<Event>>,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    pub(crate) engine: JoinHandle<()>,
    touches: Arc<AtomicUsize>,
}

impl Node {
    pub(crate) fn start() -> Self {
        Self::with_ui(|_| None)
    }

    pub(crate) fn with_ui(ui: impl FnOnce(&std::path::Path) -> Option<PathBuf>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("run/control.sock");
        let (calls, received) = mpsc::channel(8);
        let events = broadcast::Sender::new(LAG);
        let asked = Arc::default();
        let engine = tokio::spawn(answer(received, events.clone(), Arc::clone(&asked)));
        let logs = LogSource::new();
        let touches = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&touches);
        let server = Server::new(calls, logs.clone(), ui(folder.path())).when_touched(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let door = server.serve_local(Listener::bind(&socket).expect("a free place"));
        Self { folder, socket, server, door, logs, events, asked, engine, touches }
    }

    /// How often somebody was said to have touched the computer.
    pub(crate) fn touches(&self) -> usize {
        self.touches.load(Ordering::SeqCst)
    }

    pub(crate) async fn client(&self) -> Client {
        assert!(self.folder.path().exists());
        Client::connect(&self.socket).await.expect("the server listens")
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }

    pub(crate) fn send(&self, number: u64, sentence: &str) {
        let body = EventBody::Status(Box::new(Status { sentence: sentence.to_owned(), ..status() }));
        self.events.send(Arc::new(Event { number, body })).expect("somebody listens");
    }
}

async fn answer(
    mut calls: mpsc::Receiver<Call>,
    events: broadcast::Sender<Arc<Event>>,
    asked: Arc<Mutex<Vec<String>>>,
) {
    while let Some(call) = calls.recv().await {
        asked.lock().expect("no panic").push(describe(&call));
        // Who asked may have gone.
        match call {
            Call::Status(reply) | Call::Resume(reply) | Call::Pause(_, reply) => drop(reply.send(Ok(status()))),
            Call::Subscribe(reply) => {
                let snapshot = Snapshot {
                    status: status(),
                    tasks: vec![summary()],
                    wallet: Some(credits::wallet()),
                    rows: vec![credits::row()],
                };
                let events = events.subscribe();
                drop(reply.send(Ok(Subscription { snapshot, number: SNAPSHOT, events })));
            }
            Call::Computer(reply) => drop(reply.send(Ok(computer::computer()))),
            Call::Shutdown(reply) | Call::LeaveNetwork(reply) => drop(reply.send(Ok(()))),
            Call::Peers(reply) => drop(reply.send(Ok(vec![peer_summary()]))),
            Call::Peer(DEVICE, reply) | Call::Trust(DEVICE, _, reply) => drop(reply.send(Ok(peer()))),
            Call::Peer(other, reply) | Call::Trust(other, _, reply) => {
                drop(reply.send(Err(Problem::new(ErrorCode::NoSuchPeer, format!("{other} was never seen")))));
            }
            Call::Submit(_, reply) | Call::Task(_, reply) | Call::Cancel(_, reply) => drop(reply.send(Ok(task()))),
            Call::Tasks(reply) => drop(reply.send(Ok(vec![summary()]))),
            Call::Identity(reply) => drop(reply.send(Ok(identity()))),
            Call::Network(reply) | Call::CreateNetwork(_, reply) | Call::JoinNetwork(_, reply) => {
                drop(reply.send(Ok(network())));
            }
            Call::Invite(reply) => {
                drop(reply.send(Ok(Invite { link: "p2p-agent://invite/x".to_owned(), expires_ms: 9 })));
            }
            Call::Nearby(reply) => {
                drop(reply.send(Ok(vec![NearbyNetwork { id: NETWORK, name: "home".to_owned(), seen_ms: 8 }])));
            }
            Call::Config(reply) => drop(reply.send(Ok(vec![setting("log.level")]))),
            Call::SetConfig(key, _, reply) => drop(reply.send(Ok(setting(&key)))),
            Call::Departures(reply) => drop(reply.send(Ok(vec![departure()]))),
            Call::Quote(_, reply) => drop(reply.send(Ok(credits::quote()))),
            Call::Wallet(reply) => drop(reply.send(Ok(credits::wallet()))),
            Call::WalletRows(_, reply) => drop(reply.send(Ok(credits::rows()))),
            Call::WalletStats(_, reply) => drop(reply.send(Ok(credits::stats()))),
            Call::Schedule(reply) => drop(reply.send(Ok(rules::schedule()))),
            Call::Timeline(_, reply) => drop(reply.send(Ok(rules::timeline()))),
            Call::Signals(_, reply) => drop(reply.send(Ok(()))),
            Call::WalletVerify(reply) => drop(reply.send(Ok(credits::check()))),
            Call::Metrics(reply) => drop(reply.send(Ok("p2p_peers 1\n".to_owned()))),
        }
    }
}

/// The call without the way back.
fn describe(call: &Call) -> String {
    let text = format!("{call:?}");
    let end = text.find("Sender {").unwrap_or(text.len());
    text[..end].trim_end_matches(['(', ' ', ',']).to_owned()
}

pub(crate) fn status() -> Status {
    Status {
        state: NodeState::Waiting,
        sentence: "Waiting for work".to_owned(),
        device_id: DEVICE,
        account_id: ACCOUNT,
        version: "0.1.0".to_owned(),
        pid: 42,
        uptime_ms: 1000,
        ready_in_ms: 200,
        home: "/home/a".to_owned(),
        config_file: None,
        peers: vec![peer_summary()],
        network: Some(NetworkSummary { id: NETWORK, name: "home".to_owned(), kind: NetworkKind::Local }),
        listening: vec!["/ip4/127.0.0.1/tcp/9000".to_owned()],
        dashboard: None,
        paused_by_hand: false,
        paused_until_ms: None,
        open_tasks: 1,
        guest_tasks: 0,
        guest_tasks_done: 3,
        sandbox: None,
        can_compute: true,
        warnings: vec!["the disk is nearly full".to_owned()],
    }
}

pub(crate) fn task() -> Task {
    let stage = |stage, provider| StageRecord {
        stage,
        at_ms: 5,
        elapsed_us: 6,
        provider,
        detail: "asked 3 computers".to_owned(),
    };
    Task {
        task_id: TASK,
        kind: TaskKind::Sentiment,
        privacy: Privacy::Trusted,
        placement: Placement::Network,
        priority: Priority::Normal,
        state: TaskState::Partial,
        stages: vec![stage(TaskStage::Searching, None), stage(TaskStage::Done, Some(DEVICE))],
        texts: 5,
        finished: 4,
        submitted_ms: 4,
        duration_us: None,
        results: vec![
            Some(TaskResult::Label { label: "positive".to_owned(), score: 0.75 }),
            Some(TaskResult::Embedding { embedding: vec![0.5, -0.25] }),
            Some(TaskResult::Chunks { chunks: vec![Chunk { start: 0, end: 9, tokens: 3 }] }),
            Some(TaskResult::Error {
                error: TextError { code: ErrorCode::EmptyText, message: "the text is empty".to_owned() },
            }),
            None,
        ],
        providers: vec![DEVICE],
        receipts: Vec::new(),
        error: None,
    }
}

pub(crate) fn summary() -> TaskSummary {
    let Task { task_id, kind, state, texts, finished, submitted_ms, duration_us, providers, .. } = task();
    TaskSummary { task_id, kind, state, texts, finished, submitted_ms, duration_us, providers }
}

pub(crate) fn peer_summary() -> PeerSummary {
    PeerSummary { device_id: DEVICE, connected: true, trusted: false, latency_ms: Some(1.5), accepting: true }
}

pub(crate) fn peer() -> PeerDetails {
    PeerDetails {
        device_id: DEVICE,
        account_id: Some(ACCOUNT),
        connected: true,
        trusted: true,
        latency_ms: None,
        accepting: true,
        agent_version: Some("0.1.0".to_owned()),
        protocols: vec!["/p2p-agent/1".to_owned()],
        addresses: Vec::new(),
        kinds: vec!["embed".to_owned()],
        workers: 2,
        load: 0.5,
        connected_since_ms: Some(3),
        tasks_done: 4,
        tasks_failed: 0,
    }
}

pub(crate) fn identity() -> Identity {
    Identity {
        device_id: DEVICE,
        account_id: ACCOUNT,
        keys: KeyStorage::File,
        keys_detail: "in files".to_owned(),
        certificate: "AA==".to_owned(),
    }
}

pub(crate) fn network() -> NetworkDetails {
    NetworkDetails {
        id: NETWORK,
        name: "home".to_owned(),
        kind: NetworkKind::Closed,
        founder: ACCOUNT,
        created_ms: 1,
        epoch: 0,
        committee: vec![DEVICE],
        bootstrap: Vec::new(),
        members_trusted: false,
        file: "AA==".to_owned(),
    }
}

pub(crate) fn setting(key: &str) -> ConfigEntry {
    ConfigEntry {
        key: key.to_owned(),
        value: serde_json::json!("info"),
        source: "default".to_owned(),
        help: "How much is logged".to_owned(),
        needs_restart: false,
    }
}

pub(crate) fn departure() -> Departure {
    Departure {
        at_ms: 1,
        to: DEVICE,
        task_id: TASK,
        kind: TaskKind::Embed,
        privacy: Privacy::Public,
        texts: 2,
        bytes: 30,
    }
}

pub(crate) fn line(message: &str) -> LogLine {
    LogLine { at_ms: 1, level: "INFO".to_owned(), target: "test".to_owned(), message: message.to_owned() }
}
