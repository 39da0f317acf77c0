//! What the workers of a pool have used and done, all together, since it started.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use p2p_platform::process::Reins;

use crate::wire::Pace;

/// Sums over all workers, those that have ended included. They only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Processor time of the workers: starting, loading and computing.
    pub cpu: Duration,
    /// Tokens that went through the base model, of orders that a worker has finished.
    pub tokens: u64,
    /// Processor time that the base model took for them, in microseconds.
    pub model_us: u64,
}

/// The books that all slots share.
#[derive(Debug, Clone, Default)]
pub(super) struct Spending(Arc<Mutex<Books>>);

#[derive(Debug, Default)]
struct Books {
    sums: Spent,
    next: u64,
    /// Workers that run, and how much of their time is in the sums.
    live: BTreeMap<u64, (Arc<Reins>, Duration)>,
}

impl Spending {
    /// Begins to count a worker that just started: its start as well.
    pub(super) fn open(&self, reins: Arc<Reins>) -> Account {
        let mut books = self.books();
        let id = books.next;
        books.next += 1;
        books.live.insert(id, (reins, Duration::ZERO));
        Account { spending: self.clone(), id }
    }

    /// What a worker says of the model.
    pub(super) fn computed(&self, pace: Pace) {
        let sums = &mut self.books().sums;
        // Where the system has no clock for it, tokens alone say nothing.
        if pace.cpu_us > 0 {
            sums.tokens = sums.tokens.saturating_add(pace.tokens);
            sums.model_us = sums.model_us.saturating_add(pace.cpu_us);
        }
    }

    /// As it is now: the clocks of workers that run are read.
    pub(super) fn so_far(&self) -> Spent {
        let mut books = self.books();
        let live: Vec<u64> = books.live.keys().copied().collect();
        live.into_iter().for_each(|id| books.read(id));
        books.sums
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn read(&mut self, id: u64) {
        let Some((reins, counted)) = self.live.get_mut(&id) else { return };
        let Ok(used) = reins.cpu_time() else { return };
        self.sums.cpu = self.sums.cpu.saturating_add(used.saturating_sub(*counted));
        *counted = used.max(*counted);
    }
}

/// Counts one worker until it is dropped. That must be before the worker is waited for: its clock
/// is found by its id.
#[derive(Debug)]
pub(super) struct Account {
    spending: Spending,
    id: u64,
}

impl Drop for Account {
    fn drop(&mut self) {
        let mut books = self.spending.books();
        books.read(self.id);
        books.live.remove(&self.id);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    /// A child that counts until it is killed.
    fn busy() -> (Child, Arc<Reins>) {
        let child = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().expect("a shell");
        let reins = Reins::take(child.id()).expect("it runs");
        (child, Arc::new(reins))
    }

    fn wait_for(reins: &Reins, used: Duration) {
        while reins.cpu_time().expect("it runs") < used {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn those_that_run_and_those_that_ended_count_once() {
        let spending = Spending::default();
        let (mut first, reins) = busy();
        let account = spending.open(Arc::clone(&reins));
        wait_for(&reins, Duration::from_millis(60));
        let running = spending.so_far().cpu;
        assert!(running >= Duration::from_millis(60), "{running:?}");
        let more = running + Duration::from_millis(60);
        wait_for(&reins, more);
        first.kill().expect("it ran");
        drop(account);
        first.wait().expect("it ended");
        let ended = spending.so_far().cpu;
        assert!(ended >= more && ended < more + Duration::from_secs(5), "{ended:?} {running:?}");
        assert_eq!(spending.so_far().cpu, ended, "whoever ended uses nothing more");
    }

    #[test]
    fn a_pace_without_a_clock_says_nothing() {
        let spending = Spending::default();
        spending.computed(Pace { tokens: 100, cpu_us: 0 });
        spending.computed(Pace { tokens: 7, cpu_us: 2 });
        let spent = spending.so_far();
        assert_eq!((spent.tokens, spent.model_us), (7, 2));
    }
}
