//! A pool over the real worker, and what tests ask of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use p2p_inference::{ChunkOptions, Class, Pool, PoolConfig, PoolEvent, Unable, WorkOrder};
use p2p_types::{Output, TaskKind, TextFailure};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

pub(crate) type Outcomes = Vec<Result<Output, TextFailure>>;

/// The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Bench {
    pub(crate) pool: Pool,
    pub(crate) events: Receiver<PoolEvent>,
    next: u64,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    pub(crate) fn with(config: PoolConfig) -> Self {
        let (pool, events) = Pool::start(config);
        Self { pool, events, next: 1 }
    }

    /// Gives an order and does not wait.
    pub(crate) fn give(&mut self, order: WorkOrder) -> u64 {
        let work_id = self.next;
        self.next += 1;
        self.pool.run(WorkOrder { work_id, ..order });
        work_id
    }

    /// The next event that is no progress.
    pub(crate) async fn end(&mut self) -> PoolEvent {
        loop {
            let event = timeout(PATIENCE, self.events.recv()).await.expect("an event in time").expect("a pool");
            if !matches!(event, PoolEvent::Progress { .. }) {
                return event;
            }
        }
    }

    pub(crate) async fn outcomes(&mut self, order: WorkOrder) -> Outcomes {
        let id = self.give(order);
        match self.end().await {
            PoolEvent::Done { work_id, outcomes, .. } if work_id == id => outcomes,
            other => panic!("no outcomes: {other:?}"),
        }
    }

    pub(crate) async fn unavailable(&mut self, order: WorkOrder) -> Unable {
        let id = self.give(order);
        match self.end().await {
            PoolEvent::Unavailable { work_id, why } if work_id == id => why,
            other => panic!("not unavailable: {other:?}"),
        }
    }

    pub(crate) async fn embed(&mut self, texts: &[String]) -> Vec<Vec<i8>> {
        let outcomes = self.outcomes(order(TaskKind::Embed, texts)).await;
        outcomes
            .into_iter()
            .map(|outcome| match outcome {
                Ok(Output::Embedding(vector)) => vector.values,
                other => panic!("no embedding: {other:?}"),
            })
            .collect()
    }
}

pub(crate) fn config() -> PoolConfig {
    PoolConfig { worker: worker(), assets: assets(), workers: 1, idle_after: Duration::from_secs(60) }
}

pub(crate) fn worker() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_p2p-worker"))
}

/// The folder that `cargo xtask models` filled.
pub(crate) fn assets() -> PathBuf {
    let beside = worker().ancestors().map(|folder| folder.join("assets")).find(|folder| folder.join("models").is_dir());
    std::env::var_os("P2P_AGENT_ASSETS")
        .map(PathBuf::from)
        .or(beside)
        .expect("the assets are missing - this test needs the model - run `cargo xtask models`")
}

/// An order with time enough.
pub(crate) fn order(kind: TaskKind, texts: &[String]) -> WorkOrder {
    let chunk = ChunkOptions { tokens: 64, overlap: 8 };
    WorkOrder { work_id: 0, class: Class::Mine, kind, texts: texts.to_vec(), chunk, timeout: PATIENCE }
}

pub(crate) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// Processes that run the real worker and are children of this process.
pub(crate) fn workers() -> Vec<u32> {
    let me = std::process::id();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("Linux").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((name, rest)) = stat.rsplit_once(") ") else { continue };
        let mut fields = rest.split(' ');
        let alive = fields.next().is_some_and(|state| state != "Z");
        let parent = fields.next().and_then(|parent| parent.parse().ok());
        if alive && parent == Some(me) && name.ends_with("(p2p-worker") {
            found.push(pid);
        }
    }
    found
}

/// Waits until `wanted` holds.
pub(crate) async fn until(what: &str, mut wanted: impl FnMut() -> bool) {
    let waited = async {
        while !wanted() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("never came: {what}"));
}

/// What a worker says before its first order, for `printf`: a hello, and that it closed nothing.
pub(crate) const GREETING: &str =
    r"\002\000\000\000\000\004\015\000\000\000\005\000\000\000\000\000\000\000\000\000\000\000\000";

/// How many bytes the daemon says before its first order.
pub(crate) fn bytes_before_orders(assets: &Path) -> usize {
    let path = assets.to_string_lossy().len();
    let hello = 4 + 2 + if path < 128 { 1 } else { 2 } + path;
    // A length, a variant, and a number of five bytes.
    hello + 4 + 1 + 5
}

/// A program in the worker's place: a script of the shell.
pub(crate) fn script(folder: &Path, body: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("worker.sh");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("may run");
    path
}
