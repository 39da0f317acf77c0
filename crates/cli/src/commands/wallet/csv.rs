//! The history as a table for spreadsheets: RFC 4180, and nothing in it counts.

use p2p_control::api::WalletRow;
use serde::Serialize;

use crate::output::clean;
use crate::{credits, moment};

const COLUMNS: [&str; 12] =
    ["number", "time", "direction", "credits", "granted", "reason", "state", "other", "task", "tasks", "detail", "id"];

pub(super) fn head() -> String {
    line(&COLUMNS.map(str::to_owned))
}

pub(super) fn row(row: &WalletRow) -> String {
    line(&[
        row.number.to_string(),
        moment::stamp(row.at_ms),
        word(&row.direction),
        credits::plain(row.amount),
        credits::plain(row.granted),
        word(&row.reason),
        word(&row.state),
        row.other.map(|id| id.to_string()).unwrap_or_default(),
        row.task.map(|id| id.to_string()).unwrap_or_default(),
        row.tasks.to_string(),
        clean(&row.detail),
        clean(&row.id),
    ])
}

/// As the API says it, so that there is one name for each thing.
fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(&harmless(cell))).collect();
    cells.join(",") + "\r\n"
}

/// A cell that a spreadsheet shows and does not run. A number is one, whatever it begins with.
fn harmless(cell: &str) -> String {
    let runs = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if runs && !is_number(cell) { format!("'{cell}") } else { cell.to_owned() }
}

fn is_number(cell: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    digits(whole) && digits(fraction)
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(cell: &str) -> String {
        line(&[cell.to_owned()]).trim_end_matches("\r\n").to_owned()
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(line(&["a".to_owned(), String::new(), "b c".to_owned()]), "a,,b c\r\n");
        assert_eq!(one("a,b"), "\"a,b\"");
        assert_eq!(one("say \"no\""), "\"say \"\"no\"\"\"");
        assert_eq!(one("a\nb"), "\"a\nb\"");
        assert_eq!(one("a\r\nb"), "\"a\r\nb\"");
        assert_eq!(one(" é "), " é ");
    }

    #[test]
    fn no_cell_is_run_by_a_spreadsheet() {
        for (cell, written) in [
            ("=1+1", "'=1+1"),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("-", "'-"),
            ("-1.", "'-1."),
            ("-.5", "'-.5"),
            ("--1", "'--1"),
            ("-1e9", "'-1e9"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("\n=1", "\"'\n=1\""),
        ] {
            assert_eq!(one(cell), written, "{cell:?}");
        }
    }

    #[test]
    fn numbers_stay_numbers() {
        for number in ["0", "-1", "+1", "-1.4", "18446744073709.551615", "0.000001"] {
            assert_eq!(one(number), number);
        }
        assert_eq!(one("a=1"), "a=1", "only what begins with it runs");
    }

    #[test]
    fn the_head_names_every_column() {
        assert_eq!(head().matches(',').count(), COLUMNS.len() - 1);
    }
}
