//! The loop: one owner of the machine, one event at a time, in a fixed order of priority.

mod alone;
mod calls;
mod canaries;
mod computer;
mod effects;
mod events;
mod held;
mod history;
mod ruling;
mod usage;
mod wallet;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use p2p_control::Call;
use p2p_control::api::{Identity, NearbyNetwork, Problem};
use p2p_inference::{Pool, PoolEvent};
use p2p_net::{Net, NetEvent, PublishedId};
use p2p_platform::{Alarm, Home, Keys};
use p2p_protocol::{Input, Node};
use p2p_store::{Committed, Store};
use p2p_types::{DeviceId, Hash, Monotonic, NetworkId, TaskId, TaskKind, Timestamp};
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use crate::clock::now;
use crate::computer::Computer;
use crate::config::Config;
use crate::metrics::Counters;
use crate::rules::Rules;
use crate::unable;
use crate::wallet::Lanes;
use canaries::Canaries;
use held::Held;
use written::Written;

pub(crate) use effects::SEQUENCE_LANE;
pub(crate) use events::{Events, uptime_ms};
pub(crate) use history::problem as storage_problem;

/// Published messages that wait for a judgement.
const UNJUDGED: usize = 256;
/// Networks announced nearby that are remembered.
const NEARBY: usize = 64;
/// Workers that could not start are tried again after this time, then after twice as long each time.
const FIRST_PATIENCE_MS: u64 = 30_000;
const LONGEST_PATIENCE_MS: u64 = 600_000;
/// The longest the loop sleeps where nothing is due at all.
const LONGEST_SLEEP_MS: u64 = 3_600_000;

/// What the host gives the engine for one run.
pub(crate) struct Parts {
    pub(crate) home: Home,
    pub(crate) config: Config,
    pub(crate) keys: Arc<Keys>,
    pub(crate) identity: Identity,
    pub(crate) node: Node,
    /// `None` where the node is in no network.
    pub(crate) lanes: Option<Lanes>,
    pub(crate) net: Option<Net>,
    pub(crate) store: Store,
    pub(crate) abilities: BTreeMap<TaskKind, Hash>,
    /// Why nothing can be computed here, where that is so.
    pub(crate) cannot_compute: Option<Problem>,
    pub(crate) warnings: Vec<String>,
    pub(crate) dashboard: Option<String>,
    pub(crate) ready_in_ms: u64,
    /// Nodes this one was connected to before.
    pub(crate) known: Vec<(DeviceId, Vec<String>, Timestamp)>,
    /// What was used before.
    pub(crate) usage: Option<p2p_store::Usage>,
}

/// What outlives a run: the network may change under a running daemon.
pub(crate) struct Sources {
    pub(crate) calls: mpsc::Receiver<Call>,
    pub(crate) committed: mpsc::Receiver<Committed>,
    pub(crate) pool: Pool,
    pub(crate) pool_events: mpsc::Receiver<PoolEvent>,
    pub(crate) rules: Rules,
    pub(crate) alarm: Alarm,
    pub(crate) computer: Computer,
    pub(crate) events: Events,
    pub(crate) numbers: Numbers,
}

/// What is numbered without ever starting again, because answers of an earlier run may still come.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    /// The last commit's token.
    token: u64,
    /// The highest id of an order to the pool.
    work: u64,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Stop,
    /// The home belongs to another network now.
    Reload,
}

pub(crate) struct Engine<'a> {
    parts: Parts,
    sources: &'a mut Sources,
    counters: Counters,
    /// Outputs that wait for the disk, in order.
    held: Held,
    /// Who gave an order that outlives the process, and hears of it once it is on disk.
    written: Written<calls::Kept>,
    /// The last commit that the store did not take.
    not_taken: u64,
    /// Ids of the pool's orders are those of the machine plus this.
    work_base: u64,
    /// Orders that the pool has.
    running: BTreeSet<u64>,
    /// What the machine was told of the rules last: guests, own work, duties.
    ruled: Option<(bool, bool, bool)>,
    usage: usage::Counted,
    /// When what cannot be computed here is tried again, and how long after that once more.
    try_again: Option<Monotonic>,
    patience_ms: u64,
    /// Whether there are other nodes in the network, as far as its papers tell.
    expects_others: bool,
    /// Until when it is no wonder that nobody is connected.
    looking_until: Option<Monotonic>,
    published: BTreeMap<u64, PublishedId>,
    next_published: u64,
    nearby: BTreeMap<NetworkId, NearbyNetwork>,
    listening: Vec<String>,
    changed_tasks: BTreeSet<TaskId>,
    node_changed: bool,
    purse: wallet::Purse,
    /// On the computer that plays the network's canary issuer.
    canaries: Option<Canaries>,
    canaries_due: bool,
    /// Inputs that follow from outputs, for after those are performed.
    later: Vec<Input>,
    /// The last thing that could not be written, while it lasts.
    storage_trouble: Option<String>,
    exit: Option<Exit>,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(parts: Parts, sources: &'a mut Sources) -> Self {
        let expects_others = alone::expects_others(&parts);
        Self {
            work_base: sources.numbers.work,
            usage: usage::Counted::new(parts.usage),
            parts,
            sources,
            counters: Counters::default(),
            held: Held::default(),
            written: Written::default(),
            not_taken: 0,
            running: BTreeSet::new(),
            ruled: None,
            try_again: None,
            patience_ms: FIRST_PATIENCE_MS,
            expects_others,
            looking_until: Some(now().mono.plus_ms(alone::LOOKING_MS)),
            published: BTreeMap::new(),
            next_published: 1,
            nearby: BTreeMap::new(),
            listening: Vec::new(),
            changed_tasks: BTreeSet::new(),
            node_changed: true,
            purse: wallet::Purse::default(),
            canaries: None,
            canaries_due: false,
            later: Vec::new(),
            storage_trouble: None,
            exit: None,
        }
    }

    /// Runs until somebody says stop, or the network changes.
    pub(crate) async fn run(mut self, mut net_events: mpsc::Receiver<NetEvent>) -> Exit {
        let mut kept = self.open_books();
        self.begin_rules();
        self.be_able();
        self.dial_known();
        // Those who listened to an earlier run hear of the new network at once.
        self.tell();
        loop {
            if let Some(exit) = self.exit {
                break self.leave(exit).await;
            }
            let deadline = self.next_deadline();
            tokio::select! {
                biased;
                Some(event) = self.sources.pool_events.recv() => self.on_pool_counted(event),
                Some(committed) = self.sources.committed.recv() => self.on_committed(committed),
                Some(kept) = kept.recv() => self.on_kept(kept),
                // Before calls, of which there may be many: plugs, heat and leases wait for nobody.
                told = self.sources.rules.hear() => self.on_told(told),
                () = self.sources.alarm.until(deadline) => self.on_time(),
                Some(call) = self.sources.calls.recv() => self.on_call(call),
                Some(event) = net_events.recv() => self.on_net(event),
            }
            if std::mem::take(&mut self.canaries_due) {
                self.tend_canaries();
            }
            self.tell();
        }
    }

    /// When something needs to be done at the latest.
    fn next_deadline(&self) -> Monotonic {
        let now = now();
        let due = [
            self.parts.node.next_deadline(now),
            self.sources.events.due(),
            self.try_again,
            self.held.retry_at(),
            self.looking_until,
            self.canaries_deadline(),
            self.sources.rules.next_deadline(now),
            self.usage.due(),
        ];
        due.into_iter().flatten().min().unwrap_or_else(|| now.mono.plus_ms(LONGEST_SLEEP_MS))
    }

    fn on_time(&mut self) {
        let now = now().mono;
        if self.try_again.is_some_and(|at| at <= now) {
            self.try_again = None;
            self.parts.cannot_compute = None;
            self.be_able();
        }
        if self.held.retry_at().is_some_and(|at| at <= now) {
            self.write_again();
        }
        if self.looking_until.is_some_and(|at| at <= now) {
            self.looking_until = None;
            self.node_changed = true;
        }
        self.sources.rules.tick(crate::clock::now());
        self.rule();
        if self.usage.due().is_some_and(|at| at <= now) {
            self.count_usage();
        }
        self.canaries_due |= self.canaries_deadline().is_some_and(|at| at <= now);
        self.feed(Input::Tick);
    }

    /// Says what this computer can compute, with all its workers.
    fn be_able(&mut self) {
        let kinds = self.parts.abilities.clone();
        self.feed(Input::Able { kinds, slots: self.parts.config.work.workers });
    }

    /// One mutation of the machine, and all that follows from it.
    fn feed(&mut self, input: Input) {
        self.parts.node.handle(now(), input);
        self.perform();
        while let Some(input) = self.later.pop() {
            self.parts.node.handle(now(), input);
            self.perform();
        }
    }

    /// The same, once what is being performed is.
    fn feed_later(&mut self, input: Input) {
        self.later.push(input);
    }

    fn dial_known(&self) {
        let Some(net) = &self.parts.net else { return };
        for (device, addresses, _) in self.parts.known.iter().take(16) {
            net.dial(Some(*device), addresses.clone());
        }
    }

    fn on_pool(&mut self, event: PoolEvent) {
        match event {
            PoolEvent::Done { work_id, outcomes, queued_us, compute_us } => {
                let Some(work_id) = self.finished(work_id) else { return };
                self.patience_ms = FIRST_PATIENCE_MS;
                self.feed(Input::WorkDone { work_id, outcomes, queued_us, compute_us });
            }
            PoolEvent::Progress { work_id, done } => {
                if let Some(work_id) = work_id.checked_sub(self.work_base) {
                    self.feed(Input::WorkProgress { work_id, done });
                }
            }
            PoolEvent::Unavailable { work_id, why } => {
                let Some(work_id) = self.finished(work_id) else { return };
                warn!(cause = ?why.cause, reason = why.reason, "the workers can compute nothing");
                self.counters.orders_not_begun += 1;
                self.parts.cannot_compute = Some(unable::by_worker(&why));
                // Somebody may mend it, and some troubles pass by themselves.
                self.try_again = Some(now().mono.plus_ms(self.patience_ms));
                self.patience_ms = (self.patience_ms * 2).min(LONGEST_PATIENCE_MS);
                self.feed(Input::WorkUnavailable { work_id, reason: why.reason });
            }
        }
    }

    /// The machine's id of an order that the pool has ended; `None` for one of an earlier run.
    fn finished(&mut self, work_id: u64) -> Option<u64> {
        let known = self.running.remove(&work_id);
        self.sources.rules.set_busy(!self.running.is_empty());
        known.then(|| work_id.checked_sub(self.work_base)).flatten()
    }

    fn on_net(&mut self, event: NetEvent) {
        match event {
            NetEvent::Listening { address } => {
                info!(address, "listening");
                crate::host::remember_port(&self.parts.home, &address);
                // Interfaces come and go: what counts now is all that others are told.
                self.listening = self.parts.net.as_ref().map(Net::listening).unwrap_or_default();
                self.feed(Input::Listening { addresses: self.listening.clone() });
            }
            NetEvent::PeerUp { device, addresses, agent, protocols } => {
                info!(%device, agent, "connected");
                self.feed(Input::PeerUp { device, addresses, protocols });
            }
            NetEvent::PeerDown { device, reason } => {
                info!(%device, reason, "disconnected");
                self.feed(Input::PeerDown { device });
            }
            NetEvent::Received { from, frame } => self.feed(Input::Received { from, frame }),
            NetEvent::Published { id, message, .. } => {
                if self.published.len() >= UNJUDGED {
                    self.published.pop_first();
                }
                let number = self.next_published;
                self.next_published += 1;
                self.published.insert(number, id);
                self.feed(Input::Published { id: number, message });
            }
            NetEvent::Latency { device, rtt } => {
                let rtt_us = u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX);
                self.feed(Input::Latency { device, rtt_us });
            }
            NetEvent::Providers { key, devices } => debug!(%key, found = devices.len(), "providers"),
            NetEvent::Nearby { id, name } => {
                // Nobody signed it: it must not look like what it is not.
                let name = name.chars().filter(|letter| !p2p_protocol::is_hidden(*letter)).collect();
                if self.nearby.len() < NEARBY || self.nearby.contains_key(&id) {
                    self.nearby.insert(id, NearbyNetwork { id, name, seen_ms: now().wall.0 });
                }
            }
            NetEvent::Refused { device, reason } => {
                warn!(device = device.map(|device| device.to_string()), reason, "turned away");
                self.counters.refused += 1;
            }
        }
    }

    /// Ends a run: open tasks end and are told, what is on its way to the disk gets there, and the
    /// others see us go.
    async fn leave(mut self, exit: Exit) -> Exit {
        let open = self.parts.node.tasks().filter(|task| !task.state.is_final()).map(|task| task.id);
        for task in open.collect::<Vec<_>>() {
            self.feed(Input::Cancel { task });
        }
        for work_id in std::mem::take(&mut self.running) {
            self.sources.pool.stop(work_id);
        }
        self.end_canaries();
        match exit {
            Exit::Stop => {
                self.end_rules();
                self.end_computer();
            }
            Exit::Reload => self.close_usage(),
        }
        self.tell();
        self.settle_disk().await;
        self.close_books();
        if let Some(net) = self.parts.net.take() {
            net.shutdown().await;
        }
        exit
    }
}

#[cfg(test)]
mod tests;
