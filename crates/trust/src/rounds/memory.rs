//! What is remembered of devices and of the accounts they belong to.

use std::collections::BTreeMap;

use p2p_types::{AccountId, DeviceId, Monotonic, Now};

use super::Rounds;
use crate::encoding::{BrokenCopy, Reader, Writer};

/// Most devices remembered.
const DEVICES: usize = 10_000;
const NAME: [u8; 4] = *b"CanR";
const VERSION: u8 = 1;
/// In a copy: no time is set.
const NO_TIME: u64 = u64::MAX;

/// What canaries say of a device, the least telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It has answered none.
    Newcomer,
    /// It passed; at most one answer in fifty was wrong.
    Passed,
    /// It answered wrongly, once or twice.
    Doubtful,
    /// It answered wrongly three times or more, and more than once in fifty.
    Cheat,
}

/// How a device did so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Track {
    pub passes: u32,
    /// Passes since the last wrong answer.
    pub streak: u32,
    pub wrong: u32,
    /// Canaries without an answer since the last answer.
    pub nothings: u32,
}

impl Track {
    #[must_use]
    pub fn standing(&self) -> Standing {
        if !self.has_answered() {
            Standing::Newcomer
        } else if u64::from(self.wrong) * 50 <= u64::from(self.passes) {
            Standing::Passed
        } else if self.wrong < 3 {
            Standing::Doubtful
        } else {
            Standing::Cheat
        }
    }

    pub(super) const fn has_answered(&self) -> bool {
        self.passes > 0 || self.wrong > 0
    }
}

#[derive(Debug, Clone)]
pub(super) struct Record {
    account: AccountId,
    pub(super) track: Track,
    /// When it may be asked, once that is drawn. A newcomer goes by its account's time.
    pub(super) due: Option<Monotonic>,
    /// Grows with what happens; the lowest was touched longest ago.
    touched: u64,
}

/// An account, as long as a device of it is remembered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Owner {
    devices: usize,
    /// One of its devices has answered, rightly or wrongly.
    pub(super) answered: bool,
    /// Canaries that fell through before that, and when the next may be asked.
    pub(super) nothings: u32,
    pub(super) due: Monotonic,
}

#[derive(Debug, Default)]
pub(super) struct Memory {
    records: BTreeMap<DeviceId, Record>,
    owners: BTreeMap<AccountId, Owner>,
    touched: u64,
}

impl Memory {
    pub(super) fn track(&self, device: &DeviceId) -> Track {
        self.records.get(device).map(|record| record.track).unwrap_or_default()
    }

    pub(super) fn tracks(&self) -> impl Iterator<Item = (DeviceId, AccountId, Track)> + '_ {
        self.records.iter().map(|(device, record)| (*device, record.account, record.track))
    }

    pub(super) fn owner(&self, account: &AccountId) -> Owner {
        self.owners.get(account).copied().unwrap_or_default()
    }

    pub(super) fn due(&self, device: &DeviceId) -> Option<Monotonic> {
        self.records.get(device)?.due
    }

    pub(super) fn set_due(&mut self, device: &DeviceId, due: Monotonic) {
        if let Some(record) = self.records.get_mut(device) {
            record.due = Some(due);
        }
    }

    pub(super) fn both(&mut self, device: &DeviceId, account: &AccountId) -> Option<(&mut Record, &mut Owner)> {
        Some((self.records.get_mut(device)?, self.owners.get_mut(account)?))
    }

    /// Makes room for a device and notes that something happens to it. A device that changed hands
    /// keeps its past. Those that are `needed` are not forgotten.
    pub(super) fn remember(&mut self, device: DeviceId, account: AccountId, needed: impl Fn(&DeviceId) -> bool) {
        self.touched += 1;
        if let Some(record) = self.records.get_mut(&device) {
            record.touched = self.touched;
            let before = std::mem::replace(&mut record.account, account);
            if before != account {
                let answered = record.track.has_answered();
                let owner = self.owners.entry(account).or_default();
                owner.devices += 1;
                owner.answered |= answered;
                self.leave(before);
            }
            return;
        }
        if self.records.len() >= DEVICES {
            self.forget(needed);
        }
        let record = Record { account, track: Track::default(), due: None, touched: self.touched };
        self.records.insert(device, record);
        self.owners.entry(account).or_default().devices += 1;
    }

    /// Forgets the dullest: who never answered before who passed, and a cheat last of all, else a
    /// cheat would only have to bring a crowd to be a newcomer again; of equals, whose past is
    /// longest ago.
    fn forget(&mut self, needed: impl Fn(&DeviceId) -> bool) {
        let candidates = self.records.iter().filter(|(device, _)| !needed(device));
        let dullest = candidates.min_by_key(|(_, record)| (record.track.standing(), record.touched));
        let Some(device) = dullest.map(|(device, _)| *device) else { return };
        if let Some(record) = self.records.remove(&device) {
            self.leave(record.account);
        }
    }

    fn leave(&mut self, account: AccountId) {
        if let Some(owner) = self.owners.get_mut(&account) {
            owner.devices = owner.devices.saturating_sub(1);
            if owner.devices == 0 {
                self.owners.remove(&account);
            }
        }
    }

    fn to_bytes(&self, now: Now) -> Vec<u8> {
        let mut writer = Writer::new(NAME, VERSION);
        writer.u64(now.wall.0).len(self.records.len());
        for (device, record) in &self.records {
            let owner = self.owner(&record.account);
            let due = if owner.answered { record.due } else { Some(owner.due) };
            let wait_ms = due.map_or(NO_TIME, |due| due.since(now.mono) / 1_000);
            let Track { passes, streak, wrong, nothings } = record.track;
            writer.key(&device.0).key(&record.account.0).u32(passes).u32(streak).u32(wrong).u32(nothings);
            writer.u64(wait_ms).u64(record.touched);
        }
        writer.end()
    }

    fn from_bytes(bytes: &[u8], now: Now) -> Result<Self, BrokenCopy> {
        let mut memory = Self::default();
        let mut reader = Reader::new(bytes, NAME, VERSION)?;
        let saved = reader.u64()?;
        let passed_ms = now.wall.0.saturating_sub(saved);
        for _ in 0..reader.len(DEVICES)? {
            let (device, account) = (DeviceId(reader.key()?), AccountId(reader.key()?));
            let track =
                Track { passes: reader.u32()?, streak: reader.u32()?, wrong: reader.u32()?, nothings: reader.u32()? };
            let wait_ms = Some(reader.u64()?).filter(|wait| *wait != NO_TIME && *wait > passed_ms);
            // A time that passed meanwhile is drawn anew, as for whoever was away.
            let due = wait_ms.map(|wait| now.mono.plus_ms(wait - passed_ms));
            let touched = reader.u64()?;
            memory.touched = memory.touched.max(touched);
            let owner = memory.owners.entry(account).or_default();
            owner.devices += 1;
            owner.answered |= track.has_answered();
            owner.nothings = owner.nothings.saturating_add(track.nothings);
            owner.due = owner.due.max(due.unwrap_or_default());
            memory.records.insert(device, Record { account, track, due, touched });
        }
        reader.end()?;
        // A newcomer's time is its account's.
        for record in memory.records.values_mut() {
            if !memory.owners.get(&record.account).is_some_and(|owner| owner.answered) {
                record.due = None;
            }
        }
        Ok(memory)
    }
}

impl Rounds {
    /// What is remembered, to outlive the process. Times are kept as how long is left, since the
    /// clock of timers begins anew with each start of the computer. What is under way is not in
    /// it: nobody will hear its answer.
    #[must_use]
    pub fn to_bytes(&self, now: Now) -> Vec<u8> {
        self.memory.to_bytes(now)
    }

    /// Goes on from a copy. The time since then counts by the calendar; one that went back counts
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`BrokenCopy`] where it is no such copy; the caller goes on with [`Rounds::new`].
    pub fn from_bytes(bytes: &[u8], founder: AccountId, now: Now) -> Result<Self, BrokenCopy> {
        Memory::from_bytes(bytes, now).map(|memory| Self::with(founder, memory))
    }
}
