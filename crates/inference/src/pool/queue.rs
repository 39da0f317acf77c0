//! Orders on their way to the slots, and the choice of the slot that takes the next.
//!
//! The slot that was busy last comes first: what it used is in memory and in the caches, and the
//! others rest until their workers end. Slots without a worker come after all that have one.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Orders that wait. Whoever gives them keeps to the number of workers; this is the fence.
pub(super) const WAITING_ORDERS: usize = 1024;

#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
}

/// Either nobody is idle or nothing waits.
#[derive(Debug)]
struct State<T> {
    closed: bool,
    waiting: VecDeque<T>,
    /// The next to be chosen is the last.
    idle: Vec<Idle<T>>,
}

#[derive(Debug)]
struct Idle<T> {
    slot: usize,
    hand: oneshot::Sender<T>,
}

impl<T> Queue<T> {
    pub(super) const fn new() -> Self {
        Self { state: Mutex::new(State { closed: false, waiting: VecDeque::new(), idle: Vec::new() }) }
    }

    /// Hands an order to an idle slot, or lets it wait.
    ///
    /// # Errors
    /// The order itself, where [`WAITING_ORDERS`] wait already or the queue is closed.
    pub(super) fn give(&self, mut order: T) -> Result<(), T> {
        let mut state = self.state();
        if state.closed || state.waiting.len() >= WAITING_ORDERS {
            return Err(order);
        }
        while let Some(idle) = state.idle.pop() {
            match idle.hand.send(order) {
                Ok(()) => return Ok(()),
                // That slot is gone.
                Err(back) => order = back,
            }
        }
        state.waiting.push_back(order);
        Ok(())
    }

    /// Where the slot's next order arrives, with nothing in it when the queue is closed. `warm`
    /// says whether the slot has a worker.
    pub(super) fn next(&self, slot: usize, warm: bool) -> oneshot::Receiver<T> {
        let (hand, taken) = oneshot::channel();
        let mut state = self.state();
        if state.closed {
            return taken;
        }
        if let Some(order) = state.waiting.pop_front() {
            // The other end is two lines above.
            let _ = hand.send(order);
        } else {
            let place = if warm { state.idle.len() } else { 0 };
            state.idle.insert(place, Idle { slot, hand });
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

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_that_was_busy_last_is_chosen() {
        let queue = Queue::new();
        let mut first = queue.next(1, true);
        let mut second = queue.next(2, true);
        for order in 0..5 {
            queue.give(order).expect("room");
            assert_eq!(second.try_recv(), Ok(order));
            second = queue.next(2, true);
        }
        assert!(first.try_recv().is_err(), "the other one rests");
        // It is there when it is needed.
        queue.give(5).expect("room");
        queue.give(6).expect("room");
        assert_eq!((second.try_recv(), first.try_recv()), (Ok(5), Ok(6)));
    }

    #[test]
    fn a_slot_without_a_worker_comes_last() {
        let queue = Queue::new();
        let mut warm = queue.next(1, true);
        let _resting = queue.next(2, true);
        assert!(queue.withdraw(2));
        let mut cold = queue.next(2, false);
        queue.give("a").expect("room");
        queue.give("b").expect("room");
        assert_eq!((warm.try_recv(), cold.try_recv()), (Ok("a"), Ok("b")));
        assert!(!queue.withdraw(1), "it was chosen");
    }

    #[test]
    fn orders_wait_in_their_order_and_not_for_a_slot_that_is_gone() {
        let queue = Queue::new();
        drop(queue.next(1, true));
        for order in 0..WAITING_ORDERS {
            queue.give(order).expect("room");
        }
        assert_eq!(queue.give(7777), Err(7777));
        assert_eq!(queue.next(2, false).try_recv(), Ok(0));
        assert_eq!(queue.next(2, true).try_recv(), Ok(1));
    }

    #[test]
    fn a_closed_queue_sends_slots_home() {
        let queue = Queue::new();
        let mut idle = queue.next(1, true);
        queue.close();
        assert_eq!(idle.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert_eq!(queue.give(1), Err(1));
        assert_eq!(queue.next(1, true).try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }
}
