//! Credits, as people and as programs are told of them.

use std::collections::BTreeSet;

use crate::credits::{Credits, wallet};
use crate::engine::{Engine, Script};
use crate::node::Node;
use crate::samples::{PEER, TASK};

fn with_engine(credits: Credits) -> (Node, Engine) {
    let node = Node::new();
    let engine = Engine::start(&node.home(), Script { credits, ..Script::default() });
    (node, engine)
}

#[test]
fn the_balance_comes_first_and_what_waits_last() {
    let (node, _engine) = with_engine(Credits::default());
    let said = node.run(&["wallet", "balance"]).expect_status(0).stdout;
    let expected = format!(
        "\
12.4 credits

For any use  2.4
For tasks    9, given by the network, or paid by others with what they were given
Free today   1, for tasks, until midnight UTC
Set aside    3, for work that others do now; what is not used comes back
Pending      1.33, for work you did, until the notary confirms it
Today        1.4 earned, 0.3 spent
Your limits  5 a day
Network      home [2J
Notary       {}, cannot be reached now
Confirmed    2025-11-20 13:48:02Z

1.33 credits are pending until the notary's computer is on.
",
        PEER.short()
    );
    assert_eq!(said, expected);
    let document = node.run(&["wallet", "balance", "--json"]).expect_status(0).json();
    assert_eq!(document, serde_json::to_value(wallet()).expect("JSON"));
}

#[test]
fn the_history_is_a_table_and_says_how_to_go_on() {
    let (node, _engine) = with_engine(Credits { rows: 7, ..Credits::default() });
    let ran = node.run(&["wallet", "history", "--limit", "6"]).expect_status(0);
    let peer = PEER.short();
    let expected = format!(
        "\
TIME                       CREDITS  STATE      WHAT FOR              WITH      TASK
2025-11-20 13:48:09Z     +10        settled    starter credits
2025-11-20 13:48:08Z      -1        lapsed     day's credits unused
2025-11-20 13:48:07Z      +0.000001 pending    work you did          {peer}  3f3f3f3f
2025-11-20 13:48:06Z       0.02     burnt      a share of that       {peer}
2025-11-20 13:48:05Z      +1.33     settled    work you did          {peer}  3f3f3f3f and 2 more
2025-11-20 13:48:04Z  -1,240        set aside  work by others        {peer}  3f3f3f3f
"
    );
    let squeezed = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(squeezed(&ran.stdout), squeezed(&expected), "{}", ran.stdout);
    let points: BTreeSet<_> = ran.stdout.lines().filter_map(|line| line.find("0.02").or(line.find("1.33"))).collect();
    assert_eq!(points.len(), 1, "the points stand under one another: {}", ran.stdout);
    assert!(ran.stderr.contains("`p2p-agent wallet history --before 6`"), "{}", ran.stderr);

    let last = node.run(&["wallet", "history", "--before", "6"]).expect_status(0);
    assert_eq!((last.stdout.lines().count(), last.stderr.as_str()), (2, ""), "{last:?}");
    let none = node.run(&["wallet", "history", "--before", "3"]).expect_status(0);
    assert_eq!(none.stdout, "There is nothing older.\n");
    let whole = node.run(&["wallet", "history", "--verbose"]).expect_status(0).stdout;
    assert!(whole.contains(&TASK.to_string()) && whole.contains("Row 7") && whole.contains("NUMBER"), "{whole}");
    assert!(!whole.contains('\u{202e}'), "{whole:?}");

    let document = node.run(&["wallet", "history", "--limit", "1", "--json"]).expect_status(0).json();
    assert_eq!((&document["rows"][0]["number"], &document["next"]), (&21.into(), &21.into()));
    for wrong in ["0", "501", "-1", "many"] {
        node.run(&["wallet", "history", "--limit", wrong]).expect_error("E1015", 1);
    }
}

#[test]
fn a_new_wallet_has_no_history() {
    let (node, _engine) = with_engine(Credits::default());
    assert_eq!(node.run(&["wallet", "history"]).expect_status(0).stdout, "No credits have moved yet.\n");
    let table = node.run(&["wallet", "export"]).expect_status(0).stdout;
    assert_eq!(table.lines().count(), 1, "{table}");
    assert_eq!(node.run(&["wallet", "export", "--json"]).expect_status(0).stdout, "[]\n");
}

#[test]
fn days_are_a_line_each_with_a_sum() {
    let (node, _engine) = with_engine(Credits::default());
    let said = node.run(&["wallet", "stats", "--days", "2"]).expect_status(0).stdout;
    let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[1], ["2026-11-01", "-", "-", "-", "-", "-", "-", "-"], "{said}");
    assert_eq!(lines[2], ["2026-11-02", "1.33", "10", "-", "0.02", "-", "3", "-"], "{said}");
    assert_eq!(lines[3], ["2", "days", "1.33", "10", "-", "0.02", "-", "3", "-"], "{said}");
    assert_eq!(lines.len(), 4, "{said}");
    let document = node.run(&["wallet", "stats", "--json"]).expect_status(0).json();
    assert_eq!(document["days"].as_array().map(Vec::len), Some(30), "thirty days where nobody says how many");
    assert_eq!(document["total"]["earned"], 1_330_000);
    for wrong in ["0", "367", "-1"] {
        node.run(&["wallet", "stats", "--days", wrong]).expect_error("E1015", 1);
    }
}

#[test]
fn outside_a_network_there_is_no_wallet() {
    let (node, _engine) = with_engine(Credits { outside: true, rows: 3, ..Credits::default() });
    let file = node.folder.path().join("credits.csv");
    let file = file.to_str().expect("UTF-8");
    for command in [&["balance"][..], &["history"], &["stats"], &["export"], &["export", "--out", file], &["verify"]] {
        let arguments = [&["wallet"], command].concat();
        let ran = node.run(&arguments);
        ran.expect_error("E5001", 1);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("p2p-agent network join"), "{ran:?}");
        node.run(&[&arguments[..], &["--json"]].concat()).expect_json_error("E5001", 1);
    }
    assert!(!std::path::Path::new(file).exists(), "no empty file is left");
}

#[test]
fn without_a_daemon_only_the_check_works() {
    let node = Node::set_up();
    for command in ["balance", "history", "stats", "export"] {
        node.run(&["wallet", command]).expect_error("E1001", 3);
    }
    node.run(&["wallet", "verify"]).expect_error("E5001", 1);
    node.run(&["wallet", "verify", "--json"]).expect_json_error("E5001", 1);
}

#[test]
fn a_wallet_that_adds_up_is_fine_and_one_that_does_not_is_an_error() {
    let (node, _engine) = with_engine(Credits::default());
    let said = node.run(&["wallet", "verify"]).expect_status(0).stdout;
    let expected = "\
The wallet adds up.

Available  12.4
Set aside  3
Checked    7 certificates, 1 row
";
    assert_eq!(said, expected);
    assert_eq!(node.run(&["wallet", "verify", "--json"]).expect_status(0).json()["agrees"], true);

    let problems = vec!["Row 3 has no certificate".to_owned()];
    let (node, _engine) = with_engine(Credits { problems, ..Credits::default() });
    let ran = node.run(&["wallet", "verify"]);
    ran.expect_error("E5005", 1);
    assert!(ran.stdout.starts_with("The wallet does not add up.\n"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("\nRow 3 has no certificate\n"), "{}", ran.stdout);
    let document = node.run(&["wallet", "verify", "--json"]).expect_status(1).json();
    assert_eq!((&document["agrees"], &document["problems"][0]), (&false.into(), &"Row 3 has no certificate".into()));
}

#[test]
fn a_quote_says_what_it_would_cost_and_submits_nothing() {
    let (node, engine) = with_engine(Credits { price: 40_000, ..Credits::default() });
    let submit = ["task", "submit", "sentiment", "--text", "good", "--text", "bad", "--privacy", "public", "--quote"];
    let ran = node.run(&submit).expect_status(0);
    let expected = "\
Two other computers would share the work.

Price        at most 0.04 credits
Available    12.4 credits
Texts        2
Would leave  7 bytes of text, to at most 2 other computers
";
    assert_eq!(ran.stdout, expected);
    assert!(ran.stderr.starts_with("Nothing was run.") && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    let document = node.run(&[&submit[..], &["--json"]].concat()).expect_status(0).json();
    assert_eq!((&document["price"], &document["enough"]), (&40_000.into(), &true.into()));
    assert!(engine.asked.lock().expect("no panic").submitted.is_empty());
    node.run(&[&submit[..], &["--wait"]].concat()).expect_error("E1015", 1);
}

#[test]
fn a_quote_above_what_is_there_says_so_and_one_for_here_costs_nothing() {
    let submit = ["task", "submit", "sentiment", "--text", "good", "--quote"];
    let (node, _engine) = with_engine(Credits { price: 12_400_001, ..Credits::default() });
    let ran = node.run(&submit).expect_status(0);
    assert!(ran.stderr.starts_with("Warning: That cannot be paid now"), "{}", ran.stderr);
    let (node, _engine) = with_engine(Credits::default());
    let ran = node.run(&submit).expect_status(0);
    assert!(ran.stdout.contains("Price        nothing\n") && !ran.stderr.contains("Warning"), "{ran:?}");
    assert!(ran.stdout.contains("Would leave  nothing\n"), "{}", ran.stdout);
}
