//! The provider's side of a task: bids on announcements, takes assignments under its own bids,
//! tells how it goes, and signs a receipt.

mod gate;

use std::collections::BTreeMap;

use p2p_types::{Credits, DeviceId, Hash, Monotonic, Now, Priority, TaskId, TaskKind, TextFailure, limits};

use crate::bucket::{Bucket, Rate};
use crate::digest::{input_hash, output_hash};
use crate::io::{ChunkSizes, Class, Durable, Output, Work};
use crate::outcome::{TextOutcome, is_sound, to_wire};
use crate::pay::{Guest, Pay};
use crate::post::Post;
use crate::wire::{self, Reason, envelope::Message};
use crate::work::{Job, Owner, Queue};
use gate::Gate;

/// How long a bid stands. A requester that comes back within it needs no new announcement.
const OFFER_MS: u64 = 15_000;
/// After this time without a result the requester hears that the part is alive, and from then on
/// once in each such time.
const PROGRESS_MS: u64 = 1000;
/// A part that begins later than this after it arrived is reported as it begins.
const QUIET_START_MS: u64 = 50;
/// The longest a part may take here, whatever the requester says.
const MAX_PART_MS: u64 = 120_000;
/// Announcements of one node that are answered with a bid.
const ANNOUNCEMENTS: Rate = Rate { burst: 20, refill_us: 100_000 };
/// What one text is thought to take before any was computed.
const FIRST_GUESS_US: u64 = 5000;

/// What this computer can do for others now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ability {
    pub(crate) kinds: BTreeMap<TaskKind, Hash>,
    pub(crate) slots: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Provider {
    pub(crate) ability: Ability,
    pub(crate) gate: Gate,
    /// Parts finished for others since the process started.
    pub(crate) finished: u64,
    offers: BTreeMap<(DeviceId, TaskKind), Monotonic>,
    buckets: BTreeMap<DeviceId, Bucket>,
    /// Lately measured time of one text, by kind.
    pace_us: BTreeMap<TaskKind, u64>,
}

impl Provider {
    pub(crate) fn new(paused: bool) -> Self {
        Self { gate: Gate::new(paused), ..Self::default() }
    }

    /// Whether it takes work from others at all.
    pub(crate) fn accepting(&self) -> bool {
        self.gate.is_open() && !self.ability.kinds.is_empty()
    }

    /// What this computer can do changed. Guests whose model is gone hear of it.
    pub(crate) fn set_ability(
        &mut self,
        now: Now,
        ability: Ability,
        queue: &mut Queue,
        post: &mut Post,
        mut pay: Option<&mut Pay>,
    ) {
        let before = std::mem::replace(&mut self.ability, ability);
        let changed = |kind: TaskKind| before.kinds.get(&kind) != self.ability.kinds.get(&kind);
        self.offers.retain(|(_, kind), _| !changed(*kind));
        for id in queue.guest_ids_where(|job| changed(job.work.kind)) {
            let Some(job) = drop_job(id, queue, post) else { continue };
            refuse(now, &job, Reason::CannotCompute, post, pay.as_deref_mut());
        }
    }

    pub(crate) fn announced(
        &mut self,
        now: Now,
        from: DeviceId,
        announcement: &wire::Announcement,
        queue: &Queue,
        post: &mut Post,
        price: impl Fn(TaskKind, usize, usize) -> Credits,
    ) {
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let answer = match self.consider(now, from, announcement, queue) {
            Ok((kind, model)) => {
                self.offers.insert((from, kind), now.mono.plus_ms(OFFER_MS));
                Message::Bid(wire::Bid {
                    task: announcement.task.clone(),
                    kind: kind.as_str().to_owned(),
                    model: model.0.to_vec(),
                    slots: self.ability.slots,
                    queued: u32::try_from(queue.len()).unwrap_or(u32::MAX),
                    text_us: self.pace_us.get(&kind).copied().unwrap_or(FIRST_GUESS_US),
                    valid_ms: OFFER_MS,
                    price: price(kind, announcement.texts as usize, size(announcement.bytes)).micro(),
                })
            }
            Err(reason) => Message::Decline(wire::Decline { task: announcement.task.clone(), reason: reason.into() }),
        };
        post.send(now, from, answer);
    }

    fn consider(
        &mut self,
        now: Now,
        from: DeviceId,
        announcement: &wire::Announcement,
        queue: &Queue,
    ) -> Result<(TaskKind, Hash), Reason> {
        if self.buckets.len() >= limits::KNOWN_PEERS && !self.buckets.contains_key(&from) {
            self.buckets.clear();
        }
        if !self.buckets.entry(from).or_default().take(now, ANNOUNCEMENTS) {
            return Err(Reason::Busy);
        }
        if !self.gate.admits(&from) {
            return Err(Reason::Paused);
        }
        self.offers.retain(|_, until| *until > now.mono);
        if queue.len() >= limits::GUEST_QUEUE || self.offers.len() >= limits::STANDING_OFFERS {
            return Err(Reason::Busy);
        }
        self.supports(&announcement.kind, &announcement.model)
    }

    fn supports(&self, kind: &str, model: &[u8]) -> Result<(TaskKind, Hash), Reason> {
        let kind: TaskKind = kind.parse().map_err(|_| Reason::Unsupported)?;
        let own = *self.ability.kinds.get(&kind).ok_or(Reason::Unsupported)?;
        if model.is_empty() || model == own.0 { Ok((kind, own)) } else { Err(Reason::Unsupported) }
    }

    pub(crate) fn assigned(
        &mut self,
        now: Now,
        from: Guest,
        assignment: wire::Assignment,
        queue: &mut Queue,
        post: &mut Post,
        pay: Option<&mut Pay>,
    ) {
        let (task, part) = (assignment.task.clone(), assignment.part);
        if let Err(reason) = self.take(now, from, assignment, queue, post, pay) {
            let refusal = wire::Refusal { task, part, reason: reason.into() };
            post.send(now, from.device, Message::Refusal(refusal));
        }
    }

    fn take(
        &mut self,
        now: Now,
        guest: Guest,
        mut assignment: wire::Assignment,
        queue: &mut Queue,
        post: &Post,
        pay: Option<&mut Pay>,
    ) -> Result<(), Reason> {
        let from = guest.device;
        let task = TaskId::try_from(assignment.task.as_slice()).map_err(|_| Reason::Malformed)?;
        if !self.gate.admits(&from) {
            return Err(Reason::Paused);
        }
        let (kind, _) = self.supports(&assignment.kind, &assignment.model)?;
        if self.offers.get(&(from, kind)).is_none_or(|until| *until < now.mono) {
            return Err(Reason::NoOffer);
        }
        let chunk = ChunkSizes { tokens: assignment.chunk_tokens, overlap: assignment.chunk_overlap };
        check_texts(kind, chunk, &assignment.texts)?;
        let owner = Owner::Guest { device: from, task, part: assignment.part };
        if queue.guests().any(|(_, job)| job.owner == owner) {
            return Ok(()); // Said twice; done once.
        }
        let theirs = |job: &Job| job.is_of(&from);
        let few = self.ability.slots as usize + limits::GUEST_AHEAD;
        if queue.guests().count() >= limits::GUEST_QUEUE || queue.guest_ids_where(theirs).len() >= few {
            return Err(Reason::Busy);
        }
        let paid = match pay {
            None => None,
            Some(pay) => {
                let bytes = assignment.texts.iter().map(String::len).sum();
                let price = pay.price(kind, assignment.texts.len(), bytes);
                let hold = pay.begin(now, guest, &assignment, price, self.ability.slots, post)?;
                hold.map(|hold| (hold, Credits::from_micro(assignment.price).unwrap_or_default()))
            }
        };
        self.gate.took(&from);
        // Work under way keeps the offer standing: a long task needs no second announcement.
        self.offers.insert((from, kind), now.mono.plus_ms(OFFER_MS));
        let work = Work {
            work_id: 0,
            class: Class::Guest,
            kind,
            texts: std::mem::take(&mut assignment.texts),
            chunk,
            timeout_ms: assignment.timeout_ms.clamp(1, MAX_PART_MS),
        };
        let asked = Priority::ALL.get(assignment.priority as usize).copied().unwrap_or(Priority::Low);
        // Who pays goes before who cannot.
        let priority = if paid.is_some() { asked } else { asked.min(Priority::Normal) };
        queue.push_paid(now, owner, priority, work, paid);
        Ok(())
    }

    /// A guest's job ended with answers: they go back with a receipt.
    pub(crate) fn done(
        &mut self,
        now: Now,
        job: &Job,
        mut outcomes: Vec<TextOutcome>,
        compute_us: u64,
        post: &mut Post,
        mut pay: Option<&mut Pay>,
    ) {
        let Owner::Guest { device, task, part } = job.owner else { return };
        let kind = job.work.kind;
        let model = self.ability.kinds.get(&kind).copied();
        let Some(model) = model.filter(|_| outcomes.len() == job.work.texts.len()) else {
            refuse(now, job, Reason::CannotCompute, post, pay.as_deref_mut());
            return;
        };
        // What the requester would take for a lie does not leave.
        for (outcome, text) in outcomes.iter_mut().zip(&job.work.texts) {
            if !is_sound(outcome, kind, text) {
                *outcome = Err(TextFailure::Model);
            }
        }
        let text_us = compute_us / (outcomes.len() as u64).max(1);
        let pace = self.pace_us.entry(kind).or_insert(text_us);
        *pace = pace.saturating_mul(7).saturating_add(text_us) / 8;
        let here_us = now.mono.since(job.arrived);
        let computing_us = compute_us.min(here_us);
        let receipt = wire::Receipt {
            task: task.0.to_vec(),
            part,
            kind: kind.as_str().to_owned(),
            requester: device.0.to_vec(),
            input: input_hash(kind, job.work.chunk, &job.work.texts).0.to_vec(),
            model: model.0.to_vec(),
            output: output_hash(&outcomes).0.to_vec(),
            received_ms: job.received.0,
            // The calendar may have gone back meanwhile.
            finished_ms: now.wall.max(job.received).0,
            queued_us: here_us - computing_us,
            compute_us: computing_us,
            texts: u32::try_from(outcomes.len()).unwrap_or(u32::MAX),
        };
        let signed = p2p_types::Signed::new(&*post.scheme, &post.network, &receipt).into_bytes();
        let result = wire::TaskResult {
            task: task.0.to_vec(),
            part,
            outcomes: outcomes.iter().map(to_wire).collect(),
            receipt: signed.clone(),
        };
        post.send(now, device, Message::TaskResult(result));
        post.persist(Durable::GuestReceipt { task, part, requester: device, signed });
        if let (Some(pay), Some((hold, price))) = (pay, job.paid) {
            // What failed is not paid, and was set aside for nothing.
            let due = pay.due(kind, &job.work.texts, &outcomes).min(price);
            pay.abandon(&hold, price.minus(due).unwrap_or_default());
            if !due.is_zero() {
                pay.deliver(now, &hold, due);
            }
        }
        self.finished += 1;
    }

    /// Guests' work ends here, with a word to each requester.
    pub(crate) fn release_all(
        &mut self,
        now: Now,
        reason: Reason,
        queue: &mut Queue,
        post: &mut Post,
        mut pay: Option<&mut Pay>,
    ) {
        self.offers.clear();
        for id in queue.guest_ids_where(|_| true) {
            let Some(job) = drop_job(id, queue, post) else { continue };
            refuse(now, &job, reason, post, pay.as_deref_mut());
        }
    }

    /// The requester is gone, or does not want `task` (any, where `None`) any more.
    pub(crate) fn forget(
        &mut self,
        from: DeviceId,
        only: Option<TaskId>,
        queue: &mut Queue,
        post: &mut Post,
        mut pay: Option<&mut Pay>,
    ) {
        if only.is_none() {
            self.offers.retain(|(device, _), _| *device != from);
        }
        let theirs = |job: &Job| match job.owner {
            Owner::Guest { device, task, .. } => device == from && only.is_none_or(|only| only == task),
            Owner::Mine { .. } => false,
        };
        for id in queue.guest_ids_where(theirs) {
            if let (Some(job), Some(pay)) = (drop_job(id, queue, post), pay.as_deref_mut()) {
                abandon(&job, pay);
            }
        }
    }

    /// Tells requesters of parts that take long that they are alive.
    pub(crate) fn tell_progress(&mut self, now: Now, queue: &mut Queue, post: &mut Post) {
        for id in queue.guest_ids_where(|job| job.told.plus_ms(PROGRESS_MS) <= now.mono) {
            let Some(job) = queue.get_mut(id) else { continue };
            job.told = now.mono;
            send_progress(now, job, post);
        }
    }

    pub(crate) fn next_deadline(&self, queue: &Queue) -> Option<Monotonic> {
        queue.guests().map(|(_, job)| job.told.plus_ms(PROGRESS_MS)).min()
    }
}

/// A guest's job begins: worth a word only where the requester has waited for it.
pub(crate) fn tell_start(now: Now, job: &Job, post: &mut Post) {
    if now.mono.since(job.arrived) >= QUIET_START_MS * 1000 {
        send_progress(now, job, post);
    }
}

/// The requester hears that a part will not be done here.
pub(crate) fn refuse(now: Now, job: &Job, reason: Reason, post: &mut Post, pay: Option<&mut Pay>) {
    if let Some(pay) = pay {
        abandon(job, pay);
    }
    if let Owner::Guest { device, task, part } = job.owner {
        let refusal = wire::Refusal { task: task.0.to_vec(), part, reason: reason.into() };
        post.send(now, device, Message::Refusal(refusal));
    }
}

/// What was set aside for a part that will not be delivered is free again.
fn abandon(job: &Job, pay: &mut Pay) {
    if let Some((hold, price)) = job.paid {
        pay.abandon(&hold, price);
    }
}

fn send_progress(now: Now, job: &Job, post: &mut Post) {
    if let Owner::Guest { device, task, part } = job.owner {
        let progress = wire::Progress { task: task.0.to_vec(), part, done: job.done, started: job.running };
        post.send(now, device, Message::Progress(progress));
    }
}

fn drop_job(id: u64, queue: &mut Queue, post: &mut Post) -> Option<Job> {
    let job = queue.take(id)?;
    if job.running {
        post.emit(Output::Stop { work_id: id });
    }
    Some(job)
}

/// The limits that an honest requester keeps.
fn check_texts(kind: TaskKind, chunk: ChunkSizes, texts: &[String]) -> Result<(), Reason> {
    let longest = texts.iter().map(String::len).max().ok_or(Reason::Malformed)?;
    let (one, sizes_fit) = match kind {
        TaskKind::Chunk => (limits::CHUNKED_TEXT_BYTES, chunk.is_sound()),
        TaskKind::Embed | TaskKind::Sentiment | TaskKind::Noop => (limits::TEXT_BYTES, true),
    };
    if !sizes_fit {
        return Err(Reason::Malformed);
    }
    let too_many = texts.len() > limits::SUBTASK_TEXTS;
    let too_long =
        longest > one || (texts.len() > 1 && texts.iter().map(String::len).sum::<usize>() > limits::SUBTASK_BYTES);
    if too_many || too_long { Err(Reason::TooLarge) } else { Ok(()) }
}
