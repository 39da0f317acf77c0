//! What a watch told and nobody has taken yet: of each kind the newest word, so that it never fills up
//! and never loses the one that counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use p2p_types::{SignalKind, Told};
use tokio::sync::Notify;

#[derive(Debug, Default)]
struct Shared {
    newest: Mutex<BTreeMap<SignalKind, (Told, Instant)>>,
    /// The watch has ended, in whatever way.
    over: AtomicBool,
    news: Notify,
}

/// The watch's end.
pub(super) struct Teller(Arc<Shared>);

impl Teller {
    pub(super) fn tell(&self, told: Told, since: Instant) {
        self.0.newest.lock().unwrap_or_else(PoisonError::into_inner).insert(told.kind, (told, since));
        self.0.news.notify_one();
    }
}

impl Drop for Teller {
    /// A thread that panics drops it too.
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Release);
        self.0.news.notify_one();
    }
}

/// The listener's end.
#[derive(Debug)]
pub struct Heard(Arc<Shared>);

impl Heard {
    /// Waits for news: of each kind that has some, the newest, and since when it is so. `None` once the watch has ended. Whoever
    /// stops waiting loses nothing.
    pub async fn next(&mut self) -> Option<Vec<(Told, Instant)>> {
        loop {
            // Looked at before the news are taken: what was told before the end is taken first.
            let over = self.0.over.load(Ordering::Acquire);
            let news = self.take();
            if !news.is_empty() {
                return Some(news);
            }
            if over {
                return None;
            }
            self.0.news.notified().await;
        }
    }

    /// What there is without waiting.
    pub fn take(&mut self) -> Vec<(Told, Instant)> {
        let newest = std::mem::take(&mut *self.0.newest.lock().unwrap_or_else(PoisonError::into_inner));
        newest.into_values().collect()
    }
}

pub(super) fn heard() -> (Teller, Heard) {
    let shared = Arc::new(Shared::default());
    (Teller(Arc::clone(&shared)), Heard(shared))
}

#[cfg(test)]
mod tests {
    use p2p_types::{By, Reading};

    use super::*;

    fn input(idle_ms: u64) -> Told {
        Told { kind: SignalKind::Input, by: By::X11, reading: Ok(Reading::Input { idle_ms }) }
    }

    #[tokio::test]
    async fn the_newest_word_of_each_kind_is_heard_however_many_there_were() {
        let (teller, mut heard) = heard();
        let screen =
            Told { kind: SignalKind::FullScreen, by: By::X11, reading: Ok(Reading::FullScreen { full_screen: true }) };
        let (then, now) = (Instant::now(), Instant::now());
        teller.tell(screen, then);
        (0..10_000).for_each(|idle_ms| teller.tell(input(idle_ms), now));
        assert_eq!(heard.next().await, Some(vec![(input(9999), now), (screen, then)]));
        assert!(heard.take().is_empty());
    }

    #[tokio::test]
    async fn the_end_of_a_watch_is_heard_after_its_last_word() {
        let (teller, mut heard) = heard();
        let now = Instant::now();
        std::thread::spawn(move || teller.tell(input(0), now)).join().expect("told");
        assert_eq!(heard.next().await, Some(vec![(input(0), now)]));
        assert_eq!(heard.next().await, None);
        assert_eq!(heard.next().await, None, "and it stays so");
    }
}
