//! What this computer is good for and what its work costs: measured while it works, and at no
//! other time. Nothing here has a timer.

mod day;
mod kept;
mod speed;
mod view;

use std::path::PathBuf;
use std::time::Duration;

use p2p_inference::Spent;
use p2p_ledger::day as day_of;
use p2p_platform::{Home, Meter, MeterReading, NoMeter};
use p2p_types::{Monotonic, Now};
use tracing::warn;

use day::Day;
use kept::Kept;
use speed::Speed;

pub(crate) use view::{Around, Seen};

/// The meter is not read more often while the workers are busy.
const LOOK_MS: u64 = 1_000;
/// Two looks that lie further apart may have missed a round of the meter's counter: then the model
/// stands in.
const LONGEST_LOOK_MS: u64 = 300_000;
/// What a crash of this process may cost of the day's sums.
const KEEP_MS: u64 = 60_000;

/// It outlives a change of network.
#[derive(Debug)]
pub(crate) struct Computer {
    meter: Meter,
    /// Why the meter says nothing. It is asked once: rights do not change under a process.
    no_meter: Option<NoMeter>,
    /// The last look, while there is work.
    looked: Option<(Monotonic, MeterReading)>,
    /// What the pool has told so far.
    spent: Spent,
    day: Day,
    speed: Speed,
    file: PathBuf,
    /// When the sums went to disk; `None` before the first time.
    kept: Option<Monotonic>,
}

impl Computer {
    /// With the sums that an earlier process has left.
    pub(crate) fn begin(home: &Home, meter: Meter, now: Now) -> Self {
        let file = home.database().with_file_name(kept::FILE);
        let Kept { day, speed } = kept::read(&file).unwrap_or_default();
        let mut computer = Self {
            no_meter: meter.read().err(),
            meter,
            looked: None,
            spent: Spent::default(),
            day,
            speed,
            file,
            kept: None,
        };
        computer.day.turn(day_of(now.wall));
        computer
    }

    /// The first of some orders begins, or the next where the one before has just ended.
    pub(crate) fn begins(&mut self, now: Now, spent: Spent) {
        if self.looked.is_some() {
            return;
        }
        // What idle workers used was not under the meter.
        self.account(now, spent, None);
        self.looked = self.read_meter().map(|reading| (now.mono, reading));
    }

    /// An order was computed.
    pub(crate) fn done(&mut self, now: Now, texts: usize, for_others: bool) {
        self.day.turn(day_of(now.wall));
        self.day.done(texts, for_others);
    }

    /// Takes what the workers have used since the last look; `busy` where orders are still under way.
    pub(crate) fn look(&mut self, now: Now, spent: Spent, busy: bool) {
        let soon = |(at, _): &(Monotonic, MeterReading)| now.mono < at.plus_ms(LOOK_MS);
        if busy && self.looked.as_ref().is_some_and(soon) {
            return;
        }
        let before = self.looked.take();
        let reading = before.as_ref().and_then(|_| self.read_meter());
        let used = before.zip(reading.as_ref()).and_then(|((at, before), reading)| {
            let recent = now.mono <= at.plus_ms(LONGEST_LOOK_MS);
            recent.then(|| reading.since(&before)).flatten()
        });
        self.account(now, spent, used);
        if busy {
            self.looked = reading.map(|reading| (now.mono, reading));
        }
    }

    /// Whether the sums should go to disk again.
    pub(crate) fn wants_keeping(&self, now: Now) -> bool {
        self.kept.is_none_or(|kept| now.mono >= kept.plus_ms(KEEP_MS))
    }

    /// What keeps the sums: slow, because it waits for the disk.
    pub(crate) fn keep(&mut self, now: Now) -> impl FnOnce() + Send + 'static {
        self.kept = Some(now.mono);
        let (file, kept) = (self.file.clone(), Kept { day: self.day, speed: self.speed });
        move || {
            if let Err(error) = kept::write(&file, &kept) {
                warn!(%error, "today's work could not be kept; after a restart the day begins anew");
            }
        }
    }

    fn account(&mut self, now: Now, spent: Spent, used: Option<p2p_platform::Used>) {
        let before = std::mem::replace(&mut self.spent, spent);
        self.day.turn(day_of(now.wall));
        self.day.used(spent.cpu.saturating_sub(before.cpu), used);
        let model = Duration::from_micros(spent.model_us.saturating_sub(before.model_us));
        self.speed.add(spent.tokens.saturating_sub(before.tokens), model);
    }

    fn read_meter(&mut self) -> Option<MeterReading> {
        if self.no_meter.is_some() {
            return None;
        }
        let reading = self.meter.read();
        self.no_meter = reading.as_ref().err().copied();
        reading.ok()
    }
}

#[cfg(test)]
mod tests;
