//! The loop: one owner of the machine, one event at a time, in a fixed order of priority.

mod calls;
mod effects;
mod events;
mod history;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use p2p_control::Call;
use p2p_control::api::{Identity, NearbyNetwork};
use p2p_inference::{Pool, PoolEvent};
use p2p_net::{Net, NetEvent, PublishedId};
use p2p_platform::Home;
use p2p_protocol::{Input, Node};
use p2p_store::{Committed, Store};
use p2p_types::{DeviceId, Hash, Monotonic, NetworkId, TaskId, TaskKind, Timestamp};
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use crate::clock::now;
use crate::config::Config;
use crate::metrics::Counters;
use effects::Held;

pub(crate) use effects::SEQUENCE_LANE;
pub(crate) use events::{Events, uptime_ms};
pub(crate) use history::{document as history_document, problem as storage_problem};

/// Published messages that wait for a judgement.
const UNJUDGED: usize = 256;
/// Networks announced nearby that are remembered.
const NEARBY: usize = 64;
/// The longest the loop sleeps: a deadline of the machine is looked at again at least this often,
/// because computers sleep too.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// What the host gives the engine for one run.
pub(crate) struct Parts {
    pub(crate) home: Home,
    pub(crate) config: Config,
    pub(crate) identity: Identity,
    pub(crate) node: Node,
    pub(crate) net: Option<Net>,
    pub(crate) store: Store,
    pub(crate) abilities: BTreeMap<TaskKind, Hash>,
    /// Why nothing can be computed here, where that is so.
    pub(crate) cannot_compute: Option<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) dashboard: Option<String>,
    pub(crate) ready_in_ms: u64,
    /// Nodes this one was connected to before.
    pub(crate) known: Vec<(DeviceId, Vec<String>, Timestamp)>,
}

/// What outlives a run: the network may change under a running daemon.
pub(crate) struct Sources {
    pub(crate) calls: mpsc::Receiver<Call>,
    pub(crate) committed: mpsc::Receiver<Committed>,
    pub(crate) pool: Pool,
    pub(crate) pool_events: mpsc::Receiver<PoolEvent>,
    pub(crate) events: Events,
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
    held: VecDeque<Held>,
    next_token: u64,
    published: BTreeMap<u64, PublishedId>,
    next_published: u64,
    nearby: BTreeMap<NetworkId, NearbyNetwork>,
    listening: Vec<String>,
    changed_tasks: BTreeSet<TaskId>,
    node_changed: bool,
    /// The last thing that could not be written, while it lasts.
    storage_trouble: Option<String>,
    exit: Option<Exit>,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(parts: Parts, sources: &'a mut Sources) -> Self {
        Self {
            parts,
            sources,
            counters: Counters::default(),
            held: VecDeque::new(),
            next_token: 1,
            published: BTreeMap::new(),
            next_published: 1,
            nearby: BTreeMap::new(),
            listening: Vec::new(),
            changed_tasks: BTreeSet::new(),
            node_changed: true,
            storage_trouble: None,
            exit: None,
        }
    }

    /// Runs until somebody says stop, or the network changes.
    pub(crate) async fn run(mut self, mut net_events: mpsc::Receiver<NetEvent>) -> Exit {
        let kinds = self.parts.abilities.clone();
        self.feed(Input::Able { kinds, slots: self.parts.config.work.workers });
        self.dial_known();
        loop {
            if let Some(exit) = self.exit {
                break self.leave(exit).await;
            }
            let deadline = self.sleep();
            tokio::select! {
                biased;
                Some(event) = self.sources.pool_events.recv() => self.on_pool(event),
                Some(committed) = self.sources.committed.recv() => self.on_committed(committed),
                Some(call) = self.sources.calls.recv() => self.on_call(call),
                () = tokio::time::sleep(deadline) => self.feed(Input::Tick),
                Some(event) = net_events.recv() => self.on_net(event),
            }
            self.tell();
        }
    }

    /// How long nothing needs to be done.
    fn sleep(&self) -> Duration {
        let until = |at: Monotonic| Duration::from_micros(at.since(now().mono));
        let machine = self.parts.node.next_deadline().map_or(LONGEST_SLEEP, until);
        let events = self.sources.events.due().map_or(LONGEST_SLEEP, until);
        machine.min(events).min(LONGEST_SLEEP)
    }

    /// One mutation of the machine, and all that follows from it.
    fn feed(&mut self, input: Input) {
        self.parts.node.handle(now(), input);
        self.perform();
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
                self.feed(Input::WorkDone { work_id, outcomes, queued_us, compute_us });
            }
            PoolEvent::Progress { work_id, done } => self.feed(Input::WorkProgress { work_id, done }),
            PoolEvent::Unavailable { work_id, reason } => {
                warn!(reason, "the worker cannot start");
                self.counters.workers_lost += 1;
                self.parts.cannot_compute = Some(reason.clone());
                self.feed(Input::WorkUnavailable { work_id, reason });
            }
        }
    }

    fn on_net(&mut self, event: NetEvent) {
        match event {
            NetEvent::Listening { address } => {
                info!(address, "listening");
                crate::host::remember_port(&self.parts.home, &address);
                self.listening.push(address);
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

    /// Ends a run: what is on its way to the disk gets there, and the others see us go.
    async fn leave(mut self, exit: Exit) -> Exit {
        self.tell();
        while !self.held.is_empty() {
            match tokio::time::timeout(Duration::from_secs(2), self.sources.committed.recv()).await {
                Ok(Some(committed)) => self.on_committed(committed),
                _ => break,
            }
        }
        if let Some(net) = self.parts.net.take() {
            net.shutdown().await;
        }
        exit
    }
}
