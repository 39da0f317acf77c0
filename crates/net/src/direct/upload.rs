//! How fast frames may leave this computer, all peers together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Bytes that may leave at once after a quiet time, as a time at the limit's own rate; and how far small
/// ones may run ahead of it.
const SAVED: Duration = Duration::from_secs(1);
/// What keeps conversations alive never waits: hellos, progress, vouchers, orders. It counts all the same.
const SMALL: usize = 4 * 1024;
/// Whoever has much to write asks again after each so many bytes, so that all have their turn and nothing is
/// booked that may never leave.
pub(crate) const SLICE: usize = 16 * 1024;

#[derive(Debug)]
struct State {
    bytes_per_s: Option<u64>,
    /// When what has left so far is paid for.
    free_at: Instant,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

/// A limit that every writer asks before it writes. Every clone is the same limit.
#[derive(Debug, Clone)]
pub(crate) struct UploadLimit(Arc<Shared>);

impl Default for UploadLimit {
    /// None.
    fn default() -> Self {
        let state = Mutex::new(State { bytes_per_s: None, free_at: Instant::now() });
        Self(Arc::new(Shared { state, changed: Notify::new() }))
    }
}

impl UploadLimit {
    /// Bytes a second from now on; `None` is no limit. It counts at once for those that wait.
    pub(crate) fn set(&self, bytes_per_s: Option<u64>) {
        let mut state = self.state();
        if state.bytes_per_s == bytes_per_s {
            return;
        }
        *state = State { bytes_per_s, free_at: Instant::now() };
        drop(state);
        self.0.changed.notify_waiters();
    }

    /// Waits until so many bytes may leave.
    pub(crate) async fn pass(&self, bytes: usize) {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            let Some(wait) = self.take(bytes) else { return };
            tokio::select! {
                () = sleep_until(wait) => {}
                () = changed => {}
            }
        }
    }

    /// Takes so many bytes, or says when to ask again.
    fn take(&self, bytes: usize) -> Option<Instant> {
        let mut state = self.state();
        let rate = state.bytes_per_s?;
        let now = Instant::now();
        let begin = state.free_at.max(now.checked_sub(SAVED).unwrap_or(now));
        if begin > now && bytes > SMALL {
            return Some(begin);
        }
        let micros = (bytes as u64).saturating_mul(1_000_000) / rate.max(1);
        let most = if bytes > SMALL { begin + Duration::from_micros(micros) } else { (now + SAVED).max(begin) };
        state.free_at = (begin + Duration::from_micros(micros)).min(most);
        None
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BULK: usize = 10_000;

    fn limited(rate: u64) -> UploadLimit {
        let limit = UploadLimit::default();
        limit.set(Some(rate));
        limit
    }

    #[tokio::test(start_paused = true)]
    async fn all_writers_together_keep_to_the_limit() {
        let limit = limited(20_000);
        let begun = Instant::now();
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let limit = limit.clone();
                tokio::spawn(async move {
                    for _ in 0..10 {
                        limit.pass(BULK).await;
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.expect("it ends");
        }
        // 400,000 bytes at 20,000 a second; the last may leave when those before are paid for.
        let took = begun.elapsed();
        assert!((Duration::from_secs(19)..Duration::from_millis(19_900)).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_time_saves_a_second_and_no_limit_waits_for_nothing() {
        let limit = UploadLimit::default();
        let begun = Instant::now();
        limit.pass(usize::MAX / 2_000_000).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        limit.set(Some(BULK as u64));
        tokio::time::sleep(Duration::from_secs(60)).await;
        let begun = Instant::now();
        limit.pass(BULK).await;
        limit.pass(BULK).await;
        assert_eq!(begun.elapsed(), Duration::ZERO, "a second's worth, and what is paid for after");
        limit.pass(BULK).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn small_frames_do_not_stand_behind_large_ones() {
        let limit = limited(1000);
        limit.pass(1 << 20).await;
        let begun = Instant::now();
        for _ in 0..100 {
            limit.pass(SMALL).await;
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_goes_on_as_the_limit_is_lifted_and_the_same_limit_forgives_nothing() {
        let limit = limited(1000);
        limit.pass(1 << 20).await;
        let waiting = limit.clone();
        let waits = tokio::spawn(async move { waiting.pass(BULK).await });
        tokio::time::sleep(Duration::from_secs(1)).await;
        limit.set(Some(1000));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!waits.is_finished(), "nothing changed");
        limit.set(None);
        let begun = Instant::now();
        waits.await.expect("it ends");
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
