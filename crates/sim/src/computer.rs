//! One simulated computer: the machine, a disk, workers, and what waits between them.

use std::collections::VecDeque;
use std::sync::Arc;

use p2p_ledger::wire as ledger;
use p2p_protocol::{Config, Durable, Money, Network, Node, Restored, certify, wire};
use p2p_types::{
    AccountId, Credits, DeviceId, Hash, Monotonic, NetworkId, Now, Scheme as _, Signed, TaskKind, Timestamp,
};

use crate::checkers::Verdict;

use crate::scenario::START_MS;
use crate::scheme::KeyedHash;
use crate::wallet::Wallet;
use crate::workers::Workers;
use crate::{MS, Micros};

/// The model that everybody has.
pub(crate) const MODEL: Hash = Hash([7; 32]);

/// What must wait for the disk, in order, as the engine of a real node holds it.
#[derive(Debug)]
pub(crate) enum Held {
    UntilCommitted(u64),
    Send { to: DeviceId, frame: Vec<u8> },
    Publish { message: Vec<u8> },
}

/// Where a crash is planned to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seam {
    /// As the disk is about to make something durable: it is lost, and nothing leaves.
    BeforeCommit,
    /// As it has just become durable: what waited for it never leaves.
    AfterCommit,
}

#[derive(Debug)]
pub(crate) struct Computer {
    pub(crate) node: Option<Node>,
    pub(crate) device: DeviceId,
    scheme: KeyedHash,
    pub(crate) account: KeyedHash,
    pub(crate) workers: Workers,
    pub(crate) slots: u32,
    /// How long the disk takes.
    pub(crate) disk_us: Micros,
    /// How far its calendar is off.
    pub(crate) skew_ms: i64,
    /// Everybody's time that passed in a moment.
    pub(crate) nights_ms: u64,
    /// What is on disk.
    disk: Restored,
    pub(crate) wallet: Wallet,
    /// A notary's.
    pub(crate) log: Vec<Vec<u8>>,
    /// A record on its way there.
    pub(crate) writing: Option<Vec<u8>>,
    /// What was on disk when its owner made a copy.
    copy: Option<(Restored, Wallet)>,
    /// Batches on their way to the disk.
    pub(crate) batches: VecDeque<(u64, Vec<Durable>)>,
    pub(crate) held: VecDeque<Held>,
    next_token: u64,
    /// Counts the processes: what was meant for an earlier one is dropped.
    pub(crate) incarnation: u32,
    pub(crate) awake: bool,
    pub(crate) seam: Option<Seam>,
    /// The earliest tick on its way.
    pub(crate) tick_at: Option<Micros>,
    /// Ticks that the machine was given in the second that is now.
    pub(crate) ticks: (u64, u32),
    /// A broken disk that forgets sequence numbers, which the checkers should find.
    pub(crate) forgets_sequences: bool,
}

impl Computer {
    /// `owner` is the number of the first computer of whoever owns it.
    pub(crate) fn new(number: usize, owner: usize) -> Self {
        let key = |purpose: &str, number: usize| blake3::derive_key(purpose, &number.to_le_bytes());
        let scheme = KeyedHash::new(key("p2p-agent simulator device", number));
        let account = KeyedHash::new(key("p2p-agent simulator account", owner));
        Self {
            node: None,
            device: DeviceId(p2p_types::Scheme::public_key(&scheme)),
            scheme,
            account,
            workers: Workers::new(5 * MS),
            slots: 1,
            disk_us: MS,
            skew_ms: 0,
            nights_ms: 0,
            disk: Restored::default(),
            wallet: Wallet::default(),
            log: Vec::new(),
            writing: None,
            copy: None,
            batches: VecDeque::new(),
            held: VecDeque::new(),
            next_token: 1,
            incarnation: 0,
            awake: true,
            seam: None,
            tick_at: None,
            ticks: (0, 0),
            forgets_sequences: false,
        }
    }

    /// A new process: it knows what is on disk.
    pub(crate) fn boot(&mut self, network: &Network, money: Money) {
        let account_id = AccountId(p2p_types::Scheme::public_key(&self.account));
        let config = Config {
            network: Some(network.clone()),
            account: account_id,
            certificate: certify(&self.account, self.device, Timestamp(START_MS)).into_bytes(),
            membership: Vec::new(),
            agent_version: "0.1.0".to_owned(),
            max_peers: p2p_types::limits::PEERS,
            money,
        };
        self.node = Some(Node::new(config, Arc::new(self.scheme.clone()), &self.disk));
        self.incarnation += 1;
        self.awake = true;
    }

    /// The process ends; what is not on disk is gone.
    pub(crate) fn crash(&mut self) {
        self.node = None;
        self.batches.clear();
        self.held.clear();
        self.seam = None;
        self.tick_at = None;
        self.workers.stop_all();
    }

    /// When the machine wants to be ticked.
    pub(crate) fn due(&self, at: Micros) -> Option<Monotonic> {
        self.node.as_ref()?.next_deadline(self.now(at))
    }

    pub(crate) fn trusts_at_first(&mut self, device: DeviceId) {
        self.disk.trusted.insert(device);
    }

    /// Whom the owner trusts, as it is on disk.
    pub(crate) const fn trusted(&self) -> &std::collections::BTreeSet<DeviceId> {
        &self.disk.trusted
    }

    pub(crate) fn now(&self, at: Micros) -> Now {
        let wall = (START_MS + at / MS + self.nights_ms).saturating_add_signed(self.skew_ms);
        Now { wall: Timestamp(wall), mono: Monotonic(at) }
    }

    /// Sends a batch to the disk. Returns its token.
    pub(crate) fn write(&mut self, batch: Vec<Durable>) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        self.batches.push_back((token, batch));
        token
    }

    /// The disk has written a batch.
    pub(crate) fn committed(&mut self, token: u64) -> Verdict {
        while let Some((_, batch)) = self.batches.pop_front_if(|(written, _)| *written <= token) {
            batch.into_iter().try_for_each(|durable| self.keep(durable))?;
        }
        Ok(())
    }

    fn keep(&mut self, durable: Durable) -> Verdict {
        match durable {
            Durable::Sequence { reserved } => {
                if !self.forgets_sequences {
                    self.disk.sequence = reserved;
                }
            }
            Durable::Trust { device, trusted } => {
                let (into, out_of) = match trusted {
                    true => (&mut self.disk.trusted, &mut self.disk.distrusted),
                    false => (&mut self.disk.distrusted, &mut self.disk.trusted),
                };
                out_of.remove(&device);
                into.insert(device);
            }
            Durable::Paused { paused, until } => self.disk.paused = paused.then_some(until),
            Durable::Peer { device, addresses } => {
                self.disk.peers.retain(|(known, _)| *known != device);
                self.disk.peers.push((device, addresses));
                if self.disk.peers.len() > p2p_types::limits::KNOWN_PEERS {
                    self.disk.peers.remove(0);
                }
            }
            Durable::Task { .. }
            | Durable::Receipt { .. }
            | Durable::GuestReceipt { .. }
            | Durable::Departure { .. } => {}
            Durable::Entry { entry, certificate } => return self.wallet.keep(*entry, certificate),
            Durable::Voucher { hold, signed } => self.wallet.keep_voucher(hold, signed),
            Durable::VoucherDone { hold } => self.wallet.forget_voucher(&hold),
        }
        Ok(())
    }

    /// Whether credits are in a batch that is being written.
    pub(crate) fn writes_money(&self, token: u64) -> bool {
        let money = |durable: &Durable| {
            matches!(durable, Durable::Entry { .. } | Durable::Voucher { .. } | Durable::VoucherDone { .. })
        };
        self.batches.iter().any(|(written, batch)| *written == token && batch.iter().any(money))
    }

    /// The vouchers in a batch that is being written.
    pub(crate) fn vouchers_of(&self, token: u64) -> Vec<(Hash, Credits)> {
        let batches = self.batches.iter().filter(|(written, _)| *written <= token).flat_map(|(_, batch)| batch);
        let voucher = |durable: &Durable| match durable {
            Durable::Voucher { signed, .. } => amount_of(signed),
            _ => None,
        };
        batches.filter_map(voucher).collect()
    }

    /// The owner makes a copy of the home.
    pub(crate) fn copy(&mut self) {
        self.copy = Some((self.disk.clone(), self.wallet.clone()));
    }

    /// The home becomes what it was when it was copied. False where it never was.
    pub(crate) fn restore(&mut self, old_sequences: bool) -> bool {
        let Some((disk, wallet)) = self.copy.take() else { return false };
        let sequence = if old_sequences { disk.sequence } else { self.disk.sequence };
        (self.disk, self.wallet) = (Restored { sequence, ..disk }, wallet);
        true
    }

    /// An envelope of this computer with something changed in it.
    pub(crate) fn sign(&self, network: &NetworkId, envelope: &wire::Envelope) -> Vec<u8> {
        Signed::new(&self.scheme, network, envelope).into_bytes()
    }

    pub(crate) const fn scheme(&self) -> &KeyedHash {
        &self.scheme
    }

    pub(crate) fn account_id(&self) -> AccountId {
        AccountId(self.account.public_key())
    }

    /// Nodes it was connected to in an earlier life, as many as a real node dials at its start.
    pub(crate) fn known(&self) -> Vec<DeviceId> {
        self.disk.peers.iter().rev().take(16).map(|(device, _)| *device).collect()
    }

    pub(crate) fn kinds() -> std::collections::BTreeMap<TaskKind, Hash> {
        TaskKind::ALL.iter().map(|kind| (*kind, MODEL)).collect()
    }
}

/// The hold and the amount of a voucher.
pub(crate) fn amount_of(signed: &[u8]) -> Option<(Hash, Credits)> {
    let voucher = Signed::<ledger::Voucher>::from_bytes(signed).ok()?.peek().ok()?;
    Some((Hash::try_from(voucher.hold.as_slice()).ok()?, Credits::from_micro(voucher.amount)?))
}

/// Which process of a device runs, or ran last.
pub(crate) fn incarnation(computers: &[Computer], device: &DeviceId) -> u32 {
    computers.iter().find(|computer| computer.device == *device).map_or(0, |computer| computer.incarnation)
}
