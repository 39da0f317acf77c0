//! The thread that writes: everything that waits goes into one transaction.

use std::iter;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use p2p_types::{Timestamp, limits};
use rusqlite::{Connection, TransactionBehavior, params};
use tokio::sync::mpsc::OwnedPermit;

use crate::record::{DECISION_DAYS, Usage};
use crate::schema::Lock;
use crate::{Committed, Durability, Record, StoreError, wallet};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// How much is kept. What comes first is pruned first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) tasks: u32,
    pub(crate) departures: u32,
    /// Of each kind.
    pub(crate) receipts: u32,
    pub(crate) peers: u32,
    pub(crate) decisions: u32,
    /// Pages of 4 KiB that the file may never pass. Above half of them finished tasks go.
    pub(crate) pages: u32,
    /// Weight of the records between two prunings.
    pub(crate) prune_after: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            tasks: 10_000,
            departures: 100_000,
            receipts: 100_000,
            peers: u32::try_from(limits::KNOWN_PEERS).expect("about a thousand"),
            decisions: 50_000,
            pages: 256 * 1024, // 1 GiB
            prune_after: 1024,
        }
    }
}

pub(crate) enum Job {
    Commit(Vec<Record>, Completion),
    Close,
}

/// The promise that a token is answered, whatever happens: dropped unanswered, it says
/// [`StoreError::Closed`]. Its place among the completions was taken before the commit was
/// queued, so that answering never waits for the engine.
pub(crate) struct Completion {
    token: u64,
    place: Option<OwnedPermit<Committed>>,
}

impl Completion {
    pub(crate) const fn new(token: u64, place: OwnedPermit<Committed>) -> Self {
        Self { token, place: Some(place) }
    }

    /// Gives the place back without a word, for a commit that was never taken.
    pub(crate) fn withdraw(mut self) {
        self.place = None;
    }

    fn finish(mut self, result: Result<(), StoreError>) {
        self.send(result);
    }

    fn send(&mut self, result: Result<(), StoreError>) {
        if let Some(place) = self.place.take() {
            place.send(Committed { token: self.token, result });
        }
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        self.send(Err(StoreError::Closed));
    }
}

pub(crate) struct Writer {
    pub(crate) connection: Connection,
    path: PathBuf,
    bounds: Bounds,
    /// What SQLite is set to.
    durability: Durability,
    /// Weight since the last pruning.
    weight: usize,
    /// After the connection: fields are dropped in order.
    _lock: Arc<Lock>,
}

impl Writer {
    /// `connection` is set to the highest durability.
    pub(crate) const fn new(connection: Connection, path: PathBuf, bounds: Bounds, lock: Arc<Lock>) -> Self {
        Self { connection, path, bounds, durability: Durability::Power, weight: 0, _lock: lock }
    }

    /// Returns when told to close or when every sender is gone; what was queued before is written.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        let mut group = Vec::new();
        let mut open = true;
        while open && let Ok(first) = jobs.recv() {
            for job in iter::once(first).chain(jobs.try_iter()) {
                match job {
                    Job::Commit(batch, completion) => group.push((batch, completion)),
                    Job::Close => open = false,
                }
            }
            self.write_group(&mut group);
            if self.weight >= self.bounds.prune_after {
                self.weight = 0;
                // Nobody waits for it, and it is tried again: a full disk must not fail commits here.
                if let Err(error) = self.prune() {
                    tracing::warn!(%error, "old records could not be pruned");
                }
            }
        }
    }

    fn write_group(&mut self, group: &mut Vec<(Vec<Record>, Completion)>) {
        match self.write(group.iter().flat_map(|(batch, _)| batch)) {
            Ok(()) => group.drain(..).for_each(|(_, completion)| completion.finish(Ok(()))),
            // Each would wait as long again.
            Err(StoreError::Locked) => {
                group.drain(..).for_each(|(_, completion)| completion.finish(Err(StoreError::Locked)));
            }
            // A batch that cannot be written must not take its neighbours with it.
            Err(error) => {
                tracing::warn!(%error, batches = group.len(), "a transaction failed; each batch is tried by itself");
                for (batch, completion) in group.drain(..) {
                    completion.finish(self.write(batch.iter()));
                }
            }
        }
    }

    /// One transaction, as durable as the most demanding of its records.
    pub(crate) fn write<'a>(&mut self, records: impl Iterator<Item = &'a Record> + Clone) -> Result<(), StoreError> {
        let Some(durability) = records.clone().map(Record::durability).max() else { return Ok(()) };
        let mut weight = 0;
        let written = (|| {
            self.demand(durability)?;
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for record in records {
                apply(&transaction, record)?;
                weight += record.weight();
            }
            transaction.commit()
        })();
        self.weight += weight;
        written.map_err(StoreError::sqlite(&self.path))
    }

    /// In WAL mode `NORMAL` syncs only at checkpoints: a commit is in the kernel's hands, which
    /// outlive this process, and the log's checksums cut a torn end off after a power loss.
    /// `FULL` also syncs the log at each commit, and with it everything that was written before,
    /// so changing the level between transactions keeps their order. (A checkpoint in its place
    /// would sync two files and write every page twice.)
    fn demand(&mut self, durability: Durability) -> rusqlite::Result<()> {
        if self.durability != durability {
            self.connection.execute_batch(match durability {
                Durability::Process => "PRAGMA synchronous = NORMAL",
                Durability::Power => "PRAGMA synchronous = FULL",
            })?;
            self.durability = durability;
        }
        Ok(())
    }

    fn prune(&mut self) -> rusqlite::Result<()> {
        let Bounds { tasks, departures, receipts, peers, decisions, pages, .. } = self.bounds;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (sql, keep) in [
            ("DELETE FROM tasks WHERE number <= (SELECT max(number) FROM tasks) - ?1", tasks),
            ("DELETE FROM departures WHERE number <= (SELECT max(number) FROM departures) - ?1", departures),
            ("DELETE FROM receipts WHERE number <= (SELECT max(number) FROM receipts) - ?1", receipts),
            ("DELETE FROM guest_receipts WHERE number <= (SELECT max(number) FROM guest_receipts) - ?1", receipts),
            (
                "DELETE FROM peers WHERE device IN (SELECT device FROM peers ORDER BY seen DESC LIMIT -1 OFFSET ?1)",
                peers,
            ),
            ("DELETE FROM decisions WHERE number <= (SELECT max(number) FROM decisions) - ?1", decisions),
        ] {
            transaction.prepare_cached(sql)?.execute([keep])?;
        }
        // By the last of them and not by the calendar, which may be wrong now or have been so once.
        let aged = "DELETE FROM decisions WHERE abs(at - (SELECT at FROM decisions ORDER BY number DESC LIMIT 1)) > ?1";
        transaction.prepare_cached(aged)?.execute([DECISION_DAYS * DAY_MS])?;
        // The oldest eighth of the finished tasks at a time, until there is room or none is left.
        let used = "SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count";
        while transaction.prepare_cached(used)?.query_row((), |row| row.get::<_, u32>(0))? > pages / 2 {
            let oldest =
                "DELETE FROM tasks WHERE number IN (SELECT number FROM tasks WHERE finished = 1 ORDER BY number
                          LIMIT (SELECT 1 + count(*) / 8 FROM tasks WHERE finished = 1))";
            if transaction.prepare_cached(oldest)?.execute(())? == 0 {
                break;
            }
        }
        transaction.commit()
    }
}

fn apply(connection: &Connection, record: &Record) -> rusqlite::Result<()> {
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| connection.prepare_cached(sql)?.execute(values).map(drop);
    match record {
        Record::Task { id, submitted, finished, document } => run(
            "INSERT INTO tasks (id, submitted, finished, document) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE
             SET submitted = excluded.submitted, finished = excluded.finished, document = excluded.document",
            params![id.0, time(*submitted), finished, document],
        ),
        Record::Receipt { task, subtask, provider, signed, at } => run(
            "INSERT INTO receipts (task, subtask, device, signed, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![task.0, subtask, provider.0, signed, time(*at)],
        ),
        Record::GuestReceipt { task, subtask, requester, signed, at } => run(
            "INSERT INTO guest_receipts (task, subtask, device, signed, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![task.0, subtask, requester.0, signed, time(*at)],
        ),
        Record::Departure { at, to, task, kind, privacy, texts, bytes } => run(
            "INSERT INTO departures (at, device, task, kind, privacy, texts, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![time(*at), to.0, task.0, kind.as_str(), privacy.as_str(), texts, bytes],
        ),
        Record::Trust { device, trusted, at } => run(
            "INSERT OR REPLACE INTO trust (device, trusted, at) VALUES (?1, ?2, ?3)",
            params![device.0, trusted, time(*at)],
        ),
        Record::Peer { device, addresses, seen } => {
            let kept = &addresses[..addresses.len().min(limits::ADDRESSES_PER_PEER)];
            let kept = serde_json::to_string(kept).expect("strings are JSON");
            run(
                "INSERT OR REPLACE INTO peers (device, addresses, seen) VALUES (?1, ?2, ?3)",
                params![device.0, kept, time(*seen)],
            )
        }
        Record::ForgetPeers => run("DELETE FROM peers", &[]),
        Record::Paused { until: None } => run("DELETE FROM pause", &[]),
        Record::Paused { until: Some(until) } => {
            run("INSERT OR REPLACE INTO pause (only, until) VALUES (1, ?1)", params![until.map(time)])
        }
        Record::Sequence { lane, reserved } => run(
            "INSERT INTO sequences (lane, reserved) VALUES (?1, ?2) ON CONFLICT (lane) DO UPDATE
             SET reserved = max(reserved, excluded.reserved)",
            params![lane, reserved],
        ),
        Record::Entry { network, lane, number, certificate } => run(
            "INSERT OR REPLACE INTO entries (network, account, device, number, certificate) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![network.0, lane.account.0, lane.device.0, number, certificate],
        ),
        Record::Decision { at, document } => {
            run("INSERT INTO decisions (at, document) VALUES (?1, ?2)", params![time(*at), document])
        }
        Record::Usage { usage: Usage { at, ended, month, bytes } } => run(
            "INSERT OR REPLACE INTO usage (only, at, ended, month, bytes) VALUES (1, ?1, ?2, ?3, ?4)",
            params![time(*at), ended, month, i64::try_from(*bytes).unwrap_or(i64::MAX)],
        ),
        Record::Row { network, number, id, at, document, sums } => {
            wallet::keep_row(connection, *network, *number, id, time(*at), document, sums)
        }
        Record::Voucher { network, hold, signed } => run(
            "INSERT OR REPLACE INTO vouchers (network, hold, signed) VALUES (?1, ?2, ?3)",
            params![network.0, hold.0, signed],
        ),
        Record::VoucherDone { network, hold } => {
            run("DELETE FROM vouchers WHERE network = ?1 AND hold = ?2", params![network.0, hold.0])
        }
        Record::Note { network, name, document } => run(
            "INSERT OR REPLACE INTO notes (network, name, document) VALUES (?1, ?2, ?3)",
            params![network.0, name, document],
        ),
    }
}

/// SQLite's integers end at 2^63, and so do the times kept in it.
fn time(at: Timestamp) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}
