//! Kill -9 again and again under a steady load of paid tasks, and a notary whose disk is full: no credit is
//! lost, none is made, and nothing is certified twice.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use p2p_tests::{Books, Node, network, signal, wait_until, wait_within};

const TEXT: &str = "a warm and funny film with a fine cast";
/// Kills in the suite; `P2P_AGENT_KILLS` asks for another number.
const KILLS: usize = 24;
/// Every hold is settled, or given back by its payee, within this time after the last word about it.
const HOLDS_END: Duration = Duration::from_secs(120);

/// Chance that can be repeated.
struct Dice(u64);

impl Dice {
    /// The seed is `P2P_AGENT_SEED`, or a new one.
    fn new() -> Self {
        let given = std::env::var("P2P_AGENT_SEED").ok().and_then(|seed| seed.parse().ok());
        Self(given.unwrap_or_else(|| RandomState::new().build_hasher().finish()))
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Kills one of them, or stops it for a while, and has it running again.
fn disturb(dice: &mut Dice, nodes: &[Node]) -> bool {
    let node = &nodes[usize::try_from(dice.below(nodes.len() as u64)).expect("small")];
    let pid = node.pid();
    let kills = dice.below(8) != 0;
    if kills {
        signal(pid, "-KILL");
        wait_until("it is gone", || node.call(&["status"]).status == 3);
        std::thread::sleep(Duration::from_millis(dice.below(400)));
        node.up();
    } else {
        signal(pid, "-STOP");
        std::thread::sleep(Duration::from_millis(1000 + dice.below(3000)));
        signal(pid, "-CONT");
    }
    std::thread::sleep(Duration::from_millis(dice.below(900)));
    kills
}

#[test]
fn no_kill_loses_or_makes_a_credit() {
    let kills = std::env::var("P2P_AGENT_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let mut dice = Dice::new();
    eprintln!("P2P_AGENT_SEED={}", dice.0);
    // The first keeps the books, the second pays, the others work.
    let nodes = network(4);
    for node in &nodes[1..] {
        node.wait_for_credits();
    }
    let (stop, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                // While the payer is down, or nobody can be asked, a task comes to nothing.
                if nodes[1].ask("embed", TEXT).status == 0 {
                    done.fetch_add(1, Ordering::Relaxed);
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        // Whatever goes wrong in here must not leave the load running.
        let stopping = Stopping(&stop);
        let mut killed = 0;
        while killed < kills {
            killed += usize::from(disturb(&mut dice, &nodes));
        }
        drop(stopping);
    });
    let done = done.into_inner();
    eprintln!("{kills} kills in {:.0} s, {done} tasks done meanwhile", begun.elapsed().as_secs_f64());
    assert!(done > kills, "{done} tasks were done");
    wait_within("all are connected", Duration::from_secs(60), || nodes.iter().all(|node| node.connected() == 3));
    let resting = Instant::now();
    wait_within("all holds are over", HOLDS_END, || {
        std::thread::sleep(Duration::from_millis(500));
        Books::of(&nodes[0]).open_holds().is_empty()
    });
    eprintln!("all holds are over after {:.0} s", resting.elapsed().as_secs_f64());
    eprintln!("{}", all_adds_up(&nodes));
    let log = nodes.iter().map(Node::written_down).collect::<String>();
    // Whoever starts every second introduces others more often than anybody wants to hear, and is forgiven.
    let forgiven = |line: &str| line.contains("there are too many of them");
    let accused: Vec<&str> = log.lines().filter(|line| line.contains("refused a message") && !forgiven(line)).collect();
    assert!(accused.is_empty(), "{accused:#?}");
}

struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Every wallet agrees with itself and with the notary, and together they are what the rules gave. Gives what was
/// done, in words.
fn all_adds_up(nodes: &[Node]) -> String {
    for node in nodes {
        node.wait_for_rest();
    }
    wait_until("all have heard all", || {
        let books = Books::of(&nodes[0]);
        nodes.iter().all(|node| node.credits("available") == books.purse(node))
    });
    let books = Books::of(&nodes[0]);
    let (ledger, supply) = (books.notary.ledger(), books.notary.ledger().supply());
    assert_eq!(books.open_holds(), []);
    assert_eq!(books.twice(), Vec::<String>::new());
    assert!(ledger.balances(), "{supply:?}");
    let mut there = books.elsewhere(nodes) + supply.burnt.micro() + supply.lapsed.micro();
    let mut paid = 0;
    for node in nodes {
        there += node.verified()["available"].as_u64().expect("a number");
        let stats = node.fine(&["wallet", "stats"]);
        paid += stats["total"]["tasks_paid"].as_u64().expect("a number");
        assert_eq!(stats["total"]["granted"], granted(node), "{stats}");
    }
    assert_eq!(there, books.given(), "what was given is what there is");
    assert_eq!(books.given(), supply.minted.micro());
    assert!(paid > 0, "nothing was paid");
    format!("{} orders, {paid} settled tasks, {} burnt", books.orders.len(), supply.burnt)
}

/// What the rules gave to a node, by its rows.
fn granted(node: &Node) -> u64 {
    let is = |row: &serde_json::Value| ["starter", "ramp", "free"].iter().any(|reason| row["reason"] == *reason);
    node.rows().iter().filter(|row| is(row)).filter_map(|row| row["amount"].as_u64()).sum()
}

/// A small disk that only this node's daemon sees, for as long as this value lives.
struct SmallDisk {
    holder: Child,
    data: PathBuf,
}

impl SmallDisk {
    /// Moves what is in the node's data folder there. `None` where this user may mount nothing.
    fn under(node: &Node) -> Option<Self> {
        let data = node.home().join("data");
        let ready = node.beside("ready");
        let script = "mount -t tmpfs -o size=16m tmpfs \"$1.small\" && cp -a \"$1/.\" \"$1.small\" \
                      && mount --move \"$1.small\" \"$1\" && touch \"$2\" && exec sleep 600";
        std::fs::create_dir(node.home().join("data.small")).expect("made");
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, "sh"]).arg(&data).arg(&ready);
        let mut holder = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let end = Instant::now() + Duration::from_secs(5);
        while !ready.exists() {
            if holder.try_wait().ok()?.is_some() || Instant::now() > end {
                let _ = holder.kill();
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { holder, data })
    }

    /// Calls `p2p-agent` where the disk is seen.
    fn call(&self, node: &Node, words: &[&str]) {
        let agent = node.command("p2p-agent");
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &self.holder.id().to_string()]).arg(agent.get_program());
        let said = command.args(agent.get_args()).args(words).stdin(Stdio::null()).output().expect("nsenter is there");
        assert!(said.status.success(), "{words:?}: {said:?}");
    }

    /// The data folder as the daemon sees it.
    fn seen(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.data.strip_prefix("/").expect("absolute"))
    }

    fn fill(&self) {
        let content = vec![1; 64 * 1024 * 1024];
        let filled = std::fs::write(self.seen().join("ballast"), content);
        assert!(filled.is_err(), "the disk is not full");
    }

    fn empty(&self) {
        std::fs::remove_file(self.seen().join("ballast")).expect("removed");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It ends with the daemon and with this process.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

#[test]
fn a_notary_whose_disk_is_full_says_so_and_nobody_loses_a_credit() {
    let nodes = network(3);
    let (notary, payer) = (&nodes[0], &nodes[1]);
    for node in &nodes[1..] {
        node.wait_for_credits();
    }
    for node in &nodes {
        node.wait_for_rest();
    }
    notary.down();
    let Some(disk) = SmallDisk::under(notary) else {
        eprintln!("skipped: this user may mount no disk of its own");
        return;
    };
    disk.call(notary, &["up"]);
    wait_until("all are connected", || nodes.iter().all(|node| node.connected() == 2));
    let all = |node: &Node| node.credits("available") + node.credits("held");
    let before: Vec<u64> = nodes.iter().map(all).collect();

    disk.fill();
    wait_within("the notary says so", Duration::from_secs(60), || {
        // The hold for it is the first order that cannot be written. Work goes on.
        payer.pays("sentiment", TEXT);
        let waiting = notary.wallet()["waiting"].as_str().unwrap_or_default().to_owned();
        waiting.contains("books cannot be written")
    });
    // The last holds may have found room yet. Nobody is paid any more.
    assert_eq!(nodes.iter().map(all).collect::<Vec<_>>(), before, "nobody lost anything");
    for node in &nodes[1..] {
        node.verified();
    }

    disk.empty();
    disk.call(notary, &["down"]);
    disk.call(notary, &["up"]);
    wait_until("all are connected", || nodes.iter().all(|node| node.connected() == 2));
    let paid = || payer.rows().iter().any(|row| row["reason"] == "work" && row["direction"] == "note");
    wait_within("credits move again", Duration::from_secs(90), || {
        payer.pays("sentiment", TEXT);
        std::thread::sleep(Duration::from_secs(6));
        paid()
    });
    // Back to the folder itself, where the books are read.
    for node in &nodes {
        node.wait_for_rest();
    }
    disk.call(notary, &["down"]);
    let copied = Command::new("cp").arg("-a").arg(disk.seen().join(".")).arg(notary.home().join("data")).status();
    assert!(copied.expect("cp is there").success());
    drop(disk);
    notary.up();
    wait_until("all are connected", || nodes.iter().all(|node| node.connected() == 2));
    wait_within("all holds are over", HOLDS_END, || Books::of(notary).open_holds().is_empty());
    eprintln!("{}", all_adds_up(&nodes));
}
