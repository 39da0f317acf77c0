//! The pool: orders in, answers out, and as many worker processes as are needed and allowed.
//!
//! Each of its slots is a task that takes the next order, sees that its worker lives, and waits
//! for the answer or for whatever comes first: a stop, the deadline, the worker's end or its
//! silence. Texts that a worker has finished are answered, whatever becomes of it. If it dies, the
//! others have one more try, text by text, so that a text which kills workers is named; what the
//! order's time does not suffice for has failed by the deadline and not by a worker.

mod leash;
mod process;
mod queue;
mod slot;
mod spent;
mod tally;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use p2p_platform::process::Backstop;
use p2p_platform::sandbox::Level;
use p2p_types::{Output, TaskKind, TextFailure};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::unable::Unable;
use crate::wire::ChunkOptions;
use queue::{Gate, Queue, WAITING_ORDERS};
use slot::Slot;
use spent::Spending;

pub use leash::{Allowed, Leash, Stats};
pub use process::LEAST_WORKER_MEMORY;
pub(crate) use process::WORKER_MEMORY;
pub use spent::Spent;

/// Events that wait for the engine.
const WAITING_EVENTS: usize = 256;

/// What a pool is made of.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// The worker's program.
    pub worker: PathBuf,
    /// The folder of runtime and models.
    pub assets: PathBuf,
    /// Most workers at one time, at least 1. One more starts where guests have them and the owner
    /// wants something.
    pub workers: usize,
    /// A worker without work for this long ends.
    pub idle_after: Duration,
}

/// Who an order is for, as far as it changes how it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The owner waits for it: it is never held.
    Mine,
    /// It is on the [`Leash`].
    Guest,
}

/// One order for a worker.
#[derive(Debug, Clone)]
pub struct WorkOrder {
    /// Chosen by whoever orders; not used twice.
    pub work_id: u64,
    pub class: Class,
    pub kind: TaskKind,
    pub texts: Vec<String>,
    /// Only for [`TaskKind::Chunk`].
    pub chunk: ChunkOptions,
    /// From when a worker begins; what is not done then fails with [`TextFailure::Deadline`]. Time
    /// on the leash counts: whoever waits for the answer has a clock that is not held.
    pub timeout: Duration,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum PoolEvent {
    /// So many of its texts are done.
    Progress { work_id: u64, done: u32 },
    /// One outcome for each text, in order. An order that was stopped has no event.
    Done { work_id: u64, outcomes: Vec<Result<Output, TextFailure>>, queued_us: u64, compute_us: u64 },
    /// No worker can do it.
    Unavailable { work_id: u64, why: Unable },
}

/// Ways to stop orders that wait or run.
type Stops = Arc<Mutex<BTreeMap<u64, oneshot::Sender<()>>>>;

/// How far the worker that started last closed its sandbox.
type Reached = Arc<Mutex<Option<Level>>>;

/// What all slots have in common.
#[derive(Debug, Clone)]
struct Shared {
    config: PoolConfig,
    orders: Arc<Queue<Ticket>>,
    leash: Leash,
    events: mpsc::Sender<PoolEvent>,
    stops: Stops,
    reached: Reached,
    spending: Spending,
}

/// An order on its way to a worker.
#[derive(Debug)]
struct Ticket {
    order: WorkOrder,
    given: Instant,
    stop: oneshot::Receiver<()>,
}

/// The pool's end of the queue: without it no order can come.
#[derive(Debug)]
struct Orders(Arc<Queue<Ticket>>, Leash);

impl Drop for Orders {
    fn drop(&mut self) {
        self.0.close();
        self.1.close();
    }
}

/// The pool. Dropping it ends its workers.
#[derive(Debug)]
pub struct Pool {
    orders: Orders,
    events: mpsc::Sender<PoolEvent>,
    stops: Stops,
    reached: Reached,
    spending: Spending,
    slots: Vec<JoinHandle<()>>,
}

impl Pool {
    /// A pool without any worker yet: the first order starts the first. Must be called on the
    /// runtime that it is to live on.
    #[must_use]
    pub fn start(config: PoolConfig) -> (Self, mpsc::Receiver<PoolEvent>) {
        let workers = config.workers.max(1);
        let gate = Arc::new(Gate::new());
        let orders = Orders(Queue::new(workers, Arc::clone(&gate)), Leash::new(gate));
        let (events, told) = mpsc::channel(WAITING_EVENTS);
        let stops = Stops::default();
        let reached = Reached::default();
        let spending = Spending::default();
        let shared = Shared {
            config,
            orders: Arc::clone(&orders.0),
            leash: orders.1.clone(),
            events: events.clone(),
            stops: Arc::clone(&stops),
            reached: Arc::clone(&reached),
            spending: spending.clone(),
        };
        // One more than workers: see the queue.
        let slots = (0..=workers).map(|number| tokio::spawn(Slot::new(number, shared.clone()).run())).collect();
        (Self { orders, events, stops, reached, spending, slots }, told)
    }

    /// Gives an order. Its outcome comes as an event.
    pub fn run(&self, order: WorkOrder) {
        let (stop, stopped) = oneshot::channel();
        let (work_id, class, texts) = (order.work_id, order.class, order.texts.len());
        lock(&self.stops).insert(work_id, stop);
        let ticket = Ticket { order, given: Instant::now(), stop: stopped };
        if self.orders.0.give(class, ticket).is_err() {
            lock(&self.stops).remove(&work_id);
            tracing::warn!(work_id, "{WAITING_ORDERS} orders wait for the workers already; this one is not taken");
            // Only this order fails. Nobody reads events any more where this does too.
            let outcomes = vec![Err(TextFailure::WorkerLost); texts];
            let _ = self.events.try_send(PoolEvent::Done { work_id, outcomes, queued_us: 0, compute_us: 0 });
        }
    }

    /// What holds the workers that are busy for guests.
    #[must_use]
    pub fn leash(&self) -> Leash {
        self.orders.1.clone()
    }

    /// Nobody wants this order any more. It ends without an event; a worker that is busy with it
    /// gets a moment to finish and is then killed: at once where it is halted.
    pub fn stop(&self, work_id: u64) {
        if let Some(stop) = lock(&self.stops).remove(&work_id) {
            // The order may just have ended.
            let _ = stop.send(());
        }
    }

    /// How far workers are closed off from this computer, as the one that started last found it;
    /// `None` before there was any.
    #[must_use]
    pub fn sandbox(&self) -> Option<Level> {
        *self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which limits of the system hold workers beside the leash, as the worker that started last has
    /// them; `None` before there was any, and for a moment after.
    #[must_use]
    pub fn backstop(&self) -> Option<Backstop> {
        self.orders.1.fences().reached()
    }

    /// What the workers have used and done since the pool started. Orders under way count when they end.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.spending.so_far()
    }

    /// Ends all workers and waits until they are gone.
    pub async fn shutdown(self) {
        let Self { orders, events, stops, slots, .. } = self;
        drop((orders, events));
        for stop in std::mem::take(&mut *lock(&stops)).into_values() {
            let _ = stop.send(());
        }
        for slot in slots {
            // A slot that panicked has dropped its worker, which kills it.
            let _ = slot.await;
        }
    }
}

fn lock(stops: &Stops) -> std::sync::MutexGuard<'_, BTreeMap<u64, oneshot::Sender<()>>> {
    stops.lock().unwrap_or_else(PoisonError::into_inner)
}
