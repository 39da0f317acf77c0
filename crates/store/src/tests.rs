mod crash;
mod decisions;
mod faults;
mod migrations;
mod model;
mod speed;
mod wallet;

use p2p_types::{DeviceId, Privacy, TaskKind, Timestamp, limits};
use tempfile::TempDir;

use super::*;

/// A store and the receiver of its completions.
struct Node {
    store: Store,
    completed: mpsc::Receiver<Committed>,
}

impl Node {
    fn open(path: &Path) -> Self {
        Self::bounded(path, Bounds::default())
    }

    fn bounded(path: &Path, bounds: Bounds) -> Self {
        let (store, completed) = Store::open_with(path, bounds, schema::MIGRATIONS).expect("opens");
        Self { store, completed }
    }

    fn commit(&mut self, batch: Vec<Record>) -> Result<(), StoreError> {
        self.store.commit(7, batch).expect("room");
        let committed = self.completed.blocking_recv().expect("a completion");
        assert_eq!(committed.token, 7);
        committed.result
    }

    fn keep(&mut self, batch: Vec<Record>) {
        self.commit(batch).expect("kept");
    }
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("node.sqlite");
    (folder, path)
}

fn wait<T>(future: impl Future<Output = Result<T, StoreError>>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future).expect("read")
}

/// A receipt of either table: subtask, the other side, what was signed, when.
type Receipt = (u32, DeviceId, Vec<u8>, Timestamp);

/// What is kept of receipts, in order of arrival. Nothing reads them yet; whoever doubts a receipt
/// can find it in the file.
fn receipts(store: &Store, table: &'static str) -> Vec<Receipt> {
    wait(store.read(move |connection| {
        let sql = format!("SELECT subtask, device, signed, at FROM {table} ORDER BY number");
        let receipt =
            |row: &rusqlite::Row<'_>| Ok((row.get(0)?, DeviceId(row.get(1)?), row.get(2)?, Timestamp(row.get(3)?)));
        connection.prepare(&sql)?.query_map((), receipt)?.collect()
    }))
}

fn device(byte: u8) -> DeviceId {
    DeviceId([byte; 32])
}

fn id(number: u64) -> TaskId {
    TaskId(u128::from(number).to_be_bytes())
}

fn task(number: u64, finished: bool, document: &[u8]) -> Record {
    Record::Task { id: id(number), submitted: Timestamp(number), finished, document: document.to_vec() }
}

fn stored(number: u64, finished: bool, document: &[u8]) -> StoredTask {
    StoredTask { id: id(number), submitted: Timestamp(number), finished, document: document.to_vec() }
}

#[test]
fn everything_comes_back_after_a_restart() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    assert_eq!(node.store.load().expect("reads"), Loaded::default());
    let addresses: Vec<String> = (0..20).map(|port| format!("/ip4/127.0.0.1/tcp/{port}")).collect();
    node.keep(vec![
        task(1, false, b"one"),
        task(2, true, b"two"),
        task(1, true, b"one, done"),
        Record::Trust { device: device(1), trusted: true, at: Timestamp(1) },
        Record::Trust { device: device(2), trusted: true, at: Timestamp(1) },
        Record::Trust { device: device(2), trusted: false, at: Timestamp(2) },
        Record::Peer { device: device(3), addresses: addresses.clone(), seen: Timestamp(4) },
        Record::Peer { device: device(4), addresses: vec![], seen: Timestamp(5) },
        Record::Paused { until: Some(Some(Timestamp(u64::MAX))) },
        Record::Sequence { lane: "direct", reserved: 2000 },
        Record::Sequence { lane: "direct", reserved: 1000 },
    ]);
    let departure = StoredDeparture {
        at: Timestamp(9),
        to: device(1),
        task: id(1),
        kind: TaskKind::Sentiment,
        privacy: Privacy::Trusted,
        texts: 3,
        bytes: 1 << 40,
    };
    let StoredDeparture { at, to, task, kind, privacy, texts, bytes } = departure;
    let (subtask, signed) = (5, vec![1, 2, 3]);
    let receipt = (subtask, device(6), signed.clone(), Timestamp(8));
    node.keep(vec![
        Record::Departure { at, to, task, kind, privacy, texts, bytes },
        Record::Departure { at: Timestamp(2), to, task, kind: TaskKind::Chunk, privacy, texts, bytes },
        Record::Receipt { task, subtask, provider: device(6), signed: signed.clone(), at: Timestamp(8) },
        Record::Receipt { task: id(2), subtask, provider: device(6), signed: vec![], at: Timestamp(8) },
        Record::GuestReceipt { task, subtask, requester: device(6), signed, at: Timestamp(8) },
    ]);
    node.store.close();

    let mut node = Node::open(&path);
    let loaded = node.store.load().expect("reads");
    assert_eq!(loaded.trusted, [device(1)].into());
    assert_eq!(loaded.untrusted, [device(2)].into());
    let kept = addresses[..limits::ADDRESSES_PER_PEER].to_vec();
    assert_eq!(loaded.peers, [(device(4), vec![], Timestamp(5)), (device(3), kept, Timestamp(4))]);
    assert_eq!(loaded.paused, Some(Some(Timestamp(i64::MAX as u64))));
    assert_eq!(loaded.sequences, [("direct".to_owned(), 2000)].into());
    assert_eq!(loaded.tasks, [stored(2, true, b"two"), stored(1, true, b"one, done")]);
    assert_eq!(wait(node.store.tasks(1)), [stored(2, true, b"two")]);
    assert_eq!(wait(node.store.task(id(1))), Some(stored(1, true, b"one, done")));
    assert_eq!(wait(node.store.task(id(3))), None);
    // The newest is what arrived last, whatever the clock said.
    let [newest, older] = wait(node.store.departures(9)).try_into().expect("two");
    assert_eq!((newest.at, newest.kind), (Timestamp(2), TaskKind::Chunk));
    assert_eq!(older, departure);
    let other = (subtask, device(6), vec![], Timestamp(8));
    assert_eq!(receipts(&node.store, "receipts"), [receipt.clone(), other]);
    assert_eq!(receipts(&node.store, "guest_receipts"), [receipt]);

    node.keep(vec![Record::Paused { until: Some(None) }]);
    assert_eq!(node.store.load().expect("reads").paused, Some(None));
    node.keep(vec![Record::Paused { until: None }]);
    assert_eq!(node.store.load().expect("reads").paused, None);
}

#[test]
fn a_start_brings_the_newest_tasks_and_all_that_are_open() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    node.keep((0..300).map(|number| task(number, number != 5, b"small")).collect());
    let tasks = node.store.load().expect("reads").tasks;
    assert_eq!(tasks.len(), limits::SHOWN_TASKS + 1);
    assert_eq!((tasks[0].id, tasks[limits::SHOWN_TASKS].id), (id(299), id(5)));

    // Large documents of finished tasks stay on the disk, those of open ones do not.
    let large = vec![0; READ_BYTES / 2 + 1];
    node.keep(vec![task(300, true, &large), task(301, true, &large), task(302, false, &large)]);
    let tasks = node.store.load().expect("reads").tasks;
    let ids: Vec<_> = tasks.iter().take(3).map(|task| task.id).collect();
    assert_eq!(ids, [id(302), id(299), id(298)]);
    assert_eq!(wait(node.store.task(id(300))).expect("kept").document, large);
}

#[test]
fn completions_keep_the_order_of_commits_and_hold_their_places() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    // Nobody takes the completions: the queue fills, though the writer is quick.
    let taken = (0..).take_while(|&token| node.store.commit(token, vec![task(token, true, b"")]).is_ok()).count();
    assert_eq!(taken, UNFINISHED_COMMITS);
    assert_eq!(node.store.commit(0, vec![]), Err(StoreBusy));
    assert_eq!(node.completed.blocking_recv().expect("first").token, 0);
    node.store.commit(taken as u64, vec![]).expect("a place came free");

    // Closing waits for what was queued, and never for whoever reads completions.
    let other = node.store.clone();
    node.store.close();
    assert_eq!(other.commit(0, vec![]), Err(StoreBusy));
    assert!(matches!(other.load(), Err(StoreError::Closed)));
    for token in 1..=taken as u64 {
        let committed = node.completed.blocking_recv().expect("one for each");
        assert_eq!((committed.token, committed.result.is_ok()), (token, true));
    }
    // What was never taken is never answered.
    assert_eq!(other.commit(0, vec![]), Err(StoreBusy));
    other.close();
    assert!(node.completed.blocking_recv().is_none());
    assert_eq!(wait(Node::open(&path).store.tasks(u32::MAX)).len(), taken);
}

#[test]
fn a_last_handle_that_goes_writes_what_was_queued() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    (0..100).for_each(|token| node.store.commit(token, vec![task(token, true, b"")]).expect("room"));
    drop(node.store);
    let mut done = 0;
    while let Some(committed) = node.completed.blocking_recv() {
        committed.result.expect("kept");
        done += 1;
    }
    assert_eq!(done, 100);
}

#[test]
fn a_second_opener_is_refused() {
    let (_folder, path) = folder();
    let node = Node::open(&path);
    assert!(matches!(Store::open(&path), Err(StoreError::Locked)));
    node.store.close();
    Node::open(&path);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, path) = folder();
    let mut node = Node::open(&path);
    node.keep(vec![task(1, true, b"private")]);
    for file in folder.path().read_dir().expect("listed") {
        let file = file.expect("a file");
        assert_eq!(file.metadata().expect("seen").permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}
