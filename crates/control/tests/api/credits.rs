//! A wallet for tests, and what its routes take and refuse.

use p2p_control::api::*;
use serde_json::{Value, json};

use crate::engine::{ACCOUNT, DEVICE, Node, TASK};

pub(crate) fn wallet() -> Wallet {
    Wallet {
        account: ACCOUNT,
        device: DEVICE,
        network: "home".to_owned(),
        available: 12_400_000,
        earned: 2_400_000,
        granted: 9_000_000,
        free: 1_000_000,
        held: 3,
        // More than a program that counts in doubles could tell from its neighbours.
        pending: u64::MAX,
        others: 0,
        earned_today: 1,
        spent_today: 0,
        notary: NotaryState::Own,
        notary_device: Some(DEVICE),
        waiting: None,
        daily_limit: Some(5_000_000),
        total_limit: None,
        rows: 2,
        heard_ms: Some(9),
    }
}

pub(crate) fn row() -> WalletRow {
    WalletRow {
        number: 2,
        id: "a1/credit".to_owned(),
        at_ms: 8,
        direction: RowDirection::In,
        amount: 1_330_000,
        granted: 330_000,
        reason: RowReason::Work,
        state: RowState::Settled,
        other: Some(DEVICE),
        task: Some(TASK),
        tasks: 3,
        detail: "Work for another computer: 3 tasks".to_owned(),
    }
}

pub(crate) fn rows() -> WalletRows {
    WalletRows { rows: vec![row()], next: Some(2) }
}

pub(crate) fn stats() -> WalletStats {
    let sums = WalletSums { earned: 5, granted: 1, spent: 2, burnt: 1, lapsed: 4, tasks_done: 3, tasks_paid: 1 };
    WalletStats { days: vec![WalletDay { day: "2026-11-21".to_owned(), sums }], total: sums }
}

pub(crate) fn check() -> WalletCheck {
    let problems = vec!["Certificate 7 is not the notary's".to_owned()];
    WalletCheck { agrees: false, certificates: 7, rows: 2, available: 5, held: 1, problems }
}

pub(crate) fn quote() -> Quote {
    let detail = "Two texts go to one other computer.".to_owned();
    Quote { price: 40, texts: 2, bytes: 31, computers: 1, available: 39, enough: false, unpaid: false, detail }
}

async fn get(node: &Node, path: &str) -> (u16, Value) {
    let (status, body) = node.client().await.raw("GET", path, None).await.expect("an answer");
    (status, serde_json::from_slice(&body).expect("JSON"))
}

#[tokio::test]
async fn the_words_are_the_ones_that_other_programs_know() {
    let node = Node::start();
    let (_, wallet) = get(&node, "/api/v1/wallet").await;
    assert_eq!((&wallet["notary"], &wallet["pending"]), (&json!("self"), &json!(u64::MAX)));
    assert_eq!((&wallet["waiting"], &wallet["total_limit"]), (&Value::Null, &Value::Null));
    let (_, rows) = get(&node, "/api/v1/wallet/rows").await;
    let row = &rows["rows"][0];
    assert_eq!((&row["direction"], &row["reason"], &row["state"]), (&json!("in"), &json!("work"), &json!("settled")));
    let (_, stats) = get(&node, "/api/v1/wallet/stats").await;
    let day = json!({
        "day": "2026-11-21", "earned": 5, "granted": 1, "spent": 2, "burnt": 1, "lapsed": 4, "tasks_done": 3,
        "tasks_paid": 1
    });
    assert_eq!(stats["days"], json!([day]));
}

#[tokio::test]
async fn pages_and_days_have_defaults_and_bounds() {
    let node = Node::start();
    for (query, page) in [
        ("", "limit: 50, before: None"),
        ("?limit=1", "limit: 1, before: None"),
        ("?limit=500&before=18446744073709551615", "limit: 500, before: Some(18446744073709551615)"),
        ("?before=0", "limit: 50, before: Some(0)"),
    ] {
        assert_eq!(get(&node, &format!("/api/v1/wallet/rows{query}")).await.0, 200, "{query}");
        let asked = node.asked().pop().expect("asked");
        assert_eq!(asked, format!("WalletRows(WalletPage {{ {page} }}"), "{query}");
    }
    for (query, days) in [("", 30), ("?days=1", 1), ("?days=366", 366)] {
        assert_eq!(get(&node, &format!("/api/v1/wallet/stats{query}")).await.0, 200, "{query}");
        assert_eq!(node.asked().pop(), Some(format!("WalletStats({days}")), "{query}");
    }
}

#[tokio::test]
async fn pages_and_days_that_cannot_be_are_refused_in_words() {
    let node = Node::start();
    for (query, said) in [
        ("rows?limit=0", "limit is 0; it can be from 1 to 500"),
        ("rows?limit=501", "limit is 501; it can be from 1 to 500"),
        ("rows?limit=-1", "limit"),
        ("rows?limit=abc", "limit"),
        ("rows?limit=", "limit"),
        ("rows?limit=4294967297", "limit"),
        ("rows?before=-1", "before"),
        ("rows?before=18446744073709551616", "before"),
        ("rows?limt=5", "limt"),
        ("rows?limit=1&limit=2", "limit"),
        ("stats?days=0", "days is 0; it can be from 1 to 366"),
        ("stats?days=367", "days is 367; it can be from 1 to 366"),
        ("stats?days=-1", "days"),
        ("stats?days=1.5", "days"),
        ("stats?weeks=1", "weeks"),
    ] {
        let (status, problem) = get(&node, &format!("/api/v1/wallet/{query}")).await;
        assert_eq!((status, &problem["code"]), (400, &json!("E4002")), "{query}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(said)), "{query}: {problem}");
    }
    assert_eq!(node.asked(), Vec::<String>::new(), "the engine is not bothered");
}

#[tokio::test]
async fn a_quote_is_asked_for_as_a_task_is_and_runs_nothing() {
    let node = Node::start();
    let client = node.client().await;
    let body = br#"{"kind":"sentiment","texts":["good"],"where":"network","privacy":"public"}"#;
    let (status, answer) = client.raw("POST", "/api/v1/tasks/quote", Some(body.to_vec())).await.expect("an answer");
    assert_eq!((status, serde_json::from_slice::<Quote>(&answer).expect("a quote")), (200, quote()));
    let asked = node.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].starts_with("Quote(SubmitTask { kind: Sentiment"), "{asked:?}");
    for (body, code) in [
        (&br#"{"kind":"sentimint","texts":["good"]}"#[..], "E2001"),
        (br#"{"kind":"embed"}"#, "E4002"),
        (br#"{"kind":"embed","texts":["good"],"deadline_ms":0}"#, "E2005"),
    ] {
        let (status, answer) = client.raw("POST", "/api/v1/tasks/quote", Some(body.to_vec())).await.expect("an answer");
        let problem: Problem = serde_json::from_slice(&answer).expect("a problem document");
        assert_eq!((status, problem.code.to_string().as_str()), (400, code), "{problem}");
    }
    assert_eq!(node.asked().len(), 1, "the engine is not bothered");
}

#[test]
fn a_snapshot_of_a_daemon_without_credits_is_read() {
    let old = json!({ "status": crate::engine::status(), "tasks": [] });
    let snapshot: Snapshot = serde_json::from_value(old).expect("read");
    assert_eq!((snapshot.wallet, snapshot.rows), (None, Vec::new()));
}

#[test]
fn credits_have_their_events() {
    let said = |body| serde_json::to_value(Event { number: 4, body }).expect("JSON");
    let event = said(EventBody::Wallet(Box::new(wallet())));
    assert_eq!((&event["event"], &event["data"]["network"]), (&json!("wallet"), &json!("home")));
    let event = said(EventBody::Row(Box::new(row())));
    assert_eq!((&event["event"], &event["data"]["id"]), (&json!("row"), &json!("a1/credit")));
    assert_eq!(serde_json::from_value::<Event>(event).expect("read").body, EventBody::Row(Box::new(row())));
}
