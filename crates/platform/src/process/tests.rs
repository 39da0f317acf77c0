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
        child.kill().await.expect("it ran");
    }

    /// This test runs itself once more as the parent that is killed.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_worker_dies_with_its_parent() {
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
        end(parent);
        let killed = Instant::now();
        while is_alive(worker) {
            assert!(killed.elapsed() < Duration::from_secs(10), "it outlives its parent");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[tokio::test]
    #[ignore = "only as a part of `a_worker_dies_with_its_parent`"]
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
