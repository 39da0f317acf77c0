//! Credits on real processes: the first one, what is shown of them, and what pays for a task.

use std::time::Instant;

use p2p_tests::{Books, FIRST_CREDIT, Node, network, wait_until, wait_within};
use serde_json::Value;

const TEXT: &str = "a warm and funny film with a fine cast";

/// A new computer in the network of `first`, from the first command on.
fn newcomer(first: &Node) -> Node {
    let node = Node::bare();
    let file = first.beside("test.p2pnet");
    let address = first.status()["listening"][0].as_str().expect("an address").to_owned();
    node.fine(&["init", "--network", &file.to_string_lossy()]);
    node.fine(&["config", "set", "network.bootstrap", &format!("[{address:?}]")]);
    node.up();
    node
}

fn sum(rows: &[Value], of: impl Fn(&Value) -> bool) -> u64 {
    rows.iter().filter(|row| of(row)).filter_map(|row| row["amount"].as_u64()).sum()
}

#[test]
fn the_first_credit_of_a_new_computer_is_settled_within_a_minute() {
    let nodes = network(2);
    let begun = Instant::now();
    let node = newcomer(&nodes[0]);
    let paid = || node.fine(&["wallet", "history"])["rows"].as_array().is_some_and(|rows| rows.iter().any(is_paid));
    wait_within("the first settled credit", FIRST_CREDIT, paid);
    let took = begun.elapsed();
    eprintln!("the first settled credit came {:.1} s after `init`", took.as_secs_f64());
    assert!(took < FIRST_CREDIT, "{took:?}");
    let row = node.paid_work().pop().expect("it was there");
    assert_eq!(row["other"], nodes[0].device(), "the computer that asks canaries paid it");
    assert!(row["amount"].as_u64() > Some(0) && row["granted"] == 0, "{row}");
}

fn is_paid(row: &Value) -> bool {
    row["reason"] == "work" && row["state"] == "settled" && row["direction"] == "in"
}

#[test]
fn the_wallet_commands_agree_with_each_other_and_with_the_notary() {
    let nodes = network(2);
    let node = &nodes[1];
    node.wait_for_credits();
    node.wait_for_rest();

    let wallet = node.wallet();
    let number = |field: &str| wallet[field].as_u64().unwrap_or_else(|| panic!("no {field}: {wallet}"));
    assert_eq!(number("available"), number("earned") + number("granted") + number("free"));
    assert_eq!((number("granted"), number("free")), (130_000_000, 50_000_000));
    assert!(number("earned") > 0 && number("earned") == number("earned_today"), "{wallet}");
    assert_eq!((&wallet["notary"], &wallet["waiting"]), (&"reachable".into(), &Value::Null));
    assert_eq!(wallet["notary_device"], nodes[0].device());
    assert_eq!(nodes[0].wallet()["notary"], "self");
    let shown = node.call(&["wallet", "balance"]).stdout;
    assert!(shown.lines().next().is_some_and(|line| line.ends_with(" credits")), "{shown}");

    let rows = node.rows();
    assert_eq!(rows.len() as u64, number("rows"));
    let moved = |direction: &str| sum(&rows, |row| row["direction"] == direction);
    assert_eq!(moved("in") - moved("out"), number("available"), "the rows make the balance");
    let numbers: Vec<u64> = rows.iter().filter_map(|row| row["number"].as_u64()).collect();
    assert!(numbers.is_sorted_by(|newer, older| newer > older), "{numbers:?}");
    let table = node.call(&["wallet", "history"]).stdout;
    assert!(table.contains("work you did") && table.contains("starter credits"), "{table}");

    let stats = node.fine(&["wallet", "stats", "--days", "7"]);
    assert_eq!(stats["days"].as_array().map(Vec::len), Some(7));
    assert_eq!(stats["total"]["earned"], number("earned"));
    assert_eq!(stats["total"]["granted"], 180_000_000);

    let csv = node.call(&["wallet", "export"]);
    assert_eq!((csv.status, csv.stdout.lines().count()), (0, rows.len() + 1), "{csv:?}");
    let file = node.beside("credits.json");
    node.fine(&["wallet", "export", "--format", "json", "--out", &file.to_string_lossy()]);
    let exported: Vec<Value> = serde_json::from_slice(&std::fs::read(file).expect("written")).expect("JSON");
    assert!(exported.iter().eq(rows.iter().rev()), "oldest first, and the same rows");

    let on = node.verified();
    assert_eq!(on["available"], number("available"));
    assert_eq!(Books::of(&nodes[0]).purse(node), number("available"), "the notary has the same");
    node.down();
    assert_eq!(node.verified(), on, "the same without a daemon");
    assert_eq!(node.call(&["wallet", "balance", "--json"]).code(), "E1001");
}

#[test]
fn outside_a_network_there_is_no_wallet() {
    let node = Node::new();
    let refused = |words: &[&str]| {
        let said = node.call(&[&["wallet"], words, &["--json"]].concat());
        assert_eq!((said.status, said.code().as_str()), (1, "E5001"), "{words:?}: {said:?}");
    };
    refused(&["verify"]);
    node.up();
    for words in ["balance", "history", "stats", "export", "verify"] {
        refused(&[words]);
    }
    node.fine(&["network", "create", "mine"]);
    wait_until("it has a wallet", || node.call(&["wallet", "balance"]).status == 0);
    node.fine(&["network", "leave", "--yes"]);
    wait_until("it has none again", || node.call(&["wallet", "balance", "--json"]).code() == "E5001");
}

#[test]
fn a_paid_task_moves_credits_from_one_wallet_to_the_other() {
    let nodes = network(3);
    let (payer, payee) = (&nodes[1], &nodes[2]);
    payer.wait_for_credits();
    payee.wait_for_credits();
    // Only one can do it: the other asks canaries and keeps the books.
    nodes[0].fine(&["pause"]);
    wait_until("the pause is known", || {
        let peers = payer.status()["peers"].as_array().cloned().unwrap_or_default();
        peers.iter().any(|peer| peer["device_id"] == nodes[0].device() && peer["accepting"] == false)
    });
    payer.wait_for_rest();
    payee.wait_for_rest();

    quoting_runs_nothing(payer);

    let before = (payer.rows(), payee.rows());
    let task = payer.pays("sentiment", TEXT);
    assert_eq!(task["providers"], serde_json::json!([payee.device()]));
    let pending = payee.wallet();
    assert!(pending["pending"].as_u64() > Some(0), "it is known before it is settled: {pending}");
    assert_eq!(Books::of(&nodes[0]).open_holds().len(), 1, "it is paid out of a hold");
    payer.wait_for_rest();
    payee.wait_for_rest();

    let price = 1_400_000 + 4_000 * (TEXT.len() as u64).div_ceil(4);
    let paid = new_rows(payer, &before.0, &payee.device());
    let earned = new_rows(payee, &before.1, &payer.device());
    let reason = |rows: &[Value], reason: &str| sum(rows, |row| row["reason"] == reason);
    assert_eq!(reason(&paid, "hold") - reason(&paid, "returned"), price, "{paid:?}");
    assert_eq!(reason(&paid, "burnt"), price / 20, "{paid:?}");
    assert_eq!(reason(&paid, "work"), price, "{paid:?}");
    assert_eq!((earned.len(), reason(&earned, "work")), (1, price - price / 20), "{earned:?}");
    assert_eq!((&earned[0]["tasks"], &earned[0]["direction"]), (&1.into(), &"in".into()));
    let books = Books::of(&nodes[0]);
    for node in [payer, payee] {
        assert_eq!(node.verified()["available"], books.purse(node));
    }
    assert!(books.notary.ledger().balances());
    assert_eq!((books.open_holds(), books.twice()), (Vec::new(), Vec::new()));
    let wallets: u64 = nodes.iter().map(|node| node.credits("available")).sum();
    let burnt = books.notary.ledger().supply().burnt.micro();
    assert!(books.elsewhere(&nodes) > 4_000_000_000, "the canaries' budget");
    assert_eq!(wallets + burnt + books.elsewhere(&nodes), books.given());

    // What is looked for here and elsewhere would be found.
    let mut books = books;
    books.orders.extend(books.orders.last().cloned());
    assert!(!books.twice().is_empty());
}

fn new_rows(node: &Node, before: &[Value], other: &str) -> Vec<Value> {
    let is_new = |row: &Value| row["other"] == other && before.iter().all(|old| old["id"] != row["id"]);
    node.rows().into_iter().filter(is_new).collect()
}

fn quoting_runs_nothing(node: &Node) {
    let (tasks, left, wallet) = (node.fine(&["task", "list"]), node.fine(&["departures"]), node.credits("available"));
    let words = ["task", "submit", "sentiment", "--text", TEXT, "--privacy", "public", "--quote"];
    let quote = node.fine(&words);
    assert_eq!(quote["price"], 1_400_000 + 4_000 * (TEXT.len() as u64).div_ceil(4));
    assert_eq!((&quote["computers"], &quote["enough"]), (&1.into(), &true.into()), "{quote}");
    assert_eq!(quote["bytes"], TEXT.len());
    let local = node.fine(&["task", "submit", "sentiment", "--text", TEXT, "--quote"]);
    assert_eq!((&local["price"], &local["bytes"]), (&0.into(), &0.into()), "{local}");
    assert_eq!(node.fine(&["task", "list"]), tasks);
    assert_eq!(node.fine(&["departures"]), left);
    assert_eq!(node.credits("available"), wallet);
}
