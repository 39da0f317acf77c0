//! Somebody sits at the computer: a real X server, real mouse movements, the session's own helper, and workers
//! that are gone with the first touch.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use p2p_tests::{Node, network, sentences, wait_within};

/// A change that is due is made within this.
const PROMPT: Duration = Duration::from_secs(2);
/// From a touch to the last work of a guest, on a computer that does other tests besides. The benchmark
/// `yield` has the figure of a quiet one.
const GONE: Duration = Duration::from_millis(500);
const MEMORY_BACK: Duration = Duration::from_secs(1);

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A screen that nobody sees, and its name.
fn display() -> Option<(Running, String)> {
    for name in ["Xvfb", "xdotool"] {
        if Command::new(name).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            return None;
        }
    }
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"]);
    let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it is installed");
    let mut number = String::new();
    BufReader::new(server.stdout.take().expect("piped")).read_line(&mut number).expect("its number");
    Some((Running(server), format!(":{}", number.trim())))
}

/// What `up` starts in a session: the helper, which sees this screen and no other.
fn session(node: &Node, display: &str) -> Running {
    let mut command = node.command("p2p-agent");
    command.arg("session").env("DISPLAY", display).env("XDG_RUNTIME_DIR", node.home());
    for name in ["WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"] {
        command.env_remove(name);
    }
    Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it was built"))
}

/// Moves the mouse, and says when that began.
fn touch(display: &str, to: u32) -> Instant {
    let begun = Instant::now();
    let moved = Command::new("xdotool").args(["mousemove", &to.to_string(), "7"]).env("DISPLAY", display).status();
    assert!(moved.is_ok_and(|status| status.success()));
    begun
}

fn guest(node: &Node) -> serde_json::Value {
    let schedule = node.fine(&["schedule", "show"]);
    let classes = schedule["classes"].as_array().expect("classes");
    classes.iter().find(|class| class["class"] == "guest").expect("guests").clone()
}

/// Workers of a daemon.
fn workers(daemon: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse::<u32>().ok());
        stat.contains("p2p-worker") && parent == Some(daemon)
    })
    .collect()
}

/// Nanoseconds that a process was on a processor; `None` when it is gone.
fn worked(pid: u32) -> Option<u64> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    let clock = |task: fs::DirEntry| {
        fs::read_to_string(task.path().join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok()
    };
    let sum: u64 = tasks.filter_map(clock).sum();
    (sum > 0).then_some(sum)
}

#[test]
fn the_first_touch_of_a_real_mouse_sends_the_guests_away() {
    let Some((_server, display)) = display() else {
        eprintln!("skipped: Xvfb or xdotool is not installed here");
        return;
    };
    let nodes = network(2);
    let (asker, polite) = (&nodes[0], &nodes[1]);
    for (key, value) in [("when", "idle"), ("idle_s", "10")] {
        polite.fine(&["schedule", "set", key, value]);
    }
    let _session = session(polite, &display);
    let mut place = 10;
    touch(&display, place);
    wait_within("somebody at the computer", Duration::from_secs(5), || guest(polite)["reason"]["code"] == "owner");
    let doctor = polite.call(&["doctor"]).stdout;
    assert!(doctor.contains("x11"), "{doctor}");

    let began = Instant::now();
    wait_within("nobody at the computer", Duration::from_secs(12) + PROMPT, || guest(polite)["runs"] == true);
    assert!(began.elapsed() > Duration::from_secs(7), "{:?}", began.elapsed());
    let task = asker.call_with_input(
        &["task", "submit", "embed", "--file", "-", "--privacy", "public", "--where", "network", "--json"],
        &sentences(2000),
    );
    assert_eq!(task.status, 0, "{task:?}");
    let daemon = polite.pid();
    wait_within("a guest's work", Duration::from_secs(20), || {
        polite.status()["guest_tasks"].as_u64() > Some(0) && !workers(daemon).is_empty()
    });
    std::thread::sleep(Duration::from_millis(300));

    place += 100;
    let busy = workers(daemon);
    let begun = touch(&display, place);
    let (mut last, mut clocks) = (begun, vec![0; busy.len()]);
    while begun.elapsed() < MEMORY_BACK + GONE {
        for (clock, pid) in clocks.iter_mut().zip(&busy) {
            let now = worked(*pid).unwrap_or(*clock);
            if now > *clock {
                (*clock, last) = (now, Instant::now());
            }
        }
        if busy.iter().all(|pid| worked(*pid).is_none()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let (stopped, back) = (last - begun, begun.elapsed());
    eprintln!("from the mouse to the last work {} ms, to the memory {} ms", stopped.as_millis(), back.as_millis());
    assert!(stopped < GONE, "{stopped:?}");
    assert!(busy.iter().all(|pid| worked(*pid).is_none()), "a worker keeps its memory");
    wait_within("the reason", PROMPT, || guest(polite)["reason"]["code"] == "owner");
}
