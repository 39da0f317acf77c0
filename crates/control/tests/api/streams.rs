use std::time::Duration;

use p2p_control::EventStream;
use p2p_control::LogSource;
use p2p_control::api::{ErrorCode, Event, EventBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::engine::*;

async fn next(stream: &mut EventStream) -> Option<Event> {
    let event = timeout(Duration::from_secs(10), stream.next()).await.expect("in time");
    event.map(|event| event.expect("no problem"))
}

fn sentence(event: &Event) -> &str {
    match &event.body {
        EventBody::Status(status) => &status.sentence,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_snapshot_comes_first_then_changes_in_order() {
    let node = Node::start();
    let mut stream = node.client().await.events().await.expect("opened");
    // An event that the snapshot has already is not said twice.
    node.send(SNAPSHOT, "old");
    node.send(SNAPSHOT + 1, "one\ntwo\u{2028}\r\n");
    node.send(SNAPSHOT + 2, "three");

    let first = next(&mut stream).await.expect("a snapshot");
    assert_eq!(first.number, SNAPSHOT);
    let EventBody::Snapshot(snapshot) = first.body else { panic!("{first:?}") };
    assert_eq!((snapshot.status, snapshot.tasks), (status(), vec![summary()]));
    let second = next(&mut stream).await.expect("a change");
    assert_eq!((second.number, sentence(&second)), (SNAPSHOT + 1, "one\ntwo\u{2028}\r\n"));
    let third = next(&mut stream).await.expect("a change");
    assert_eq!((third.number, sentence(&third)), (SNAPSHOT + 2, "three"));
}

#[tokio::test]
async fn a_reader_that_falls_behind_is_cut_off_and_starts_afresh() {
    let node = Node::start();
    let client = node.client().await;
    let mut stream = client.events().await.expect("opened");
    // Each is larger than the socket's buffers: the server has to wait for the reader.
    let large = "x".repeat(1 << 20);
    for number in 1..=20 {
        node.send(SNAPSHOT + number, &large);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut last = SNAPSHOT - 1;
    while let Some(event) = next(&mut stream).await {
        assert_eq!(event.number, last + 1, "no gap before the end");
        last = event.number;
    }
    assert!(last < SNAPSHOT + 20, "it was cut off");
    let mut again = client.events().await.expect("opened");
    assert!(matches!(next(&mut again).await.expect("a snapshot").body, EventBody::Snapshot(_)));
}

#[tokio::test]
async fn a_stream_ends_with_its_source_and_with_the_server() {
    let mut node = Node::start();
    let mut stream = node.client().await.events().await.expect("opened");
    next(&mut stream).await.expect("a snapshot");
    node.engine.abort();
    node.events = tokio::sync::broadcast::Sender::new(1);
    assert!(next(&mut stream).await.is_none(), "the engine ended");

    let node = Node::start();
    let client = node.client().await;
    let (mut events, mut lines) = (client.events().await.expect("opened"), client.logs(true).await.expect("opened"));
    next(&mut events).await.expect("a snapshot");
    node.server.close();
    timeout(Duration::from_secs(1), node.door).await.expect("without using up its grace").expect("it ended");
    assert!(next(&mut events).await.is_none() && lines.next().await.is_none());
    assert!(!node.socket.exists());
}

#[tokio::test]
async fn a_call_under_way_gets_its_answer_when_the_server_closes() {
    let node = Node::start();
    let client = node.client().await;
    let call = tokio::spawn(async move { client.shutdown().await });
    while node.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    node.server.close();
    assert_eq!(call.await.expect("no panic"), Ok(()));
    timeout(Duration::from_secs(1), node.door).await.expect("at once").expect("it ended");
}

#[tokio::test]
async fn there_are_only_so_many_streams_and_calls_go_on() {
    let node = Node::start();
    let client = node.client().await;
    let mut open = Vec::new();
    let refused = loop {
        assert!(open.len() < 200, "there is no end");
        match client.events().await {
            Ok(stream) => open.push(stream),
            Err(problem) => break problem,
        }
    };
    assert_eq!(refused.code, ErrorCode::TooBusy);
    assert!(open.len() >= 100, "many may follow: {}", open.len());
    assert!(refused.detail.contains("taken") && refused.hint.contains("--watch"), "{refused}");
    assert!(client.status().await.is_ok(), "calls still have a place");
    open.pop();
    let freed = async {
        while client.events().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), freed).await.expect("a place that was given back is free");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_says_now_and_then_that_it_is_there() {
    let node = Node::start();
    let mut socket = p2p_platform::socket::connect(&node.socket).await.expect("it listens");
    socket.write_all(b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut text = String::new();
    let mut bytes = [0; 65536];
    while !text.contains("\n:\n\n") && !text.contains(":\n\n") {
        let count = timeout(Duration::from_secs(25), socket.read(&mut bytes)).await.expect("in time").expect("open");
        assert_ne!(count, 0, "it ended: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    assert!(text.contains("content-type: text/event-stream"), "{text}");
    assert!(text.contains(&format!("id: {SNAPSHOT}")), "{text}");
}

#[tokio::test]
async fn log_lines_come_once_each() {
    let node = Node::start();
    let client = node.client().await;
    node.logs.push(line("one"));
    node.logs.push(line("two"));
    let mut kept = client.logs(false).await.expect("read");
    assert_eq!(kept.next().await, Some(Ok(line("one"))));
    assert_eq!(kept.next().await, Some(Ok(line("two"))));
    assert_eq!(kept.next().await, None);

    let mut follow = client.logs(true).await.expect("opened");
    node.logs.push(line("three"));
    for message in ["one", "two", "three"] {
        assert_eq!(follow.next().await, Some(Ok(line(message))));
    }
}

#[test]
fn old_log_lines_are_forgotten() {
    let logs = LogSource::new();
    for number in 0..=LogSource::RECENT_LINES {
        logs.push(line(&number.to_string()));
    }
    let lines = logs.lines();
    assert_eq!((lines.len(), lines[0].message.as_str()), (LogSource::RECENT_LINES, "1"));
}
