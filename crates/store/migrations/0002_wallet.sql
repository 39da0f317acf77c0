-- Credits. What a network's notary certified of this computer's lanes; never pruned.

CREATE TABLE entries (
    network     BLOB    NOT NULL,
    account     BLOB    NOT NULL,
    device      BLOB    NOT NULL,
    number      INTEGER NOT NULL, -- among the orders that touched the lane
    certificate BLOB    NOT NULL,
    PRIMARY KEY (network, account, device, number)
) STRICT, WITHOUT ROWID;

-- What the entries did, as it is shown. Amounts in micro-credits; a row of what came back counts as
-- less spent.
CREATE TABLE rows (
    number     INTEGER PRIMARY KEY,
    network    BLOB    NOT NULL,
    id         TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    document   BLOB    NOT NULL,
    earned     INTEGER NOT NULL,
    granted    INTEGER NOT NULL,
    spent      INTEGER NOT NULL,
    burnt      INTEGER NOT NULL,
    lapsed     INTEGER NOT NULL,
    tasks_done INTEGER NOT NULL,
    tasks_paid INTEGER NOT NULL,
    UNIQUE (network, id)
) STRICT;
CREATE INDEX rows_time ON rows (network, at);

-- The latest voucher of each payer whose hold is not settled.
CREATE TABLE vouchers (
    network BLOB NOT NULL,
    hold    BLOB NOT NULL,
    signed  BLOB NOT NULL,
    PRIMARY KEY (network, hold)
) STRICT, WITHOUT ROWID;

-- What a role of this node keeps for itself: a document of the engine's own making.
CREATE TABLE notes (
    network  BLOB NOT NULL,
    name     TEXT NOT NULL,
    document BLOB NOT NULL,
    PRIMARY KEY (network, name)
) STRICT, WITHOUT ROWID;
