use p2p_control::Client;
use p2p_control::api::{ErrorCode, Problem};
use p2p_platform::socket;
use p2p_types::limits::CONTROL_BODY_BYTES;

use crate::engine::{DEVICE, Node};
use crate::wire::{Answer, exchange};

async fn send(node: &Node, method: &str, path: &str, body: &[u8]) -> Answer {
    let stream = socket::connect(&node.socket).await.expect("it listens");
    let head = [format!("{method} {path} HTTP/1.1"), "Host: x".to_owned(), format!("Content-Length: {}", body.len())];
    exchange(stream, &head, body).await
}

async fn refused(node: &Node, method: &str, path: &str, body: &[u8]) -> Problem {
    let before = node.asked().len();
    let answer = send(node, method, path, body).await;
    assert_eq!(node.asked().len(), before, "the engine is not bothered with {path}");
    answer.problem()
}

#[tokio::test]
async fn what_is_nowhere_or_asked_the_wrong_way_is_a_problem_document() {
    let node = Node::start();
    for path in ["/", "/nowhere", "/api/v1", "/api/v1/", "/api/v1/statuses", "/api/v2/status", "/api/v1/peers/a/b/c"] {
        let problem = refused(&node, "GET", path, b"").await;
        assert_eq!((problem.code, problem.status), (ErrorCode::NotFound, 404), "{path}");
        assert!(problem.detail.contains(path), "{}", problem.detail);
    }
    for (method, path) in [("DELETE", "/api/v1/status"), ("GET", "/api/v1/node/pause"), ("POST", "/health")] {
        let answer = send(&node, method, path, b"").await;
        assert_eq!((answer.problem().code, answer.status), (ErrorCode::NotFound, 405), "{method} {path}");
        assert!(!answer.header("allow").is_empty());
        assert!(answer.problem().detail.contains(method));
    }
    let head = send(&node, "HEAD", "/nowhere", b"").await;
    assert_eq!((head.status, head.body.len()), (404, 0));
}

#[tokio::test]
async fn a_body_that_is_wrong_is_named_down_to_its_field() {
    use ErrorCode::{BadRequest, InvalidText, UnknownKind};
    let node = Node::start();
    let cases: &[(&[u8], ErrorCode, &str)] = &[
        (b"", BadRequest, "missing field `kind`"),
        (b"{", BadRequest, "not valid JSON: EOF"),
        // Cut off within a field: that says nothing about the field.
        (b"{\"kind\":\"em", BadRequest, "not valid JSON: EOF"),
        (b"{\"kind\":", BadRequest, "not valid JSON: EOF"),
        (b"{\"kind\":embed}", BadRequest, "not valid JSON"),
        (b"[]", BadRequest, "JSON is wrong"),
        (b"{\"kind\":\"embed\"}", BadRequest, "missing field `texts`"),
        (b"{\"kind\":\"embed\",\"texts\":\"one\"}", BadRequest, "\"texts\""),
        (b"{\"kind\":\"embed\",\"texts\":[\"one\",2]}", BadRequest, "\"texts[1]\""),
        (b"{\"kind\":\"embed\",\"texts\":[\"one\"],\"wher\":\"local\"}", BadRequest, "unknown field `wher`"),
        (b"{\"kind\":\"embed\",\"texts\":[\"one\"],\"where\":\"moon\"}", BadRequest, "\"where\""),
        (b"{\"kind\":\"embed\",\"texts\":[\"one\"],\"chunk\":{\"tokens\":-1}}", BadRequest, "\"chunk.tokens\""),
        (b"{\"kind\":\"embed\",\"texts\":[\"one\"]} more", BadRequest, "trailing"),
        (b"{\"kind\":\"sentimint\",\"texts\":[\"one\"]}", UnknownKind, "sentimint"),
        (b"{\"texts\":[\"one\"],\"kind\":7}", UnknownKind, "\"kind\""),
        (b"{\"kind\":\"embed\",\"texts\":[\"caf\xe9\"]}", InvalidText, "29 bytes"),
    ];
    for (body, code, said) in cases {
        let problem = refused(&node, "POST", "/api/v1/tasks", body).await;
        let body = String::from_utf8_lossy(body);
        assert_eq!((problem.code, problem.status), (*code, 400), "{body}: {problem}");
        assert!(problem.detail.contains(said), "{body}: {problem}");
        assert!(!problem.retryable);
    }
}

#[tokio::test]
async fn a_deadline_has_bounds() {
    let node = Node::start();
    let body = |deadline: u64| format!(r#"{{"kind":"embed","texts":["one"],"deadline_ms":{deadline}}}"#);
    let longest = p2p_control::api::SubmitTask::LONGEST_DEADLINE_MS;
    for deadline in [0, longest + 1, u64::MAX] {
        let problem = refused(&node, "POST", "/api/v1/tasks", body(deadline).as_bytes()).await;
        assert_eq!((problem.code, problem.status), (ErrorCode::TaskRejected, 400), "{deadline}: {problem}");
    }
    for deadline in [1, longest] {
        assert_eq!(send(&node, "POST", "/api/v1/tasks", body(deadline).as_bytes()).await.status, 202, "{deadline}");
    }
}

#[tokio::test]
async fn ids_that_are_none_are_not_found_and_queries_that_are_none_refused() {
    let node = Node::start();
    for (method, path, code, status) in [
        ("GET", "/api/v1/tasks/latest", ErrorCode::NoSuchTask, 404),
        ("POST", "/api/v1/tasks/%20/cancel", ErrorCode::NoSuchTask, 404),
        ("GET", "/api/v1/peers/12D3KooW", ErrorCode::NoSuchPeer, 404),
        ("GET", "/api/v1/agents/anna", ErrorCode::NoSuchPeer, 404),
        ("GET", "/api/v1/peers/%ff", ErrorCode::BadRequest, 400),
        ("GET", "/api/v1/logs?follow=perhaps", ErrorCode::BadRequest, 400),
        ("GET", "/api/v1/logs?folow=true", ErrorCode::BadRequest, 400),
    ] {
        let problem = refused(&node, method, path, b"").await;
        assert_eq!((problem.code, problem.status), (code, status), "{path}: {problem}");
    }
    let trust = format!("/api/v1/peers/{DEVICE}/trust");
    assert_eq!(refused(&node, "PUT", &trust, b"{\"trusted\":1}").await.code, ErrorCode::BadRequest);
}

#[tokio::test]
async fn what_the_engine_says_arrives_as_it_said_it() {
    let node = Node::start();
    let stranger = p2p_types::DeviceId([9; 32]);
    let problem = node.client().await.peer(stranger).await.expect_err("never seen");
    assert_eq!(problem, Problem::new(ErrorCode::NoSuchPeer, format!("{stranger} was never seen")));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_in_words() {
    let node = Node::start();
    let client = node.client().await;
    let body = |bytes: usize| {
        let text = "x".repeat(bytes - 29);
        let body = format!(r#"{{"kind":"embed","texts":["{text}"]}}"#).into_bytes();
        assert_eq!(body.len(), bytes);
        Some(body)
    };
    let (status, _) = client.raw("POST", "/api/v1/tasks", body(CONTROL_BODY_BYTES)).await.expect("an answer");
    assert_eq!(status, 202, "as much as there may be");
    let (status, said) = client.raw("POST", "/api/v1/tasks", body(CONTROL_BODY_BYTES + 1)).await.expect("an answer");
    let problem: Problem = serde_json::from_slice(&said).expect("a problem document");
    assert_eq!((status, problem.code), (413, ErrorCode::TooLarge));

    let stream = socket::connect(&node.socket).await.expect("it listens");
    let head =
        ["POST /api/v1/tasks HTTP/1.1".to_owned(), "Host: x".to_owned(), "Content-Length: 99999999999".to_owned()];
    let problem = exchange(stream, &head, b"").await.problem();
    assert_eq!(problem.code, ErrorCode::TooLarge, "without waiting for the body");
}

#[tokio::test]
async fn what_is_not_http_ends_the_connection_and_nothing_else() {
    let node = Node::start();
    for garbage in [&b"\x00\xff\xfe garbage\r\n\r\n"[..], b"GET / HTTP/9.9\r\n\r\n", &[b'x'; 100_000]] {
        let mut stream = socket::connect(&node.socket).await.expect("it listens");
        // The other end may close before it has read all of it.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, garbage).await;
        let mut answer = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
    }
    assert!(node.client().await.status().await.is_ok());
}

#[tokio::test]
async fn an_engine_that_ended_is_said_to_be_busy() {
    let node = Node::start();
    let client = node.client().await;
    node.engine.abort();
    for path in ["/api/v1/status", "/api/v1/events", "/health", "/metrics"] {
        let (status, body) = client.raw("GET", path, None).await.expect("an answer");
        let problem: Problem = serde_json::from_slice(&body).expect("a problem document");
        assert_eq!((status, problem.code, problem.retryable), (503, ErrorCode::TooBusy, true), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_silent_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run/control.sock");
    let (calls, _never_read) = tokio::sync::mpsc::channel(8);
    let server = p2p_control::Server::new(calls, p2p_control::LogSource::new(), None);
    let _door = server.serve_local(socket::Listener::bind(&path).expect("a free place"));
    let client = Client::connect(&path).await.expect("it listens");
    let problem = client.status().await.expect_err("no answer");
    assert_eq!(problem.code, ErrorCode::TooBusy);
    assert!(problem.detail.contains("engine did not answer"), "in the server's words: {problem}");
}

#[tokio::test]
async fn a_daemon_that_is_not_there_is_not_running() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("control.sock");
    assert_eq!(Client::connect(&path).await.expect_err("nothing there").code, ErrorCode::NotRunning);
    drop(std::os::unix::net::UnixListener::bind(&path).expect("bound"));
    assert_eq!(Client::connect(&path).await.expect_err("stale").code, ErrorCode::NotRunning);
    let deep = folder.path().join("x".repeat(200));
    assert_eq!(Client::connect(&deep).await.expect_err("too long").code, ErrorCode::NotRunning);

    let node = Node::start();
    let client = node.client().await;
    node.server.close();
    node.door.await.expect("it ended");
    let problem = client.status().await.expect_err("gone");
    assert!([ErrorCode::NotRunning, ErrorCode::TooBusy].contains(&problem.code), "{problem}");
    assert_eq!(client.status().await.expect_err("gone").code, ErrorCode::NotRunning);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_says_nothing_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run/control.sock");
    let _silent = socket::Listener::bind(&path).expect("a free place");
    let client = Client::connect(&path).await.expect("the system answers for it");
    assert_eq!(client.status().await.expect_err("silence").code, ErrorCode::TooBusy);
}

/// Only the administrator can play somebody else; elsewhere there is nothing to try with.
#[tokio::test]
async fn a_socket_that_is_closed_to_this_user_is_foreign() {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;
    let folder = tempfile::tempdir().expect("a folder");
    if std::fs::metadata(folder.path()).expect("it is there").uid() != 0 {
        return;
    }
    let path = folder.path().join("control.sock");
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("rights");
    let script = "import socket,sys,time,os\ns=socket.socket(socket.AF_UNIX)\nos.umask(0)\ns.bind(sys.argv[1])\ns.listen()\ntime.sleep(60)";
    let mut python = std::process::Command::new("python3");
    let mut other = python.args(["-c", script]).arg(&path).uid(65534).gid(65534).spawn().expect("python3 is there");
    let problem = loop {
        let problem = Client::connect(&path).await.expect_err("not ours");
        if problem.code != ErrorCode::NotRunning {
            break problem;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(problem.code, ErrorCode::SocketForeign, "{problem}");
    other.kill().expect("it ran");
    other.wait().expect("it ended");
}
