//! What this process can still do, found out by trying. Each trial is harmless where it succeeds.
#![allow(unsafe_code)]

use std::ptr;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

pub(super) fn can_read_folders() -> bool {
    rustix::fs::open("/", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).is_ok()
}

pub(super) fn can_write_files() -> bool {
    rustix::fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()).is_ok()
}

/// Of any family: the internet's, local ones, the kernel's.
pub(super) fn has_sockets() -> bool {
    let families =
        [(libc::AF_INET, libc::SOCK_DGRAM), (libc::AF_UNIX, libc::SOCK_STREAM), (libc::AF_NETLINK, libc::SOCK_RAW)];
    families.into_iter().any(|(family, kind)| {
        // SAFETY: takes numbers only.
        let made = unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, 0) };
        let refused = made < 0 && last() == Errno::PERM;
        if made >= 0 {
            // SAFETY: the descriptor is open, ours and used by nobody.
            unsafe { libc::close(made) };
        }
        !refused
    })
}

/// Asks for processes that cannot be: where the filter does not answer, the kernel finds the
/// contradiction, or the missing name.
pub(super) fn starts_processes() -> bool {
    let contradiction = libc::CLONE_NEWNS | libc::CLONE_FS;
    // SAFETY: flags that exclude each other make nothing.
    let forked = unsafe { libc::syscall(libc::SYS_clone, contradiction, 0, 0, 0, 0) };
    let forks = forked >= 0 || last() != Errno::PERM;
    let nothing = ptr::null::<libc::c_char>();
    // SAFETY: a program without a name is none.
    let executed = unsafe { libc::syscall(libc::SYS_execve, nothing, nothing, nothing) };
    let executes = executed >= 0 || last() != Errno::PERM;
    // SAFETY: arguments of no length are refused.
    let newer = unsafe { libc::syscall(libc::SYS_clone3, nothing, 0) };
    forks || executes || newer >= 0 || last() != Errno::NOSYS
}

/// Whether `kill` is answered: a signal of no number to itself.
pub(super) fn signals() -> bool {
    // SAFETY: takes numbers only; number 0 is no signal.
    let sent = unsafe { libc::kill(libc::getpid(), 0) };
    sent >= 0 || last() != Errno::PERM
}

/// A page that could be run.
pub(super) fn maps_code() -> bool {
    let length = rustix::param::page_size();
    let (rights, kind) = (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new page, at a place that the kernel chooses.
    let page = unsafe { libc::mmap(ptr::null_mut(), length, rights, kind, -1, 0) };
    if page == libc::MAP_FAILED {
        return last() != Errno::NOSYS;
    }
    // SAFETY: that page, which nobody uses.
    unsafe { libc::munmap(page, length) };
    true
}

/// A call that is harmless and not on the list: who started this process.
pub(super) fn answers_other_calls() -> bool {
    // SAFETY: takes nothing.
    let parent = unsafe { libc::syscall(libc::SYS_getppid) };
    parent >= 0 || last() != Errno::NOSYS
}

fn last() -> Errno {
    std::io::Error::last_os_error().raw_os_error().map_or(Errno::INVAL, Errno::from_raw_os_error)
}
