-- What guests might do from when on. Kept for 30 days.

CREATE TABLE decisions (
    number   INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    document BLOB    NOT NULL -- of the engine's own making
) STRICT;
CREATE INDEX decisions_time ON decisions (at);
