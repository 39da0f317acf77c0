//! Limits of the operating system around workers, beside those that the pool keeps up itself: the
//! second lock on a door that has one. The pool holds a worker by its clock, and to the point;
//! where the pool fails to, the system still holds it to a little more than that.
//!
//! What a system lets a process of ours set differs. Nothing here delays or fails a worker's
//! start, and no call waits for another program; [`Backstop`] says what was reached, and only what
//! the system itself confirmed is claimed.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(windows)]
use windows as system;

/// All of the computer.
const WHOLE: u16 = 1000;
/// How much more the system allows than the pool does, in thousandths of the computer: who is held
/// to the point must never run into the fence behind it.
const SLACK: u16 = 50;

/// Which limits of the system hold a worker. The default is: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backstop {
    /// While it is busy for others it cannot use much more processor time than the owner allows,
    /// whatever becomes of the pool.
    pub cpu: bool,
    /// It ends when it takes more memory than it may.
    pub memory: bool,
    /// While it is busy for others the system runs it where that costs least energy.
    pub efficient: bool,
}

impl fmt::Display for Backstop {
    /// In one line, for `doctor` and logs.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = [("processor time", self.cpu), ("memory", self.memory), ("energy", self.efficient)];
        let held: Vec<&str> = held.into_iter().filter_map(|(what, held)| held.then_some(what)).collect();
        let held = if held.is_empty() { "nothing".to_owned() } else { held.join(", ") };
        write!(to, "held by the system too: {held}")
    }
}

impl Backstop {
    const KNOWN: u8 = 8;

    fn to_bits(self) -> u8 {
        Self::KNOWN | u8::from(self.cpu) | u8::from(self.memory) << 1 | u8::from(self.efficient) << 2
    }

    fn from_bits(bits: u8) -> Option<Self> {
        let bit = |place: u8| bits >> place & 1 == 1;
        (bits & Self::KNOWN != 0).then(|| Self { cpu: bit(0), memory: bit(1), efficient: bit(2) })
    }
}

/// Where it is said what was reached: the newest word counts.
#[derive(Debug, Clone, Default)]
struct Reached(Arc<AtomicU8>);

impl Reached {
    fn tell(&self, reached: Backstop) {
        self.0.store(reached.to_bits(), Ordering::Release);
    }
}

/// The fences around the workers of one pool. Every clone is as good as the first.
#[derive(Debug, Clone)]
pub struct Fences(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    system: system::Fences,
    reached: Reached,
    cpu_permille: AtomicU16,
    /// Changes of the cap and changes of class meet here, so that the later one wins.
    all: Mutex<Vec<Weak<Ward>>>,
}

impl Default for Fences {
    fn default() -> Self {
        Self::with(system::Fences::default())
    }
}

impl Fences {
    /// Fences that are made where these places say. For tests; others take the default.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn at(places: crate::signals::Places) -> Self {
        Self::with(system::Fences::at(places))
    }

    fn with(system: system::Fences) -> Self {
        let cpu_permille = AtomicU16::new(WHOLE);
        Self(Arc::new(Shared { system, reached: Reached::default(), cpu_permille, all: Mutex::default() }))
    }

    /// What workers for others may use from now on, in thousandths of the whole computer. Each is
    /// held to it, and a little more; that they share it is the pool's affair.
    pub fn allow(&self, cpu_permille: u16) {
        if self.0.cpu_permille.swap(cpu_permille, Ordering::SeqCst) == cpu_permille {
            return;
        }
        let mut all = self.0.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|ward| ward.upgrade().is_some_and(|ward| ward.hold(&self.0)));
    }

    /// Puts a fence around a child of this process, which may take so many bytes of memory. It
    /// works for its owner until [`Fence::for_others`].
    #[must_use]
    pub fn around(&self, pid: u32, memory: u64) -> Fence {
        let system = system::Ward::new(&self.0.system, pid, memory, self.0.reached.clone());
        let ward = Arc::new(Ward { others: AtomicBool::new(false), system });
        let mut all = self.0.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|ward| ward.strong_count() > 0);
        all.push(Arc::downgrade(&ward));
        Fence { ward, fences: Arc::clone(&self.0) }
    }

    /// What was reached for the worker that was fenced last; `None` as long as nobody knows.
    #[must_use]
    pub fn reached(&self) -> Option<Backstop> {
        Backstop::from_bits(self.0.reached.0.load(Ordering::Acquire))
    }
}

#[derive(Debug)]
struct Ward {
    /// Whether it is busy for others.
    others: AtomicBool,
    system: system::Ward,
}

impl Ward {
    /// True for the sake of who keeps those that are alive.
    fn hold(&self, fences: &Shared) -> bool {
        let cap = fences.cpu_permille.load(Ordering::SeqCst);
        self.system.hold(self.others.load(Ordering::SeqCst).then_some(cap.saturating_add(SLACK).min(WHOLE)));
        true
    }
}

/// The fence around one worker. Drop it after the worker has ended: on Windows it ends with it.
#[derive(Debug)]
pub struct Fence {
    ward: Arc<Ward>,
    fences: Arc<Shared>,
}

impl Fence {
    /// Says whom the worker is busy for. Cheap where nothing changes.
    pub fn for_others(&self, others: bool) {
        if self.ward.others.swap(others, Ordering::SeqCst) != others {
            let _all = self.fences.all.lock().unwrap_or_else(PoisonError::into_inner);
            self.ward.hold(&self.fences);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_reached_is_told_in_one_line() {
        assert_eq!(Backstop::default().to_string(), "held by the system too: nothing");
        let some = Backstop { cpu: true, memory: true, efficient: false };
        assert_eq!(some.to_string(), "held by the system too: processor time, memory");
        for bits in 0..8_u8 {
            let level = Backstop { cpu: bits & 1 > 0, memory: bits & 2 > 0, efficient: bits & 4 > 0 };
            assert_eq!(Backstop::from_bits(level.to_bits()), Some(level));
        }
        assert_eq!(Backstop::from_bits(0), None, "nobody knows yet");
    }
}
