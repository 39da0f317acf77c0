//! Limits of the POSIX kind only. macOS has no call by which a process may close itself that is
//! documented and supported, and it does not hold to a limit of address space.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Level, Rules};

/// Standard streams, a model and some to spare.
const OPEN_FILES: u64 = 32;

pub(super) fn close(rules: &Rules) -> Level {
    Level {
        cpu_seconds: limit(Resource::Cpu, rules.cpu.as_secs()),
        open_files: limit(Resource::Nofile, OPEN_FILES),
        written: limit(Resource::Fsize, rules.written),
        ..Level::default()
    }
}

/// Sets a limit and says what it is then.
fn limit(what: Resource, most: u64) -> Option<u64> {
    let _ = setrlimit(what, Rlimit { current: Some(most), maximum: Some(most) });
    getrlimit(what).maximum.filter(|set| *set <= most)
}
