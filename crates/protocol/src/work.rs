//! What waits for the workers of this computer: the owner's first, then guests', each by
//! priority and age.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use p2p_types::{Credits, DeviceId, Hash, Monotonic, Now, Priority, TaskId, Timestamp};

use crate::io::{Class, Work};

/// Who a job is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Mine { task: TaskId, part: u32 },
    Guest { device: DeviceId, task: TaskId, part: u32 },
}

#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) owner: Owner,
    pub(crate) work: Work,
    pub(crate) arrived: Monotonic,
    pub(crate) received: Timestamp,
    pub(crate) running: bool,
    pub(crate) done: u32,
    /// When the requester last heard of it.
    pub(crate) told: Monotonic,
    /// The hold that a guest's part is paid out of, and how much.
    pub(crate) paid: Option<(Hash, Credits)>,
}

impl Job {
    pub(crate) fn is_of(&self, requester: &DeviceId) -> bool {
        matches!(&self.owner, Owner::Guest { device, .. } if device == requester)
    }

    /// How long its order may take now: who gave it counts from when it arrived.
    pub(crate) const fn left_ms(&self, now: Now) -> u64 {
        let left = self.work.timeout_ms.saturating_sub(now.mono.since(self.arrived) / 1000);
        if left == 0 { 1 } else { left }
    }
}

type Place = (Class, Reverse<Priority>, u64);

#[derive(Debug, Default)]
pub(crate) struct Queue {
    slots: usize,
    /// Nothing begins: the computer itself cannot bear it now.
    held: bool,
    next_id: u64,
    waiting: BTreeMap<Place, u64>,
    running: usize,
    jobs: BTreeMap<u64, (Place, Job)>,
    guests: BTreeSet<u64>,
}

impl Queue {
    /// At least one job always runs: where no worker can start, that one brings the bad news.
    pub(crate) fn set_slots(&mut self, slots: u32) {
        self.slots = (slots as usize).max(1);
    }

    /// What runs goes on to its end; what waits goes on waiting until this is taken back.
    pub(crate) const fn hold(&mut self, held: bool) {
        self.held = held;
    }

    pub(crate) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(crate) fn guests(&self) -> impl Iterator<Item = (u64, &Job)> {
        self.guests.iter().filter_map(|id| Some((*id, &self.jobs.get(id)?.1)))
    }

    /// Puts work in its place; its id is given here.
    pub(crate) fn push(&mut self, now: Now, owner: Owner, priority: Priority, work: Work) {
        self.push_paid(now, owner, priority, work, None);
    }

    /// The same for a guest's work that is paid.
    pub(crate) fn push_paid(
        &mut self,
        now: Now,
        owner: Owner,
        priority: Priority,
        mut work: Work,
        paid: Option<(Hash, Credits)>,
    ) {
        self.next_id += 1;
        work.work_id = self.next_id;
        let place = (work.class, Reverse(priority), self.next_id);
        let job =
            Job { owner, work, arrived: now.mono, received: now.wall, running: false, done: 0, told: now.mono, paid };
        self.waiting.insert(place, self.next_id);
        if place.0 == Class::Guest {
            self.guests.insert(self.next_id);
        }
        self.jobs.insert(self.next_id, (place, job));
    }

    /// The next job that may run, where a worker is free.
    pub(crate) fn start_next(&mut self) -> Option<&Job> {
        if self.held {
            return None;
        }
        let (_, id) = self.waiting.first_key_value()?;
        // Guests may take long where the owner holds them back: one order of the owner's own runs beside them.
        let mine = |job: &Job| job.work.class == Class::Mine;
        let beside = self.jobs.get(id).is_some_and(|(_, job)| mine(job))
            && !self.jobs.values().any(|(_, job)| job.running && mine(job));
        if self.running >= self.slots + usize::from(beside) {
            return None;
        }
        let (_, id) = self.waiting.pop_first()?;
        self.running += 1;
        let (_, job) = self.jobs.get_mut(&id)?;
        job.running = true;
        Some(job)
    }

    pub(crate) fn get_mut(&mut self, work_id: u64) -> Option<&mut Job> {
        self.jobs.get_mut(&work_id).map(|(_, job)| job)
    }

    /// Takes a job out: it ended, or nobody wants it any more.
    pub(crate) fn take(&mut self, work_id: u64) -> Option<Job> {
        let (place, job) = self.jobs.remove(&work_id)?;
        self.guests.remove(&work_id);
        if job.running {
            self.running -= 1;
        } else {
            self.waiting.remove(&place);
        }
        Some(job)
    }

    /// The jobs of one task of the owner.
    pub(crate) fn ids_of(&self, wanted: TaskId) -> Vec<u64> {
        let of = |owner: &Owner| matches!(owner, Owner::Mine { task, .. } if *task == wanted);
        self.jobs.iter().filter(|(_, (_, job))| of(&job.owner)).map(|(id, _)| *id).collect()
    }

    pub(crate) fn guest_ids_where(&self, wanted: impl Fn(&Job) -> bool) -> Vec<u64> {
        self.guests().filter(|(_, job)| wanted(job)).map(|(id, _)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use p2p_types::TaskKind;

    use super::*;

    fn push(queue: &mut Queue, class: Class, priority: Priority, part: u32) {
        let owner = Owner::Mine { task: TaskId([0; 16]), part };
        let work = Work {
            work_id: 0,
            class,
            kind: TaskKind::Noop,
            texts: Vec::new(),
            chunk: crate::ChunkSizes::default(),
            timeout_ms: 1,
        };
        queue.push(Now::default(), owner, priority, work);
    }

    fn started(queue: &mut Queue) -> Vec<u32> {
        let mut order = Vec::new();
        while let Some(job) = queue.start_next() {
            let (id, Owner::Mine { part, .. }) = (job.work.work_id, job.owner) else { panic!("all are mine") };
            order.push(part);
            queue.take(id);
        }
        order
    }

    #[test]
    fn the_owner_goes_first_then_priority_then_age() {
        let mut queue = Queue { slots: 1, ..Queue::default() };
        push(&mut queue, Class::Guest, Priority::High, 1);
        push(&mut queue, Class::Mine, Priority::Low, 2);
        push(&mut queue, Class::Mine, Priority::Normal, 3);
        push(&mut queue, Class::Mine, Priority::Normal, 4);
        push(&mut queue, Class::Guest, Priority::High, 5);
        assert_eq!(queue.guests().count(), 2);
        assert_eq!(started(&mut queue), [3, 4, 2, 1, 5]);
        assert_eq!(queue.guests().count(), 0);
    }

    #[test]
    fn one_order_of_the_owners_runs_beside_guests_that_are_held_back() {
        let mut queue = Queue { slots: 1, ..Queue::default() };
        push(&mut queue, Class::Guest, Priority::High, 1);
        assert!(queue.start_next().is_some());
        push(&mut queue, Class::Guest, Priority::High, 2);
        assert!(queue.start_next().is_none());
        push(&mut queue, Class::Mine, Priority::Low, 3);
        push(&mut queue, Class::Mine, Priority::Low, 4);
        assert!(queue.start_next().is_some_and(|job| job.work.class == Class::Mine));
        assert!(queue.start_next().is_none(), "one, and no more");
    }

    #[test]
    fn what_is_held_waits_and_nothing_is_lost() {
        let mut queue = Queue { slots: 2, ..Queue::default() };
        push(&mut queue, Class::Mine, Priority::Normal, 1);
        push(&mut queue, Class::Guest, Priority::Normal, 2);
        queue.hold(true);
        assert!(queue.start_next().is_none());
        queue.hold(false);
        assert_eq!(started(&mut queue), [1, 2]);
    }

    #[test]
    fn no_more_run_than_there_are_workers() {
        let mut queue = Queue { slots: 2, ..Queue::default() };
        for part in 0..3 {
            push(&mut queue, Class::Mine, Priority::Normal, part);
        }
        let first = queue.start_next().map(|job| job.work.work_id).expect("a free worker");
        assert!(queue.start_next().is_some());
        assert!(queue.start_next().is_none());
        queue.take(first);
        assert!(queue.start_next().is_some());
        let waiting: Vec<u64> = queue.jobs.keys().copied().collect();
        waiting.into_iter().for_each(|id| drop(queue.take(id)));
        assert_eq!((queue.len(), queue.running, queue.guests.len()), (0, 0, 0));
    }
}
