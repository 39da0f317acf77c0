//! The requester's side of a task: splits it, finds providers, hands parts out, checks what comes
//! back, and takes parts elsewhere when a provider fails, refuses, vanishes or goes quiet.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use p2p_types::{Credits, DeviceId, Hash, Monotonic, Now, Placement, Privacy, TaskId, TaskKind, TextFailure, limits};

use crate::io::{Durable, Output, Rejection, TaskRequest};
use crate::outcome::TextOutcome;
use crate::pay::{Bill, Pay, Payer};
use crate::peers::Peers;
use crate::post::Post;
use crate::wire::{self, envelope::Message};
use crate::work::{Owner, Queue};

mod admit;
mod answers;
mod assign;
mod loss;
mod search;
mod task;

use task::{Part, PartState};
pub use task::{Stage, StageRecord, State, Task};

/// A bid that stands.
#[derive(Debug, Clone)]
struct Offer {
    model: Hash,
    slots: u32,
    queued: u32,
    text_us: u64,
    /// How long the bid stands without being used, less the time an assignment needs to arrive.
    usable_ms: u64,
    until: Monotonic,
}

/// What the requester's side needs of the rest of the node.
pub(crate) struct Surroundings<'a> {
    pub(crate) peers: &'a mut Peers,
    pub(crate) queue: &'a mut Queue,
    pub(crate) post: &'a mut Post,
    /// What this computer can compute itself.
    pub(crate) here: &'a BTreeMap<TaskKind, Hash>,
    /// `None` where the node is in no network.
    pub(crate) pay: Option<&'a mut Pay>,
}

#[derive(Debug, Default)]
pub(crate) struct Requester {
    tasks: BTreeMap<TaskId, Task>,
    /// Oldest first.
    order: VecDeque<TaskId>,
    offers: BTreeMap<(DeviceId, TaskKind), Offer>,
    /// Parts of ours that each provider has.
    held: BTreeMap<DeviceId, u32>,
    /// What is promised to each provider for those that are paid.
    reserved: BTreeMap<(Payer, DeviceId), Credits>,
    /// Providers that failed, and until when others are asked before them.
    avoided: BTreeMap<DeviceId, Monotonic>,
    /// A place at a provider became free: tasks that wait should look again.
    place_free: bool,
}

impl Requester {
    pub(crate) fn task(&self, id: &TaskId) -> Option<&Task> {
        self.tasks.get(id)
    }

    /// Newest first.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.order.iter().rev().filter_map(|id| self.tasks.get(id))
    }

    pub(crate) fn open(&self) -> usize {
        self.tasks.values().filter(|task| !task.state.is_final()).count()
    }

    /// Open tasks of the owner.
    pub(crate) fn open_of_owner(&self) -> usize {
        self.tasks.values().filter(|task| !task.state.is_final() && task.payer == Payer::Owner).count()
    }

    pub(crate) fn is_held_by(&self, device: &DeviceId) -> bool {
        self.held.contains_key(device)
    }

    /// Whether a task is taken at all.
    ///
    /// # Errors
    /// The first reason not to take it.
    pub(crate) fn admit(&self, request: &TaskRequest, in_network: bool) -> Result<(), Rejection> {
        let bytes = admit::check(request, in_network)?;
        let open = self.open();
        let open_bytes: usize = self.tasks.values().map(Task::bytes).sum();
        if open >= limits::OPEN_TASKS || open_bytes.saturating_add(bytes) > limits::OPEN_BYTES {
            return Err(Rejection::TooManyTasks { open });
        }
        if self.tasks.contains_key(&request.id) { Err(Rejection::Duplicate) } else { Ok(()) }
    }

    pub(crate) fn submit(&mut self, now: Now, request: TaskRequest, around: &mut Surroundings<'_>) {
        let id = request.id;
        self.forget_old();
        self.tasks.insert(id, Task::new(now, request));
        self.order.push_back(id);
        around.post.persist(Durable::Task { task: id, finished: false });
        self.with(id, around, |requester, task, around| {
            task.record(now, Stage::Searching, None, "Looking for who can compute it".to_owned());
            requester.begin(now, task, around);
        });
    }

    /// Decides where a new task goes.
    fn begin(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) {
        let can_here = around.here.contains_key(&task.kind);
        let others = candidates(task, around).next().is_some();
        match task.placement {
            Placement::Local => self.go_here(now, task, "as asked", around),
            Placement::Auto if !others && (can_here || task.privacy == Privacy::Local) => {
                let why = match task.privacy {
                    Privacy::Local => "its text stays on this computer",
                    Privacy::Trusted => "no computer you trust can take it now",
                    Privacy::Public => "no other computer can take it now",
                };
                self.go_here(now, task, why, around);
            }
            Placement::Auto | Placement::Network => self.advance(now, task, around),
        }
    }

    /// From now on, all that waits goes into this computer's own queue.
    fn go_here(&mut self, now: Now, task: &mut Task, why: &str, around: &mut Surroundings<'_>) {
        task.here = true;
        if !around.here.contains_key(&task.kind) {
            task.why_failed = Some("this computer cannot compute it: runtime or model are missing".to_owned());
            task.fail_waiting(|_| true, TextFailure::Model);
            self.finish_if_settled(now, task, around);
            return;
        }
        let mine = around.post.me;
        task.record(now, Stage::Assigned, Some(mine), format!("Computed on this computer: {why}"));
        self.queue_here(now, task, around);
    }

    fn queue_here(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) {
        for index in 0..task.parts.len() {
            if task.parts[index].is_waiting() {
                task.parts[index].state = PartState::Here;
                let owner = Owner::Mine { task: task.id, part: index as u32 };
                let work = task.work(index);
                around.queue.push(now, owner, task.priority, work);
            }
        }
        around.post.emit(Output::TaskChanged { task: task.id });
    }

    pub(crate) fn cancel(&mut self, now: Now, id: TaskId, around: &mut Surroundings<'_>) {
        self.with(id, around, |requester, task, around| {
            requester.abandon(now, task, TextFailure::Cancelled, around);
        });
    }

    /// Ends a task that is not settled: what is missing fails with `failure`.
    fn abandon(&mut self, now: Now, task: &mut Task, failure: TextFailure, around: &mut Surroundings<'_>) {
        if task.state.is_final() {
            return;
        }
        let holders: BTreeSet<DeviceId> = task.parts.iter().filter_map(Part::provider).collect();
        for device in holders {
            around.post.send(now, device, Message::Cancel(wire::Cancel { task: task.id.0.to_vec() }));
        }
        for id in around.queue.ids_of(task.id) {
            if around.queue.take(id).is_some_and(|job| job.running) {
                around.post.emit(Output::Stop { work_id: id });
            }
        }
        for index in 0..task.parts.len() {
            if !matches!(task.parts[index].state, PartState::Done) {
                self.take_from(task, index);
            }
        }
        task.fail_waiting(|_| true, failure);
        self.finish_if_settled(now, task, around);
    }

    /// How many other computers would see the text of such a task at most.
    pub(crate) fn viewers(
        &self,
        kind: TaskKind,
        privacy: Privacy,
        peers: &Peers,
        here: &BTreeMap<TaskKind, Hash>,
    ) -> usize {
        peers.up().filter(|(device, peer)| can_take(device, peer, kind, privacy, here.get(&kind), peers)).count()
    }

    /// Time passed, a node came, an offer changed: whatever can move on does.
    pub(crate) fn advance_all(&mut self, now: Now, around: &mut Surroundings<'_>) {
        self.forget_old();
        self.offers.retain(|_, offer| offer.until > now.mono);
        self.avoided.retain(|_, until| *until > now.mono);
        for id in self.by_urgency(|_| true) {
            self.with(id, around, |requester, task, around| {
                if task.deadline.is_some_and(|deadline| deadline <= now.mono) {
                    requester.abandon(now, task, TextFailure::Deadline, around);
                    return;
                }
                requester.leave_the_quiet(now, task, around);
                requester.advance(now, task, around);
            });
        }
    }

    /// Where a provider has a place free, other tasks may have waited for it.
    pub(crate) fn use_free_places(&mut self, now: Now, around: &mut Surroundings<'_>) {
        if !std::mem::take(&mut self.place_free) {
            return;
        }
        for id in self.by_urgency(Task::waits_for_others) {
            self.with(id, around, |requester, task, around| requester.advance(now, task, around));
        }
        self.place_free = false;
    }

    pub(crate) fn next_deadline(&self) -> Option<Monotonic> {
        self.tasks.values().filter(|task| !task.state.is_final()).filter_map(Task::next_deadline).min()
    }

    /// Open tasks: the more urgent first, of those the older.
    fn by_urgency(&self, wanted: impl Fn(&Task) -> bool) -> Vec<TaskId> {
        let open = self.order.iter().filter_map(|id| self.tasks.get(id));
        let mut open: Vec<_> = open.filter(|task| !task.state.is_final() && wanted(task)).collect();
        open.sort_by_key(|task| Reverse(task.priority));
        open.into_iter().map(|task| task.id).collect()
    }

    /// Takes a part from where it is; it waits again.
    fn take_from(&mut self, task: &mut Task, index: usize) {
        let part = &mut task.parts[index];
        if let Some(device) = part.provider()
            && let Some(held) = self.held.get_mut(&device)
        {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&device);
            }
            self.place_free = true;
        }
        if let PartState::There { device, paid: Some((_, price)), .. } = part.state
            && let Some(reserved) = self.reserved.get_mut(&(task.payer, device))
        {
            *reserved = reserved.minus(price).unwrap_or_default();
            if reserved.is_zero() {
                self.reserved.remove(&(task.payer, device));
            }
        }
        part.state = PartState::Waiting;
    }

    fn finish_if_settled(&mut self, now: Now, task: &mut Task, around: &mut Surroundings<'_>) {
        if task.settle(now) {
            around.post.persist(Durable::Task { task: task.id, finished: true });
        }
        around.post.emit(Output::TaskChanged { task: task.id });
    }

    /// Finished tasks beyond the limits are forgotten here; the store keeps them. The newest one
    /// stays: it finished in the last mutation, and nobody has looked at it yet.
    fn forget_old(&mut self) {
        let finished: Vec<(TaskId, usize)> = {
            let newest_first = self.order.iter().rev().filter_map(|id| self.tasks.get(id));
            newest_first.filter(|task| task.state.is_final()).map(|task| (task.id, task.results.len())).collect()
        };
        let mut results = 0;
        for (place, (id, count)) in finished.into_iter().enumerate() {
            results += count;
            if place >= limits::SHOWN_TASKS || (place > 0 && results > limits::SHOWN_RESULTS) {
                self.tasks.remove(&id);
            }
        }
        let tasks = &self.tasks;
        self.order.retain(|id| tasks.contains_key(id));
    }

    /// Lets `act` change one task while it may also look at the rest of the requester.
    fn with(
        &mut self,
        id: TaskId,
        around: &mut Surroundings<'_>,
        act: impl FnOnce(&mut Self, &mut Task, &mut Surroundings<'_>),
    ) {
        let Some(mut task) = self.tasks.remove(&id) else { return };
        act(self, &mut task, around);
        self.tasks.insert(id, task);
    }
}

#[cfg(test)]
impl Requester {
    /// What must be true between any two mutations.
    pub(crate) fn assert_consistent(&self) {
        let mut held: BTreeMap<DeviceId, u32> = BTreeMap::new();
        for device in self.tasks.values().flat_map(|task| &task.parts).filter_map(Part::provider) {
            *held.entry(device).or_default() += 1;
        }
        assert_eq!(held, self.held, "parts that providers have");
        let mut reserved: BTreeMap<(Payer, DeviceId), Credits> = BTreeMap::new();
        for task in self.tasks.values() {
            for part in &task.parts {
                if let PartState::There { device, paid: Some((_, price)), .. } = part.state {
                    let sum = reserved.entry((task.payer, device)).or_default();
                    *sum = sum.plus(price).expect("small");
                }
            }
        }
        assert_eq!(reserved, self.reserved, "what is promised for them");
        assert_eq!(self.order.len(), self.tasks.len());
        for task in self.tasks.values().filter(|task| !task.state.is_final()) {
            assert!(task.parts.iter().any(|part| !matches!(part.state, PartState::Done)), "{task:?} can never end");
        }
    }
}

/// Texts of one task, shared by its parts.
type Texts = Arc<[String]>;

/// Nodes that may see the task and say that they can do it.
fn candidates<'a>(
    task: &'a Task,
    around: &'a Surroundings<'_>,
) -> impl Iterator<Item = (DeviceId, &'a crate::peers::Peer)> + 'a {
    let able = move |(device, peer): &(&DeviceId, &crate::peers::Peer)| {
        can_take(device, peer, task.kind, task.privacy, around.here.get(&task.kind), around.peers)
            && !task.barred.contains(device)
            && task.only.is_none_or(|only| only == **device)
    };
    around.peers.up().filter(able).map(|(device, peer)| (*device, peer))
}

/// Whether a node may see a text of this class and says that it does the kind, with `expected` where that is known.
fn can_take(
    device: &DeviceId,
    peer: &crate::peers::Peer,
    kind: TaskKind,
    privacy: Privacy,
    expected: Option<&Hash>,
    peers: &Peers,
) -> bool {
    peer.ready()
        && peer.accepting
        && may_see(privacy, peers.trusts(device))
        && peer.kinds.get(&kind).is_some_and(|model| expected.is_none_or(|own| own == model))
}

const fn may_see(privacy: Privacy, trusted: bool) -> bool {
    match privacy {
        Privacy::Local => false,
        Privacy::Trusted => trusted,
        Privacy::Public => true,
    }
}

/// Marks what a finished part brought.
fn settle_text(results: &mut [Option<TextOutcome>], at: usize, outcome: TextOutcome) {
    if let Some(place) = results.get_mut(at) {
        *place = Some(outcome);
    }
}
