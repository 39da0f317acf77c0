//! Disks that are full, files that are damaged, other programs in the way.

use std::fs;
use std::time::{Duration, Instant};

use super::*;

#[test]
fn a_full_disk_fails_what_does_not_fit_and_nothing_else() {
    let (_folder, path) = folder();
    let mut node = Node::bounded(&path, Bounds { pages: 64, ..Bounds::default() });
    node.keep(vec![task(1, true, b"before"), Record::Sequence { lane: "direct", reserved: 1 }]);

    // While another program writes, three commits wait and become one group.
    let other = Connection::open(&path).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    node.store.commit(1, vec![]).expect("room");
    node.store.commit(2, vec![task(2, true, b"small")]).expect("room");
    node.store.commit(3, vec![task(3, true, b"half"), task(4, true, &vec![0; 64 * 4096])]).expect("room");
    node.store.commit(4, vec![task(5, true, b"small too")]).expect("room");
    other.execute_batch("ROLLBACK").expect("unlocked");
    let results: Vec<_> = (0..4).map(|_| node.completed.blocking_recv().expect("a completion")).collect();
    assert_eq!(results.iter().map(|done| done.token).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(results[0].result.is_ok() && results[1].result.is_ok() && results[3].result.is_ok(), "{results:?}");
    assert!(matches!(results[2].result, Err(StoreError::Full)), "{results:?}");

    // Nothing of the failed batch is there, everything else is, and so after a restart.
    let kept = [stored(5, true, b"small too"), stored(2, true, b"small"), stored(1, true, b"before")];
    assert_eq!(wait(node.store.tasks(9)), kept);
    node.store.close();
    let node = Node::open(&path);
    assert_eq!(node.store.load().expect("reads").tasks, kept);
}

#[test]
fn the_file_stays_under_its_cap() {
    let (_folder, path) = folder();
    let mut node = Node::bounded(&path, Bounds { pages: 256, prune_after: 8, ..Bounds::default() });
    node.keep(vec![task(0, false, b"open")]);
    for number in 1..500 {
        node.keep(vec![task(number, true, &[7; 10_000])]);
    }
    let tasks = wait(node.store.tasks(u32::MAX));
    assert_eq!((tasks[0].id, tasks.last().expect("the open one").id), (id(499), id(0)));
    assert!(tasks.len() > 20, "{} tasks left", tasks.len());
    node.store.close();
    assert!(fs::metadata(&path).expect("seen").len() <= 256 * 4096);
}

#[test]
fn everything_that_waits_shares_a_transaction() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    node.keep(vec![Record::Sequence { lane: "direct", reserved: 1 }]);
    let log = || fs::metadata(path.with_extension("sqlite-wal")).expect("seen").len();
    let before = log();
    let other = Connection::open(&path).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    for token in 0..500 {
        node.store.commit(token, vec![Record::Sequence { lane: "direct", reserved: token }]).expect("room");
    }
    other.execute_batch("ROLLBACK").expect("unlocked");
    for token in 0..500 {
        let committed = node.completed.blocking_recv().expect("a completion");
        assert_eq!((committed.token, committed.result.is_ok()), (token, true));
    }
    // Each transaction adds at least one page to the log.
    assert!(log() - before <= 10 * 4200, "{} bytes", log() - before);
}

#[test]
fn closing_writes_what_is_queued() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    let other = Connection::open(&path).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let pause = || thread::sleep(Duration::from_millis(50));
    // The writer takes the first and waits with it; the others queue behind, and so does the word to close.
    for token in 0..10 {
        node.store.commit(token, vec![task(token, true, b"")]).expect("room");
        if token == 0 {
            pause();
        }
    }
    let closing = thread::spawn(move || node.store.close());
    pause();
    other.execute_batch("ROLLBACK").expect("unlocked");
    closing.join().expect("closed");
    for token in 0..10 {
        let committed = node.completed.blocking_recv().expect("a completion");
        assert_eq!((committed.token, committed.result.is_ok()), (token, true));
    }
}

#[test]
fn another_program_in_the_way_is_named_once_for_all() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    let other = Connection::open(&path).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let asked = Instant::now();
    (0..10).for_each(|token| node.store.commit(token, vec![task(token, true, b"")]).expect("room"));
    for _ in 0..10 {
        let committed = node.completed.blocking_recv().expect("a completion");
        assert!(matches!(committed.result, Err(StoreError::Locked)));
    }
    assert!(asked.elapsed().as_secs() < 8, "{:?}", asked.elapsed());
    drop(other);
    node.keep(vec![task(1, true, b"")]);
}

#[test]
fn a_number_too_large_to_keep_is_refused_whole() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    let beyond = vec![task(1, true, b""), Record::Sequence { lane: "direct", reserved: 1 << 63 }];
    assert!(matches!(node.commit(beyond), Err(StoreError::Database { .. })));
    assert_eq!(node.store.load().expect("reads"), Loaded::default());
}

#[test]
fn a_durable_record_makes_its_transaction_durable() {
    let (_folder, path) = folder();
    let bounds = Bounds::default();
    let lock = Arc::new(schema::lock(&path).expect("free"));
    let connection = schema::writer(&path, schema::MIGRATIONS, bounds.pages).expect("opens");
    let mut writer = Writer::new(connection, path, bounds, lock);
    let mut level_after = |batch: &[Record]| {
        writer.write(batch.iter()).expect("written");
        writer.connection.pragma_query_value(None, "synchronous", |row| row.get::<_, u8>(0)).expect("a level")
    };
    let (normal, full) = (1, 2);
    let (at, signed) = (Timestamp(1), vec![1]);
    assert_eq!(level_after(&[task(1, true, b"")]), normal);
    assert_eq!(level_after(&[task(1, true, b""), Record::Sequence { lane: "direct", reserved: 1 }]), full);
    assert_eq!(level_after(&[Record::Paused { until: None }]), normal);
    assert_eq!(level_after(&[Record::Trust { device: device(1), trusted: false, at }]), full);
    let receipt = Record::Receipt { task: id(1), subtask: 1, provider: device(1), signed: signed.clone(), at };
    assert_eq!(level_after(&[receipt]), normal);
    let receipt = Record::GuestReceipt { task: id(1), subtask: 1, requester: device(1), signed, at };
    assert_eq!(level_after(&[receipt, Record::ForgetPeers]), normal);
}

#[test]
fn a_damaged_file_is_named_and_left_alone_and_what_is_said_to_do_helps() {
    let (folder, path) = folder();
    let garbage = b"this was a database once ".repeat(400);
    let log = path.with_extension("sqlite-wal");
    fs::write(&path, &garbage).expect("written");
    fs::write(&log, b"its log").expect("written");
    let refused = Store::open(&path).expect_err("damaged");
    assert!(matches!(&refused, StoreError::Corrupt { path: named } if *named == path), "{refused}");
    assert_eq!(fs::read(&path).expect("still there"), garbage);
    assert_eq!(fs::read(&log).expect("still there"), b"its log");

    assert!(refused.to_string().contains("move it and its -wal file away"), "{refused}");
    for moved in [&path, &log] {
        fs::rename(moved, folder.path().join("elsewhere")).expect("moved");
    }
    Node::open(&path).store.close();
}

#[test]
fn a_database_of_another_program_is_not_touched() {
    let (_folder, path) = folder();
    let other = Connection::open(&path).expect("opens");
    other.execute_batch("CREATE TABLE bookmarks (url TEXT)").expect("made");
    drop(other);
    let before = fs::read(&path).expect("read");
    assert!(matches!(Store::open(&path), Err(StoreError::Corrupt { .. })));
    assert_eq!(fs::read(&path).expect("read"), before);
}

#[test]
fn damage_found_later_is_named_too() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    node.keep((0..500).map(|number| task(number, true, &[7; 900])).collect());
    node.store.close();
    let mut bytes = fs::read(&path).expect("read");
    let schema_page = 4096;
    bytes[schema_page..].fill(0xa5);
    fs::write(&path, bytes).expect("written");
    let (store, _completed) = Store::open(&path).expect("its first page is sound");
    assert!(matches!(store.load(), Err(StoreError::Corrupt { .. })));
}
