//! seccomp: which calls the kernel answers.
//!
//! The list is of what is allowed. A list of what is forbidden has a hole for every call that was
//! forgotten and for each that a later kernel brings; with this one, such a call does not exist
//! for a worker. It was taken from real inference and from what the allocators, threads and
//! clocks of glibc and musl need, and it is short because libraries are loaded before.
//!
//! Calls that are not on the list answer "no such call" (`ENOSYS`): that is the one answer after
//! which C libraries try an older call, so a newer library than those known here gets on with what
//! is listed; `clone3`, whose flags a filter cannot read, is left that way for `clone`. A second
//! filter gives the plain "not permitted" to what an intruder would try first, so that it is seen
//! for what it is. Nothing is answered by death: a worker is killed by the pool or by a limit, and
//! not by a library that was curious.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Compare, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Failure = seccompiler::BackendError;

/// Allowed whatever their arguments. They touch this process, what it has open, and clocks.
const PLAIN: &[i64] = &[
    // What is open: pipes, and files that Landlock let through.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_ppoll,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Threads.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getcpu,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Its own signals: the handler of stack overflows, and the end by `abort`.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    // Clocks, chance, and what kind of computer this is.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    // Older calls that some C libraries still make.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
];

/// Refused by name. They are not on the list either; this is the clearer answer.
const REFUSED: &[i64] = &[
    libc::SYS_seccomp,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_memfd_create,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_personality,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_shmget,
    libc::SYS_msgget,
    libc::SYS_semget,
    libc::SYS_openat2,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_mkdirat,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_truncate,
    libc::SYS_fchmodat,
    libc::SYS_fchownat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
];

/// Bits of `clone` that tell a thread of this process from everything else it can make.
const CLONE_KINDS: libc::c_int = libc::CLONE_THREAD
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_PTRACE;
/// Bits of `open` that write or create. (`O_TMPFILE` has the bit of folders in it as well.)
const WRITES: libc::c_int = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | (libc::O_TMPFILE & !libc::O_DIRECTORY);
/// glibc names its memory by this option of `prctl` (`PR_SET_VMA`).
const NAME_MEMORY: u64 = 0x5356_4d41;

/// Filters the calls of every thread of this process, for good.
pub(super) fn filter() -> Result<(), String> {
    let said = |error: Failure| error.to_string();
    let machine = TargetArch::try_from(std::env::consts::ARCH).map_err(said)?;
    let listed = program(allowed().map_err(said)?, errno(libc::ENOSYS), SeccompAction::Allow, machine).map_err(said)?;
    let named = program(refused().map_err(said)?, SeccompAction::Allow, errno(libc::EPERM), machine).map_err(said)?;
    // Where both refuse, the one that came last is heard. So the list comes first and lets the
    // other one in, which then shuts that door.
    for filter in [&listed, &named] {
        seccompiler::apply_filter_all_threads(filter).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn program(
    rules: Rules,
    other: SeccompAction,
    listed: SeccompAction,
    machine: TargetArch,
) -> Result<BpfProgram, Failure> {
    SeccompFilter::new(rules, other, listed, machine)?.try_into()
}

fn errno(code: libc::c_int) -> SeccompAction {
    SeccompAction::Errno(code.unsigned_abs())
}

fn allowed() -> Result<Rules, Failure> {
    let mut rules = plain(PLAIN);
    // Memory that is no code.
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![bits(2, libc::PROT_EXEC, 0)?]);
    }
    rules.insert(libc::SYS_openat, vec![bits(2, WRITES, 0)?]);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, vec![bits(1, WRITES, 0)?]);
    rules.insert(libc::SYS_clone, vec![bits(0, CLONE_KINDS, libc::CLONE_THREAD)?]);
    // A signal to itself.
    rules.insert(libc::SYS_tgkill, vec![equal(0, u64::from(std::process::id()))?]);
    // Limits are read, its own only.
    let reads = SeccompRule::new(vec![condition(0, Length::Qword, Compare::Eq, 0)?, null(2)?])?;
    rules.insert(libc::SYS_prlimit64, vec![reads]);
    let options =
        [libc::PR_SET_NAME.unsigned_abs().into(), libc::PR_SET_NO_NEW_PRIVS.unsigned_abs().into(), NAME_MEMORY];
    let options: Result<_, Failure> = options.iter().map(|option| equal(0, *option)).collect();
    rules.insert(libc::SYS_prctl, options?);
    rules.insert(libc::SYS_seccomp, Vec::new());
    let harmless = [libc::F_GETFD, libc::F_SETFD, libc::F_GETFL];
    let harmless: Result<_, Failure> = harmless.iter().map(|what| equal(1, what.unsigned_abs().into())).collect();
    rules.insert(libc::SYS_fcntl, harmless?);
    Ok(rules)
}

fn refused() -> Result<Rules, Failure> {
    let mut rules = plain(REFUSED);
    rules.insert(libc::SYS_clone, vec![bits(0, libc::CLONE_THREAD, 0)?]);
    Ok(rules)
}

fn plain(calls: &[i64]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

/// Of an argument, these bits are exactly so.
fn bits(argument: u8, mask: libc::c_int, value: libc::c_int) -> Result<SeccompRule, Failure> {
    let compare = Compare::MaskedEq(u64::from(mask.cast_unsigned()));
    SeccompRule::new(vec![condition(argument, Length::Dword, compare, u64::from(value.cast_unsigned()))?])
}

fn equal(argument: u8, value: u64) -> Result<SeccompRule, Failure> {
    SeccompRule::new(vec![condition(argument, Length::Dword, Compare::Eq, value)?])
}

fn null(argument: u8) -> Result<SeccompCondition, Failure> {
    condition(argument, Length::Qword, Compare::Eq, 0)
}

fn condition(argument: u8, length: Length, compare: Compare, value: u64) -> Result<SeccompCondition, Failure> {
    SeccompCondition::new(argument, length, compare, value)
}
