use super::*;

#[test]
fn memory_is_measured() {
    let bytes = resident_bytes().expect("this system says");
    assert!((100_000..2_000_000_000).contains(&bytes), "{bytes}");
    let held = vec![1_u8; 64 << 20];
    assert!(resident_bytes().expect("this system says") > bytes + (32 << 20));
    drop(held);
}

#[test]
fn the_start_stays_the_same_and_is_in_the_past() {
    let first = started();
    assert!(first <= Instant::now());
    assert_eq!(first, started());
}

#[cfg(target_os = "linux")]
#[test]
fn the_start_is_that_of_the_process() {
    let age = age().expect("this system says");
    assert!(age < Duration::from_secs(600), "{age:?}");
    std::thread::sleep(Duration::from_millis(300));
    let later = self::age().expect("this system says");
    assert!(later >= age + Duration::from_millis(280), "{age:?} {later:?}");
    let stat = "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
    assert_eq!(start_ticks(stat), Some(4711));
}

#[cfg(unix)]
mod children {
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn end(mut child: Child) {
        child.kill().expect("it ran");
        child.wait().expect("it ended");
    }

    #[test]
    fn a_process_is_alive_until_it_ended() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep is there");
        assert!(is_alive(child.id()));
        terminate(child.id()).expect("ours");
        let ended = Instant::now();
        while is_alive(child.id()) {
            assert!(ended.elapsed() < Duration::from_secs(10), "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        // Nobody has waited for it yet: it was a zombie.
        child.wait().expect("it ended");
        assert!(!is_alive(child.id()) && terminate(child.id()).is_err());
        assert!(!is_alive(0) && !is_alive(u32::MAX));
    }

    #[test]
    fn a_detached_process_has_a_session_of_its_own() {
        let mut command = Command::new("sleep");
        detach(command.arg("60"));
        let child = command.spawn().expect("sleep is there");
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("it runs");
        let fields: Vec<_> = stat.rsplit_once(") ").expect("a name").1.split(' ').collect();
        assert_eq!(fields[3], child.id().to_string(), "session");
        end(child);
    }

    #[tokio::test]
    async fn a_worker_is_nice_and_has_its_own_group_and_no_core() {
        let mut command = tokio::process::Command::new("sleep");
        prepare_worker(command.arg("60"));
        let mut child = command.spawn().expect("sleep is there");
        let pid = child.id().expect("it runs");
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
        let fields: Vec<_> = stat.rsplit_once(") ").expect("a name").1.split(' ').collect();
        assert_eq!((fields[2], fields[16]), (pid.to_string().as_str(), "19"), "group and nice value");
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("it runs");
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
        assert_eq!(core.split_whitespace().nth(4), Some("0"));
        assert_eq!(fields[3], pid.to_string(), "session");
        #[cfg(target_os = "linux")]
        last_in_line(pid);
        child.kill().await.expect("it ran");
    }

    /// For the disk, for memory and as a session.
    #[cfg(target_os = "linux")]
    fn last_in_line(pid: u32) {
        let told = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok();
        assert_eq!(told("oom_score_adj").as_deref(), Some("1000\n"));
        // Not every kernel shares out by sessions.
        assert!(told("autogroup").is_none_or(|group| group.ends_with("nice 19\n")));
        let class = Command::new("ionice").args(["-p", &pid.to_string()]).output();
        let class = class.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
        assert!(class.is_err() || class.is_ok_and(|class| class == "idle"), "class of the disk");
        let environment = std::fs::read(format!("/proc/{pid}/environ")).expect("ours");
        let names = environment.split(|byte| *byte == 0).filter(|line| !line.is_empty());
        assert!(names.clone().all(|line| line.starts_with(b"PATH=") || line.starts_with(b"LD_LIBRARY_PATH=")));
        assert_ne!(names.count(), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_in_reins_stops_and_goes_on_and_its_clock_tells() {
        let mut child = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().expect("a shell is there");
        let reins = Reins::take(child.id()).expect("ours");
        let runs_for = |length: u64| {
            let before = reins.cpu_time().expect("it is there");
            std::thread::sleep(Duration::from_millis(length));
            reins.cpu_time().expect("it is there") - before
        };
        while runs_for(20).is_zero() {}
        reins.stop().expect("it is there");
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!((state(child.id()), runs_for(100)), ('T', Duration::ZERO));
        reins.resume().expect("it is there");
        reins.resume().expect("twice is no error");
        while runs_for(20).is_zero() {}
        reins.stop().expect("it is there");
        child.kill().expect("a stopped one ends, too");
        // Not waited for: its id and its clock are still its own.
        assert!(reins.cpu_time().is_ok());
        child.wait().expect("it ended");
        assert!(reins.stop().is_err() && reins.resume().is_err() && reins.cpu_time().is_err());
        assert!(Reins::take(child.id()).is_err());
    }

    #[cfg(target_os = "linux")]
    fn state(pid: u32) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
        stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).expect("a state")
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_worker_dies_with_its_parent() {
        dies_with_its_parent(|_| ());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_worker_that_is_stopped_dies_with_its_parent() {
        dies_with_its_parent(|worker| {
            Reins::take(worker).expect("ours").stop().expect("it runs");
            while state(worker) != 'T' {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
    }

    /// This test runs itself once more as the parent that is killed.
    #[cfg(target_os = "linux")]
    fn dies_with_its_parent(before: impl FnOnce(u32)) {
        use std::io::{BufRead, BufReader};

        let me = std::env::current_exe().expect("a test has a program");
        let mut parent = Command::new(me)
            .args(["--exact", "process::tests::children::parent_of_a_worker", "--ignored", "--nocapture"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program runs");
        let lines = BufReader::new(parent.stdout.take().expect("piped")).lines();
        let worker: u32 = lines
            .map_while(Result::ok)
            .find_map(|line| line.split_once("worker ")?.1.trim().parse().ok())
            .expect("the parent says its worker's id");
        assert!(is_alive(worker));
        before(worker);
        end(parent);
        let killed = Instant::now();
        while is_alive(worker) {
            assert!(killed.elapsed() < Duration::from_secs(10), "it outlives its parent");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[tokio::test]
    #[ignore = "only as a part of `dies_with_its_parent`"]
    async fn parent_of_a_worker() {
        let mut command = tokio::process::Command::new("sleep");
        prepare_worker(command.arg("60"));
        let child = command.spawn().expect("sleep is there");
        println!("worker {}", child.id().expect("it runs"));
        std::thread::sleep(Duration::from_secs(60));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_is_kept_from_others() {
        use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
        guard_memory();
        assert_eq!(dumpable_behavior().expect("known"), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}
