-- What this computer has used so far, and when it was last known to run.

CREATE TABLE usage (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    at    INTEGER NOT NULL,
    ended INTEGER NOT NULL, -- whether it said so itself
    month INTEGER NOT NULL, -- since January of the year 0
    bytes INTEGER NOT NULL  -- that went over the network in it
) STRICT;
