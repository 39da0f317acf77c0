//! Who told what, until when it holds, and what is known after they fell silent.
//!
//! Every reading has a lease of its own: a source that goes on telling the temperature but tells
//! the input no more is silent about the input.

use std::collections::BTreeMap;

use p2p_types::{By, Monotonic, Reading, SignalKind, Told, Untold};
use serde::{Deserialize, Serialize};

use crate::GRACE_MS;

/// So many sources are heard.
pub const MAX_SOURCES: usize = 16;
/// No word holds longer than this.
pub const MAX_LEASE_MS: u64 = 600_000;

/// Who tells. Whoever listens to sources gives each a number of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceId(pub u64);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) by: By,
    pub(crate) reading: Result<Reading, Untold>,
    pub(crate) at: Monotonic,
    pub(crate) until: Monotonic,
}

impl Entry {
    /// A lease is over at its end, not after it.
    pub(crate) fn lives(&self, now: Monotonic) -> bool {
        now < self.until
    }
}

#[derive(Debug, Default)]
struct Source {
    session: bool,
    heard: Monotonic,
    entries: BTreeMap<SignalKind, Entry>,
}

/// What was last known of a kind, and until when.
#[derive(Debug)]
struct Last {
    readings: Vec<Reading>,
    until: Monotonic,
    /// Who knew.
    by: Vec<SourceId>,
}

/// What is known of a kind of signal, the oldest report first where there are several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    Known(Vec<Reading>),
    /// It cannot be told now, and could until a moment ago.
    Lately(Vec<Reading>),
    /// It could be told once.
    Lost(Untold),
    /// It never could.
    Never(Untold),
}

/// What is known of the owner's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hands {
    /// Microseconds on the clock of [`Monotonic`], which may be before its zero.
    Last(i64),
    Untold(Untold),
}

#[derive(Debug, Default)]
pub(crate) struct Board {
    sources: BTreeMap<SourceId, Source>,
    last: BTreeMap<SignalKind, Last>,
    /// Whether a battery was ever seen.
    pub(crate) battery_seen: bool,
    /// Somebody was in a session when its source fell silent and was forgotten.
    forgotten: Option<Monotonic>,
    /// Until then there is a session for which there was no place.
    unheard_until: Monotonic,
}

impl Board {
    pub(crate) fn told(&mut self, now: Monotonic, id: SourceId, session: bool, lease_ms: u64, told: Told) {
        let until = now.plus_ms(lease_ms.min(MAX_LEASE_MS));
        if !self.make_room(now, id) {
            if session {
                self.unheard_until = self.unheard_until.max(until);
            }
            return;
        }
        // A reading of another kind than it says is none.
        let reading = told
            .reading
            .and_then(|reading| if reading.kind() == told.kind { Ok(reading) } else { Err(Untold::Failed) });
        if let Ok(Reading::Power { mains, percent, .. }) = reading {
            self.battery_seen |= !mains || percent.is_some();
        }
        let source = self.sources.entry(id).or_default();
        source.session |= session;
        source.heard = now;
        source.entries.insert(told.kind, Entry { by: told.by, reading, at: now, until });
        let takes_back = matches!(reading, Err(Untold::Absent | Untold::Unsupported | Untold::NoSession));
        if takes_back && self.last.get(&told.kind).is_some_and(|last| last.by == [id]) {
            // Who knew it says that there is nothing to know: that is an answer, not a failure.
            self.last.remove(&told.kind);
            self.battery_seen &= told.kind != SignalKind::Power;
        }
        self.refresh(now);
    }

    /// Whether somebody has said a word of everything that is not about a session.
    pub(crate) fn told_of_the_machine(&self) -> bool {
        let of_session = |kind| matches!(kind, SignalKind::Input | SignalKind::FullScreen | SignalKind::Inhibitor);
        SignalKind::ALL.into_iter().filter(|kind| !of_session(*kind)).all(|kind| self.words(kind).next().is_some())
    }

    /// A source says goodbye: its word ends now.
    pub(crate) fn leave(&mut self, now: Monotonic, id: SourceId) {
        if let Some(source) = self.sources.get_mut(&id) {
            for entry in source.entries.values_mut() {
                entry.until = entry.until.min(now);
            }
        }
        self.refresh(now);
    }

    /// Remembers what is known now, for when it is known no more.
    pub(crate) fn refresh(&mut self, now: Monotonic) {
        for kind in SignalKind::ALL {
            let mut live: Vec<(Monotonic, Reading, SourceId, Monotonic)> = self
                .live(now, kind)
                .filter_map(|(id, _, entry)| Some((entry.at, entry.reading.ok()?, id, entry.until)))
                .collect();
            live.sort_by_key(|(at, _, id, _)| (*at, *id));
            if let Some(until) = live.iter().map(|(.., until)| *until).max() {
                let readings = live.iter().map(|(_, reading, ..)| *reading).collect();
                self.last.insert(kind, Last { readings, until, by: live.iter().map(|(.., id, _)| *id).collect() });
            } else if let Some(last) = self.last.get_mut(&kind) {
                last.until = last.until.min(now);
            }
        }
    }

    /// What is known of a kind. [`Self::refresh`] was called at `now`.
    pub(crate) fn sight(&self, now: Monotonic, kind: SignalKind) -> Sight {
        let failed = self.live(now, kind).any(|(_, _, entry)| entry.reading == Err(Untold::Failed));
        match self.last.get(&kind) {
            Some(last) if now < last.until => Sight::Known(last.readings.clone()),
            Some(last) if now < last.until.plus_ms(GRACE_MS) => Sight::Lately(last.readings.clone()),
            Some(_) => Sight::Lost(if failed { Untold::Failed } else { Untold::SourceGone }),
            None => Sight::Never(self.never(now, kind)),
        }
    }

    /// The last input of anybody. Sources say at once when somebody comes back, so while a lease
    /// lives there was no other. A session whose source fell silent counts as if somebody had been
    /// there to the end; one that cannot be watched hides its owner from all others.
    pub(crate) fn hands(&self, now: Monotonic) -> Hands {
        if now < self.unheard_until {
            return Hands::Untold(Untold::Failed);
        }
        let mut last = None;
        let mut known = false;
        for source in self.sources.values() {
            let Some(entry) = source.entries.get(&SignalKind::Input) else { continue };
            let at = match entry.reading {
                Ok(Reading::Input { idle_ms }) if entry.lives(now) => {
                    known = true;
                    micros(entry.at).saturating_sub(i64::try_from(idle_ms.saturating_mul(1000)).unwrap_or(i64::MAX))
                }
                Err(Untold::Failed) if entry.lives(now) && source.session => return Hands::Untold(Untold::Failed),
                Ok(_) | Err(Untold::Failed) if !entry.lives(now) && source.session => micros(entry.until),
                _ => continue,
            };
            last = last.max(Some(at));
        }
        match last.max(self.forgotten.map(micros)) {
            Some(last) if known => Hands::Last(last),
            Some(_) => Hands::Untold(Untold::SourceGone),
            None => match self.sight(now, SignalKind::Input) {
                Sight::Never(why) | Sight::Lost(why) => Hands::Untold(why),
                _ => Hands::Untold(Untold::SourceGone),
            },
        }
    }

    /// Every word on a kind, live or not.
    pub(crate) fn words(&self, kind: SignalKind) -> impl Iterator<Item = (SourceId, &Entry)> {
        self.sources.iter().filter_map(move |(id, source)| Some((*id, source.entries.get(&kind)?)))
    }

    /// When the passing of time alone next changes what is known.
    pub(crate) fn deadline(&self, now: Monotonic) -> Option<Monotonic> {
        let leases = self.sources.values().flat_map(|source| source.entries.values()).map(|entry| entry.until);
        let graces = self.last.values().map(|last| last.until.plus_ms(GRACE_MS));
        leases.chain(graces).chain([self.unheard_until]).filter(|at| *at > now).min()
    }

    fn live(&self, now: Monotonic, kind: SignalKind) -> impl Iterator<Item = (SourceId, bool, &Entry)> {
        self.sources
            .iter()
            .filter_map(move |(id, source)| Some((*id, source.session, source.entries.get(&kind)?)))
            .filter(move |(.., entry)| entry.lives(now))
    }

    /// Why nobody ever told it: the most telling answer of those who were asked.
    fn never(&self, now: Monotonic, kind: SignalKind) -> Untold {
        let of_session = matches!(kind, SignalKind::Input | SignalKind::FullScreen | SignalKind::Inhibitor);
        let nobody = if of_session { Untold::NoSession } else { Untold::Unsupported };
        self.live(now, kind).filter_map(|(_, _, entry)| entry.reading.err()).max().unwrap_or(nobody)
    }

    /// Whether there is a place for this source. The first to go is one that fell silent, then the
    /// one that was silent longest; a live session never goes, for its owner would be forgotten.
    fn make_room(&mut self, now: Monotonic, id: SourceId) -> bool {
        if self.sources.contains_key(&id) || self.sources.len() < MAX_SOURCES {
            return true;
        }
        let lives = |source: &Source| source.entries.values().any(|entry| entry.lives(now));
        let oldest = self
            .sources
            .iter()
            .filter(|(_, source)| !(source.session && lives(source)))
            .min_by_key(|(id, source)| (lives(source), source.heard, **id))
            .map(|(id, _)| *id);
        let Some(gone) = oldest.and_then(|id| self.sources.remove(&id)) else { return false };
        if gone.session
            && let Some(entry) = gone.entries.get(&SignalKind::Input)
            && matches!(entry.reading, Ok(_) | Err(Untold::Failed))
        {
            self.forgotten = self.forgotten.max(Some(entry.until));
        }
        self.refresh(now);
        true
    }
}

fn micros(at: Monotonic) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}
