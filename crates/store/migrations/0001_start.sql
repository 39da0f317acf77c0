-- Frozen once released: a change is a new file with the next number.
-- Ids and keys are blobs of fixed length, times are milliseconds since 1970.
-- `number` counts rows in order of arrival. "Newest" means the highest number, so a clock
-- that went back cannot make a new row the first to be forgotten.

PRAGMA application_id = 0x50325041; -- "P2PA"

CREATE TABLE tasks (
    number    INTEGER PRIMARY KEY,
    id        BLOB    NOT NULL UNIQUE,
    submitted INTEGER NOT NULL,
    finished  INTEGER NOT NULL,
    document  BLOB    NOT NULL
) STRICT;
CREATE INDEX tasks_open ON tasks (finished) WHERE finished = 0;

-- What others signed for this node. Two that contradict each other are both kept.
CREATE TABLE receipts (
    number  INTEGER PRIMARY KEY,
    task    BLOB    NOT NULL,
    subtask INTEGER NOT NULL,
    device  BLOB    NOT NULL, -- the provider
    signed  BLOB    NOT NULL,
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX receipts_task ON receipts (task);

-- What this node signed for others.
CREATE TABLE guest_receipts (
    number  INTEGER PRIMARY KEY,
    task    BLOB    NOT NULL,
    subtask INTEGER NOT NULL,
    device  BLOB    NOT NULL, -- the requester
    signed  BLOB    NOT NULL,
    at      INTEGER NOT NULL
) STRICT;

CREATE TABLE departures (
    number  INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    device  BLOB    NOT NULL,
    task    BLOB    NOT NULL,
    kind    TEXT    NOT NULL,
    privacy TEXT    NOT NULL,
    texts   INTEGER NOT NULL,
    bytes   INTEGER NOT NULL
) STRICT;

CREATE TABLE trust (
    device  BLOB    PRIMARY KEY,
    trusted INTEGER NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE peers (
    device    BLOB    PRIMARY KEY,
    addresses TEXT    NOT NULL, -- a JSON array of multiaddresses
    seen      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row while the node is paused, none otherwise. `until` is null until resumed by hand.
CREATE TABLE pause (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    until INTEGER
) STRICT;

CREATE TABLE sequences (
    lane     TEXT    PRIMARY KEY,
    reserved INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
