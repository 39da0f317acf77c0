//! macOS: the background class, which the system runs on its efficient cores and last in line for
//! disk and network. It has no limit of processor time or memory for a process that others set.
#![allow(unsafe_code)]

use super::{Backstop, Reached};

#[derive(Debug, Default)]
pub(super) struct Fences;

#[derive(Debug)]
pub(super) struct Ward {
    pid: u32,
    reached: Reached,
}

impl Ward {
    pub(super) fn new(_fences: &Fences, pid: u32, _memory: u64, reached: Reached) -> Self {
        Self { pid, reached }
    }

    /// Background while it is busy for others, like any other program else.
    pub(super) fn hold(&self, cpu_permille: Option<u16>) {
        let class = if cpu_permille.is_some() { libc::PRIO_DARWIN_BG } else { 0 };
        // SAFETY: takes numbers only. Whoever has ended is not found.
        let set = unsafe { libc::setpriority(libc::PRIO_DARWIN_PROCESS, self.pid, class) } == 0;
        if cpu_permille.is_some() {
            // SAFETY: takes numbers only. It says 1 of a process in the background.
            let is = unsafe { libc::getpriority(libc::PRIO_DARWIN_PROCESS, self.pid) } == 1;
            self.reached.tell(Backstop { efficient: set && is, ..Backstop::default() });
        }
    }
}
