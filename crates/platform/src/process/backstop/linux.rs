//! Linux: a scope of the service manager for each worker, where there is a manager that makes one.
//!
//! One thread speaks with it, for as long as there are workers. Whoever starts or changes a worker
//! leaves a word for it and goes on.

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::{Backstop, Reached, WHOLE};
use crate::signals::Places;
use scope::{Manager, Refusal};

mod cgroup;
mod scope;

/// A worker that turns from others to its owner and back is not tied up for each order: that may
/// come late, because the pool holds it already. Letting go never waits.
const TIGHTEN_AFTER: Duration = Duration::from_secs(1);
/// The manager says yes before it has done it: the kernel is asked so often, ever later.
const LOOKS: u32 = 8;
const FIRST_LOOK: Duration = Duration::from_millis(10);
/// A bus that was lost is looked for again while workers wait for a word.
const BUS_AGAIN: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Fences(Arc<Keeper>);

impl Default for Fences {
    fn default() -> Self {
        Self::at(Places::of_this_session())
    }
}

impl Fences {
    pub(super) fn at(places: Places) -> Self {
        Self(Arc::new(Keeper { places, line: Mutex::default(), wake: Notify::new() }))
    }
}

/// The end of a fence that the pool holds.
#[derive(Debug)]
pub(super) struct Ward {
    order: Arc<Order>,
    keeper: Arc<Keeper>,
}

impl Ward {
    pub(super) fn new(fences: &Fences, pid: u32, memory: u64, reached: Reached) -> Self {
        let (cpu_permille, gone) = (AtomicU16::new(WHOLE), AtomicBool::new(false));
        let order = Arc::new(Order { pid, memory, cpu_permille, gone, reached });
        let keeper = Arc::clone(&fences.0);
        keeper.take(&order);
        Self { order, keeper }
    }

    pub(super) fn hold(&self, cpu_permille: Option<u16>) {
        self.order.cpu_permille.store(cpu_permille.unwrap_or(WHOLE), Ordering::SeqCst);
        self.keeper.wake.notify_one();
    }
}

impl Drop for Ward {
    fn drop(&mut self) {
        self.order.gone.store(true, Ordering::SeqCst);
        self.keeper.wake.notify_one();
    }
}

/// What is wanted for a worker: the newest word counts.
#[derive(Debug)]
struct Order {
    pid: u32,
    memory: u64,
    /// All of the computer means no limit.
    cpu_permille: AtomicU16,
    gone: AtomicBool,
    reached: Reached,
}

#[derive(Debug)]
struct Keeper {
    places: Places,
    /// Nobody keeps it for longer than a few moves in memory.
    line: Mutex<Line>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Line {
    orders: Vec<Arc<Order>>,
    /// Whether there is a thread that serves them.
    served: bool,
}

impl Keeper {
    /// Takes a worker in. Where nobody can help it, that is said at once.
    fn take(self: &Arc<Self>, order: &Arc<Order>) {
        if !Manager::may_be(&self.places) {
            order.reached.tell(Backstop::default());
            return;
        }
        let mut line = self.line();
        line.orders.push(Arc::clone(order));
        if !line.served {
            let keeper = Arc::clone(self);
            let served = thread::Builder::new().name("backstops".to_owned()).spawn(move || keeper.run());
            line.served = served.is_ok();
        }
        if !line.served {
            line.give_up();
        }
        self.wake.notify_one();
    }

    fn run(&self) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        match runtime.enable_io().enable_time().max_blocking_threads(1).build() {
            Ok(runtime) => {
                runtime.block_on(self.serve());
                runtime.shutdown_background();
            }
            Err(error) => {
                warn!(%error, "workers are held by the pool alone: the system gives no event queue");
                self.line().give_up();
            }
        }
    }

    /// Until there are no workers, or it is clear that no manager helps.
    async fn serve(&self) {
        let mut held: Vec<Held> = Vec::new();
        let mut helped = false;
        loop {
            if let Some(manager) = Manager::find(&self.places).await {
                helped = true;
                if self.tend(&manager, &mut held).await.is_ok() {
                    return;
                }
                debug!("the service manager does not answer");
            } else if !helped {
                debug!("no service manager here that makes scopes");
                self.line().give_up();
                return;
            }
            // Workers in scopes may wait to be let go.
            sleep(BUS_AGAIN).await;
            if self.orders().is_none() {
                return;
            }
        }
    }

    /// Sees to all workers until there are none. An error means that the manager is gone.
    async fn tend(&self, manager: &Manager, held: &mut Vec<Held>) -> Result<(), Refusal> {
        loop {
            let Some(orders) = self.orders() else { return Ok(()) };
            held.retain(|held| orders.iter().any(|order| Arc::ptr_eq(order, &held.order)));
            for order in orders {
                if !held.iter().any(|held| Arc::ptr_eq(&order, &held.order)) {
                    held.push(Held::new(order));
                }
            }
            let mut again: Option<Duration> = None;
            for held in held.iter_mut() {
                let next = held.see_to(manager, &self.places).await?;
                again = [again, next].into_iter().flatten().min();
            }
            match again {
                Some(wait) => drop(timeout(wait, self.wake.notified()).await),
                None => self.wake.notified().await,
            }
        }
    }

    /// Those that live. Where there are none the thread must end: the next worker has another.
    fn orders(&self) -> Option<Vec<Arc<Order>>> {
        let mut line = self.line();
        line.orders.retain(|order| !order.gone.load(Ordering::SeqCst));
        line.served = !line.orders.is_empty();
        line.served.then(|| line.orders.clone())
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn give_up(&mut self) {
        self.served = false;
        for order in self.orders.drain(..) {
            order.reached.tell(Backstop::default());
        }
    }
}

/// A worker as the manager has it.
struct Held {
    order: Arc<Order>,
    state: State,
    /// Looks at the kernel that are left, and when the next is due.
    looks: u32,
    look_at: Instant,
}

enum State {
    New,
    /// In a scope, with this limit; since when a tighter one is wanted.
    Scope {
        unit: String,
        cpu_permille: u16,
        tighter: Option<Instant>,
    },
    /// The manager does not want it, or it has ended.
    Out,
}

impl Held {
    fn new(order: Arc<Order>) -> Self {
        Self { order, state: State::New, looks: 0, look_at: Instant::now() }
    }

    /// Does what is due and says when to come again, where it must.
    async fn see_to(&mut self, manager: &Manager, places: &Places) -> Result<Option<Duration>, Refusal> {
        let wanted = self.order.cpu_permille.load(Ordering::SeqCst);
        let now = Instant::now();
        match &mut self.state {
            State::Out => return Ok(None),
            State::New => {
                let Order { pid, memory, .. } = *self.order;
                if !cgroup::is_child(places, pid) {
                    // It has ended, which says nothing about the others.
                    self.state = State::Out;
                    return Ok(None);
                }
                let unit = scope::unit(pid);
                match manager.start(&unit, pid, memory, wanted).await {
                    Ok(()) => self.state = State::Scope { unit, cpu_permille: wanted, tighter: None },
                    Err(Refusal::No) => {
                        self.give_up();
                        return Ok(None);
                    }
                    Err(Refusal::Lost) => return Err(Refusal::Lost),
                }
                self.look();
            }
            State::Scope { unit, cpu_permille, tighter } if wanted != *cpu_permille => {
                let since = *tighter.get_or_insert(now);
                let wait = TIGHTEN_AFTER.saturating_sub(now - since);
                if wanted < *cpu_permille && !wait.is_zero() {
                    return Ok(Some(self.confirm(places).map_or(wait, |look| look.min(wait))));
                }
                match manager.set(unit, wanted).await {
                    // A scope that has ended with its worker is as good as one that was changed.
                    Ok(()) | Err(Refusal::No) => (*cpu_permille, *tighter) = (wanted, None),
                    Err(Refusal::Lost) => return Err(Refusal::Lost),
                }
                self.look();
            }
            State::Scope { tighter, .. } => *tighter = None,
        }
        Ok(self.confirm(places))
    }

    fn give_up(&mut self) {
        self.state = State::Out;
        self.order.reached.tell(Backstop::default());
    }

    fn look(&mut self) {
        (self.looks, self.look_at) = (LOOKS, Instant::now() + FIRST_LOOK);
    }

    /// Asks the kernel what is in force, when that is due; says when to ask again.
    fn confirm(&mut self, places: &Places) -> Option<Duration> {
        let State::Scope { unit, cpu_permille, .. } = &self.state else { return None };
        if self.looks == 0 {
            return None;
        }
        let early = self.look_at.saturating_duration_since(Instant::now());
        if !early.is_zero() {
            return Some(early);
        }
        let cpu = scope::cpu_us_per_s(*cpu_permille);
        let Some(reached) = cgroup::reached(places, self.order.pid, unit, cpu, self.order.memory) else {
            self.looks = 0;
            return None;
        };
        self.looks = if reached.cpu && reached.memory { 0 } else { self.looks - 1 };
        if self.looks == 0 {
            debug!(pid = self.order.pid, %reached, "a worker has a scope");
            self.order.reached.tell(reached);
            return None;
        }
        let wait = FIRST_LOOK * 2_u32.pow(LOOKS - self.looks);
        self.look_at = Instant::now() + wait;
        Some(wait)
    }
}
