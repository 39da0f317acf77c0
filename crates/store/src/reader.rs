//! What is asked of the database. All of it runs on the thread that reads.

use std::str::FromStr;

use p2p_types::{DeviceId, TaskId, Timestamp, limits};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Params, Result, Row};

use crate::record::{Loaded, READ_BYTES, StoredDecision, StoredDeparture, StoredTask, Usage};

pub(crate) fn load(connection: &Connection) -> Result<Loaded> {
    // One transaction, so that all of it is of one moment.
    let moment = connection.unchecked_transaction()?;
    let mut loaded = Loaded::default();
    for (device, trusted) in
        all(&moment, "SELECT device, trusted FROM trust", (), |row| Ok((DeviceId(row.get(0)?), row.get(1)?)))?
    {
        if trusted {
            loaded.trusted.insert(device)
        } else {
            loaded.untrusted.insert(device)
        };
    }
    loaded.peers = all(&moment, "SELECT device, addresses, seen FROM peers ORDER BY seen DESC", (), |row| {
        let addresses = row.get_ref(1)?.as_bytes()?;
        let addresses = serde_json::from_slice(addresses).map_err(|error| unreadable(1, error))?;
        Ok((DeviceId(row.get(0)?), addresses, Timestamp(row.get(2)?)))
    })?;
    loaded.paused = moment
        .query_row("SELECT until FROM pause", (), |row| Ok(row.get::<_, Option<u64>>(0)?.map(Timestamp)))
        .optional()?;
    loaded.sequences = all(&moment, "SELECT lane, reserved FROM sequences", (), |row| Ok((row.get(0)?, row.get(1)?)))?
        .into_iter()
        .collect();
    loaded.usage = moment
        .query_row("SELECT at, ended, month, bytes FROM usage", (), |row| {
            Ok(Usage { at: Timestamp(row.get(0)?), ended: row.get(1)?, month: row.get(2)?, bytes: row.get(3)? })
        })
        .optional()?;
    let wanted = "SELECT id, submitted, finished, document FROM tasks WHERE number IN (
            SELECT number FROM tasks WHERE finished = 0
            UNION SELECT number FROM (SELECT number FROM tasks ORDER BY number DESC LIMIT ?1)
        ) ORDER BY number DESC";
    loaded.tasks = tasks_of(&moment, wanted, limits::SHOWN_TASKS)?;
    Ok(loaded)
}

pub(crate) fn tasks(connection: &Connection, limit: u32) -> Result<Vec<StoredTask>> {
    tasks_of(connection, "SELECT id, submitted, finished, document FROM tasks ORDER BY number DESC LIMIT ?1", limit)
}

pub(crate) fn task(connection: &Connection, id: TaskId) -> Result<Option<StoredTask>> {
    let wanted = "SELECT id, submitted, finished, document FROM tasks WHERE id = ?1";
    connection.prepare_cached(wanted)?.query_row([id.0], stored_task).optional()
}

pub(crate) fn departures(connection: &Connection, limit: u32) -> Result<Vec<StoredDeparture>> {
    let newest = "SELECT at, device, task, kind, privacy, texts, bytes FROM departures ORDER BY number DESC LIMIT ?1";
    all(connection, newest, [limit], |row| {
        Ok(StoredDeparture {
            at: Timestamp(row.get(0)?),
            to: DeviceId(row.get(1)?),
            task: TaskId(row.get(2)?),
            kind: word(row, 3)?,
            privacy: word(row, 4)?,
            texts: row.get(5)?,
            bytes: row.get(6)?,
        })
    })
}

/// Those from `from` on, oldest first, and the last before them.
pub(crate) fn decisions(connection: &Connection, from: Timestamp) -> Result<Vec<StoredDecision>> {
    let since = "SELECT at, document FROM decisions WHERE number >= coalesce(
                     (SELECT max(number) FROM decisions WHERE at <= ?1), 0) ORDER BY number DESC LIMIT 20000";
    let mut newest = all(connection, since, [i64::try_from(from.0).unwrap_or(i64::MAX)], |row| {
        Ok(StoredDecision { at: Timestamp(row.get(0)?), document: row.get(1)? })
    })?;
    newest.reverse();
    Ok(newest)
}

/// Finished tasks whose documents would pass [`READ_BYTES`] are left out.
fn tasks_of(connection: &Connection, sql: &str, limit: impl rusqlite::ToSql) -> Result<Vec<StoredTask>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([limit])?;
    let (mut tasks, mut left) = (Vec::new(), READ_BYTES);
    while let Some(row) = rows.next()? {
        let task = stored_task(row)?;
        let room = left.checked_sub(task.document.len());
        if room.is_some() || !task.finished {
            left = room.unwrap_or(0);
            tasks.push(task);
        }
    }
    Ok(tasks)
}

fn stored_task(row: &Row<'_>) -> Result<StoredTask> {
    Ok(StoredTask {
        id: TaskId(row.get(0)?),
        submitted: Timestamp(row.get(1)?),
        finished: row.get(2)?,
        document: row.get(3)?,
    })
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(values, read)?.collect()
}

fn word<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(row: &Row<'_>, column: usize) -> Result<T> {
    row.get_ref(column)?.as_str()?.parse().map_err(|error| unreadable(column, error))
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
