//! The operating system: where a node keeps its things, its keys, its lock, its local socket and
//! the processes it starts. Deliberately absent: any decision about what a node does.
//!
//! This is the only room besides `simd` where `unsafe` may stand, one module at a time. What
//! differs between systems has one file a system.

mod alarm;
mod assets;
mod clock;
pub mod file;
mod home;
mod keys;
mod lock;
mod machine;
mod meter;
pub mod process;
pub mod sandbox;
pub mod signals;
pub mod socket;

pub use alarm::Alarm;
pub use assets::{Assets, sibling};
pub use clock::{date, monotonic, now};
pub use home::{Home, HomeError};
pub use keys::{
    KeyError, KeyStorage, Keys, SEALED_BYTES, SealError, create_keys, load_keys, open_account, replace_account,
    seal_account,
};
pub use lock::{HomeLock, LockError, SessionLock};
pub use machine::{memory_bytes, processors};
pub use meter::{Meter, MeterReading, NoMeter, Used};

/// `N` bytes nobody can guess, from the operating system.
///
/// # Panics
/// When the system gives none; no key may be made on such a machine.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
