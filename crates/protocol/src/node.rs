//! One node: routes what comes in to the conversations, and gathers what goes out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use p2p_ledger::{LaneId, Notary};
use p2p_types::{
    AccountId, Credits, DeviceId, Hash, Monotonic, NetworkId, Now, Privacy, Scheme, TaskId, TaskKind, Timestamp,
};

use crate::io::{Input, Output, Rejection, Restored, TaskRequest};
use crate::network::Network;
use crate::pay::{Balance, Money, Pay, Payer, Pending};
use crate::peers::{Peer, Peers, clean_addresses};
use crate::post::Post;
use crate::provider::Provider;
use crate::requester::{Requester, Surroundings, Task};
use crate::work::Queue;

mod hearing;
mod telling;
mod working;

use telling::Telling;

/// What is fixed for the life of a node.
#[derive(Debug)]
pub struct Config {
    /// `None` where the node is in no network: own work runs here.
    pub network: Option<Network>,
    pub account: AccountId,
    /// The account's signed certificate for this device.
    pub certificate: Vec<u8>,
    /// In a closed network: the signed membership.
    pub membership: Vec<u8>,
    pub agent_version: String,
    /// The most nodes that the transport connects at one time.
    pub max_peers: usize,
    /// What it needs to pay and be paid in its network.
    pub money: Money,
}

/// The machine. See the crate's description for how to drive it.
#[derive(Debug)]
pub struct Node {
    config: Config,
    peers: Peers,
    queue: Queue,
    post: Post,
    requester: Requester,
    provider: Provider,
    /// `None` where the node is in no network.
    pay: Option<Pay>,
    addresses: Vec<String>,
    /// When the pause by hand should end. Whoever feeds the machine sees to it.
    paused_until: Option<Timestamp>,
    telling: Telling,
    /// When to look whether somebody must be let go, while there are too many peers.
    crowd_check: Option<Monotonic>,
}

impl Node {
    #[must_use]
    pub fn new(mut config: Config, scheme: Arc<dyn Scheme>, restored: &Restored) -> Self {
        let network = config.network.as_ref();
        let members_trusted = network.is_some_and(|network| network.members_trusted);
        let id = network.map_or(NetworkId::NONE, |network| network.id);
        let mut queue = Queue::default();
        queue.set_slots(1);
        let lane = LaneId { account: config.account, device: DeviceId(scheme.public_key()) };
        let money = std::mem::take(&mut config.money);
        let pay = config.network.as_ref().map(|network| Pay::new(lane, network, money));
        Self {
            pay,
            peers: Peers::new(restored, members_trusted, config.max_peers),
            queue,
            post: Post::new(scheme, id, restored.sequence),
            requester: Requester::default(),
            provider: Provider::new(restored.paused.is_some()),
            addresses: Vec::new(),
            paused_until: restored.paused.flatten(),
            telling: Telling::default(),
            crowd_check: None,
            config,
        }
    }

    /// Takes a task of the owner.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn submit(&mut self, now: Now, request: TaskRequest) -> Result<(), Rejection> {
        self.requester.admit(&request, self.config.network.is_some())?;
        self.with_requester(now, |requester, around| requester.submit(now, request, around));
        self.start_work(now);
        self.settle_accounts(now);
        Ok(())
    }

    /// One mutation.
    pub fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::PeerUp { device, addresses, protocols } => self.peer_up(now, device, &addresses, protocols),
            Input::PeerDown { device } => self.peer_down(now, device),
            Input::Latency { device, rtt_us } => self.latency(&device, rtt_us),
            Input::Received { from, frame } => {
                if let Err(refused) = self.received(now, from, frame) {
                    self.blame(now, from, &refused);
                }
            }
            Input::Published { id, message } => self.published(now, id, message),
            Input::Listening { addresses } => {
                self.addresses = clean_addresses(&addresses);
                self.tell_presence_soon(now);
            }
            Input::Able { kinds, slots } => self.able(now, kinds, slots),
            Input::Cancel { task } => self.with_requester(now, |requester, around| requester.cancel(now, task, around)),
            Input::Pause { until } => self.pause(now, until),
            Input::Resume => self.resume(now),
            Input::Rules { guests, own_work, duties } => self.rules(now, guests, own_work, duties),
            Input::Trust { device, trusted } => self.trust(now, device, trusted),
            Input::WorkProgress { work_id, done } => {
                if let Some(job) = self.queue.get_mut(work_id) {
                    job.done = done;
                }
            }
            Input::WorkDone { work_id, outcomes, queued_us: _, compute_us } => {
                self.work_done(now, work_id, outcomes, compute_us);
            }
            Input::WorkUnavailable { work_id, reason } => self.work_unavailable(now, work_id, &reason),
            Input::Books { notary } => {
                if let Some(pay) = &mut self.pay {
                    pay.open_bank(*notary);
                }
            }
            Input::Wallet { payer, statement, entries, kept } => {
                if let Some(pay) = &mut self.pay {
                    pay.restored(payer, *statement, &entries, kept);
                    self.post.emit(Output::WalletChanged);
                }
            }
            Input::Recall { payer, certificates } => {
                if let Some(pay) = &mut self.pay {
                    pay.recall(payer, certificates);
                }
            }
            Input::Limits { limits } => {
                if let Some(pay) = &mut self.pay {
                    pay.set_limits(limits);
                }
            }
            Input::Recorded { written } => {
                if let Some(pay) = &mut self.pay {
                    pay.recorded(now, written, &self.peers, &mut self.post);
                }
            }
            Input::LogRead { request, certificates } => {
                if let Some(pay) = &mut self.pay {
                    pay.log_read(now, request, certificates, &self.peers, &mut self.post);
                }
            }
            Input::Tick => self.tick(now),
        }
        self.start_work(now);
        self.settle_accounts(now);
    }

    /// Orders and answers that follow from what happened; and tasks that wait for a hold go on.
    fn settle_accounts(&mut self, now: Now) {
        let Some(pay) = &mut self.pay else { return };
        pay.work(now, &self.peers, &mut self.post);
        if pay.take_opened() {
            self.with_requester(now, |requester, around| requester.advance_all(now, around));
            self.start_work(now);
            if let Some(pay) = &mut self.pay {
                pay.work(now, &self.peers, &mut self.post);
            }
        }
    }

    /// What must be done next, until there is nothing.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.post.poll()
    }

    /// When to call [`Input::Tick`] at the latest. After that call it lies in the future.
    #[must_use]
    pub fn next_deadline(&self, now: Now) -> Option<Monotonic> {
        let reachable = self.pay.as_ref().is_some_and(|pay| pay.reachable(&self.peers, self.post.me));
        let pay = self.pay.as_ref().and_then(|pay| pay.next_deadline(now, reachable));
        [self.requester.next_deadline(), self.provider.next_deadline(&self.queue), self.peers.next_deadline()]
            .into_iter()
            .chain([self.telling.next(), self.crowd_check, pay])
            .flatten()
            .min()
    }

    #[must_use]
    pub fn task(&self, id: &TaskId) -> Option<&Task> {
        self.requester.task(id)
    }

    /// Newest first.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.requester.tasks()
    }

    pub fn peers(&self) -> impl Iterator<Item = (&DeviceId, &Peer)> {
        self.peers.iter()
    }

    #[must_use]
    pub fn peer(&self, device: &DeviceId) -> Option<&Peer> {
        self.peers.get(device)
    }

    #[must_use]
    pub fn trusts(&self, device: &DeviceId) -> bool {
        self.peers.trusts(device)
    }

    #[must_use]
    pub const fn network(&self) -> Option<&Network> {
        self.config.network.as_ref()
    }

    /// Paused by hand, and until when.
    #[must_use]
    pub fn paused(&self) -> Option<Option<Timestamp>> {
        self.provider.gate.paused.then_some(self.paused_until)
    }

    #[must_use]
    pub const fn abilities(&self) -> &BTreeMap<TaskKind, Hash> {
        &self.provider.ability.kinds
    }

    /// Open tasks of the owner; parts of others waiting or running here; parts finished for others.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, u64) {
        (self.requester.open_of_owner(), self.queue.guests().count(), self.provider.finished)
    }

    /// Whether a worker of this computer has something to do.
    #[must_use]
    pub fn busy(&self) -> bool {
        self.queue.len() > 0
    }

    /// What is in a lane of this computer.
    #[must_use]
    pub fn balance(&self, payer: Payer, now: Now) -> Option<Balance> {
        self.pay.as_ref()?.balance(payer, now.wall)
    }

    /// What was earned and is not settled.
    pub fn pending(&self) -> impl Iterator<Item = Pending> {
        self.pay.iter().flat_map(Pay::pending)
    }

    /// What the owner's limits leave to be spent now.
    #[must_use]
    pub fn allowance(&self, now: Now) -> Credits {
        self.pay.as_ref().map_or(Credits::MAX, |pay| pay.allowance(now.wall))
    }

    /// Ids of the open holds that this computer made, and of those that were made for it.
    #[must_use]
    pub fn open_holds(&self) -> BTreeSet<Hash> {
        self.pay.as_ref().map(Pay::open_holds).unwrap_or_default()
    }

    /// Who carries orders out, and whether it can be asked now.
    #[must_use]
    pub fn notary(&self) -> Option<(DeviceId, bool)> {
        let pay = self.pay.as_ref()?;
        Some((pay.notary(), pay.reachable(&self.peers, self.post.me)))
    }

    /// Where this node is the notary: what it keeps.
    #[must_use]
    pub fn books(&self) -> Option<&Notary> {
        self.pay.as_ref()?.bank()
    }

    /// Whether a task would be taken.
    ///
    /// # Errors
    /// Why it would not be.
    pub fn admits(&self, request: &TaskRequest) -> Result<(), Rejection> {
        self.requester.admit(request, self.config.network.is_some())
    }

    /// What a task costs in this network, and how many other computers would see its text at most.
    #[must_use]
    pub fn quote(&self, kind: TaskKind, texts: usize, bytes: usize, privacy: Privacy) -> (Credits, usize) {
        let price = self.pay.as_ref().map_or(Credits::ZERO, |pay| pay.price(kind, texts, bytes));
        (price, self.requester.viewers(kind, privacy, &self.peers, &self.provider.ability.kinds))
    }

    fn tick(&mut self, now: Now) {
        self.look_for_welcome(now);
        for device in self.peers.silent(now) {
            let reason = "it did not say hello in time".to_owned();
            self.post.emit(Output::Misbehaved { device, reason });
            self.show_out(device, None);
        }
        self.keep_room(now);
        self.provider.tell_progress(now, &mut self.queue, &mut self.post);
        self.with_requester(now, |requester, around| requester.advance_all(now, around));
        if self.telling.is_due(now) {
            self.tell_presence(now);
        }
    }

    /// Lets the requester act, then lets its other tasks use what became free by it.
    fn with_requester<T>(&mut self, now: Now, act: impl FnOnce(&mut Requester, &mut Surroundings<'_>) -> T) -> T {
        let mut around = Surroundings {
            peers: &mut self.peers,
            queue: &mut self.queue,
            post: &mut self.post,
            here: &self.provider.ability.kinds,
            pay: self.pay.as_mut(),
        };
        let result = act(&mut self.requester, &mut around);
        self.requester.use_free_places(now, &mut around);
        result
    }
}

#[cfg(test)]
mod tests;
