//! Linux: limits, Landlock for files, seccomp for everything else. None of them needs rights.

mod calls;
mod paths;
mod trial;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, set_dumpable_behavior, setrlimit,
};
use tracing::warn;

use super::{Files, Level, Network, Rules};

/// Standard streams, a model and some to spare.
const OPEN_FILES: u64 = 32;

/// The order matters: each step takes away what the next ones no longer need. Limits cannot be
/// changed once calls are filtered, and the folders are opened before files are closed.
pub(super) fn close(rules: &Rules) -> Level {
    let threads = threads();
    let memory = limit(Resource::As, address_space().saturating_add(rules.memory));
    let mut level = Level {
        memory,
        cpu_seconds: limit(Resource::Cpu, rules.cpu.as_secs()),
        open_files: limit(Resource::Nofile, OPEN_FILES),
        written: limit(Resource::Fsize, rules.written),
        private: private(),
        ..Level::default()
    };
    // There is no limit of processes here: the system counts those of the whole user, threads
    // too, so any number would be wrong on somebody's computer. Filtered calls do that part.
    let paths = paths::restrict(&rules.readable, threads).unwrap_or_else(|why| {
        warn!(why, "this system has no Landlock: a worker can read files");
        paths::Paths::default()
    });
    let filtered = calls::filter().map_err(|why| warn!(why, "system calls cannot be filtered")).is_ok();
    level.landlock = paths.version;
    level.files = match (trial::can_read_folders(), trial::can_write_files()) {
        (false, false) if paths.everywhere => Files::Models,
        (_, false) if filtered || paths.everywhere => Files::ReadOnly,
        _ => Files::Open,
    };
    level.network = if filtered && !trial::has_sockets() {
        Network::Closed
    } else if paths.everywhere && paths.tcp {
        Network::NoTcp
    } else {
        Network::Open
    };
    level.calls = filtered && !trial::answers_other_calls();
    level.processes = filtered && !trial::starts_processes();
    level.others = filtered && !trial::signals();
    level.code = filtered && !trial::maps_code();
    level
}

/// Sets a limit and says what it is then. One that is lower already stays.
fn limit(what: Resource, most: u64) -> Option<u64> {
    let most = getrlimit(what).maximum.map_or(most, |set| set.min(most));
    let _ = setrlimit(what, Rlimit { current: Some(most), maximum: Some(most) });
    getrlimit(what).maximum.filter(|set| *set <= most)
}

/// No dump of this process, and no debugger of the same user.
fn private() -> bool {
    let core = limit(Resource::Core, 0);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    core == Some(0) && dumpable_behavior() == Ok(DumpableBehavior::NotDumpable)
}

/// Address space in use. Where that is unknown the limit is what the rules add to nothing.
fn address_space() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').next().and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages.saturating_mul(rustix::param::page_size() as u64)
}

/// Threads of this process; many where that is unknown.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(usize::MAX, Iterator::count)
}
