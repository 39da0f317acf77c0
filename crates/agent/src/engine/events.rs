//! Telling whoever listens what changed: numbered, coalesced, and only while somebody listens.

use std::sync::Arc;

use p2p_control::Subscription;
use p2p_control::api::{Event, EventBody, NodeState, Sandbox, Snapshot, Status};
use p2p_protocol::Payer;
use p2p_types::Monotonic;
use tokio::sync::broadcast;

use super::Engine;
use crate::clock::now;
use crate::sentence::{Facts, describe};
use crate::{metrics, view};

/// Events a listener may be behind before its stream ends.
const LAG: usize = 256;
/// Changes that follow each other faster than this are told together.
const GAP_MS: u64 = 30;
/// A task of more texts than this is told without its results; they can be asked for.
const RESULTS_IN_EVENTS: usize = 64;
/// Tasks in a snapshot.
const SNAPSHOT_TASKS: usize = 50;

/// The stream of events.
#[derive(Debug)]
pub(crate) struct Events {
    sender: broadcast::Sender<Arc<Event>>,
    number: u64,
    told: Monotonic,
    due: Option<Monotonic>,
    last_status: Option<Status>,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::Sender::new(LAG), number: 0, told: Monotonic(0), due: None, last_status: None }
    }

    /// When changes that were held back are to be told.
    pub(super) const fn due(&self) -> Option<Monotonic> {
        self.due
    }

    fn send(&mut self, body: EventBody) {
        self.number += 1;
        // An error only says that nobody listens any more.
        let _ = self.sender.send(Arc::new(Event { number: self.number, body }));
    }
}

impl Engine<'_> {
    pub(super) fn subscribe(&mut self) -> Subscription {
        // What is still untold is part of the snapshot.
        let events = self.sources.events.sender.subscribe();
        let tasks = self.owners_tasks().take(SNAPSHOT_TASKS).map(view::task_summary).collect();
        let status = self.status();
        // Those who listened before may not have heard of it yet.
        if self.sources.events.sender.receiver_count() == 1 {
            self.sources.events.last_status = Some(status.clone());
        }
        let (wallet, rows) = (self.wallet(), self.newest_rows());
        let rows = if wallet.is_some() { rows } else { Vec::new() };
        let snapshot = Snapshot { status, tasks, wallet, rows };
        Subscription { snapshot, number: self.sources.events.number, events }
    }

    /// Tells what changed since the last time, where somebody listens and it is time.
    pub(super) fn tell(&mut self) {
        if self.changed_tasks.is_empty() && !self.node_changed && !self.purse.changed {
            self.sources.events.due = None;
            return;
        }
        if self.sources.events.sender.receiver_count() == 0 {
            self.changed_tasks.clear();
            self.node_changed = false;
            self.purse.changed = false;
            self.purse.untold.clear();
            self.sources.events.due = None;
            return;
        }
        let now = now().mono;
        let ended = |id: &p2p_types::TaskId| self.parts.node.task(id).is_none_or(|task| task.state.is_final());
        let urgent = self.changed_tasks.iter().any(ended);
        let soonest = self.sources.events.told.plus_ms(GAP_MS);
        if !urgent && now < soonest {
            self.sources.events.due = Some(soonest);
            return;
        }
        self.sources.events.due = None;
        self.sources.events.told = now;
        // A task that moved on changes the sentence too.
        self.node_changed |= !self.changed_tasks.is_empty();
        for id in std::mem::take(&mut self.changed_tasks) {
            let Some(task) = self.parts.node.task(&id) else { continue };
            let mut document = view::task(task);
            if document.results.len() > RESULTS_IN_EVENTS {
                document.results.clear();
            }
            self.sources.events.send(EventBody::Task(Box::new(document)));
        }
        // Whether the notary can be reached is part of both.
        if std::mem::take(&mut self.purse.changed) || self.node_changed {
            self.tell_wallet();
        }
        if std::mem::take(&mut self.node_changed) {
            let status = self.status();
            let known = self.sources.events.last_status.as_ref();
            if known.is_none_or(|known| Status { uptime_ms: status.uptime_ms, ..known.clone() } != status) {
                self.sources.events.last_status = Some(status.clone());
                self.sources.events.send(EventBody::Status(Box::new(status)));
            }
        }
    }

    fn tell_wallet(&mut self) {
        for row in std::mem::take(&mut self.purse.untold) {
            let row = self.as_it_is(row);
            self.sources.events.send(EventBody::Row(Box::new(row)));
        }
        let wallet = self.wallet();
        if let Some(wallet) = &wallet
            && self.purse.last.as_ref() != Some(wallet)
        {
            self.sources.events.send(EventBody::Wallet(Box::new(wallet.clone())));
        }
        self.purse.last = wallet;
    }

    /// Newest first; canaries are not the owner's.
    pub(super) fn owners_tasks(&self) -> impl Iterator<Item = &p2p_protocol::Task> {
        self.parts.node.tasks().filter(|task| task.payer == Payer::Owner)
    }

    pub(super) fn status(&self) -> Status {
        let parts = &self.parts;
        let node = &parts.node;
        let (open, guests, guests_done) = node.counts();
        let peers: Vec<_> = node.peers().map(|(device, peer)| view::peer_summary(node, *device, peer)).collect();
        let connected = peers.iter().filter(|peer| peer.connected).count();
        let cannot_compute = parts.cannot_compute.as_ref().filter(|_| node.abilities().is_empty());
        let rules = self.sources.rules.why_not(now());
        let own_waits = self.sources.rules.why_not_mine(now());
        let (mut state, sentence) = describe(&Facts {
            network: node.network().map(|network| network.name.as_str()),
            connected,
            alone: self.alone(),
            own_tasks: open,
            guest_tasks: guests,
            paused: node.paused(),
            rules: rules.as_deref(),
            own_waits: own_waits.as_deref(),
            cannot_compute: cannot_compute.map(|problem| problem.detail.as_str()),
            now: now().wall,
        });
        if self.exit == Some(super::Exit::Stop) {
            state = NodeState::Stopping;
        }
        let mut warnings = parts.warnings.clone();
        if let Some(why) = &self.storage_trouble {
            warnings.push(format!("Nothing can be written: {why}. Check the disk's room and rights"));
        }
        Status {
            state,
            sentence,
            device_id: parts.identity.device_id,
            account_id: parts.identity.account_id,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_ms: uptime_ms(),
            ready_in_ms: parts.ready_in_ms,
            home: parts.home.root().display().to_string(),
            config_file: parts.home.named_config().map(|path| path.display().to_string()),
            peers: peers.into_iter().filter(|peer| peer.connected || peer.trusted).collect(),
            network: node.network().map(view::network_summary),
            listening: self.listening.clone(),
            dashboard: parts.dashboard.clone(),
            paused_by_hand: node.paused().is_some(),
            paused_until_ms: node.paused().flatten().map(|until| until.0),
            open_tasks: u32::try_from(open).unwrap_or(u32::MAX),
            guest_tasks: u32::try_from(guests).unwrap_or(u32::MAX),
            guest_tasks_done: guests_done,
            sandbox: self.sources.pool.sandbox().map(|level| Sandbox {
                whole: level.is_whole(),
                reached: match self.sources.pool.backstop() {
                    Some(backstop) => format!("{level}; {backstop}"),
                    None => level.to_string(),
                },
            }),
            can_compute: !node.abilities().is_empty(),
            warnings,
        }
    }

    pub(super) fn metrics(&self) -> String {
        let node = &self.parts.node;
        let (open_tasks, guest_tasks, guest_tasks_done) = node.counts();
        let gauges = metrics::Gauges {
            peers: node.peers().filter(|(_, peer)| peer.connected).count(),
            open_tasks,
            guest_tasks,
            guest_tasks_done,
            resident_bytes: p2p_platform::process::resident_bytes().unwrap_or_default(),
            uptime_ms: uptime_ms(),
            ready_in_ms: self.parts.ready_in_ms,
            paused: node.paused().is_some(),
        };
        let mut text = metrics::render(&self.counters, &gauges);
        if let Some(net) = &self.parts.net {
            text.push_str(&net.metrics());
        }
        text
    }
}

/// Since the process started.
pub(crate) fn uptime_ms() -> u64 {
    u64::try_from(p2p_platform::process::started().elapsed().as_millis()).unwrap_or(u64::MAX)
}
