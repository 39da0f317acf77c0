//! When the network is told what this node can do.

use p2p_types::{Monotonic, Now};

/// How often a node tells that it is still there.
const HEARTBEAT_MS: u64 = 30_000;
/// The same where its owner wants the network spared: on battery, or where bytes are paid for.
const SPARING_MS: u64 = 300_000;
/// Changes of presence are told at most this often.
const GAP_MS: u64 = 1000;
/// A connection takes a moment to carry the topic: what is published before is lost to the newcomer
/// and to all that are behind it. So it is told once more after this time.
const SETTLE_MS: u64 = 1500;
/// Newcomers make it tell again at most this often, however many come.
const AGAIN_MS: u64 = 4000;

#[derive(Debug, Default)]
pub(super) struct Telling {
    /// When the next change or heartbeat is told.
    due: Option<Monotonic>,
    told: Monotonic,
    /// When it is told again for those that came.
    again: Option<Monotonic>,
    told_again: Option<Monotonic>,
    /// When the last of them came.
    newcomer: Monotonic,
    sparing: bool,
}

impl Telling {
    /// The network is to be spared, or not any more.
    pub(super) const fn rest(&mut self, sparing: bool) {
        self.sparing = sparing;
    }

    /// Something changed.
    pub(super) fn soon(&mut self, now: Now) {
        let soonest = self.told.plus_ms(GAP_MS).max(now.mono);
        self.due = Some(self.due.map_or(soonest, |due| due.min(soonest)));
    }

    /// A connection came up.
    pub(super) fn newcomer(&mut self, now: Now) {
        self.newcomer = now.mono;
        if self.again.is_none() {
            let settled = now.mono.plus_ms(SETTLE_MS);
            self.again = Some(self.told_again.map_or(settled, |at| at.plus_ms(AGAIN_MS).max(settled)));
        }
    }

    pub(super) fn is_due(&self, now: Now) -> bool {
        self.next().is_some_and(|due| due <= now.mono)
    }

    pub(super) fn next(&self) -> Option<Monotonic> {
        self.due.into_iter().chain(self.again).min()
    }

    /// The network was told.
    pub(super) fn told(&mut self, now: Now) {
        self.told = now.mono;
        self.due = Some(now.mono.plus_ms(if self.sparing { SPARING_MS } else { HEARTBEAT_MS }));
        let Some(again) = self.again else { return };
        let came = again <= now.mono;
        if came {
            self.told_again = Some(now.mono);
        }
        if self.newcomer.plus_ms(SETTLE_MS) <= now.mono {
            self.again = None;
        } else if came {
            self.again = Some(now.mono.plus_ms(AGAIN_MS));
        }
    }
}

#[cfg(test)]
mod tests {
    use p2p_types::Timestamp;

    use super::*;

    fn at(ms: u64) -> Now {
        Now { wall: Timestamp(ms), mono: Monotonic(1_000_000_000 + ms * 1000) }
    }

    /// The times at which it tells until `end`, when connections come up at `newcomers`.
    fn told(newcomers: &[u64], end: u64) -> Vec<u64> {
        let mut telling = Telling::default();
        telling.soon(at(0));
        let mut times = Vec::new();
        for ms in 0..end {
            if newcomers.contains(&ms) {
                telling.newcomer(at(ms));
            }
            if telling.is_due(at(ms)) {
                telling.told(at(ms));
                assert!(!telling.is_due(at(ms)), "or it would tell for ever");
                times.push(ms);
            }
        }
        times
    }

    #[test]
    fn a_newcomer_is_told_once_more_when_it_can_hear() {
        assert_eq!(told(&[], 31_000), [0, 30_000]);
        assert_eq!(told(&[100], 33_000), [0, 1600, 31_600]);
    }

    #[test]
    fn where_the_network_is_spared_the_heart_beats_slowly() {
        let mut telling = Telling::default();
        telling.rest(true);
        telling.soon(at(0));
        telling.told(at(0));
        assert_eq!(telling.next(), Some(at(300_000).mono));
        telling.rest(false);
        telling.soon(at(10_000));
        telling.told(at(10_000));
        assert_eq!(telling.next(), Some(at(40_000).mono));
    }

    #[test]
    fn whoever_came_just_before_is_not_forgotten() {
        assert_eq!(told(&[100, 1500], 10_000), [0, 1600, 5600]);
        // The heartbeat serves those that have been there long enough, and nobody else.
        assert_eq!(told(&[100, 31_000], 40_000), [0, 1600, 31_600, 32_500]);
    }

    #[test]
    fn a_crowd_of_newcomers_makes_nobody_talk_all_the_time() {
        let crowd: Vec<u64> = (0..20_000).step_by(50).collect();
        let times = told(&crowd, 30_000);
        assert_eq!(times, [0, 1500, 5500, 9500, 13_500, 17_500, 21_500]);
    }
}
