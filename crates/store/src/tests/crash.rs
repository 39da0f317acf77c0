//! kill -9 at random moments.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use p2p_types::Seed;

use super::*;

const CHILD_PATH: &str = "P2P_STORE_CRASH_TEST";
const ROUNDS: usize = 30;

#[test]
fn what_was_acknowledged_survives_the_death_of_the_process() {
    let (_folder, path) = folder();
    let mut seed = Seed::new([1; 32]);
    let mut total = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", "tests::crash::child", "--ignored", "--nocapture"])
            .env(CHILD_PATH, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let mut acknowledged: u64 = lines.next().and_then(|line| line.parse().ok()).expect("a first token");
        thread::sleep(Duration::from_micros(seed.below(40_000)));
        child.kill().expect("runs until killed");
        child.wait().expect("reaped");
        for line in lines {
            acknowledged = line.parse().expect("a token");
        }

        // Before any store touches it: what SQLite itself finds.
        let found = Connection::open(&path).expect("opens");
        let number = |sql: &str| found.query_row(sql, (), |row| row.get::<_, u64>(0)).expect("a number");
        let integrity: String = found.query_row("PRAGMA integrity_check", (), |row| row.get(0)).expect("an answer");
        assert_eq!(integrity, "ok", "round {round}");
        let (tasks, last) = (number("SELECT count(*) FROM tasks"), number("SELECT max(submitted) FROM tasks"));
        assert!(last >= acknowledged, "round {round}: {acknowledged} was acknowledged, {last} is the last kept");
        // Batches are kept whole, in order and without a hole.
        assert_eq!(tasks, last + 1, "round {round}");
        assert_eq!(number("SELECT count(*) FROM departures WHERE texts % 2 = 0"), tasks, "round {round}");
        assert_eq!(number("SELECT reserved FROM sequences"), last / 5 * 5, "round {round}");
        total = tasks;
    }
    println!("{ROUNDS} kills, {total} batches kept, none of those acknowledged lost");
}

/// Commits for ever, and says on stderr which token was acknowledged last.
#[test]
#[ignore = "the process that the test above kills"]
fn child() {
    let Some(path) = std::env::var_os(CHILD_PATH) else { return };
    let bounds = Bounds { tasks: u32::MAX, departures: u32::MAX, ..Bounds::default() };
    let mut node = Node::bounded(Path::new(&path), bounds);
    let mut next = wait(node.store.tasks(1)).first().map_or(0, |task| task.submitted.0 + 1);
    let mut waiting = 0;
    loop {
        while waiting < 1 + next % 8 {
            let texts = u32::try_from(next * 2).expect("not that many");
            let mut batch = vec![
                task(next, true, &vec![7; (next % 13 * 400) as usize]),
                Record::Departure {
                    at: Timestamp(next),
                    to: device(1),
                    task: id(next),
                    kind: TaskKind::Noop,
                    privacy: Privacy::Public,
                    texts,
                    bytes: 1,
                },
            ];
            // Some transactions wait for the disk, most do not.
            if next.is_multiple_of(5) {
                batch.push(Record::Sequence { lane: "direct", reserved: next });
            }
            node.store.commit(next, batch).expect("room");
            next += 1;
            waiting += 1;
        }
        let committed = node.completed.blocking_recv().expect("a completion");
        committed.result.expect("kept");
        waiting -= 1;
        // One write: a line is there whole or not at all.
        std::io::stderr().write_all(format!("{}\n", committed.token).as_bytes()).expect("the parent reads");
    }
}
