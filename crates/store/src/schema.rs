//! Opening the file: lock, connections, migrations and the copy made before them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Progress;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags, TransactionBehavior};

use crate::StoreError;

/// Number `n` brings a database from version `n` to `n + 1`.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_start.sql"),
    include_str!("../migrations/0002_wallet.sql"),
    include_str!("../migrations/0003_decisions.sql"),
    include_str!("../migrations/0004_usage.sql"),
];

/// "P2PA", as the first migration sets it.
const APPLICATION_ID: u32 = 0x5032_5041;

/// Closing does not fold the log into the database. Set until the file is known to be sound and
/// ours: one that is damaged stays as it is, its log beside it.
const LEAVE_LOG: DbConfig = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;

/// How long a commit waits for another program that looks into the file, such as a backup.
const BUSY: Duration = Duration::from_secs(2);

/// Says that the database is in use, by a lock on a file beside it. (A lock on the database itself
/// would be lost whenever any of its file handles in this process is closed.)
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child that another thread has just forked shares the file until
        // it runs its program. Should this fail, closing does it a moment later.
        drop(self.0.unlock());
    }
}

/// Takes the lock. Any death of the process lets go of it.
pub(crate) fn lock(path: &Path) -> Result<Lock, StoreError> {
    let lock = beside(path, "lock");
    let file = private(&lock)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked),
        Err(TryLockError::Error(source)) => Err(StoreError::Io { path: lock, source }),
    }
}

/// The connection that writes. Makes the file when there is none, and migrates it.
pub(crate) fn writer(path: &Path, migrations: &[&str], pages: u32) -> Result<Connection, StoreError> {
    drop(private(path)?);
    let sqlite = StoreError::sqlite(path);
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(&sqlite)?;
    migrate(&mut connection, path, migrations)?;
    connection.set_db_config(LEAVE_LOG, false).map_err(&sqlite)?;
    let mode = prepare(&connection, pages).map_err(&sqlite)?;
    if mode != "wal" {
        let source = io::Error::new(io::ErrorKind::Unsupported, "its file system has no shared memory");
        return Err(StoreError::Io { path: path.to_owned(), source });
    }
    Ok(connection)
}

/// A connection that only reads. The writer's must be open, and must be the last to close.
pub(crate) fn reader(path: &Path) -> Result<Connection, StoreError> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(StoreError::sqlite(path))
}

/// `<path>.<what>`.
pub(crate) fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    // Each connection stays with one thread, so SQLite need not lock it.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_db_config(LEAVE_LOG, true)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(32);
    // 256 KiB: what is read again is in the kernel's cache anyway.
    connection.execute_batch("PRAGMA cache_size = -256")?;
    Ok(connection)
}

/// Settings of the writing connection; returns the journal mode. On macOS a plain fsync leaves
/// data in the drive's own cache, hence `fullfsync`; elsewhere it changes nothing.
fn prepare(connection: &Connection, pages: u32) -> rusqlite::Result<String> {
    connection.execute_batch(
        "PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
         PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304",
    )?;
    // Both answer with a row.
    connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    // A first read opens the log: only a connection that has it open folds it in when it closes.
    connection.pragma_query(None, "schema_version", |_| Ok(()))?;
    Ok(mode)
}

fn migrate(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), StoreError> {
    let sqlite = StoreError::sqlite(path);
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, u32>(0));
    let (application, found) = (number("application_id").map_err(&sqlite)?, number("user_version").map_err(&sqlite)?);
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0)).map_err(&sqlite)?;
    let empty = (application, found, tables) == (0, 0, 0);
    if !empty && application != APPLICATION_ID {
        return Err(StoreError::Corrupt { path: path.to_owned() });
    }
    let known = u32::try_from(migrations.len()).expect("a handful");
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found < known && !empty {
        back_up(connection, path, found)?;
    }
    for (version, migration) in (1..).zip(migrations).skip(found as usize) {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&sqlite)?;
        step.execute_batch(migration).map_err(&sqlite)?;
        step.pragma_update(None, "user_version", version).map_err(&sqlite)?;
        step.commit().map_err(&sqlite)?;
        tracing::info!(version, "database migrated");
    }
    Ok(())
}

/// Copies the whole database to `<path>.version-<n>`. The name appears only once the copy is on disk.
fn back_up(connection: &Connection, path: &Path, version: u32) -> Result<(), StoreError> {
    let partial = beside(path, "partial");
    if let Err(source) = fs::remove_file(&partial)
        && source.kind() != io::ErrorKind::NotFound
    {
        return Err(StoreError::Io { path: partial, source });
    }
    drop(private(&partial)?);
    connection.backup(MAIN_DB, &partial, None::<fn(Progress)>).map_err(StoreError::sqlite(path))?;
    let publish = || {
        OpenOptions::new().write(true).open(&partial)?.sync_all()?;
        fs::rename(&partial, beside(path, &format!("version-{version}")))?;
        sync_folder(path)
    };
    publish().map_err(StoreError::io(&partial))
}

/// Opens a file, made when missing, that only its owner may read.
fn private(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(StoreError::io(path))
}

/// Makes a new name in the folder of `path` survive power loss, where folders can be synced.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|_| cfg!(unix)) {
        Some(folder) => File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all(),
        None => Ok(()),
    }
}
