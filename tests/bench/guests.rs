//! Workers that always have something to do for guests: what caps and halts are measured on.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use p2p_inference::{ChunkOptions, Class, Leash, Pool, PoolConfig, PoolEvent, WorkOrder};
use p2p_platform::Assets;
use p2p_platform::process::Reins;
use p2p_types::TaskKind;
use tokio::sync::mpsc::Receiver;

/// Texts of one order.
const TEXTS: usize = 1000;
const LONG: Duration = Duration::from_secs(3600);

pub(crate) struct Guests {
    pub(crate) pool: Pool,
    pub(crate) leash: Leash,
    events: Receiver<PoolEvent>,
    texts: Vec<String>,
    pub(crate) orders: Vec<u64>,
    given: u64,
}

/// One worker, by its id and its reins.
pub(crate) type Worker = (u32, Reins);

impl Guests {
    /// A pool over the worker beside this program, with the lines of `sentences` for texts.
    pub(crate) fn start(sentences: &Path, workers: usize) -> Result<Self> {
        let content = fs::read_to_string(sentences).with_context(|| format!("{}", sentences.display()))?;
        let lines = content.lines().filter(|line| !line.trim().is_empty());
        let texts = lines.cycle().take(TEXTS).map(str::to_owned).collect();
        let worker = std::env::current_exe()?.with_file_name(format!("p2p-worker{}", std::env::consts::EXE_SUFFIX));
        let assets = Assets::find().context("the assets were not found")?.root;
        let (pool, events) = Pool::start(PoolConfig { worker, assets, workers, idle_after: LONG });
        let leash = pool.leash();
        Ok(Self { pool, leash, events, texts, orders: Vec::new(), given: 0 })
    }

    pub(crate) fn give(&mut self) {
        self.given += 1;
        self.orders.push(self.given);
        self.pool.run(WorkOrder {
            work_id: self.given,
            class: Class::Guest,
            kind: TaskKind::Embed,
            texts: self.texts.clone(),
            chunk: ChunkOptions::default(),
            timeout: LONG,
        });
    }

    /// Gives orders until `workers` of them are at work, each with its model loaded.
    pub(crate) async fn warm(&mut self, workers: usize) -> Result<Vec<Worker>> {
        let mut working = Vec::new();
        for _ in 0..workers {
            self.give();
        }
        while working.len() < workers {
            match self.events.recv().await {
                Some(PoolEvent::Progress { work_id, .. }) if !working.contains(&work_id) => working.push(work_id),
                Some(PoolEvent::Progress { .. }) => {}
                Some(PoolEvent::Done { work_id, .. }) => self.follow(work_id),
                other => bail!("no work: {other:?}"),
            }
        }
        let found = children()?;
        if found.len() != workers {
            bail!("{} workers, not {workers}", found.len());
        }
        found.into_iter().map(|pid| Ok((pid, Reins::take(pid)?))).collect()
    }

    /// Keeps them busy for as long as it is awaited.
    pub(crate) async fn feed(&mut self) -> Result<()> {
        loop {
            match self.events.recv().await {
                Some(PoolEvent::Progress { .. }) => {}
                Some(PoolEvent::Done { work_id, outcomes, .. }) if outcomes.iter().all(Result::is_ok) => {
                    self.follow(work_id);
                }
                other => bail!("no answers: {other:?}"),
            }
        }
    }

    fn follow(&mut self, done: u64) {
        self.orders.retain(|order| *order != done);
        self.give();
    }
}

/// Processes that this one has started and that have not ended.
pub(crate) fn children() -> Result<Vec<u32>> {
    let me = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((_, rest)) = stat.rsplit_once(") ") else { continue };
        let mut fields = rest.split(' ');
        if fields.next().is_some_and(|state| state != "Z") && fields.next() == Some(me.as_str()) {
            found.push(pid);
        }
    }
    Ok(found)
}
