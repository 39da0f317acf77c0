//! How soon guests are gone when somebody comes: from a movement of the mouse, seen by the session's
//! helper and told to a daemon over the control API, to the last of the guests' workers stopped and
//! to the memory of all of them being back, as the kernel says.
//!
//! Between two tries nobody touches anything until the rules let guests in again: with the shortest
//! that the rules know, ten seconds. And as a line of its own, from the halt in the pool on.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::cap::percentile;
use super::procfs;
use super::report::{Document, Machine};
use super::screen::{Running, Screen};
use crate::fleet::Fleet;
use crate::place::Place;
use crate::run::{capture, check_interrupt, say};

/// The node that asks, and the one that somebody sits at.
const ASKER: usize = 0;
const POLITE: usize = 1;
/// The shortest that the rules know.
const IDLE_S: &str = "10";
/// Rules that other things than a touch would change.
const RULES: [(&str, &str); 5] =
    [("preset", "full"), ("when", "idle"), ("idle_s", IDLE_S), ("cpu_percent", "100"), ("others_percent", "100")];
/// Texts of a task, and sentences of a text: more than is done before the touch.
const TEXTS: usize = 2000;
const SENTENCES: usize = 4;
/// Processor time after which a worker computes, its model being loaded.
const BUSY: Duration = Duration::from_millis(600);
const PATIENCE: Duration = Duration::from_secs(60);
/// After a touch.
const GONE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_micros(500);
/// Tries of the line from the halt on.
const HALTS: u32 = 100;

pub(super) fn yielding(place: &Place, tries: u32) -> Result<Vec<Document>> {
    super::screen::require()?;
    let machine = Machine::read();
    let mut seat = Seat::take(place)?;
    let (mut stopped, mut back) = (Vec::new(), Vec::new());
    for number in 1..=tries {
        let left = seat.attempt(number)?;
        stopped.push(milliseconds(left.stopped));
        back.push(milliseconds(left.back));
        if number % 10 == 0 || number == tries {
            told(&format!("from the mouse to {} workers stopped", seat.workers), &stopped);
            told("from the mouse to their memory back", &back);
        }
    }
    drop(seat);
    let halted = from_the_halt(place)?;
    told("from the halt to the workers stopped", &halted);
    let document =
        |name: &str, times: &[f64], share: f64| Document::new(name, &machine, &[percentile(times, share)], Vec::new());
    Ok(vec![
        document("yield-p50", &stopped, 0.5),
        document("yield", &stopped, 0.99),
        document("yield-memory-p50", &back, 0.5),
        document("yield-memory", &back, 0.99),
        document("yield-halt", &halted, 0.99),
    ])
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn told(what: &str, times: &[f64]) {
    let at = |share| percentile(times, share);
    let (p50, p99, most) = (at(0.5), at(0.99), at(1.0));
    say(format!("{what}: p50 {p50:.2} ms, p99 {p99:.2} ms, most {most:.2} ms, of {} tries", times.len()));
}

/// A node that works for another one, and a mouse beside it.
struct Seat {
    // What looks at the screen goes before the screen.
    _session: Running,
    screen: Screen,
    fleet: Fleet,
    texts: PathBuf,
    /// As many as there are processors.
    workers: usize,
}

/// How one touch went.
struct Left {
    stopped: Duration,
    back: Duration,
}

impl Seat {
    fn take(place: &Place) -> Result<Self> {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let screen = Screen::start()?;
        let mut fleet = Fleet::start(place, 2, false)?;
        fleet.stop(POLITE)?;
        fleet.agent(POLITE, &["config", "set", "work.workers", &workers.to_string()])?;
        for (key, value) in RULES {
            fleet.agent(POLITE, &["schedule", "set", key, value])?;
        }
        fleet.launch(POLITE)?;
        wait("the nodes meet again", || Ok(fleet.peers(POLITE).is_ok_and(|peers| peers > 0)))?;

        let home = &fleet.nodes[POLITE].home;
        let texts = home.with_extension("texts");
        fs::write(&texts, long_texts(&fs::read_to_string(place.root.join("models/bench/sentences.txt"))?))?;
        let mut session = place.ours("p2p-agent");
        session.arg("--home").arg(home).arg("session").env("XDG_RUNTIME_DIR", home).stdout(Stdio::null());
        let session = Running::start(screen.on(&mut session))?;
        let mut seat = Self { _session: session, screen, fleet, texts, workers };
        seat.screen.touch()?.done()?;
        wait("the session's helper tells of the mouse", || Ok(seat.guests()?["reason"]["code"] == "owner"))?;
        Ok(seat)
    }

    /// What the rules say of guests.
    fn guests(&self) -> Result<Value> {
        let schedule = self.fleet.agent(POLITE, &["schedule", "show"])?;
        let classes = schedule["classes"].as_array().context("a schedule has classes")?;
        let guests = classes.iter().find(|class| class["class"] == "guest");
        guests.cloned().context("a schedule speaks of guests")
    }

    /// Lets guests in, and moves the mouse when they are hard at work.
    fn attempt(&mut self, number: u32) -> Result<Left> {
        wait("nobody at the computer", || Ok(self.guests()?["runs"] == true))?;
        let file = self.texts.to_string_lossy();
        let words = ["task", "submit", "embed", "--file", &file, "--privacy", "public", "--where", "network"];
        let task = self.fleet.agent(ASKER, &words)?;
        let task = task["task_id"].as_str().context("a task has an id")?.to_owned();
        let daemon = self.fleet.nodes[POLITE].pid().context("the daemon runs")?;
        let mut busy = Vec::new();
        wait("guests at work in every worker", || {
            busy = procfs::children(daemon);
            let works = |pid: &u32| Duration::from_nanos(procfs::cpu_ns(*pid)) > BUSY;
            Ok(busy.len() == self.workers && busy.iter().all(works))
        })?;
        // At another moment of their work each time.
        thread::sleep(Duration::from_millis(u64::from(number) * 37 % 100));

        let touch = self.screen.touch()?;
        let left = watch(touch.begun, &busy);
        touch.done()?;
        let left = left?;
        if !procfs::children(daemon).is_empty() {
            bail!("a guest's worker was started after the touch");
        }
        let state = self.fleet.agent(ASKER, &["task", "show", &task])?["state"].clone();
        if state == "done" {
            bail!("the guests were gone before the touch - their task was finished - this computer is too fast for it");
        }
        if self.guests()?["reason"]["code"] != "owner" {
            bail!("the guests are gone for another reason than the touch: {}", self.guests()?["reason"]);
        }
        self.fleet.agent(ASKER, &["task", "cancel", &task])?;
        Ok(left)
    }
}

/// What is killed while it is stopped runs once more, to end: so long at most.
const DYING_NS: u64 = 20_000_000;

/// Looks at the workers until they are gone: when the kernel called the last of them stopped or
/// ended, and when it had taken back the memory of all.
fn watch(begun: Instant, workers: &[u32]) -> Result<Left> {
    let used = || workers.iter().map(|pid| procfs::cpu_ns(*pid)).sum::<u64>();
    let mut stopped: Option<(Duration, u64)> = None;
    loop {
        let states: Vec<String> = workers.iter().map(|pid| procfs::states(*pid)).collect();
        let at = begun.elapsed();
        // A process that ended has given its memory back before it is called so.
        if states.iter().all(|states| states.chars().all(|state| "ZX".contains(state))) {
            return Ok(Left { stopped: stopped.map_or(at, |(stopped, _)| stopped), back: at });
        }
        if states.iter().all(|states| states.chars().all(|state| "TtZX".contains(state))) {
            stopped = stopped.or_else(|| Some((at, used())));
        } else if stopped.is_some_and(|(_, before)| used().saturating_sub(before) > DYING_NS) {
            bail!("a guest's worker went on after it was stopped: {states:?}");
        }
        if at > GONE {
            bail!("the guests' workers are not gone {} s after a touch: {states:?}", GONE.as_secs());
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Looks now and then until something is so.
fn wait(what: &str, mut so: impl FnMut() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while !so()? {
        check_interrupt()?;
        if Instant::now() > end {
            bail!("not within {} s: {what}", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// One a line, of some sentences each.
fn long_texts(sentences: &str) -> String {
    let lines: Vec<&str> = sentences.lines().filter(|line| !line.trim().is_empty()).collect();
    let mut lines = lines.iter().cycle();
    (0..TEXTS).map(|_| lines.by_ref().take(SENTENCES).copied().collect::<Vec<_>>().join(" ") + "\n").collect()
}

/// The part of it that is the pool's, in milliseconds each.
fn from_the_halt(place: &Place) -> Result<Vec<f64>> {
    let mut command = place.ours("p2p-bench");
    command.args(["yield", &HALTS.to_string()]).arg(place.root.join("models/bench/sentences.txt"));
    let run: Value = serde_json::from_str(&capture(&mut command)?).context("p2p-bench prints JSON")?;
    let times = run["stopped_ms"].as_array().context("p2p-bench tells no stopped_ms")?;
    Ok(times.iter().filter_map(Value::as_f64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_one_a_line_and_long() {
        let texts = long_texts("One.\n\nTwo.\nThree.\n");
        assert_eq!(texts.lines().count(), TEXTS);
        assert!(texts.starts_with("One. Two. Three. One.\nTwo. Three. One. Two.\n"), "{}", &texts[..60]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_is_stopped_before_it_is_gone() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().expect("a child");
        let pid = child.id();
        let signal = |name: &str| {
            let sent = std::process::Command::new("kill").args([name, &pid.to_string()]).status();
            assert!(sent.is_ok_and(|status| status.success()));
        };
        let watcher = thread::spawn(move || watch(Instant::now(), &[pid]));
        thread::sleep(Duration::from_millis(100));
        signal("-STOP");
        thread::sleep(Duration::from_millis(100));
        signal("-KILL");
        let left = watcher.join().expect("no panic").expect("gone");
        child.wait().expect("ended");
        let (stopped, back) = (left.stopped.as_millis(), left.back.as_millis());
        assert!((100..back).contains(&stopped) && back >= 200, "{stopped} {back}");
    }
}
