//! What a process and its children use, as the kernel counts it.

use std::fs;
use std::path::Path;

/// The process and all that descend from it.
fn tree(root: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_string_lossy().parse::<u32>().ok() else { continue };
        if let Some(parent) = field(&entry.path().join("status"), "PPid:") {
            parents.push((pid, parent));
        }
    }
    let mut tree = vec![root];
    let mut next = 0;
    while next < tree.len() {
        let parent = u64::from(tree[next]);
        tree.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    tree
}

/// Processes that it has started and that have not ended.
pub(super) fn children(pid: u32) -> Vec<u32> {
    tree(pid).into_iter().skip(1).filter(|child| !states(*child).chars().all(|state| "ZX".contains(state))).collect()
}

/// The state of each of its threads, a letter each as `man 5 proc` has them; empty where there is no
/// such process.
pub(super) fn states(pid: u32) -> String {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks
        .filter_map(|task| {
            let stat = fs::read_to_string(task.path().join("stat")).ok()?;
            // The name before it may hold anything.
            stat.rsplit_once(") ")?.1.chars().next()
        })
        .collect()
}

/// Resident memory in bytes.
pub(super) fn resident(pid: u32) -> u64 {
    let status = |pid| Path::new("/proc").join(u32::to_string(pid)).join("status");
    tree(pid).iter().filter_map(|pid| field(&status(pid), "VmRSS:")).sum::<u64>() * 1024
}

/// CPU time in nanoseconds that its living threads have used.
pub(super) fn cpu_ns(pid: u32) -> u64 {
    let mut sum = 0;
    for pid in tree(pid) {
        let tasks = fs::read_dir(format!("/proc/{pid}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            // The first number is the time on a CPU; ticks of 10 ms would be too coarse.
            let times = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            sum += times.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or_default();
        }
    }
    sum
}

fn field(file: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_time() {
        let pid = std::process::id();
        assert!(resident(pid) > 100_000);
        let before = cpu_ns(pid);
        let mut sum = 0_u64;
        for number in 0..20_000_000_u64 {
            sum = std::hint::black_box(sum.wrapping_add(number));
        }
        assert!(cpu_ns(pid) > before);
    }

    #[test]
    fn children_count() {
        let mut child = std::process::Command::new("sleep").arg("5").spawn().expect("a child");
        assert!(tree(std::process::id()).contains(&child.id()));
        assert!(children(std::process::id()).contains(&child.id()) && states(child.id()).len() == 1);
        child.kill().expect("killed");
        child.wait().expect("gone");
        assert!(states(child.id()).is_empty());
    }
}
