//! One search: the library's thread, and a watch over how much it holds.

use std::collections::HashMap;
use std::time::Duration;

use mdns_sd::{Receiver, Result, ServiceDaemon, ServiceEvent, ServiceInfo};
use tokio::time::{Instant, sleep_until};

const INTERFACES_EVERY_S: u32 = 60;
/// The search is asked what it holds so long after something was heard.
const CHECK_AFTER: Duration = Duration::from_secs(2);
/// It is asked so often where nothing is heard: it may be told of things that nobody looks for,
/// keeps them as well, and says nothing of it.
const CHECK_EVERY: Duration = Duration::from_secs(60);
/// Events between two checks: more than any home has, and less than the library's queue.
const MOST_EVENTS: usize = 512;
/// Records the search may hold. A service has about six.
const MOST_RECORDS: i64 = 4096;
/// Times the search may have noted for itself, of which every record needs several.
const MOST_TIMERS: i64 = 16 * MOST_RECORDS;

pub(super) struct Search {
    daemon: ServiceDaemon,
    events: Receiver<ServiceEvent>,
    holdings: Option<Receiver<HashMap<String, i64>>>,
    watch: Watch,
}

pub(super) enum Heard {
    Event(ServiceEvent),
    /// It is flooded: whoever hears this ends it.
    TooMuch,
    /// It ended by itself.
    End,
}

impl Search {
    pub(super) fn start(service: &str, now: Instant) -> Result<Self> {
        let daemon = ServiceDaemon::new()?;
        let prepared = daemon.set_ip_check_interval(INTERFACES_EVERY_S).and_then(|()| daemon.browse(service));
        match prepared {
            Ok(events) => Ok(Self { daemon, events, holdings: None, watch: Watch::new(now) }),
            Err(error) => {
                end(&daemon);
                Err(error)
            }
        }
    }

    pub(super) fn announce(&self, service: ServiceInfo) -> Result<()> {
        self.daemon.register(service)
    }

    /// Asks what the search holds. The answer is heard by [`Self::next`].
    fn check(&mut self, now: Instant) {
        self.watch = Watch::new(now);
        // One that has not answered since the last time is asked again when it did.
        if self.holdings.is_none() {
            self.holdings = self.daemon.get_metrics().ok();
        }
    }

    /// What is heard next. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Heard {
        loop {
            let holdings = async {
                match &self.holdings {
                    Some(answer) => answer.recv_async().await.ok(),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                held = holdings => {
                    self.holdings = None;
                    if held.is_some_and(|held| is_too_much(&held)) {
                        return Heard::TooMuch;
                    }
                }
                () = sleep_until(self.watch.check_at) => self.check(Instant::now()),
                event = self.events.recv_async() => {
                    let Ok(event) = event else { return Heard::End };
                    return if self.watch.is_flooded(Instant::now()) { Heard::TooMuch } else { Heard::Event(event) };
                }
            }
        }
    }
}

impl Drop for Search {
    /// The library's thread does not end by itself when nobody holds it any more.
    fn drop(&mut self) {
        end(&self.daemon);
    }
}

fn end(daemon: &ServiceDaemon) {
    if let Err(error) = daemon.shutdown() {
        tracing::warn!(%error, "the search for networks nearby did not end");
    }
}

/// Counts what is heard between two checks.
#[derive(Debug)]
struct Watch {
    check_at: Instant,
    events: usize,
}

impl Watch {
    fn new(now: Instant) -> Self {
        Self { check_at: now + CHECK_EVERY, events: 0 }
    }

    /// One more event: whether it is one too many. A check follows soon.
    fn is_flooded(&mut self, now: Instant) -> bool {
        self.events += 1;
        self.check_at = self.check_at.min(now + CHECK_AFTER);
        self.events > MOST_EVENTS
    }
}

/// Whether a search holds more than it may, by its own count of things.
fn is_too_much(held: &HashMap<String, i64>) -> bool {
    let records: i64 = held.iter().filter(|(name, _)| name.starts_with("cached-")).map(|(_, count)| *count).sum();
    records > MOST_RECORDS || held.get("timer").is_some_and(|timers| *timers > MOST_TIMERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(counts: &[(&str, i64)]) -> HashMap<String, i64> {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn a_search_holds_only_so_many_records() {
        assert!(!is_too_much(&held(&[("cached-ptr", 300), ("cached-addr", 2000), ("browse", 1_000_000)])));
        assert!(is_too_much(&held(&[("cached-ptr", 100), ("cached-addr", MOST_RECORDS)])));
        assert!(is_too_much(&held(&[("cached-ptr", 1), ("timer", MOST_TIMERS + 1)])));
    }

    #[test]
    fn services_that_come_faster_than_checks_are_a_flood() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        assert_eq!((0..10_000).filter(|_| watch.is_flooded(start)).count(), 10_000 - MOST_EVENTS);
        assert!(!Watch::new(start).is_flooded(start), "the next while is counted anew");
    }

    #[test]
    fn silence_is_left_alone_and_a_word_brings_a_check_soon() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        assert_eq!(watch.check_at, start + CHECK_EVERY);
        watch.is_flooded(start + CHECK_AFTER);
        assert_eq!(watch.check_at, start + 2 * CHECK_AFTER);
        watch.is_flooded(start + 2 * CHECK_AFTER);
        assert_eq!(watch.check_at, start + 2 * CHECK_AFTER, "what comes after it does not put it off");
        let mut late = Watch::new(start);
        late.is_flooded(start + CHECK_EVERY);
        assert_eq!(late.check_at, start + CHECK_EVERY);
    }
}
