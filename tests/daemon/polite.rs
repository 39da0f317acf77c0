//! The manners of a real daemon: it works for others when its owner would not mind, says why it does not, and
//! is gone the moment they are back.

use std::time::{Duration, Instant};

use p2p_control::Client;
use p2p_control::api::{SignalReport, SignalTold};
use p2p_tests::{Node, network, wait_within};
use p2p_types::{By, Inhibitor, Reading, SignalKind, Untold};

/// A change that is due is made within this.
const PROMPT: Duration = Duration::from_secs(2);
const LEASE_MS: u64 = 60_000;

/// Somebody who watches the session of a node's owner.
struct Watcher<'a> {
    node: &'a Node,
    name: &'static str,
}

impl Watcher<'_> {
    fn report(&self, lease_ms: u64, told: Vec<SignalTold>) {
        let report = SignalReport { source: self.name.to_owned(), lease_ms, told };
        let socket = p2p_platform_socket(self.node);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let told = runtime.block_on(async { Client::connect(&socket).await?.signals(&report).await });
        told.expect("the daemon hears it");
    }

    fn says(&self, reading: Reading) {
        self.report(LEASE_MS, vec![known(reading)]);
    }

    fn touches(&self) {
        self.says(Reading::Input { idle_ms: 0 });
    }

    fn still_for(&self, idle_ms: u64) {
        self.says(Reading::Input { idle_ms });
    }
}

fn known(reading: Reading) -> SignalTold {
    SignalTold { kind: reading.kind(), by: By::X11, reading: Some(reading), untold: None }
}

fn p2p_platform_socket(node: &Node) -> std::path::PathBuf {
    p2p_platform::Home::at(node.home()).socket()
}

/// A node that works only when nobody uses its computer, in a network with another.
fn guests_when_idle() -> Vec<Node> {
    let nodes = network(2);
    let polite = &nodes[1];
    for (key, value) in [("when", "idle"), ("idle_s", "10")] {
        polite.fine(&["schedule", "set", key, value]);
    }
    nodes
}

fn guest(node: &Node) -> serde_json::Value {
    let schedule = node.fine(&["schedule", "show"]);
    let classes = schedule["classes"].as_array().expect("classes");
    classes.iter().find(|class| class["class"] == "guest").expect("guests").clone()
}

fn works(node: &Node) -> bool {
    guest(node)["runs"] == true
}

fn code(node: &Node) -> String {
    guest(node)["reason"]["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn nobody_who_could_tell_is_said_and_not_guessed() {
    let nodes = guests_when_idle();
    wait_within("the rule", PROMPT, || code(&nodes[1]) == "cannot_tell");
    let sentence = nodes[1].status()["sentence"].as_str().expect("a sentence").to_owned();
    assert_eq!(
        sentence,
        "Waiting: cannot tell whether you are using the computer, nobody watches your session. Resumes when it can."
    );
    nodes[1].fine(&["schedule", "set", "when", "always"]);
    wait_within("work", PROMPT, || works(&nodes[1]));
    let doctor = nodes[1].call(&["doctor"]);
    assert!(doctor.stdout.contains("cannot tell: nobody watches a session"), "{}", doctor.stdout);
}

#[test]
fn it_waits_for_its_owner_to_go_and_stops_as_they_come_back() {
    let nodes = guests_when_idle();
    let (asker, polite) = (&nodes[0], &nodes[1]);
    let owner = Watcher { node: polite, name: "session-1" };
    owner.touches();
    wait_within("the owner", PROMPT, || code(polite) == "owner");
    let sentence = polite.status()["sentence"].as_str().expect("a sentence").to_owned();
    assert_eq!(sentence, "Waiting: you are using the computer. Resumes 10 seconds after you stop.");

    // Nobody touches it any more: after ten seconds it works, and not before.
    owner.still_for(8_500);
    assert!(!works(polite), "{}", polite.call(&["schedule", "why"]).stdout);
    // What could not be told a moment ago is believed after ten seconds.
    wait_within("work once the owner was away for long enough", Duration::from_secs(10) + PROMPT, || works(polite));
    wait_within("the offer", Duration::from_secs(10), || {
        asker.status()["peers"].as_array().is_some_and(|peers| peers.iter().any(|peer| peer["accepting"] == true))
    });

    // Work is under way as the owner comes back: it goes elsewhere, and none of it is lost.
    let task = asker.fine(&["task", "submit", "embed", "--text", &p2p_tests::sentences(400), "--privacy", "public"]);
    let id = task["task_id"].as_str().expect("an id").to_owned();
    wait_within("guests at work", Duration::from_secs(20), || polite.status()["guest_tasks"].as_u64() > Some(0));
    let back = Instant::now();
    owner.touches();
    wait_within("guests gone", PROMPT, || polite.status()["guest_tasks"] == 0);
    eprintln!("guests were gone {} ms after the owner came back, asked by a command", back.elapsed().as_millis());
    assert_eq!(code(polite), "owner");
    wait_within("the task, elsewhere or here", Duration::from_secs(60), || {
        asker.fine(&["task", "show", &id])["state"] == "done"
    });
}

#[test]
fn each_rule_holds_it_back_and_lets_it_go() {
    let nodes = network(2);
    let polite = &nodes[1];
    for (key, value) in [("full_screen", "false"), ("calls", "false"), ("metered", "false"), ("battery_percent", "50")]
    {
        polite.fine(&["schedule", "set", key, value]);
    }
    wait_within("work", PROMPT, || works(polite));
    let owner = Watcher { node: polite, name: "session-1" };
    let cases = [
        ("full_screen", Reading::FullScreen { full_screen: true }, Reading::FullScreen { full_screen: false }, 10),
        (
            "inhibitor",
            Reading::Inhibitor { inhibitor: Some(Inhibitor::Call) },
            Reading::Inhibitor { inhibitor: None },
            30,
        ),
        (
            "battery",
            Reading::Power { mains: false, percent: Some(40), saver: false },
            Reading::Power { mains: true, percent: Some(40), saver: false },
            30,
        ),
        ("metered", Reading::Metered { metered: true }, Reading::Metered { metered: false }, 30),
    ];
    for (rule, forbids, allows, hold_s) in cases {
        owner.says(forbids);
        wait_within(rule, PROMPT, || code(polite) == rule);
        let over = Instant::now();
        owner.says(allows);
        let hold = Duration::from_secs(hold_s);
        wait_within("the end of the hold time", hold + PROMPT, || works(polite));
        assert!(over.elapsed() >= hold, "{rule} let go after {:?}", over.elapsed());
    }
    let timeline = polite.fine(&["schedule", "timeline"]);
    let codes: Vec<_> =
        timeline["changes"].as_array().expect("changes").iter().map(|one| one["code"].clone()).collect();
    for (rule, ..) in [("full_screen", 0), ("inhibitor", 0), ("battery", 0), ("metered", 0)] {
        assert!(codes.contains(&rule.into()), "{rule} is not in {codes:?}");
    }
}

#[test]
fn a_source_that_dies_is_not_believed_for_long() {
    let nodes = guests_when_idle();
    let polite = &nodes[1];
    let owner = Watcher { node: polite, name: "session-1" };
    owner.report(15_000, vec![known(Reading::Input { idle_ms: 600_000 })]);
    wait_within("work", Duration::from_secs(10) + PROMPT, || works(polite));
    wait_within("the end of its lease", Duration::from_secs(5) + PROMPT, || !works(polite));
    assert_eq!(guest(polite)["reason"]["code"], "cannot_tell");
    // One that says that it cannot tell is believed at once, and one that says goodbye, too.
    owner.report(LEASE_MS, vec![known(Reading::Input { idle_ms: 600_000 })]);
    wait_within("work", Duration::from_secs(10) + PROMPT, || works(polite));
    let untold = SignalTold { kind: SignalKind::Input, by: By::X11, reading: None, untold: Some(Untold::Failed) };
    owner.report(LEASE_MS, vec![untold]);
    wait_within("an honest word", PROMPT, || code(polite) == "cannot_tell");
}

#[test]
fn a_pause_by_hand_comes_first_and_the_day_is_on_record() {
    let nodes = network(2);
    let polite = &nodes[1];
    wait_within("work", PROMPT, || works(polite));
    polite.fine(&["pause", "--until-tomorrow"]);
    assert_eq!(code(polite), "by_hand");
    let own = polite.fine(&["task", "submit", "sentiment", "--text", "mine", "--where", "local", "--wait"]);
    assert_eq!(own["state"], "done", "the owner's own tasks still run");
    polite.down();
    polite.up();
    assert_eq!(code(polite), "by_hand", "a pause outlives the process");
    polite.fine(&["resume"]);
    wait_within("work", PROMPT, || works(polite));
    let timeline = polite.fine(&["schedule", "timeline"]);
    let changes = timeline["changes"].as_array().expect("changes");
    let codes: Vec<_> = changes.iter().filter_map(|one| one["code"].as_str()).collect();
    assert!(codes.contains(&"by_hand") && codes.contains(&"stopped"), "{codes:?}");
    assert_eq!(changes.last().map(|one| one["runs"].clone()), Some(true.into()));
}

#[test]
fn rules_that_exclude_each_other_keep_a_daemon_from_starting_and_name_the_line() {
    let node = Node::new();
    let file = node.home().join("agent.yaml");
    let text = "schedule:\n  when: always\n  # nights\n  hours: mon 22:00-06:00\n";
    std::fs::write(&file, text).expect("written");
    let said = node.call(&["up"]);
    assert!(
        said.stderr.contains("agent.yaml, line 4") && said.stderr.contains("exclude each other"),
        "{}",
        said.stderr
    );
    std::fs::write(&file, "schedule:\n  cpu_percent: 0\n").expect("written");
    let said = node.call(&["up"]);
    assert!(said.stderr.contains("agent.yaml, line 2") && said.stderr.contains("from 1 to 100"), "{}", said.stderr);
}
