//! What this computer has used for the network, and when it was last known to run.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use p2p_store::{Record, Usage};
use p2p_types::{Monotonic, Now, Timestamp};

/// How often it is counted and written down: also how exactly the end of a process is known that could not say it.
const EVERY_MS: u64 = 300_000;
/// Folders within folders that are weighed: a home has fewer.
const DEPTH: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Counted {
    kept: Usage,
    /// What the network had counted at the last look: it begins at zero with each run.
    seen_bytes: u64,
    /// As it was weighed last, which goes on beside the loop: disks may be slow.
    home_bytes: Arc<AtomicU64>,
    /// What an earlier month had come to, for a calendar that comes back to it.
    earlier: Option<(u32, u64)>,
    due: Option<Monotonic>,
    died: Option<Timestamp>,
}

impl Counted {
    /// Goes on from what was kept.
    pub(super) fn new(kept: Option<Usage>) -> Self {
        let died = kept.filter(|kept| !kept.ended).map(|kept| kept.at);
        Self { kept: kept.unwrap_or_default(), died, ..Self::default() }
    }

    /// When an earlier process was last known to run that did not say that it ended. Said once.
    pub(super) fn died_at(&mut self) -> Option<Timestamp> {
        self.died.take()
    }

    pub(super) const fn due(&self) -> Option<Monotonic> {
        self.due
    }

    /// The network has counted so many bytes since it was begun.
    pub(super) fn count(&mut self, now: Now, bytes: u64) {
        self.due = Some(now.mono.plus_ms(EVERY_MS));
        let fresh = bytes.checked_sub(self.seen_bytes).unwrap_or(bytes);
        self.seen_bytes = bytes;
        self.turn(now);
        self.kept.bytes = self.kept.bytes.saturating_add(fresh);
    }

    /// What a folder takes on the disk, with all in it.
    pub(super) fn weigh(&self, home: &Path) {
        let (home, found) = (home.to_owned(), Arc::clone(&self.home_bytes));
        tokio::task::spawn_blocking(move || found.store(weight(&home, DEPTH), Ordering::Relaxed));
    }

    pub(super) fn home_bytes(&self) -> u64 {
        self.home_bytes.load(Ordering::Relaxed)
    }

    /// Bytes that went over the network in the month that it is.
    pub(super) fn month_bytes(&self, now: Now) -> u64 {
        let (now, kept) = (month(now.wall), self.kept.month);
        // Months do not come back: a calendar that was set back changes nothing.
        if now <= kept { self.kept.bytes } else { 0 }
    }

    /// Another month has begun, or the calendar came back from one that it was sent to.
    fn turn(&mut self, now: Now) {
        let now = month(now.wall);
        if now > self.kept.month {
            self.earlier = Some((self.kept.month, self.kept.bytes));
            (self.kept.month, self.kept.bytes) = (now, 0);
        } else if let Some((_, bytes)) = self.earlier.take_if(|(earlier, _)| *earlier == now) {
            (self.kept.month, self.kept.bytes) = (now, self.kept.bytes.saturating_add(bytes));
        }
    }

    /// For the disk.
    pub(super) fn record(&mut self, now: Now, ended: bool) -> Record {
        (self.kept.at, self.kept.ended) = (now.wall, ended);
        self.turn(now);
        Record::Usage { usage: self.kept }
    }
}

/// Months since January of the year 0, by UTC: the bill of a provider begins on another day anyway.
fn month(at: Timestamp) -> u32 {
    let date = p2p_platform::date(at);
    let mut parts = date.split('-').map_while(|part| part.parse::<u32>().ok());
    let (year, month) = (parts.next().unwrap_or_default(), parts.next().unwrap_or(1));
    year * 12 + month.saturating_sub(1)
}

/// Links are not followed, and what cannot be read counts for nothing.
fn weight(folder: &Path, depth: usize) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let each = entries.flatten().filter_map(|entry| {
        let about = entry.metadata().ok()?;
        let inside = if about.is_dir() && depth > 0 { weight(&entry.path(), depth - 1) } else { 0 };
        Some(inside + if about.is_file() { about.len() } else { 0 })
    });
    each.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 24 * 60 * 60 * 1000;

    fn at(ms: u64) -> Now {
        Now { wall: Timestamp(ms), mono: Monotonic(ms * 1000) }
    }

    fn kept(record: &Record) -> Usage {
        let Record::Usage { usage } = record else { panic!("{record:?}") };
        *usage
    }

    #[test]
    fn bytes_add_up_over_runs_and_begin_anew_with_a_month() {
        // 2026-11-21 and the days after.
        let day = |day: u64| at(1_795_219_200_000 + day * DAY_MS);
        let mut counted = Counted::new(None);
        counted.count(day(0), 100);
        counted.count(day(0), 250);
        assert_eq!(counted.month_bytes(day(0)), 250);
        let mut again = Counted::new(Some(kept(&counted.record(day(1), true))));
        again.count(day(1), 50);
        assert_eq!(again.month_bytes(day(1)), 300, "another run counts from zero");
        again.count(day(1), 20);
        assert_eq!(again.month_bytes(day(1)), 320, "and so does another network");
        assert_eq!(again.month_bytes(day(10)), 0, "it is December");
        again.count(day(10), 30);
        assert_eq!(again.month_bytes(day(10)), 10, "what came since the last look");
        again.count(day(1), 45);
        assert_eq!(again.month_bytes(day(1)), 345, "the calendar had been sent there and came back");
        again.count(at(1_000_000), 50);
        assert_eq!(again.month_bytes(at(1_000_000)), 350, "and one that shows 1970 is not believed");
    }

    #[test]
    fn who_did_not_say_goodbye_is_known_to_have_run_until_the_last_note() {
        let mut first = Counted::new(None);
        assert_eq!(first.died_at(), None, "there was nobody before");
        let note = kept(&first.record(at(5000), false));
        let mut second = Counted::new(Some(note));
        assert_eq!((second.died_at(), second.died_at()), (Some(Timestamp(5000)), None));
        let goodbye = kept(&second.record(at(9000), true));
        assert_eq!(Counted::new(Some(goodbye)).died_at(), None);
    }

    #[test]
    fn a_folder_weighs_what_is_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("in")).expect("made");
        std::fs::write(folder.path().join("in/a"), [0; 700]).expect("written");
        std::fs::write(folder.path().join("b"), [0; 30]).expect("written");
        assert_eq!(weight(folder.path(), DEPTH), 730);
        assert_eq!(weight(&folder.path().join("none"), DEPTH), 0);
    }
}
