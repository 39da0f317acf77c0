//! The places at one door, and who gives one up when all are taken: the connection that has been
//! quiet longest. So clients that are silent or slow keep nobody out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// However crowded it is, a connection keeps its place so long after it was opened or answered:
/// time for its next request to arrive.
const COURTESY: Duration = Duration::from_millis(100);

/// All the places of a door.
#[derive(Debug)]
pub(super) struct Seats {
    count: usize,
    hall: Arc<Hall>,
}

#[derive(Debug, Default)]
struct Hall {
    places: Mutex<Places>,
    /// Somebody left, or became quiet.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Places {
    next: u64,
    taken: HashMap<u64, Place>,
}

#[derive(Debug)]
struct Place {
    /// Calls that the server works on now. While there are any, the place is kept.
    calls: u32,
    quiet_since: Instant,
    leave: Arc<Notify>,
}

impl Seats {
    pub(super) fn new(count: usize) -> Self {
        Self { count, hall: Arc::default() }
    }

    /// A place for a new connection. Where all are taken, the connection that has been quiet
    /// longest is asked to leave; where all have calls under way, this waits for one to end.
    pub(super) async fn take(&self) -> Seat {
        loop {
            match self.hall.find(self.count) {
                Ok(seat) => return seat,
                Err(Some(soonest)) => {
                    let _ = timeout_at(soonest, self.hall.changed.notified()).await;
                }
                Err(None) => self.hall.changed.notified().await,
            }
        }
    }
}

impl Hall {
    /// A place, or the moment at which one can be had, where one is known.
    fn find(self: &Arc<Self>, count: usize) -> Result<Seat, Option<Instant>> {
        let now = Instant::now();
        let mut places = self.lock();
        if places.taken.len() >= count {
            let quiet = places.taken.iter().filter(|(_, place)| place.calls == 0);
            let longest = quiet.min_by_key(|(_, place)| place.quiet_since);
            let (id, since) = longest.map(|(id, place)| (*id, place.quiet_since)).ok_or(None)?;
            if since + COURTESY > now {
                return Err(Some(since + COURTESY));
            }
            if let Some(place) = places.taken.remove(&id) {
                place.leave.notify_one();
            }
        }
        let id = places.next;
        places.next += 1;
        let leave = Arc::new(Notify::new());
        places.taken.insert(id, Place { calls: 0, quiet_since: now, leave: Arc::clone(&leave) });
        Ok(Seat(Arc::new(Held { hall: Arc::clone(self), id, leave })))
    }

    /// A place is quiet from the moment on that nothing is under way any more.
    fn count_calls(&self, id: u64, change: impl FnOnce(u32) -> u32) {
        // Who was asked to leave has no place any more.
        if let Some(place) = self.lock().taken.get_mut(&id) {
            place.calls = change(place.calls);
            place.quiet_since = Instant::now();
        }
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection, until its last clone is dropped.
#[derive(Debug, Clone)]
pub(in crate::server) struct Seat(Arc<Held>);

#[derive(Debug)]
struct Held {
    hall: Arc<Hall>,
    id: u64,
    leave: Arc<Notify>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.hall.lock().taken.remove(&self.id);
        self.hall.changed.notify_one();
    }
}

impl Seat {
    /// Waits until the place is wanted by somebody else.
    pub(super) async fn asked_to_leave(&self) {
        self.0.leave.notified().await;
    }

    /// A call is under way until this is dropped.
    pub(super) fn call(&self) -> CallUnderWay {
        self.0.hall.count_calls(self.0.id, |calls| calls + 1);
        CallUnderWay(self.clone())
    }

    /// Within a call, the server waits for the other end until this is dropped. That is as good as
    /// being quiet.
    pub(in crate::server) fn receive(&self) -> Receiving {
        self.0.hall.count_calls(self.0.id, |calls| calls.saturating_sub(1));
        Receiving(self.clone())
    }
}

#[derive(Debug)]
pub(super) struct CallUnderWay(Seat);

impl Drop for CallUnderWay {
    fn drop(&mut self) {
        let Held { hall, id, .. } = &*self.0.0;
        hall.count_calls(*id, |calls| calls.saturating_sub(1));
    }
}

#[derive(Debug)]
pub(in crate::server) struct Receiving(Seat);

impl Drop for Receiving {
    fn drop(&mut self) {
        let Held { hall, id, .. } = &*self.0.0;
        hall.count_calls(*id, |calls| calls + 1);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    async fn was_asked(seat: &Seat) -> bool {
        timeout(Duration::ZERO, seat.asked_to_leave()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_been_quiet_longest_makes_room() {
        let seats = Seats::new(3);
        let (busy, first) = (seats.take().await, seats.take().await);
        let _call = busy.call();
        advance(LONG).await;
        let second = seats.take().await;
        advance(LONG).await;
        drop(first.call());
        let _new = timeout(LONG, seats.take()).await.expect("the second has been quiet longest");
        assert!(was_asked(&second).await);
        assert!(!was_asked(&busy).await && !was_asked(&first).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_under_way_keeps_its_place_until_it_ends() {
        let seats = Seats::new(1);
        let busy = seats.take().await;
        let call = busy.call();
        assert!(timeout(LONG, seats.take()).await.is_err(), "there is none to be had");
        drop(call);
        let taken = Instant::now();
        let next = seats.take().await;
        assert_eq!(taken.elapsed(), COURTESY, "its next request may be on the way");
        assert!(was_asked(&busy).await);
        // Who had to leave takes nothing from those that came after.
        drop(busy.call());
        drop(busy);
        let _call = next.call();
        assert!(timeout(LONG, seats.take()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_keeps_no_place() {
        let seats = Seats::new(1);
        let slow = seats.take().await;
        let call = slow.call();
        let receiving = slow.receive();
        let _next = timeout(LONG, seats.take()).await.expect("a place");
        assert!(was_asked(&slow).await);
        drop((receiving, call));
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_was_left_is_free() {
        let seats = Seats::new(1);
        let seat = seats.take().await;
        let call = seat.call();
        drop(seat);
        assert!(timeout(LONG, seats.take()).await.is_err(), "its answer is still on the way");
        drop(call);
        let before = Instant::now();
        let _next = seats.take().await;
        assert_eq!(before.elapsed(), Duration::ZERO);
    }
}
