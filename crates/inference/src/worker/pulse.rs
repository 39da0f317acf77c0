//! Says that this process runs while it is busy, from a thread that does nothing else: a long
//! computation is silent, and so is a process that was stopped; this tells them apart.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::wire::{Reply, encode};

/// Well below the silence after which a worker counts as lost.
const EVERY: Duration = Duration::from_secs(1);
/// The thread calls nothing deep, and the process may be short of memory.
const STACK_BYTES: usize = 64 * 1024;

static BUSY: AtomicBool = AtomicBool::new(false);

/// Says so from now on, for as long as the process lives.
pub(super) fn start() -> io::Result<()> {
    // Made here, so that the thread needs no memory.
    let frame = encode(&Reply::Alive)?;
    let beat = move || {
        loop {
            thread::sleep(EVERY);
            if BUSY.load(Ordering::Relaxed) && say(&frame).is_err() {
                // Nobody listens: the other thread finds out as well and ends the process.
                return;
            }
        }
    };
    thread::Builder::new().name("pulse".into()).stack_size(STACK_BYTES).spawn(beat).map(drop)
}

/// Whether an order is being computed.
pub(super) fn set_busy(busy: bool) {
    BUSY.store(busy, Ordering::Relaxed);
}

/// In one piece: standard output is locked for the whole of it, so it stands between two frames.
fn say(frame: &[u8]) -> io::Result<()> {
    use io::Write as _;
    let mut output = io::stdout().lock();
    output.write_all(frame)?;
    output.flush()
}
