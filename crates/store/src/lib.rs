//! What a node remembers: the only room that names SQLite, and the file of a notary's log.
//!
//! One thread writes, one reads, each with a connection of its own and blocked while there is
//! nothing to do. [`Store::commit`] never waits: it queues a batch, and a [`Committed`] with its
//! token comes back, in order, once the batch is durable (see [`Record::durability`]). Whatever
//! waits when the writer is free shares one transaction. Deliberately absent: what the records
//! mean. Tasks are documents of the engine's own making.

mod error;
mod journal;
mod reader;
mod record;
mod schema;
mod wallet;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use p2p_types::{TaskId, Timestamp};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

pub use error::{StoreBusy, StoreError};
pub use journal::{Journal, Replay};
pub use record::{
    Committed, DECISION_DAYS, Durability, Loaded, READ_BYTES, Record, StoredDecision, StoredDeparture, StoredTask,
    Usage,
};
pub use wallet::{StoredRow, Sums};
use writer::{Bounds, Completion, Job, Writer};

/// Commits that are queued, or done and not yet taken from the receiver of completions.
pub const UNFINISHED_COMMITS: usize = 1024;
/// Reads that wait.
const WAITING_READS: usize = 64;

/// A question for the thread that reads; `None` ends it.
type Query = Option<Box<dyn FnOnce(&Connection) + Send>>;

/// A handle to the node's memory, cheap to clone. When the last one goes the threads write what
/// is queued and end; [`Store::close`] also waits for that.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    jobs: SyncSender<Job>,
    completions: mpsc::Sender<Committed>,
    queries: SyncSender<Query>,
    /// The reader and the writer, until somebody closes.
    threads: Mutex<Option<[JoinHandle<()>; 2]>>,
}

impl Store {
    /// Opens the database at `path`, makes it when there is none and migrates it when it is old.
    /// The folder must exist. Blocks for some milliseconds; a migration may take longer.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another store has it open, [`StoreError::Corrupt`] and
    /// [`StoreError::Newer`] as they say, [`StoreError::Full`] and [`StoreError::Io`] by the disk.
    pub fn open(path: &Path) -> Result<(Self, mpsc::Receiver<Committed>), StoreError> {
        Self::open_with(path, Bounds::default(), schema::MIGRATIONS)
    }

    fn open_with(
        path: &Path,
        bounds: Bounds,
        migrations: &[&str],
    ) -> Result<(Self, mpsc::Receiver<Committed>), StoreError> {
        let lock = Arc::new(schema::lock(path)?);
        let writer = schema::writer(path, migrations, bounds.pages)?;
        let reader = schema::reader(path)?;

        let (completions, completed) = mpsc::channel(UNFINISHED_COMMITS);
        // Holds every commit that has a place among the completions, and the word to close.
        let (jobs, queued) = sync_channel(UNFINISHED_COMMITS + 1);
        let (queries, asked) = sync_channel::<Query>(WAITING_READS);
        let writer = Writer::new(writer, path.to_owned(), bounds, Arc::clone(&lock));
        let threads = [
            spawn("store-reader", path, move || {
                let _lock = lock;
                let reader = reader;
                while let Ok(Some(query)) = asked.recv() {
                    query(&reader);
                }
            })?,
            spawn("store-writer", path, move || writer.run(&queued))?,
        ];
        let threads = Mutex::new(Some(threads));
        let shared = Shared { path: path.to_owned(), jobs, completions, queries, threads };
        Ok((Self { shared: Arc::new(shared) }, completed))
    }

    /// Queues a batch, all of which is kept or none. Never waits. An empty batch completes when
    /// everything before it has.
    ///
    /// # Errors
    /// [`StoreBusy`] when [`UNFINISHED_COMMITS`] are unfinished or the store is closed; then the
    /// token will not complete.
    pub fn commit(&self, token: u64, batch: Vec<Record>) -> Result<(), StoreBusy> {
        let place = self.shared.completions.clone().try_reserve_owned().map_err(|_| StoreBusy)?;
        match self.shared.jobs.try_send(Job::Commit(batch, Completion::new(token, place))) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => {
                if let Job::Commit(_, completion) = job {
                    completion.withdraw();
                }
                Err(StoreBusy)
            }
        }
    }

    /// Reads what a node needs when it starts. Blocks.
    ///
    /// # Errors
    /// When the database cannot be read, or the store is closed.
    pub fn load(&self) -> Result<Loaded, StoreError> {
        self.read_now(reader::load)
    }

    fn read_now<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = sync_channel(1);
        self.ask(Box::new(move |connection| drop(reply.send(query(connection)))))?;
        answer.recv().map_err(|_| StoreError::Closed)?.map_err(StoreError::sqlite(&self.shared.path))
    }

    /// The newest tasks, newest first; fewer than `limit` where finished ones would pass [`READ_BYTES`].
    ///
    /// # Errors
    /// As all reads: [`StoreError::Busy`] when too many wait, [`StoreError::Closed`] after
    /// [`Store::close`], or what the database says.
    pub async fn tasks(&self, limit: u32) -> Result<Vec<StoredTask>, StoreError> {
        self.read(move |connection| reader::tasks(connection, limit)).await
    }

    /// One task.
    ///
    /// # Errors
    /// As [`Store::tasks`].
    pub async fn task(&self, id: TaskId) -> Result<Option<StoredTask>, StoreError> {
        self.read(move |connection| reader::task(connection, id)).await
    }

    /// What left this computer, newest first.
    ///
    /// # Errors
    /// As [`Store::tasks`].
    pub async fn departures(&self, limit: u32) -> Result<Vec<StoredDeparture>, StoreError> {
        self.read(move |connection| reader::departures(connection, limit)).await
    }

    /// What guests might do from `from` on, oldest first; the first is what was so then.
    ///
    /// # Errors
    /// As [`Store::tasks`].
    pub async fn decisions(&self, from: Timestamp) -> Result<Vec<StoredDecision>, StoreError> {
        self.read(move |connection| reader::decisions(connection, from)).await
    }

    /// Writes what is queued, ends both threads and lets go of the file. Blocks for that long.
    /// Other handles are closed too; completions stay in the receiver.
    pub fn close(self) {
        let threads = self.shared.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some([reader, writer]) = threads else { return };
        // A thread that has already ended needs no word. The writer's connection closes last,
        // so that it can fold the log into the database.
        drop(self.shared.queries.send(None));
        let reader = reader.join();
        drop(self.shared.jobs.send(Job::Close));
        if reader.and(writer.join()).is_err() {
            tracing::error!("a thread of the store panicked");
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        // Nobody may be waiting any more; then the answer goes nowhere.
        self.ask(Box::new(move |connection| drop(reply.send(query(connection)))))?;
        answer.await.map_err(|_| StoreError::Closed)?.map_err(StoreError::sqlite(&self.shared.path))
    }

    fn ask(&self, query: Box<dyn FnOnce(&Connection) + Send>) -> Result<(), StoreError> {
        self.shared.queries.try_send(Some(query)).map_err(|refused| match refused {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => StoreError::Closed,
        })
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

fn spawn(name: &str, path: &Path, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(StoreError::io(path))
}

#[cfg(test)]
mod tests;
