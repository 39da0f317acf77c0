//! Random histories against a model in memory: upserts, bounds, restarts.

use std::collections::BTreeMap;

use p2p_types::Seed;

use super::*;

const BOUNDS: Bounds =
    Bounds { tasks: 20, departures: 30, receipts: 10, peers: 8, decisions: 40, pages: 256 * 1024, prune_after: 1 };

/// Tasks and departures in order of arrival, newest last.
#[derive(Default)]
struct Model {
    tasks: Vec<StoredTask>,
    departures: Vec<u64>,
    receipts: Vec<u32>,
    peers: BTreeMap<DeviceId, u64>,
    trust: BTreeMap<DeviceId, bool>,
    paused: Option<Option<Timestamp>>,
    reserved: Option<u64>,
}

impl Model {
    fn random(&mut self, seed: &mut Seed, now: u64) -> Record {
        let byte = |seed: &mut Seed, end| u8::try_from(seed.below(end)).expect("small");
        match seed.below(8) {
            0 | 1 => {
                let new = StoredTask {
                    id: id(seed.below(60)),
                    submitted: Timestamp(seed.below(1000)),
                    finished: seed.below(2) == 0,
                    document: vec![1; seed.below(9000) as usize],
                };
                match self.tasks.iter_mut().find(|task| task.id == new.id) {
                    Some(task) => *task = new.clone(),
                    None => self.tasks.push(new.clone()),
                }
                let StoredTask { id, submitted, finished, document } = new;
                Record::Task { id, submitted, finished, document }
            }
            2 => {
                self.departures.push(now);
                let (to, task) = (device(1), id(1));
                let (kind, privacy, texts) = (TaskKind::Embed, Privacy::Public, 1);
                Record::Departure { at: Timestamp(seed.below(1000)), to, task, kind, privacy, texts, bytes: now }
            }
            3 => {
                let subtask = u32::try_from(now).expect("small");
                self.receipts.push(subtask);
                let (task, at) = (id(1), Timestamp(0));
                Record::GuestReceipt { task, subtask, requester: device(1), signed: vec![], at }
            }
            4 => {
                // Seen at a moment of its own, so that which is the oldest is never a tie.
                let device = device(byte(seed, 30));
                self.peers.insert(device, now);
                Record::Peer { device, addresses: vec![], seen: Timestamp(now) }
            }
            5 => {
                let (device, trusted) = (device(byte(seed, 9)), seed.below(2) == 0);
                self.trust.insert(device, trusted);
                Record::Trust { device, trusted, at: Timestamp(now) }
            }
            6 => {
                self.paused = [None, Some(None), Some(Some(Timestamp(now)))][seed.below(3) as usize];
                Record::Paused { until: self.paused }
            }
            _ => {
                let reserved = seed.below(100_000);
                self.reserved = self.reserved.max(Some(reserved));
                Record::Sequence { lane: "direct", reserved }
            }
        }
    }

    fn prune(&mut self) {
        fn keep<T>(rows: &mut Vec<T>, bound: u32) {
            rows.drain(..rows.len().saturating_sub(bound as usize));
        }
        keep(&mut self.tasks, BOUNDS.tasks);
        keep(&mut self.departures, BOUNDS.departures);
        keep(&mut self.receipts, BOUNDS.receipts);
        while self.peers.len() > BOUNDS.peers as usize {
            let oldest = self.peers.iter().min_by_key(|(_, seen)| **seen).map(|(device, _)| *device);
            self.peers.remove(&oldest.expect("not empty"));
        }
    }

    fn check(&self, store: &Store) {
        let loaded = store.load().expect("reads");
        let tasks: Vec<_> = self.tasks.iter().rev().cloned().collect();
        assert_eq!(loaded.tasks, tasks);
        let bytes: Vec<_> = wait(store.departures(u32::MAX)).iter().rev().map(|departure| departure.bytes).collect();
        assert_eq!(bytes, self.departures);
        let kept: Vec<u32> = receipts(store, "guest_receipts").into_iter().map(|(subtask, ..)| subtask).collect();
        assert_eq!(kept, self.receipts);
        let peers: BTreeMap<_, _> = loaded.peers.iter().map(|(device, _, seen)| (*device, seen.0)).collect();
        assert_eq!(peers, self.peers);
        let said = |word| self.trust.iter().filter(|(_, said)| **said == word).map(|(device, _)| *device).collect();
        assert_eq!((loaded.trusted, loaded.untrusted), (said(true), said(false)));
        assert_eq!(loaded.paused, self.paused);
        assert_eq!(loaded.sequences.get("direct").copied(), self.reserved);
    }
}

#[test]
fn the_store_is_what_the_model_is() {
    for number in 0..8 {
        let mut seed = Seed::new([number; 32]);
        let (_folder, path) = folder();
        let mut node = Node::bounded(&path, BOUNDS);
        let mut model = Model::default();
        let mut now = 0;
        for step in 0..120 {
            let batch = (0..=seed.below(4)).map(|_| {
                now += 1;
                model.random(&mut seed, now)
            });
            node.keep(batch.collect());
            model.prune();
            // Completes after the pruning that followed the batch.
            node.keep(vec![]);
            if step % 10 == 0 {
                model.check(&node.store);
            }
            if step % 40 == 0 {
                node.store.close();
                node = Node::bounded(&path, BOUNDS);
            }
        }
        model.check(&node.store);
    }
}
