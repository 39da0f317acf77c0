//! What the kernel says of a process's group: the only word that counts.

use std::fs;
use std::path::Path;

use super::Backstop;
use crate::signals::Places;

/// Whether this is still a child of ours. Ids come back.
pub(super) fn is_child(places: &Places, pid: u32) -> bool {
    let stat = fs::read_to_string(places.procfs.join(format!("{pid}/stat"))).unwrap_or_default();
    // The name in field 2 may hold spaces and parentheses.
    let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
    parent == Some(std::process::id())
}

/// Which of these limits hold a process that should be in the group of this unit. `None` is no
/// limit: then what counts is that the kernel would keep one. Nothing can be said of a process
/// that has ended.
pub(super) fn reached(
    places: &Places,
    pid: u32,
    unit: &str,
    cpu_us_per_s: Option<u64>,
    memory: u64,
) -> Option<Backstop> {
    let groups = fs::read_to_string(places.procfs.join(format!("{pid}/cgroup"))).ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"));
    let Some(group) = group.filter(|group| group.rsplit('/').next() == Some(unit)) else {
        return Some(Backstop::default());
    };
    let root = places.sysfs.join("fs/cgroup");
    // Where the first version is mounted too, the second lies beside its parts.
    let beside = root.join("unified");
    let folder = if beside.is_dir() { beside.join(group) } else { root.join(group) };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let cpu = read(&folder, "cpu.max").is_some_and(|limit| {
        let mut words = limit.split_whitespace().map(number);
        match (cpu_us_per_s, words.next().flatten(), words.next().flatten()) {
            (None, None, _) => true,
            // The kernel keeps whole microseconds of a period.
            (Some(wanted), Some(quota), Some(period)) => {
                quota.saturating_mul(1_000_000) <= wanted.saturating_add(1).saturating_mul(period)
            }
            _ => false,
        }
    });
    let memory = read(&folder, "memory.max").and_then(|limit| number(&limit)).is_some_and(|limit| limit <= memory);
    Some(Backstop { cpu, memory, efficient: false })
}

fn read(folder: &Path, file: &str) -> Option<String> {
    fs::read_to_string(folder.join(file)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_kernel_holds_is_claimed() {
        let folder = tempfile::tempdir().unwrap();
        let mut places = Places::nowhere();
        (places.procfs, places.sysfs) = (folder.path().join("proc"), folder.path().join("sys"));
        let group = folder.path().join("sys/fs/cgroup/user/a.scope");
        fs::create_dir_all(&group).unwrap();
        fs::create_dir_all(folder.path().join("proc/7")).unwrap();
        let asked = |cpu| reached(&places, 7, "a.scope", cpu, 1000);
        let ask = |cpu| asked(cpu).unwrap();
        let both = Backstop { cpu: true, memory: true, efficient: false };
        let write = |file: &str, text: &str| fs::write(group.join(file), text).unwrap();
        assert_eq!(asked(None), None, "no such process");
        fs::write(folder.path().join("proc/7/cgroup"), "9:name=systemd:/x\n0::/user/a.scope\n").unwrap();
        assert_eq!(ask(Some(600_000)), Backstop::default(), "no controllers");
        write("cpu.max", "600000 1000000\n");
        assert_eq!(ask(Some(600_000)), Backstop { memory: false, ..both });
        write("memory.max", "max\n");
        assert!(!ask(None).memory);
        write("memory.max", "1000\n");
        assert_eq!(ask(Some(600_000)), both);
        assert_eq!(ask(Some(500_000)), Backstop { cpu: false, ..both }, "looser than wanted");
        assert!(!ask(None).cpu, "it was not let go");
        write("cpu.max", "max 1000000\n");
        assert_eq!(ask(None), both);
        assert!(!ask(Some(600_000)).cpu);
        // Another group: the manager has not moved it.
        fs::write(folder.path().join("proc/7/cgroup"), "0::/user/b.scope\n").unwrap();
        assert_eq!(ask(None), Backstop::default());
    }

    #[test]
    fn a_stranger_is_not_taken_for_a_child() {
        let places = Places { procfs: "/proc".into(), ..Places::nowhere() };
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert!(is_child(&places, child.id()));
        assert!(!is_child(&places, 1) && !is_child(&places, std::process::id()) && !is_child(&places, u32::MAX));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_child(&places, child.id()));
    }
}
