//! The whole history in a file or a pipe.

use serde_json::Value;

use crate::credits::Credits;
use crate::engine::{Engine, Script};
use crate::node::Node;

const HEAD: &str = "number,time,direction,credits,granted,reason,state,other,task,tasks,detail,id";

fn with_engine(credits: Credits) -> (Node, Engine) {
    let node = Node::new();
    let engine = Engine::start(&node.home(), Script { credits, ..Script::default() });
    (node, engine)
}

fn numbers(document: &Value) -> Vec<u64> {
    document.as_array().expect("a list").iter().map(|row| row["number"].as_u64().expect("a number")).collect()
}

#[test]
fn every_row_is_there_once_and_the_oldest_first() {
    for rows in [1, 499, 500, 501, 1000, 1234] {
        let (node, _engine) = with_engine(Credits { rows, ..Credits::default() });
        let document = node.run(&["wallet", "export", "--json"]).expect_status(0).json();
        let expected: Vec<u64> = (1..=rows).map(|place| place * 3).collect();
        assert_eq!(numbers(&document), expected, "{rows} rows");
        let table = node.run(&["wallet", "export"]).expect_status(0).stdout;
        let first: Vec<u64> =
            table.split("\r\n").skip(1).filter_map(|line| line.split(',').next()?.parse().ok()).collect();
        assert_eq!(first, expected, "{rows} rows");
    }
}

/// Nothing is written twice, and nothing that stayed is left out.
#[test]
fn rows_may_be_settled_while_they_are_written() {
    for after in 1..=4 {
        let (node, _engine) = with_engine(Credits { rows: 1700, settles_after: Some(after), ..Credits::default() });
        let document = node.run(&["wallet", "export", "--json"]).expect_status(0).json();
        let found = numbers(&document);
        assert!(found.is_sorted_by(|one, next| one < next), "after {after} pages");
        let gone = 851 * 3;
        let stayed: Vec<u64> = (1..=1700).map(|place| place * 3).filter(|number| *number != gone).collect();
        let without: Vec<u64> = found.into_iter().filter(|number| *number != gone).collect();
        assert_eq!(without, stayed, "after {after} pages");
    }
}

#[test]
fn a_table_is_safe_to_open() {
    let (node, _engine) = with_engine(Credits { rows: 3, ..Credits::default() });
    let table = node.run(&["wallet", "export", "--format", "csv"]).expect_status(0).stdout;
    let lines: Vec<&str> = table.split("\r\n").collect();
    assert_eq!((lines.len(), lines[0], lines[4]), (5, HEAD, ""), "{table}");
    let safe = "3,2025-11-20T13:48:03.123Z,in,10,0,starter,settled,,,0,\
                \"'=HYPERLINK(\"\"http://example.invalid\"\",\"\"Starter credits\"\")\",0001/row";
    assert_eq!(lines[1], safe);
    assert!(lines[2].contains(",out,1240,0,hold,held,") && lines[2].contains("\"Set aside for"), "{}", lines[2]);
    assert!(!table.contains('\u{202e}'), "{table:?}");
}

#[test]
fn a_file_is_new_and_whole_or_not_there() {
    let (node, _engine) = with_engine(Credits { rows: 600, ..Credits::default() });
    let path = |name: &str| node.folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let table = path("credits.csv");
    let ran = node.run(&["wallet", "export", "--out", &table]).expect_status(0);
    assert_eq!(ran.stdout, format!("600 rows are in {table}.\n"));
    let written = std::fs::read_to_string(&table).expect("a file");
    assert_eq!((written.lines().count(), written.lines().next()), (601, Some(HEAD)));
    node.run(&["wallet", "export", "--out", &table]).expect_error("E1015", 1);
    assert_eq!(std::fs::read_to_string(&table).expect("a file"), written, "no file is replaced");

    let list = path("credits.JSON");
    let told = node.run(&["wallet", "export", "--out", &list, "--json"]).expect_status(0).json();
    assert_eq!((&told["rows"], &told["format"], &told["file"]), (&600.into(), &"json".into(), &list.as_str().into()));
    let document: Value = serde_json::from_slice(&std::fs::read(&list).expect("a file")).expect("JSON");
    assert_eq!(numbers(&document).len(), 600);

    let nowhere = path("no/such/folder.csv");
    node.run(&["wallet", "export", "--out", &nowhere]).expect_error("E1015", 1);
    node.run(&["wallet", "export", "--format", "csv", "--json"]).expect_json_error("E1015", 1);
    node.run(&["wallet", "export", "--format", "xml"]).expect_error("E1015", 1);
}

#[test]
fn half_an_export_is_none() {
    let (node, _engine) = with_engine(Credits { rows: 1200, breaks_at: Some(4), ..Credits::default() });
    let path = node.folder.path().join("credits.csv");
    let ran = node.run(&["wallet", "export", "--out", path.to_str().expect("UTF-8")]);
    ran.expect_error("E1013", 1);
    assert!(!path.exists(), "half of it is left");
}

#[test]
fn pages_that_never_end_are_given_up() {
    let (node, _engine) = with_engine(Credits { rows: 600, circles: true, ..Credits::default() });
    node.run(&["wallet", "export"]).expect_error("E1016", 1);
}
