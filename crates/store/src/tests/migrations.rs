use std::fs;

use super::*;

/// A database as the first release left it, made from a text so that it can be reviewed.
const VERSION_1: &str = include_str!("version_1.sql");

const ADD_MEMOS: &str = "CREATE TABLE memos (text TEXT) STRICT; INSERT INTO memos SELECT lane FROM sequences";

fn version_1(path: &Path) {
    let old = Connection::open(path).expect("opens");
    old.execute_batch(VERSION_1).expect("made");
    let shape = |connection: &Connection| -> Vec<String> {
        let mut sql = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY name").expect("prepared");
        let lines = sql.query_map((), |row| row.get::<_, Option<String>>(0)).expect("asked");
        lines.map(|line| line.expect("a line").unwrap_or_default().split_whitespace().collect()).collect()
    };
    let made = Connection::open_in_memory().expect("opens");
    let bare: Vec<_> = schema::MIGRATIONS[0].lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    made.execute_batch(&bare.join("\n")).expect("made");
    assert_eq!(shape(&old), shape(&made), "the first migration is frozen: add another one");
}

/// What the fixture holds, whatever version it has been brought to.
fn check(store: &Store) {
    let loaded = store.load().expect("reads");
    assert_eq!((loaded.trusted, loaded.untrusted), ([device(0xaa)].into(), [device(0xbb)].into()));
    let address = "/ip4/127.0.0.1/udp/9000/quic-v1".to_owned();
    assert_eq!(loaded.peers, [(device(0xaa), vec![address], Timestamp(1_700_000_000_300))]);
    assert_eq!(loaded.paused, Some(None));
    assert_eq!(loaded.sequences, [("direct".to_owned(), 3000)].into());
    assert_eq!(loaded.tasks, [stored(2, false, b"{\"two\":2}"), stored(1, true, b"{\"one\":1}")]);
    let departures = wait(store.departures(9));
    assert_eq!((departures.len(), departures[0].kind, departures[0].bytes), (1, TaskKind::Embed, 120));
    assert_eq!(receipts(store, "receipts")[0].2, [0xd1]);
    assert_eq!(receipts(store, "guest_receipts")[0].2, [0xd2]);
}

#[test]
fn the_first_release_can_still_be_read() {
    let (_folder, path) = folder();
    version_1(&path);
    check(&Node::open(&path).store);
}

#[test]
fn a_migration_copies_the_database_first() {
    let (folder, path) = folder();
    version_1(&path);
    let migrations = [schema::MIGRATIONS, &[ADD_MEMOS]].concat();
    let (store, _completed) = Store::open_with(&path, Bounds::default(), &migrations).expect("migrates");
    check(&store);
    let noted = Connection::open(&path).expect("opens").query_row("SELECT text FROM memos", (), |row| row.get(0));
    assert_eq!(noted, Ok("direct".to_owned()));
    store.close();

    // The copy is a whole database of the old version, and the only file left over.
    let copy = folder.path().join("node.sqlite.version-1");
    let mut files: Vec<_> = folder.path().read_dir().expect("listed").map(|file| file.expect("seen").path()).collect();
    files.sort();
    assert_eq!(files, [path.clone(), folder.path().join("node.sqlite.lock"), copy.clone()]);
    check(&Node::open(&copy).store);

    // This release, which knows one version less, says so and changes nothing.
    let before = fs::read(&path).expect("read");
    assert!(matches!(Store::open(&path), Err(StoreError::Newer { found: 5, known: 4 })));
    assert_eq!(fs::read(&path).expect("read"), before);
}

#[test]
fn a_migration_that_fails_leaves_the_old_version() {
    let (_folder, path) = folder();
    version_1(&path);
    let half = format!("{ADD_MEMOS}; INSERT INTO nowhere VALUES (1)");
    let refused = Store::open_with(&path, Bounds::default(), &[schema::MIGRATIONS[0], &half]);
    assert!(matches!(refused, Err(StoreError::Database { .. })));
    let node = Node::open(&path);
    check(&node.store);
    node.store.close();
    // Nothing of it stayed behind, so that it works once it is mended.
    Store::open_with(&path, Bounds::default(), &[schema::MIGRATIONS, &[ADD_MEMOS]].concat()).expect("migrates");
}

#[test]
fn a_new_database_needs_no_copy() {
    let (folder, path) = folder();
    Node::open(&path).store.close();
    let files = folder.path().read_dir().expect("listed").count();
    assert_eq!(files, 2, "the database and its lock");
}
