//! A network's books, read from its notary's log as anybody can who has the file: what the wallets say is
//! held against them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use p2p_ledger::{Body, Committee, LaneId, Notary, Order, certificate, log};
use p2p_protocol::Network;
use p2p_types::{AccountId, Credits, DeviceId, Ed25519, Hash, PublicKey, Scheme, SecretKey, Signature};

use crate::Node;

/// The notary of a log, done again, and all that it certified.
#[derive(Debug)]
pub struct Books {
    pub notary: Notary,
    /// In their order.
    pub orders: Vec<Certified>,
}

/// An order that the notary certified.
#[derive(Debug, Clone)]
pub struct Certified {
    pub order: Order,
    /// As it is kept by everybody whom it touches.
    pub certificate: Vec<u8>,
}

impl Books {
    /// The books of the network whose notary is `node`. Its daemon may run: what it is writing now is left out.
    ///
    /// # Panics
    /// When the log is damaged, or does not follow from what it says itself.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        let scheme = Checker::new([0; 32]);
        let network = std::fs::read(node.home().join("network.p2pnet")).expect("its network");
        let network = Network::from_bytes(&network, &scheme).expect("signed");
        let scheme = Checker::new(network.committee[0].0);
        let committee = Committee::new(network.committee.clone());
        let bytes = std::fs::read(log_of(node)).expect("its log");
        let (records, _) = log::read(&bytes).expect("no damage");
        let mut notary = Notary::new(network.id, network.economy.clone());
        let mut orders = Vec::new();
        for record in records {
            notary.replay(&scheme, record).expect("it follows");
            for (_, certified) in certificate::of_record(&network.id, record).expect("readable") {
                let order = certificate::verify(&scheme, &network.id, &committee, &certified).expect("it holds");
                orders.push(Certified { order, certificate: certificate::encode(&certified) });
            }
        }
        Self { notary, orders }
    }

    /// Everybody who ever gave an order.
    #[must_use]
    pub fn lanes(&self) -> BTreeSet<LaneId> {
        self.orders.iter().map(|certified| certified.order.lane).collect()
    }

    /// What is in a node's own lane.
    #[must_use]
    pub fn purse(&self, node: &Node) -> u64 {
        let shown = node.fine(&["identity", "show"]);
        let account: AccountId = shown["account_id"].as_str().and_then(|id| id.parse().ok()).expect("an account");
        let device: DeviceId = shown["device_id"].as_str().and_then(|id| id.parse().ok()).expect("a device");
        let lane = self.notary.ledger().lane(&LaneId { account, device });
        lane.map_or(0, |lane| lane.purse().total().micro())
    }

    /// What is in the lanes of those who are not among `nodes`: the canary issuer's.
    #[must_use]
    pub fn elsewhere(&self, nodes: &[Node]) -> u64 {
        let accounts: BTreeSet<String> = nodes
            .iter()
            .map(|node| node.fine(&["identity", "show"])["account_id"].as_str().unwrap_or("").to_owned())
            .collect();
        let others = self.lanes().into_iter().filter(|lane| !accounts.contains(&lane.account.to_string()));
        let purses = others.filter_map(|lane| self.notary.ledger().lane(&lane)).map(|lane| lane.purse().total());
        purses.sum::<Credits>().micro()
    }

    /// Holds that were not settled, released or taken back.
    #[must_use]
    pub fn open_holds(&self) -> Vec<Hash> {
        let holds = self.orders.iter().filter(|certified| matches!(certified.order.body, Body::Hold { .. }));
        holds.map(|certified| certified.order.id).filter(|hold| self.notary.ledger().hold(hold).is_some()).collect()
    }

    /// What the rules gave: all that there ever was.
    #[must_use]
    pub fn given(&self) -> u64 {
        let amount = |certified: &Certified| match &certified.order.body {
            Body::Claim { amount, .. } => amount.micro(),
            _ => 0,
        };
        self.orders.iter().map(amount).sum()
    }

    /// Places in lanes, and settlements, that were certified more than once.
    #[must_use]
    pub fn twice(&self) -> Vec<String> {
        let (mut places, mut ids, mut ended) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut found = Vec::new();
        for Certified { order, .. } in &self.orders {
            if !places.insert((order.lane, order.sequence)) || !ids.insert(order.id) {
                found.push(format!("order {} of {}", order.sequence, order.lane.device));
            }
            if let Some(hold) = order.ends()
                && !ended.insert(hold)
            {
                found.push(format!("the end of hold {hold}"));
            }
        }
        found
    }
}

/// The file of a notary's log.
///
/// # Panics
/// When there is none, or several.
#[must_use]
pub fn log_of(node: &Node) -> PathBuf {
    let files = std::fs::read_dir(node.home().join("data")).expect("its data");
    let files = files.map(|file| file.expect("readable").path());
    let is_log = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("ledger-") && name.ends_with(".log")
    };
    let logs: Vec<PathBuf> = files.filter(is_log).collect();
    assert_eq!(logs.len(), 1, "{logs:?}");
    logs.into_iter().next().expect("one")
}

/// Checks what others signed, in the name of a notary whose secret key it does not know.
#[derive(Debug)]
struct Checker {
    key: PublicKey,
    checks: Ed25519,
}

impl Checker {
    fn new(key: PublicKey) -> Self {
        Self { key, checks: Ed25519::new(&SecretKey::new([1; 32])) }
    }
}

impl Scheme for Checker {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    /// Nobody would believe it.
    fn sign(&self, _message: &[u8]) -> Signature {
        [0; 64]
    }

    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        self.checks.verify(key, message, signature)
    }
}
