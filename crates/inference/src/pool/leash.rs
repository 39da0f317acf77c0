//! The leash: holds workers that are busy for guests, all together, at what the owner allows.
//!
//! They are stopped and let go by signals, slice by slice, as their own clocks say. A thread does
//! it that has nothing else to do; without work for guests, and where they may use everything, it
//! sleeps without a timer. Work of the owner is never on the leash.

mod pack;
mod runs;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use p2p_platform::process::{Fences, Reins};
use tokio::sync::Notify;

use super::queue::Gate;
use pack::Pack;

/// The thread calls nothing deep.
const STACK_BYTES: usize = 64 * 1024;

/// What workers may use that are busy for guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Most that run at one time.
    pub workers: u16,
    /// Thousandths of the whole computer, all of them together.
    pub cpu_permille: u16,
    /// Memory that each may take, within what a worker can do with. It counts for those that start from now on.
    pub worker_bytes: u64,
}

impl Default for Allowed {
    /// Everything.
    fn default() -> Self {
        Self { workers: u16::MAX, cpu_permille: 1000, worker_bytes: u64::MAX }
    }
}

/// How often workers were stopped and let go, all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    pub stops: u64,
    pub continues: u64,
}

/// One end of the leash. Every clone is as good as the first.
#[derive(Debug, Clone)]
pub struct Leash(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    gate: Arc<Gate>,
    /// Nobody keeps it for longer than a few system calls.
    pack: Mutex<Pack<Arc<Reins>>>,
    /// There is none before the first work for guests.
    thread: OnceLock<Thread>,
    /// Told once at each halt, for workers that wait for work.
    halts: Notify,
    closed: AtomicBool,
    worker_bytes: AtomicU64,
    /// The system's own limits around all workers of the pool.
    fences: Fences,
    stops: AtomicU64,
    continues: AtomicU64,
}

impl pack::Reins for Arc<Reins> {
    // Whoever has ended needs no stop.
    fn stop(&self) {
        let _ = Reins::stop(self);
    }

    fn resume(&self) {
        let _ = Reins::resume(self);
    }

    fn cpu_time(&self) -> Option<Duration> {
        Reins::cpu_time(self).ok()
    }
}

impl Leash {
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Shared {
            gate,
            pack: Mutex::new(Pack::new(processors, Instant::now())),
            thread: OnceLock::new(),
            halts: Notify::new(),
            closed: AtomicBool::new(false),
            worker_bytes: AtomicU64::new(u64::MAX),
            fences: Fences::default(),
            stops: AtomicU64::new(0),
            continues: AtomicU64::new(0),
        }))
    }

    /// What guests may use from now on.
    pub fn set(&self, allowed: Allowed) {
        self.0.gate.allow(usize::from(allowed.workers));
        self.0.worker_bytes.store(allowed.worker_bytes, Ordering::Relaxed);
        self.0.fences.allow(allowed.cpu_permille);
        let mut pack = self.pack();
        pack.allow(Instant::now(), allowed);
        self.look(&mut pack);
        drop(pack);
        self.wake();
        self.0.gate.opened();
    }

    /// Stops all workers that are busy for guests, now. From any thread, as often as one likes; it
    /// waits for nothing. No guest's order begins until [`Self::go`].
    pub fn halt(&self) {
        if self.0.gate.halt(true) {
            return;
        }
        // The signals are sent here and now, unless somebody else is at the leash in this very
        // moment; then the thread sends them.
        match self.0.pack.try_lock() {
            Ok(mut pack) => drop(self.look(&mut pack)),
            Err(TryLockError::Poisoned(poisoned)) => drop(self.look(&mut poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => {}
        }
        self.0.halts.notify_waiters();
        self.wake();
    }

    /// Lifts a halt: workers go on where they were stopped.
    pub fn go(&self) {
        if self.0.gate.halt(false) {
            self.look(&mut self.pack());
            self.wake();
            self.0.gate.opened();
        }
    }

    /// Whether guests' work is halted.
    #[must_use]
    pub fn halted(&self) -> bool {
        self.0.gate.is_halted()
    }

    /// Memory that a worker for guests may take that starts now.
    pub(super) fn worker_bytes(&self) -> u64 {
        self.0.worker_bytes.load(Ordering::Relaxed)
    }

    /// Most tokens of a run of the model for guests, as long as the rules stay as they are.
    pub(super) fn run_tokens(&self) -> u32 {
        runs::tokens(self.pack().allowed().cpu_permille)
    }

    /// The system's own limits, which change with this leash.
    pub(super) fn fences(&self) -> &Fences {
        &self.0.fences
    }

    /// How often workers were stopped and let go so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let Shared { stops, continues, .. } = &*self.0;
        Stats { stops: stops.load(Ordering::Relaxed), continues: continues.load(Ordering::Relaxed) }
    }

    /// Waits for a halt.
    pub(super) async fn until_halted(&self) {
        loop {
            let told = self.0.halts.notified();
            tokio::pin!(told);
            // From here on no halt is missed.
            told.as_mut().enable();
            if self.halted() {
                return;
            }
            told.await;
        }
    }

    /// Puts a worker on the leash until the tether is dropped. Of a worker that just started
    /// everything it has used counts, its start as well.
    ///
    /// # Errors
    /// When there is no thread to hold it.
    pub(super) fn tie(&self, reins: Arc<Reins>, just_started: bool) -> io::Result<Tether> {
        let mut pack = self.pack();
        if self.0.thread.get().is_none() {
            let leash = self.clone();
            let run = move || leash.run();
            let thread = thread::Builder::new().name("leash".into()).stack_size(STACK_BYTES).spawn(run)?;
            // Nobody else can have set it: the pack is ours.
            let _ = self.0.thread.set(thread.thread().clone());
        }
        let seen = if just_started { Duration::ZERO } else { reins.cpu_time()? };
        let id = pack.add(Instant::now(), reins, seen);
        self.look(&mut pack);
        drop(pack);
        self.wake();
        Ok(Tether { leash: self.clone(), id })
    }

    /// No more work comes. Workers that are on the leash stay there.
    pub(super) fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        self.wake();
    }

    fn run(&self) {
        loop {
            let mut pack = self.pack();
            if pack.is_empty() && self.0.closed.load(Ordering::SeqCst) {
                return;
            }
            let again = self.look(&mut pack);
            drop(pack);
            // Whoever calls `wake` in between is not missed: the next call returns at once then.
            match again {
                Some(wait) => thread::park_timeout(wait),
                None => thread::park(),
            }
        }
    }

    fn look(&self, pack: &mut Pack<Arc<Reins>>) -> Option<Duration> {
        let look = pack.look(Instant::now(), self.halted());
        self.0.stops.fetch_add(look.stops, Ordering::Relaxed);
        self.0.continues.fetch_add(look.continues, Ordering::Relaxed);
        look.again
    }

    fn wake(&self) {
        if let Some(thread) = self.0.thread.get() {
            thread.unpark();
        }
    }

    fn pack(&self) -> MutexGuard<'_, Pack<Arc<Reins>>> {
        self.0.pack.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps one worker on the leash. It must be dropped before the worker is waited for: its clock is
/// found by its id.
#[derive(Debug)]
pub(super) struct Tether {
    leash: Leash,
    id: u64,
}

impl Tether {
    pub(super) fn watch(&self) -> Watch {
        Watch { leash: self.leash.clone(), id: self.id }
    }
}

/// Looks at a worker on the leash and does not keep it there.
#[derive(Debug)]
pub(super) struct Watch {
    leash: Leash,
    id: u64,
}

impl Watch {
    /// How long the leash has held it so far.
    pub(super) fn held(&self) -> Duration {
        self.leash.pack().held(Instant::now(), self.id)
    }
}

impl Drop for Tether {
    fn drop(&mut self) {
        let mut pack = self.leash.pack();
        pack.remove(Instant::now(), self.id);
        // One more may run in its place.
        self.leash.look(&mut pack);
        drop(pack);
        self.leash.wake();
    }
}
