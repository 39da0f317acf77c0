//! Who provides what: the part of the Kademlia table that peers fill, and our questions to it.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use libp2p::PeerId;
use libp2p::kad::store::{MemoryStore, RecordStore};
use libp2p::kad::{self, ProviderRecord, QueryId, RecordKey};
use p2p_types::{DeviceId, Hash};
use tokio::time::Instant;

use crate::address;

/// Keys kept for the network.
pub(crate) const KEYS: usize = 4096;
/// Keys kept for one provider; its oldest makes room.
const KEYS_PER_PROVIDER: usize = 128;
/// Providers for whom keys are kept. Who has been silent for longest makes room.
const PROVIDERS: usize = 1024;
/// Addresses kept with one record.
const ADDRESSES: usize = p2p_types::limits::ADDRESSES_PER_PEER;
/// Devices in one answer.
const ANSWER: usize = 64;
/// Questions under way at one time.
const QUESTIONS: usize = 32;

/// How long the answer to a question may take. The table's own limit is not enough: it looks at
/// the time only when something else happens.
const QUESTION_TIME: Duration = Duration::from_secs(5);
/// How long the table works on a question or an announcement: in a network whose nodes answer,
/// a fraction of it is used.
pub(crate) const QUERY_TIME: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct Providers {
    questions: HashMap<QueryId, Question>,
    kept: HashMap<PeerId, Kept>,
}

#[derive(Debug)]
struct Kept {
    keys: VecDeque<RecordKey>,
    renewed: Instant,
}

#[derive(Debug)]
struct Question {
    key: Hash,
    devices: Vec<DeviceId>,
    until: Instant,
}

pub(crate) fn key(hash: &Hash) -> RecordKey {
    RecordKey::new(&hash.0)
}

impl Providers {
    /// Asks the network. False when it is not asked, because too much is being asked already.
    pub(crate) fn ask(&mut self, kad: &mut kad::Behaviour<MemoryStore>, hash: Hash, now: Instant) -> bool {
        if self.questions.values().any(|question| question.key == hash) {
            return true;
        }
        if self.questions.len() >= QUESTIONS {
            return false;
        }
        let id = kad.get_providers(key(&hash));
        self.questions.insert(id, Question { key: hash, devices: Vec::new(), until: now + QUESTION_TIME });
        true
    }

    /// Somebody was found.
    pub(crate) fn found<'a>(&mut self, id: QueryId, me: &DeviceId, peers: impl IntoIterator<Item = &'a PeerId>) {
        let Some(question) = self.questions.get_mut(&id) else { return };
        for device in peers.into_iter().filter_map(address::device_id) {
            if device != *me && question.devices.len() < ANSWER && !question.devices.contains(&device) {
                question.devices.push(device);
            }
        }
    }

    /// The question is over: what was found.
    pub(crate) fn answer(&mut self, id: QueryId) -> Option<(Hash, Vec<DeviceId>)> {
        self.questions.remove(&id).map(|question| (question.key, question.devices))
    }

    /// When the next question has had its time.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.questions.values().map(|question| question.until).min()
    }

    /// Questions that had their time, with what was found: they are over.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<(QueryId, Hash, Vec<DeviceId>)> {
        let over = self.questions.extract_if(|_, question| question.until <= now);
        over.map(|(id, question)| (id, question.key, question.devices)).collect()
    }

    /// A peer says that it provides something. Keeps it within the limits of that peer. That the
    /// record is about its sender is checked by libp2p.
    pub(crate) fn keep(&mut self, store: &mut MemoryStore, mut record: ProviderRecord, now: Instant) {
        if record.key.as_ref().len() != 32 {
            return;
        }
        if !self.kept.contains_key(&record.provider) && self.kept.len() >= PROVIDERS {
            let silent = self.kept.iter().min_by_key(|(_, kept)| kept.renewed).map(|(provider, _)| *provider);
            silent.into_iter().for_each(|provider| self.drop_provider(store, &provider));
        }
        let (key, provider) = (record.key.clone(), record.provider);
        record.addresses.truncate(ADDRESSES);
        if store.add_provider(record).is_err() {
            return;
        }
        let kept = self.kept.entry(provider).or_insert_with(|| Kept { keys: VecDeque::new(), renewed: now });
        kept.renewed = now;
        kept.keys.retain(|known| *known != key);
        kept.keys.push_back(key);
        if kept.keys.len() > KEYS_PER_PROVIDER
            && let Some(oldest) = kept.keys.pop_front()
        {
            store.remove_provider(&oldest, &provider);
        }
    }

    /// Drops what `provider` said: it left for good.
    pub(crate) fn drop_provider(&mut self, store: &mut MemoryStore, provider: &PeerId) {
        let keys = self.kept.remove(provider).map(|kept| kept.keys);
        keys.into_iter().flatten().for_each(|key| store.remove_provider(&key, provider));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use libp2p::kad::store::MemoryStoreConfig;

    use super::*;

    fn record(number: u64, provider: PeerId) -> ProviderRecord {
        ProviderRecord::new(key(&Hash::of(&number.to_le_bytes())), provider, Vec::new())
    }

    fn store() -> MemoryStore {
        let config = MemoryStoreConfig { max_provided_keys: KEYS, ..MemoryStoreConfig::default() };
        MemoryStore::with_config(PeerId::random(), config)
    }

    #[test]
    fn a_question_is_over_after_its_time() {
        let me = PeerId::random();
        let mut kad = kad::Behaviour::new(me, MemoryStore::new(me));
        let (mut providers, start) = (Providers::default(), Instant::now());
        let hash = Hash::of(b"nobody has it");
        assert!(providers.ask(&mut kad, hash, start));
        assert_eq!(providers.deadline(), Some(start + QUESTION_TIME));
        assert!(providers.overdue(start + QUESTION_TIME - Duration::from_millis(1)).is_empty());
        let over = providers.overdue(start + QUESTION_TIME);
        assert!(matches!(&over[..], [(_, key, devices)] if *key == hash && devices.is_empty()), "{over:?}");
        assert_eq!((providers.deadline(), providers.answer(over[0].0)), (None, None), "it is answered once");
    }

    #[test]
    fn one_provider_fills_only_its_share() {
        let (mut store, mut providers) = (store(), Providers::default());
        let (loud, quiet) = (PeerId::random(), PeerId::random());
        let now = Instant::now();
        for number in 0..10_000 {
            providers.keep(&mut store, record(number, loud), now);
        }
        providers.keep(&mut store, record(0, quiet), now);
        let held = |number| store.providers(&record(number, loud).key).len();
        assert_eq!((0..10_000).map(held).sum::<usize>(), KEYS_PER_PROVIDER + 1);
        assert_eq!(held(9_999), 1);
        providers.drop_provider(&mut store, &loud);
        assert!(store.providers(&record(9_999, loud).key).is_empty());
    }

    #[test]
    fn providers_and_odd_keys_are_bounded() {
        let (mut store, mut providers) = (store(), Providers::default());
        let start = Instant::now();
        for number in 0..2 * PROVIDERS as u64 {
            let now = start + Duration::from_secs(number);
            providers.keep(&mut store, record(number, PeerId::random()), now);
        }
        assert_eq!(providers.kept.len(), PROVIDERS);
        let first = start + Duration::from_secs(PROVIDERS as u64);
        assert!(providers.kept.values().all(|kept| kept.renewed >= first), "the silent made room");
        let odd = ProviderRecord::new(RecordKey::new(&"short"), PeerId::random(), Vec::new());
        providers.keep(&mut store, odd.clone(), start);
        assert!(store.providers(&odd.key).is_empty());
    }
}
