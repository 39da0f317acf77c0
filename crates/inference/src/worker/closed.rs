//! A worker in its sandbox.

use std::path::PathBuf;
use std::time::Duration;

use p2p_platform::sandbox::{self, Level, Rules};

use super::engine::Engine;
use super::log;

/// Memory of a worker beside the programs and libraries in it, where nobody says otherwise: see
/// `pool::process`.
pub(super) const MEMORY: u64 = crate::pool::WORKER_MEMORY;
/// What a mode that is started by hand may write where its output is a file.
pub(super) const TO_A_FILE: u64 = 64 * 1024;
/// Long enough that no worker of a busy day comes near, short enough that none is forgotten.
pub(super) const CPU: Duration = Duration::from_hours(24);

/// What computes, and whether something was not there when the sandbox closed: it cannot be had
/// any more in this process.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) engine: Engine,
    pub(super) lacks: bool,
}

/// Loads the runtime and closes this process. Where there is no runtime, it is closed all the
/// same: orders that need none are done.
pub(super) fn close(assets: PathBuf, memory: u64, written: u64) -> (Closed, Level) {
    let mut engine = Engine::new(assets);
    let readable = engine.folders();
    let lacks = engine.load_runtime().is_err() || !readable.iter().all(|folder| folder.is_dir());
    let level = sandbox::close(&Rules { readable, memory, cpu: CPU, written });
    if !level.is_whole() {
        log(&format_args!("the sandbox is not whole: {level}"));
    }
    (Closed { engine, lacks }, level)
}
