//! What is damaged: a wallet that somebody changed, and the books of a notary.

use std::path::Path;
use std::time::Duration;

use p2p_tests::{Books, Node, log_of, network, wait_until, wait_within};

const TEXT: &str = "a warm and funny film with a fine cast";

/// Turns a bit of every copy of `bytes` in a file.
fn damage(path: &Path, bytes: &[u8]) -> usize {
    let mut content = std::fs::read(path).expect("read");
    let found: Vec<usize> =
        content.windows(bytes.len()).enumerate().filter(|(_, part)| *part == bytes).map(|(at, _)| at).collect();
    found.iter().for_each(|at| content[*at] ^= 1);
    std::fs::write(path, content).expect("written");
    found.len()
}

#[test]
fn a_wallet_that_somebody_changed_does_not_verify_and_learns_the_truth_again() {
    let nodes = network(2);
    let node = &nodes[1];
    node.wait_for_credits();
    node.wait_for_rest();
    let right = node.verified();
    let database = node.home().join("data").join("node.sqlite");
    let whole = {
        node.down();
        std::fs::read(&database).expect("read")
    };
    let refused = |word: &str| {
        let said = node.call(&["wallet", "verify", "--json"]);
        assert_eq!((said.status, &said.json()["agrees"]), (1, &false.into()), "{said:?}");
        let problems = said.json()["problems"].to_string();
        assert!(problems.contains(word), "{word}: {problems}");
        let shown = node.call(&["wallet", "verify"]);
        assert!(shown.stdout.contains(word) && shown.stderr.contains("E5005"), "{shown:?}");
    };

    // A row that says more than was paid.
    let row = node_row(&whole);
    assert!(damage(&database, &row) > 0);
    refused("says something else than its certificate");
    std::fs::write(&database, &whole).expect("written");
    assert_eq!(node.verified(), right);

    // A certificate, in its signature.
    let books = Books::of(&nodes[0]);
    let device = node.device();
    let first =
        books.orders.iter().find(|certified| certified.order.lane.device.to_string() == device).expect("its own");
    assert!(damage(&database, &first.certificate[40..104]) > 0, "the certificate is on disk");
    refused("Certificate 0 does not hold");

    // The notary has it still.
    node.up();
    wait_until("the wallet is whole again", || {
        let said = node.call(&["wallet", "verify", "--json"]);
        said.status == 0 && said.json()["available"].as_u64() >= right["available"].as_u64()
    });
    assert_eq!(node.credits("rows"), node.rows().len() as u64);
    node.wait_for_rest();
    assert_eq!(Books::of(&nodes[0]).purse(node), node.credits("available"));
}

/// The beginning of the amount of the oldest row that pays for work, as it stands in the database.
fn node_row(database: &[u8]) -> Vec<u8> {
    let text = b"\"direction\":\"in\",\"amount\":";
    let at = database.windows(text.len()).position(|part| part == text).expect("a row");
    database[at + text.len()..at + text.len() + 40].to_vec()
}

#[test]
fn a_notary_with_damaged_books_says_so_and_moves_no_credit_until_they_are_mended() {
    let nodes = network(3);
    let (notary, payer) = (&nodes[0], &nodes[1]);
    payer.wait_for_credits();
    nodes[2].wait_for_credits();
    payer.wait_for_rest();
    notary.down();
    let log = log_of(notary);
    let whole = std::fs::read(&log).expect("read");
    let mut damaged = whole.clone();
    damaged[200] ^= 1;
    std::fs::write(&log, &damaged).expect("written");
    notary.up();
    wait_until("it says so", || {
        notary.wallet()["waiting"]
            .as_str()
            .is_some_and(|said| said.contains("books cannot be opened") && said.contains("damaged"))
    });
    wait_until("all are connected", || nodes.iter().all(|node| node.connected() == 2));
    let (rows, available) = (payer.credits("rows"), payer.credits("available"));
    // Among people who know each other work is done for nothing, too.
    payer.pays("sentiment", TEXT);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((payer.credits("rows"), payer.credits("available")), (rows, available), "no credit moved");
    assert_eq!(std::fs::read(&log).expect("read"), damaged, "the books stay as they were found");
    notary.down();
    std::fs::write(&log, &whole).expect("written");
    notary.up();
    wait_until("all are connected", || nodes.iter().all(|node| node.connected() == 2));
    paid_again(&nodes);
}

/// Credits move: the payer orders a hold, and the payee settles it.
fn paid_again(nodes: &[Node]) {
    let payer = &nodes[1];
    let before = payer.rows().len();
    wait_within("a paid task", Duration::from_secs(60), || {
        payer.pays("sentiment", TEXT);
        payer.rows().len() > before
    });
    for node in nodes {
        node.wait_for_rest();
        node.verified();
    }
    let books = Books::of(&nodes[0]);
    assert!(payer.rows().iter().any(|row| row["reason"] == "work" && row["direction"] == "note"), "nothing was paid");
    assert!(books.notary.ledger().balances());
    assert_eq!(books.twice(), Vec::<String>::new());
    for node in nodes {
        assert_eq!(books.purse(node), node.credits("available"), "{}", node.device());
    }
}

#[test]
fn books_that_lost_their_end_are_made_whole_by_those_who_have_its_certificates() {
    let nodes = network(3);
    let (notary, payer) = (&nodes[0], &nodes[1]);
    payer.wait_for_credits();
    nodes[2].wait_for_credits();
    notary.fine(&["pause"]);
    payer.pays("sentiment", TEXT);
    for node in &nodes {
        node.wait_for_rest();
    }
    let before = Books::of(notary);
    // All of them: what the others have of it is on their disks.
    nodes.iter().for_each(Node::down);
    let log = log_of(notary);
    let whole = std::fs::read(&log).expect("read");
    std::fs::write(&log, &whole[..whole.len() - 10]).expect("written");
    nodes.iter().for_each(Node::up);
    let warned = notary.status()["warnings"].to_string();
    assert!(warned.contains("The end of the network's books was damaged"), "{warned}");
    let mut cut = log.into_os_string();
    cut.push(".cut-1");
    assert!(whole[..whole.len() - 10].ends_with(&std::fs::read(cut).expect("kept beside it")));
    wait_until("all are connected", || nodes.iter().all(|node| node.connected() == 2));
    paid_again(&nodes);
    let after = Books::of(notary);
    for certified in &before.orders {
        let id = certified.order.id;
        assert!(after.orders.iter().any(|other| other.order.id == id), "order {id} is lost");
    }
}
