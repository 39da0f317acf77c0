-- A database of version 1 with a row in every table. Never changes.
PRAGMA application_id = 0x50325041;
PRAGMA user_version = 1;
PRAGMA journal_mode = wal;

CREATE TABLE tasks (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, submitted INTEGER NOT NULL,
    finished INTEGER NOT NULL, document BLOB NOT NULL) STRICT;
CREATE INDEX tasks_open ON tasks (finished) WHERE finished = 0;
CREATE TABLE receipts (number INTEGER PRIMARY KEY, task BLOB NOT NULL, subtask INTEGER NOT NULL,
    device BLOB NOT NULL, signed BLOB NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX receipts_task ON receipts (task);
CREATE TABLE guest_receipts (number INTEGER PRIMARY KEY, task BLOB NOT NULL, subtask INTEGER NOT NULL,
    device BLOB NOT NULL, signed BLOB NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE departures (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, device BLOB NOT NULL, task BLOB NOT NULL,
    kind TEXT NOT NULL, privacy TEXT NOT NULL, texts INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
CREATE TABLE trust (device BLOB PRIMARY KEY, trusted INTEGER NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE peers (device BLOB PRIMARY KEY, addresses TEXT NOT NULL, seen INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE pause (only INTEGER PRIMARY KEY CHECK (only = 1), until INTEGER) STRICT;
CREATE TABLE sequences (lane TEXT PRIMARY KEY, reserved INTEGER NOT NULL) STRICT, WITHOUT ROWID;

INSERT INTO tasks VALUES
    (1, x'00000000000000000000000000000001', 1, 1, CAST('{"one":1}' AS BLOB)),
    (2, x'00000000000000000000000000000002', 2, 0, CAST('{"two":2}' AS BLOB));
INSERT INTO receipts VALUES (1, x'00000000000000000000000000000001', 0,
    x'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', x'd1', 1700000000100);
INSERT INTO guest_receipts VALUES (1, x'00000000000000000000000000000009', 0,
    x'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', x'd2', 1700000000200);
INSERT INTO departures VALUES (1, 1700000000000,
    x'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    x'00000000000000000000000000000001', 'embed', 'trusted', 1, 120);
INSERT INTO trust VALUES
    (x'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 1700000000000),
    (x'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 0, 1700000000000);
INSERT INTO peers VALUES (x'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    '["/ip4/127.0.0.1/udp/9000/quic-v1"]', 1700000000300);
INSERT INTO pause VALUES (1, NULL);
INSERT INTO sequences VALUES ('direct', 3000);
