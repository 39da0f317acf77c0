//! One owner with two computers, and a computer that was put back to an older state.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use p2p_tests::{Books, Node, network, sentences, wait_until, wait_within};

const PASSPHRASE: &str = "four words of no kind\n";
const TEXT: &str = "a warm and funny film with a fine cast";

/// Whatever says that somebody broke the rules.
fn nobody_is_accused(nodes: &[Node]) {
    for node in nodes {
        let log = node.written_down();
        let accused: Vec<&str> =
            log.lines().filter(|line| line.contains("refused a message") || line.contains("banned")).collect();
        assert!(accused.is_empty(), "{}: {accused:#?}", node.device());
        assert_eq!(node.connected(), nodes.len() - 1, "{}", node.status());
    }
}

/// Pays until the payer's wallet has at least so many more settled tasks.
fn pay(payer: &Node, times: usize) {
    let settled = || payer.rows().iter().filter(|row| row["reason"] == "work" && row["direction"] == "note").count();
    let wanted = settled() + times;
    wait_within("paid tasks", Duration::from_secs(60), || {
        payer.pays("sentiment", TEXT);
        // A session that nobody uses for 5 s is settled.
        std::thread::sleep(Duration::from_secs(6));
        settled() >= wanted
    });
}

fn books_agree(nodes: &[Node]) {
    for node in nodes {
        node.wait_for_rest();
    }
    let books = Books::of(&nodes[0]);
    assert!(books.notary.ledger().balances());
    assert_eq!(books.twice(), Vec::<String>::new());
    for node in nodes {
        let check = node.verified();
        assert_eq!(check["available"], books.purse(node), "{}", node.device());
        assert_eq!(node.credits("available"), books.purse(node));
    }
}

#[test]
fn two_computers_of_one_owner_earn_side_by_side_and_see_each_others_credits() {
    let mut nodes = network(3);
    let (first, address) = (&nodes[1], nodes[0].status()["listening"][0].as_str().expect("an address").to_owned());
    let file = first.beside("owner.p2pid");
    let file = file.to_str().expect("UTF-8");
    let exported = first.call_with_input(&["identity", "export", file], PASSPHRASE);
    assert_eq!(exported.status, 0, "{exported:?}");

    let second = Node::new();
    let imported = second.call_with_input(&["identity", "import", file], PASSPHRASE);
    assert_eq!(imported.status, 0, "{imported:?}");
    second.fine(&["network", "join", &nodes[0].beside("test.p2pnet").to_string_lossy()]);
    second.fine(&["config", "set", "network.bootstrap", &format!("[{address:?}]")]);
    second.up();
    let account = |node: &Node| node.fine(&["identity", "show"])["account_id"].clone();
    assert_eq!(account(&second), account(first));
    assert_ne!(second.device(), first.device());
    nodes.push(second);
    wait_until("all are connected", || nodes.iter().all(|node| node.connected() == 3));

    // A canary of the owner's comes to one of them, the next one minutes later. So another pays both.
    nodes[2].wait_for_credits();
    nodes[0].fine(&["pause"]);
    let texts = nodes[2].beside("texts");
    std::fs::write(&texts, sentences(128)).expect("written");
    wait_within("both earned", Duration::from_secs(60), || {
        let words = ["task", "submit", "embed", "--file", &texts.to_string_lossy(), "--privacy", "public"];
        nodes[2].fine(&[words.as_slice(), &["--where", "network", "--wait"]].concat());
        std::thread::sleep(Duration::from_secs(6));
        let paid_by_it = |node: &Node| node.paid_work().iter().any(|row| row["other"] == nodes[2].device());
        [&nodes[1], &nodes[3]].iter().all(|node| paid_by_it(node))
    });
    books_agree(&nodes);
    let given = |reason: &str| {
        let rows = nodes[1].rows().into_iter().chain(nodes[3].rows());
        rows.filter(|row| row["reason"] == reason).count()
    };
    assert_eq!((given("starter"), given("ramp"), given("free")), (1, 1, 1));
    let sees = |one: usize, other: usize| {
        wait_until("it sees the other's credits", || nodes[one].credits("others") == nodes[other].credits("available"));
    };
    // What a computer heard last of the other: it asks again when it comes back.
    for node in [&nodes[1], &nodes[3]] {
        node.down();
        node.up();
    }
    wait_until("all are connected", || nodes.iter().all(|node| node.connected() == 3));
    sees(1, 3);
    sees(3, 1);
    assert_eq!(nodes[2].credits("others"), 0);

    // Work between one's own computers costs nothing; work by others is paid by either.
    let own = nodes[1].wallet();
    nodes[2].fine(&["pause"]);
    wait_until("the pauses are known", || {
        let peers = nodes[1].status()["peers"].as_array().cloned().unwrap_or_default();
        peers.iter().filter(|peer| peer["accepting"] == true).count() == 1
    });
    let task = nodes[1].pays("sentiment", TEXT);
    assert_eq!(task["providers"], serde_json::json!([nodes[3].device()]));
    assert_eq!(nodes[1].credits("available"), own["available"].as_u64().expect("a number"));
    assert_eq!(nodes[3].credits("pending"), 0);
    books_agree(&nodes);
    nobody_is_accused(&nodes);
}

#[test]
fn a_home_put_back_to_an_older_copy_learns_what_it_did_since_and_signs_nothing_twice() {
    let nodes = network(3);
    let payer = &nodes[1];
    payer.wait_for_credits();
    nodes[2].wait_for_credits();
    // It pays, and is paid: both kinds of rows are missing in the copy.
    pay(payer, 1);
    payer.down();
    let copy = payer.beside("copy");
    copy_folder(&payer.home(), &copy);
    payer.up();
    all_connected(&nodes);
    pay(payer, 2);
    earn(&nodes);
    books_agree(&nodes);
    let (orders, rows) = (Books::of(&nodes[0]).orders.len(), payer.rows());

    payer.down();
    std::fs::remove_dir_all(payer.home()).expect("removed");
    copy_folder(&copy, &payer.home());
    let old = payer.verified();
    assert!(old["rows"].as_u64() < Some(rows.len() as u64), "the copy is older: {old}");
    payer.up();
    all_connected(&nodes);
    wait_until("it caught up", || payer.credits("rows") == rows.len() as u64);
    let ids = |rows: &[serde_json::Value]| rows.iter().map(|row| row["id"].to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&payer.rows()), ids(&rows), "the same rows in the same order");
    books_agree(&nodes);
    pay(payer, 1);
    earn(&nodes);
    books_agree(&nodes);
    assert!(Books::of(&nodes[0]).orders.len() > orders);
    nobody_is_accused(&nodes);
}

/// The second computer is paid by the third.
fn earn(nodes: &[Node]) {
    let from = nodes[2].device();
    let earned = || nodes[1].paid_work().iter().filter(|row| row["other"] == from.as_str()).count();
    let before = earned();
    nodes[0].fine(&["pause"]);
    wait_within("it is paid", Duration::from_secs(60), || {
        nodes[2].pays("sentiment", TEXT);
        std::thread::sleep(Duration::from_secs(6));
        earned() > before
    });
    nodes[0].fine(&["resume"]);
}

fn all_connected(nodes: &[Node]) {
    wait_until("all are connected", || nodes.iter().all(|node| node.connected() == nodes.len() - 1));
}

/// With owners, modes and times, as a backup keeps them.
fn copy_folder(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp is there");
    assert!(copied.success());
}
