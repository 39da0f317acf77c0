//! Where readings meet: the same thing, or nearly, is not told twice.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use p2p_types::{By, Reading, SignalKind, Told, Untold};

/// With when it began to be so.
type Tell = Box<dyn Fn(Told, Instant) + Send + Sync>;

/// Belongs to the one thread of a watch.
pub(super) struct Hub {
    ended: Arc<AtomicBool>,
    tell: Tell,
    last: RefCell<BTreeMap<SignalKind, (Told, Instant)>>,
}

impl Hub {
    pub(super) fn new(ended: Arc<AtomicBool>, tell: Tell) -> Self {
        Self { ended, tell, last: RefCell::default() }
    }

    pub(super) fn reading(&self, by: By, reading: Reading) {
        self.tell(Told { kind: reading.kind(), by, reading: Ok(reading) });
    }

    pub(super) fn cannot(&self, kind: SignalKind, by: By, why: Untold) {
        self.tell(Told { kind, by, reading: Err(why) });
    }

    /// Whether what counts now is a reading of this source.
    #[cfg(target_os = "linux")]
    pub(super) fn is_told_by(&self, kind: SignalKind, by: By) -> bool {
        self.last.borrow().get(&kind).is_some_and(|(last, _)| last.by == by && last.reading.is_ok())
    }

    /// Says all of it again, to whoever must know that it still holds.
    pub(super) fn say_again(&self) {
        if self.ended.load(Ordering::Acquire) {
            return;
        }
        let last: Vec<_> = self.last.borrow().values().copied().collect();
        last.into_iter().for_each(|(told, since)| (self.tell)(told, since));
    }

    fn tell(&self, told: Told) {
        let now = Instant::now();
        let same = self.last.borrow().get(&told.kind).is_some_and(|(last, _)| same(last, &told));
        if same || self.ended.load(Ordering::Acquire) {
            return;
        }
        self.last.borrow_mut().insert(told.kind, (told, now));
        (self.tell)(told, now);
    }
}

/// Whether the second says nothing new to who has heard the first. It is the last one told that
/// is compared with, not the last one read: small steps add up.
fn same(last: &Told, new: &Told) -> bool {
    if last.by != new.by {
        return false;
    }
    let (Ok(last), Ok(new)) = (last.reading, new.reading) else { return last.reading == new.reading };
    match (last, new) {
        // Whoever hears an idle time goes on counting; what matters is who starts and who stops.
        (Reading::Input { idle_ms: last }, Reading::Input { idle_ms: new }) => {
            (last == 0) == (new == 0) && last.abs_diff(new) < 1000
        }
        (Reading::Temperature { decicelsius: last }, Reading::Temperature { decicelsius: new }) => {
            last.abs_diff(new) < 10
        }
        (Reading::Load { others_permille: last }, Reading::Load { others_permille: new }) => last.abs_diff(new) < 10,
        (
            Reading::Memory { available_bytes: last, pressure_permille: last_pressure, .. },
            Reading::Memory { available_bytes: new, total_bytes, pressure_permille: new_pressure },
        ) => {
            let pressure = match (last_pressure, new_pressure) {
                // The end of all pressure is news, however small it was.
                (Some(last), Some(new)) => (last == 0) == (new == 0) && last.abs_diff(new) < 10,
                (last, new) => last == new,
            };
            pressure && last.abs_diff(new) <= total_bytes / 100
        }
        (Reading::Disk { free_bytes: last }, Reading::Disk { free_bytes: new }) => last.abs_diff(new) < 64 << 20,
        (last, new) => last == new,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn heard(readings: &[Reading]) -> Vec<Reading> {
        let all = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&all);
        let hub = Hub::new(Arc::default(), Box::new(move |told, _| sink.lock().unwrap().push(told.reading.unwrap())));
        for reading in readings {
            hub.reading(By::Procfs, *reading);
        }
        all.lock().unwrap().clone()
    }

    #[test]
    fn small_steps_are_told_when_they_have_added_up() {
        let steps: Vec<Reading> = (0..=30).map(|n| Reading::Load { others_permille: n }).collect();
        let told = heard(&steps);
        assert_eq!(told, [0, 10, 20, 30].map(|others_permille| Reading::Load { others_permille }));
        let warm = |decicelsius| Reading::Temperature { decicelsius };
        assert_eq!(heard(&[warm(-5), warm(4), warm(5), warm(-4), warm(-5)]), [warm(-5), warm(5), warm(-5)]);
    }

    #[test]
    fn the_first_touch_is_told_however_short_the_pause_was() {
        let input = |idle_ms| Reading::Input { idle_ms };
        let told = heard(&[input(0), input(0), input(300), input(0), input(1000), input(1200), input(9000)]);
        assert_eq!(told, [input(0), input(300), input(0), input(1000), input(9000)]);
    }

    #[test]
    fn pressure_that_ends_is_told() {
        let memory = |available_bytes, pressure| Reading::Memory {
            available_bytes,
            total_bytes: 1000,
            pressure_permille: pressure,
        };
        let told = heard(&[memory(500, Some(5)), memory(505, Some(9)), memory(505, Some(0)), memory(489, Some(0))]);
        assert_eq!(told, [memory(500, Some(5)), memory(505, Some(0)), memory(489, Some(0))]);
    }

    #[test]
    fn another_source_or_reason_is_told() {
        let count = Arc::new(Mutex::new(0));
        let sink = Arc::clone(&count);
        let ended = Arc::new(AtomicBool::new(false));
        let hub = Hub::new(Arc::clone(&ended), Box::new(move |_, _| *sink.lock().unwrap() += 1));
        hub.cannot(SignalKind::Power, By::Upower, Untold::Failed);
        hub.cannot(SignalKind::Power, By::Upower, Untold::Failed);
        hub.cannot(SignalKind::Power, By::Upower, Untold::Unsupported);
        hub.cannot(SignalKind::Power, By::Sysfs, Untold::Unsupported);
        assert_eq!(*count.lock().unwrap(), 3);
        ended.store(true, Ordering::Release);
        hub.cannot(SignalKind::Power, By::Nothing, Untold::Absent);
        assert_eq!(*count.lock().unwrap(), 3);
    }
}
