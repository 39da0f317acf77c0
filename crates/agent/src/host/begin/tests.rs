use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use p2p_inference::PoolConfig;
use p2p_store::Committed;

use super::*;
use crate::home::{InitNetwork, InitOptions};

/// A home with its store, as a daemon has them open.
pub(crate) struct Bench {
    pub(crate) committed: mpsc::Receiver<Committed>,
    home: Home,
    pub(crate) config: Config,
    keys: Arc<Keys>,
    store: Store,
    workshop: Workshop,
    _folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new(network: InitNetwork) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        home::init(&home, InitOptions { network }).expect("a new home");
        let keys = Arc::new(home::require_keys(&home).expect("keys"));
        let (store, committed) = Store::open(&home.database()).expect("a store");
        let workshop = Workshop { pool: no_workers(), abilities: BTreeMap::new(), cannot_compute: None, ui: None };
        let config = crate::config::load(&home, None).expect("defaults");
        Self { committed, home, config, keys, store, workshop, _folder: folder }
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    fn ground(&self) -> Ground<'_> {
        let Self { home, config, keys, store, workshop, .. } = self;
        Ground { home, config, keys, store, workshop }
    }

    /// The parts of a run in no network.
    pub(crate) fn parts(&self) -> Parts {
        begin(&self.ground()).expect("begun").0
    }
}

/// A pool that could start no worker, and is not asked to.
pub(crate) fn no_workers() -> PoolConfig {
    let (worker, assets) = (PathBuf::from("none"), PathBuf::new());
    PoolConfig { worker, assets, workers: 1, idle_after: Duration::from_secs(1) }
}

#[test]
fn a_network_that_cannot_be_entered_ends_a_start_and_not_a_daemon_that_runs() {
    let bench = Bench::new(InitNetwork::New { name: "home".into() });
    std::fs::write(bench.home.network_file(), b"damaged").expect("written");
    let refused = begin(&bench.ground()).map(drop).expect_err("damaged");
    assert_eq!(refused.code, ErrorCode::NetworkFileInvalid);

    let (parts, _) = begin_again(&bench.ground());
    assert!(parts.node.network().is_none() && parts.net.is_none());
    let [warning] = parts.warnings.as_slice() else { panic!("{:?}", parts.warnings) };
    assert!(warning.contains("in no network") && warning.contains("[E3004]"), "{warning}");
    assert!(warning.contains("network leave"), "it says what to do: {warning}");

    // What it says to do helps.
    home::leave_network(&bench.home).expect("left");
    let (parts, _) = begin_again(&bench.ground());
    assert!(parts.warnings.is_empty(), "{:?}", parts.warnings);
}

#[tokio::test]
async fn a_port_that_was_taken_meanwhile_leaves_the_daemon_up_and_trust_as_it_was() {
    let mut bench = Bench::new(InitNetwork::New { name: "home".into() });
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    bench.config.network.listen_port = taken.local_addr().expect("an address").port();
    bench.config.network.any_port = false;
    bench.config.network.interfaces = Interfaces::Loopback;
    let friend = p2p_types::DeviceId([7; 32]);
    let trust = Record::Trust { device: friend, trusted: true, at: p2p_types::Timestamp(1) };
    bench.store.commit(1, vec![trust]).expect("room");
    bench.committed.recv().await.expect("a completion").result.expect("kept");

    assert_eq!(begin(&bench.ground()).map(drop).expect_err("taken").code, ErrorCode::PortInUse);
    let (parts, _) = begin_again(&bench.ground());
    assert!(parts.node.network().is_none() && parts.node.trusts(&friend));
    assert!(parts.warnings.iter().any(|warning| warning.contains("[E1004]")), "{:?}", parts.warnings);
}

#[tokio::test]
async fn a_port_that_the_configuration_named_is_not_taken_again_once_it_does_not() {
    let mut bench = Bench::new(InitNetwork::New { name: "home".into() });
    bench.config.network.interfaces = Interfaces::Loopback;
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let named = free.local_addr().expect("an address").port();
    drop(free);
    bench.config.network.listen_port = named;
    let begun = begin(&bench.ground()).expect("begun");
    remember_port(&bench.home, &format!("/ip4/127.0.0.1/tcp/{named}/p2p/x"));
    assert_eq!(remembered_port(&bench.home), None);
    drop(begun);

    // One that was taken freely is, and neither QUIC nor the old one stands in for it.
    let other = if named == 4001 { 4002 } else { 4001 };
    remember_port(&bench.home, &format!("/ip4/127.0.0.1/tcp/{other}/p2p/x"));
    remember_port(&bench.home, "/ip4/127.0.0.1/udp/5000/quic-v1/p2p/x");
    assert_eq!(remembered_port(&bench.home), Some(other));
}

#[cfg(unix)]
#[test]
fn what_lies_in_place_of_the_port_file_is_neither_read_nor_waited_for() {
    let bench = Bench::new(InitNetwork::New { name: "home".into() });
    let path = bench.home.root().join(PORT_FILE);
    let made = std::process::Command::new("mkfifo").arg("-m600").arg(&path).status().expect("mkfifo runs");
    assert!(made.success());
    assert_eq!(remembered_port(&bench.home), None);
    std::fs::remove_file(&path).expect("removed");
    std::os::unix::fs::symlink("/dev/zero", &path).expect("a link");
    assert_eq!(remembered_port(&bench.home), None);
    // The next port takes the trap's place.
    remember_port(&bench.home, "/ip4/127.0.0.1/tcp/4001/p2p/x");
    assert_eq!(remembered_port(&bench.home), Some(4001));
}
