//! Orders on their way to the slots, and the choice of the slot that takes the next.
//!
//! The slot that was busy last comes first: what it used is in memory and in the caches, and the
//! others rest until their workers end. Slots without a worker come after all that have one. The
//! owner's orders come before guests', which begin only as far as the gate is open.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use tokio::sync::oneshot;

use super::Class;

/// Orders that wait. Whoever gives them keeps to the number of workers; this is the fence.
pub(super) const WAITING_ORDERS: usize = 1024;

/// How many guests' orders may be at work. Whoever turns it waits for nobody.
#[derive(Debug)]
pub(super) struct Gate {
    halted: AtomicBool,
    guests: AtomicUsize,
    /// Who wants to know that it may be wider now.
    queue: OnceLock<Weak<dyn Opened>>,
}

/// Whoever lets orders through a gate.
trait Opened: Send + Sync + std::fmt::Debug {
    fn opened(&self);
}

impl Gate {
    pub(super) const fn new() -> Self {
        Self { halted: AtomicBool::new(false), guests: AtomicUsize::new(usize::MAX), queue: OnceLock::new() }
    }

    pub(super) fn allow(&self, guests: usize) {
        self.guests.store(guests, Ordering::SeqCst);
    }

    /// Returns what was before.
    pub(super) fn halt(&self, halted: bool) -> bool {
        self.halted.swap(halted, Ordering::SeqCst)
    }

    pub(super) fn is_halted(&self) -> bool {
        self.halted.load(Ordering::SeqCst)
    }

    /// Orders that waited for it may go through now.
    pub(super) fn opened(&self) {
        if let Some(queue) = self.queue.get().and_then(Weak::upgrade) {
            queue.opened();
        }
    }

    fn guests(&self) -> usize {
        if self.is_halted() { 0 } else { self.guests.load(Ordering::SeqCst) }
    }
}

#[derive(Debug)]
pub(super) struct Queue<T> {
    /// Most orders at work, those for guests together with the owner's.
    most: usize,
    gate: Arc<Gate>,
    state: Mutex<State<T>>,
}

/// Either nobody is idle or nothing waits that may run.
#[derive(Debug)]
struct State<T> {
    closed: bool,
    waiting: VecDeque<(Class, T)>,
    /// The next to be chosen is the last.
    idle: Vec<Idle<T>>,
    busy: BTreeMap<usize, Class>,
}

#[derive(Debug)]
struct Idle<T> {
    slot: usize,
    hand: oneshot::Sender<T>,
}

impl<T: Send + std::fmt::Debug + 'static> Queue<T> {
    /// For one slot more than `most` orders at work: guests may keep `most` workers for long, and
    /// the owner's next order does not wait for any of them.
    pub(super) fn new(most: usize, gate: Arc<Gate>) -> Arc<Self> {
        let state = State { closed: false, waiting: VecDeque::new(), idle: Vec::new(), busy: BTreeMap::new() };
        let queue = Arc::new(Self { most, gate, state: Mutex::new(state) });
        let told: Weak<Self> = Arc::downgrade(&queue);
        // A gate has one queue.
        let _ = queue.gate.queue.set(told);
        queue
    }

    /// Hands an order to an idle slot, or lets it wait.
    ///
    /// # Errors
    /// The order itself, where [`WAITING_ORDERS`] wait already or the queue is closed.
    pub(super) fn give(&self, class: Class, order: T) -> Result<(), T> {
        let mut state = self.state();
        if state.closed || state.waiting.len() >= WAITING_ORDERS {
            return Err(order);
        }
        state.waiting.push_back((class, order));
        self.hand_out(&mut state);
        Ok(())
    }

    /// Where the slot's next order arrives, with nothing in it when the queue is closed. `warm`
    /// says whether the slot has a worker. The order before is no longer at work.
    pub(super) fn next(&self, slot: usize, warm: bool) -> oneshot::Receiver<T> {
        let (hand, taken) = oneshot::channel();
        let mut state = self.state();
        state.busy.remove(&slot);
        if !state.closed {
            let place = if warm { state.idle.len() } else { 0 };
            state.idle.insert(place, Idle { slot, hand });
            self.hand_out(&mut state);
        }
        taken
    }

    /// Takes an idle slot off the list; `false` if it was chosen just now.
    pub(super) fn withdraw(&self, slot: usize) -> bool {
        let mut state = self.state();
        let place = state.idle.iter().position(|idle| idle.slot == slot);
        place.map(|place| state.idle.remove(place)).is_some()
    }

    /// Sends all slots home. What waits is given up.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.waiting.clear();
        state.idle.clear();
    }

    /// The owner's orders first, each class in its order.
    fn hand_out(&self, state: &mut State<T>) {
        while let Some(class) = [Class::Mine, Class::Guest].into_iter().find(|class| self.may_begin(state, *class)) {
            let Some(place) = state.waiting.iter().position(|(of, _)| *of == class) else { return };
            let Some(Idle { slot, hand }) = state.idle.pop() else { return };
            let Some((_, order)) = state.waiting.remove(place) else { return };
            match hand.send(order) {
                Ok(()) => drop(state.busy.insert(slot, class)),
                // That slot is gone.
                Err(back) => state.waiting.insert(place, (class, back)),
            }
        }
    }

    fn may_begin(&self, state: &State<T>, class: Class) -> bool {
        let busy = |class| state.busy.values().filter(|of| **of == class).count();
        state.waiting.iter().any(|(of, _)| *of == class)
            && match class {
                Class::Mine => busy(Class::Mine) < self.most,
                Class::Guest => state.busy.len() < self.most && busy(Class::Guest) < self.gate.guests(),
            }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + std::fmt::Debug + 'static> Opened for Queue<T> {
    fn opened(&self) {
        self.hand_out(&mut self.state());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue<T: Send + std::fmt::Debug + 'static>(most: usize) -> Arc<Queue<T>> {
        Queue::new(most, Arc::new(Gate::new()))
    }

    #[test]
    fn the_slot_that_was_busy_last_is_chosen() {
        let queue = queue(3);
        let mut first = queue.next(1, true);
        let mut second = queue.next(2, true);
        for order in 0..5 {
            queue.give(Class::Mine, order).expect("room");
            assert_eq!(second.try_recv(), Ok(order));
            second = queue.next(2, true);
        }
        assert!(first.try_recv().is_err(), "the other one rests");
        // It is there when it is needed.
        queue.give(Class::Mine, 5).expect("room");
        queue.give(Class::Mine, 6).expect("room");
        assert_eq!((second.try_recv(), first.try_recv()), (Ok(5), Ok(6)));
    }

    #[test]
    fn a_slot_without_a_worker_comes_last() {
        let queue = queue(3);
        let mut warm = queue.next(1, true);
        let _resting = queue.next(2, true);
        assert!(queue.withdraw(2));
        let mut cold = queue.next(2, false);
        queue.give(Class::Mine, "a").expect("room");
        queue.give(Class::Mine, "b").expect("room");
        assert_eq!((warm.try_recv(), cold.try_recv()), (Ok("a"), Ok("b")));
        assert!(!queue.withdraw(1), "it was chosen");
    }

    #[test]
    fn orders_wait_in_their_order_and_not_for_a_slot_that_is_gone() {
        let queue = queue(3);
        drop(queue.next(1, true));
        for order in 0..WAITING_ORDERS {
            queue.give(Class::Mine, order).expect("room");
        }
        assert_eq!(queue.give(Class::Mine, 7777), Err(7777));
        assert_eq!(queue.next(2, false).try_recv(), Ok(0));
        assert_eq!(queue.next(2, true).try_recv(), Ok(1));
    }

    #[test]
    fn a_closed_queue_sends_slots_home() {
        let queue = queue(3);
        let mut idle = queue.next(1, true);
        queue.close();
        assert_eq!(idle.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert_eq!(queue.give(Class::Mine, 1), Err(1));
        assert_eq!(queue.next(1, true).try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }

    #[test]
    fn guests_leave_a_slot_to_the_owner() {
        let queue = queue(2);
        let mut slots: Vec<_> = (0..3).map(|slot| queue.next(slot, true)).collect();
        for order in 0..3 {
            queue.give(Class::Guest, order).expect("room");
        }
        assert_eq!((slots[2].try_recv(), slots[1].try_recv()), (Ok(0), Ok(1)));
        assert!(slots[0].try_recv().is_err(), "two are enough for guests");
        queue.give(Class::Mine, 10).expect("room");
        queue.give(Class::Mine, 11).expect("room");
        assert_eq!(slots[0].try_recv(), Ok(10));
        // The owner's next order is before the guest's that waits for longer.
        assert_eq!(queue.next(1, true).try_recv(), Ok(11));
        let mut last = queue.next(2, true);
        assert!(last.try_recv().is_err(), "two orders of the owner are at work");
        drop(queue.next(0, false));
        assert_eq!(last.try_recv(), Ok(2));
    }

    #[test]
    fn guests_wait_at_the_gate_and_the_owner_does_not() {
        let gate = Arc::new(Gate::new());
        let queue = Queue::new(2, Arc::clone(&gate));
        let mut slots: Vec<_> = (0..3).map(|slot| queue.next(slot, true)).collect();
        gate.allow(1);
        queue.give(Class::Guest, 0).expect("room");
        queue.give(Class::Guest, 1).expect("room");
        assert_eq!(slots[2].try_recv(), Ok(0));
        assert!(!gate.halt(true) && gate.halt(true) && gate.is_halted());
        gate.allow(2);
        gate.opened();
        assert!(slots[1].try_recv().is_err(), "a halt is no less a halt where more is allowed");
        queue.give(Class::Mine, 10).expect("room");
        assert_eq!(slots[1].try_recv(), Ok(10));
        drop(queue.next(1, true));
        assert!(gate.halt(false));
        gate.opened();
        assert_eq!(slots[0].try_recv(), Ok(1));
    }
}
