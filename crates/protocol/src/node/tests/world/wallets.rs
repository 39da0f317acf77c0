//! The world with money in it.

use p2p_ledger::{LaneId, Notary, Place, Statement, certificate, wire as ledger};
use p2p_types::{AccountId, DeviceId, Scheme as _, Signed};

use super::{START, World, key_of};
use crate::io::{Durable, Entry, Input, Restored};
use crate::network::{Charter, NetworkKind, found_network};
use crate::pay::{Money, Payer};

impl World {
    /// Nodes that pay each other: the first is the notary and plays the canary issuer.
    pub(in crate::node::tests) fn with_money(nodes: usize, unpaid: bool) -> Self {
        let mut world = Self::apart(0, NetworkKind::Open, false);
        world.money = true;
        world.found(NetworkKind::Open, false, unpaid);
        for _ in 0..nodes {
            let at = world.sit(&Restored::default(), true);
            world.open_wallets(at);
        }
        for one in 0..nodes {
            (0..one).for_each(|other| world.connect(one, other));
        }
        world
    }

    fn found(&mut self, kind: NetworkKind, members_trusted: bool, unpaid: bool) {
        let notary = DeviceId(key_of(1).public_key());
        let issuer = AccountId(key_of(199).public_key());
        let charter = Charter { name: "test".into(), kind, members_trusted, unpaid, notary, issuer, nonce: [9; 32] };
        self.network = found_network(&key_of(101), &charter, START).expect("a network");
    }

    /// The disks have nothing of the lanes of `at`.
    pub(in crate::node::tests) fn open_wallets(&mut self, at: usize) {
        let number = u8::try_from(at).expect("few nodes") + 1;
        let device = self.device(at);
        let mut lanes = vec![(Payer::Owner, AccountId(key_of(100 + number).public_key()))];
        if at == 0 {
            let mut notary = Notary::new(self.network.id, self.network.economy.clone());
            for record in &self.log {
                notary.replay(&key_of(1), record).expect("its own log");
            }
            self.feed(at, Input::Books { notary: Box::new(notary) });
            lanes.push((Payer::Issuer, self.network.economy.issuer));
        }
        for (payer, account) in lanes {
            let lane = LaneId { account, device };
            let statement = Box::new(Statement::new(lane, self.network.economy.clone()));
            self.feed(at, Input::Wallet { payer, statement, entries: Vec::new(), kept: Vec::new() });
        }
        self.settle();
    }

    pub(super) fn money_of(&self, number: u8) -> Money {
        if !self.money {
            return Money::default();
        }
        let device = key_of(number).public_key().to_vec();
        let opening = |account: u8| {
            let opening = ledger::LaneOpening { device: device.clone(), issued_ms: START.0 };
            Signed::new(&key_of(account), &self.network.id, &opening).into_bytes()
        };
        Money { opening: opening(100 + number), issuer: (number == 1).then(|| opening(199)), ..Money::default() }
    }

    pub(super) fn certificate(&self, place: Place) -> Vec<u8> {
        let record = &self.log[place.record as usize];
        let certificates = certificate::of_record(&self.network.id, record).expect("its own log");
        certificate::encode(&certificates[place.index as usize].1)
    }

    /// The notary's computer is put back to an older copy of its log, and its own lanes with it.
    pub(in crate::node::tests) fn forget_records(&mut self, keep: usize) {
        self.log.truncate(keep);
        self.restart(0, &Restored { sequence: 1_000_000, ..Restored::default() });
        self.open_wallets(0);
    }

    /// What the disk of a computer has of its lane.
    pub(in crate::node::tests) fn on_disk(&self, at: usize) -> (Statement, Vec<Entry>) {
        let number = u8::try_from(at).expect("few nodes") + 1;
        let lane = LaneId { account: AccountId(key_of(100 + number).public_key()), device: self.device(at) };
        let mut statement = Statement::new(lane, self.network.economy.clone());
        let entries = self.kept(at).filter_map(|durable| match durable {
            Durable::Entry { entry, .. } if entry.lane == lane => Some((**entry).clone()),
            _ => None,
        });
        let entries: Vec<Entry> = entries.collect();
        for entry in &entries {
            statement.take(entry.at, &entry.order).expect("it follows");
        }
        (statement, entries)
    }
}
