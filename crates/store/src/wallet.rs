//! What is kept of credits: certificates of a lane's orders, the rows they made, and vouchers that wait to
//! be settled.

use p2p_ledger::LaneId;
use p2p_types::{Hash, NetworkId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Result, params};

use crate::{Store, StoreError};

/// What a row counts for in the sums of its day, in micro-credits and tasks. What came back is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    pub earned: i64,
    pub granted: i64,
    pub spent: i64,
    pub burnt: i64,
    pub lapsed: i64,
    pub tasks_done: i64,
    pub tasks_paid: i64,
}

/// A row of the wallet as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// The newest has the highest.
    pub number: u64,
    pub document: Vec<u8>,
}

impl Store {
    /// The certificates of a lane, in their order. Blocks.
    ///
    /// # Errors
    /// When the database cannot be read, or the store is closed.
    pub fn entries(&self, network: NetworkId, lane: LaneId) -> std::result::Result<Vec<Vec<u8>>, StoreError> {
        self.read_now(move |connection| {
            let wanted =
                "SELECT certificate FROM entries WHERE network = ?1 AND account = ?2 AND device = ?3 ORDER BY number";
            let mut wanted = connection.prepare_cached(wanted)?;
            let rows = wanted.query_map(params![network.0, lane.account.0, lane.device.0], |row| row.get(0))?;
            rows.collect()
        })
    }

    /// Vouchers that were not settled. Blocks.
    ///
    /// # Errors
    /// As [`Store::entries`].
    pub fn vouchers(&self, network: NetworkId) -> std::result::Result<Vec<(Hash, Vec<u8>)>, StoreError> {
        self.read_now(move |connection| {
            let mut wanted = connection.prepare_cached("SELECT hold, signed FROM vouchers WHERE network = ?1")?;
            let rows = wanted.query_map(params![network.0], |row| Ok((Hash(row.get(0)?), row.get(1)?)))?;
            rows.collect()
        })
    }

    /// A document that was kept under a name. Blocks.
    ///
    /// # Errors
    /// As [`Store::entries`].
    pub fn note(&self, network: NetworkId, name: &'static str) -> std::result::Result<Option<Vec<u8>>, StoreError> {
        self.read_now(move |connection| {
            let wanted = "SELECT document FROM notes WHERE network = ?1 AND name = ?2";
            connection.prepare_cached(wanted)?.query_row(params![network.0, name], |row| row.get(0)).optional()
        })
    }

    /// The newest rows, newest first. Blocks.
    ///
    /// # Errors
    /// As [`Store::entries`].
    pub fn newest_rows(&self, network: NetworkId, limit: u32) -> std::result::Result<Vec<StoredRow>, StoreError> {
        self.read_now(move |connection| page(connection, network, i64::MAX, limit))
    }

    /// The number of the next row. Blocks.
    ///
    /// # Errors
    /// As [`Store::entries`].
    pub fn next_row(&self) -> std::result::Result<u64, StoreError> {
        self.read_now(|connection| {
            connection.query_row("SELECT coalesce(max(number), 0) + 1 FROM rows", (), |row| row.get(0))
        })
    }

    /// Rows older than number `before`, newest first.
    ///
    /// # Errors
    /// As [`Store::tasks`].
    pub async fn rows(
        &self,
        network: NetworkId,
        before: Option<u64>,
        limit: u32,
    ) -> std::result::Result<Vec<StoredRow>, StoreError> {
        let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
        self.read(move |connection| page(connection, network, before, limit)).await
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// As [`Store::entries`].
    pub fn count_rows(&self, network: NetworkId) -> std::result::Result<u64, StoreError> {
        self.read_now(move |connection| {
            connection.query_row("SELECT count(*) FROM rows WHERE network = ?1", params![network.0], |row| row.get(0))
        })
    }

    /// All rows' documents, oldest first. Blocks.
    ///
    /// # Errors
    /// As [`Store::entries`].
    pub fn all_rows(&self, network: NetworkId) -> std::result::Result<Vec<Vec<u8>>, StoreError> {
        self.read_now(move |connection| {
            let wanted = "SELECT document FROM rows WHERE network = ?1 ORDER BY number";
            connection.prepare_cached(wanted)?.query_map(params![network.0], |row| row.get(0))?.collect()
        })
    }

    /// The sums of each day since a time that has rows, by days since 1970 (UTC).
    ///
    /// # Errors
    /// As [`Store::tasks`].
    pub async fn sums(
        &self,
        network: NetworkId,
        since: Timestamp,
    ) -> std::result::Result<Vec<(u32, Sums)>, StoreError> {
        self.read(move |connection| {
            let wanted = "SELECT at / 86400000 AS day, sum(earned), sum(granted), sum(spent), sum(burnt), sum(lapsed),
                                 sum(tasks_done), sum(tasks_paid)
                          FROM rows WHERE network = ?1 AND at >= ?2 GROUP BY day ORDER BY day";
            let mut wanted = connection.prepare_cached(wanted)?;
            let since = i64::try_from(since.0).unwrap_or(i64::MAX);
            let rows = wanted.query_map(params![network.0, since], |row| {
                let sums = Sums {
                    earned: row.get(1)?,
                    granted: row.get(2)?,
                    spent: row.get(3)?,
                    burnt: row.get(4)?,
                    lapsed: row.get(5)?,
                    tasks_done: row.get(6)?,
                    tasks_paid: row.get(7)?,
                };
                Ok((row.get(0)?, sums))
            })?;
            rows.collect()
        })
        .await
    }
}

fn page(connection: &Connection, network: NetworkId, before: i64, limit: u32) -> Result<Vec<StoredRow>> {
    let wanted = "SELECT number, document FROM rows WHERE network = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3";
    let mut wanted = connection.prepare_cached(wanted)?;
    let rows = wanted.query_map(params![network.0, before, limit], |row| {
        Ok(StoredRow { number: row.get(0)?, document: row.get(1)? })
    })?;
    rows.collect()
}

pub(crate) fn keep_row(
    connection: &Connection,
    network: NetworkId,
    number: u64,
    id: &str,
    at: i64,
    document: &[u8],
    sums: &Sums,
) -> Result<()> {
    let sql = "INSERT INTO rows (number, network, id, at, document, earned, granted, spent, burnt, lapsed, tasks_done, tasks_paid)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
               ON CONFLICT (network, id) DO NOTHING";
    let Sums { earned, granted, spent, burnt, lapsed, tasks_done, tasks_paid } = sums;
    let values =
        params![number, network.0, id, at, document, earned, granted, spent, burnt, lapsed, tasks_done, tasks_paid];
    connection.prepare_cached(sql)?.execute(values).map(drop)
}
