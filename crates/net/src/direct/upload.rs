//! How fast frames may leave this computer, all peers together.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Bytes that may leave at once after a quiet time, as a time at the limit's own rate.
const SAVED: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct State {
    bytes_per_s: Option<u64>,
    /// When what was promised so far has left.
    free_at: Instant,
}

/// A limit that every writer asks before it writes. Every clone is the same limit.
#[derive(Debug, Clone)]
pub(crate) struct UploadLimit(Arc<Mutex<State>>);

impl Default for UploadLimit {
    /// None.
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State { bytes_per_s: None, free_at: Instant::now() })))
    }
}

impl UploadLimit {
    /// Bytes a second from now on; `None` is no limit.
    pub(crate) fn set(&self, bytes_per_s: Option<u64>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What was promised at another rate is forgotten.
        *state = State { bytes_per_s, free_at: Instant::now() };
    }

    /// Waits until so many bytes may leave. They count even where whoever waits gives up.
    pub(crate) async fn pass(&self, bytes: usize) {
        let begin = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(rate) = state.bytes_per_s else { return };
            let now = Instant::now();
            let begin = state.free_at.max(now.checked_sub(SAVED).unwrap_or(now));
            let micros = (bytes as u64).saturating_mul(1_000_000) / rate.max(1);
            state.free_at = begin + Duration::from_micros(micros);
            begin
        };
        tokio::time::sleep_until(begin).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_writers_together_keep_to_the_limit() {
        let limit = UploadLimit::default();
        limit.set(Some(1000));
        let begun = Instant::now();
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let limit = limit.clone();
                tokio::spawn(async move {
                    for _ in 0..10 {
                        limit.pass(500).await;
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.expect("it ends");
        }
        // 20,000 bytes at 1,000 a second; the last 500 may leave when those before have.
        let took = begun.elapsed();
        assert!((Duration::from_millis(19_400)..Duration::from_millis(19_700)).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_time_saves_a_second_and_no_limit_waits_for_nothing() {
        let limit = UploadLimit::default();
        let begun = Instant::now();
        limit.pass(usize::MAX / 2_000_000).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        limit.set(Some(1000));
        tokio::time::sleep(Duration::from_secs(60)).await;
        let begun = Instant::now();
        for _ in 0..3 {
            limit.pass(500).await;
        }
        assert_eq!(begun.elapsed(), Duration::ZERO, "a second's worth");
        limit.pass(500).await;
        assert_eq!(begun.elapsed(), Duration::from_millis(500));
        limit.set(None);
        limit.pass(1_000_000).await;
        assert_eq!(begun.elapsed(), Duration::from_millis(500), "the new rule counts at once");
    }
}
