//! Clients that are silent, slow or too many: nobody else has to wait for them.

use std::time::Duration;

use p2p_control::api::ErrorCode;
use p2p_platform::socket;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::engine::Node;
use crate::wire::exchange;

/// More than there are places at a door.
const CROWD: usize = 200;
/// Far below what a silent client may take.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn silent_connections_make_room_at_the_loopback_doors() {
    let node = Node::start();
    let (dashboard, _) = node.server.serve_loopback(0, "token".to_owned()).await.expect("a free port");
    let (figures, _) = node.server.serve_metrics(0).await.expect("a free port");
    for door in [dashboard, figures] {
        let mut silent = Vec::new();
        for number in 0..CROWD {
            let mut stream = TcpStream::connect(door).await.expect("the system takes it");
            if number % 2 == 0 {
                stream.write_all(b"GET /health HT").await.expect("half a head");
            }
            silent.push(stream);
        }
        let head = ["GET /health HTTP/1.1".to_owned(), format!("Host: 127.0.0.1:{}", door.port())];
        let stream = TcpStream::connect(door).await.expect("the system takes it");
        let answer = timeout(SOON, exchange(stream, &head, b"")).await.expect("without waiting for the silent");
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn idle_clients_make_room_at_the_socket_and_find_back() {
    let node = Node::start();
    let mut idle = Vec::new();
    for _ in 0..CROWD {
        let client = node.client().await;
        client.status().await.expect("an answer");
        idle.push(client);
    }
    let client = node.client().await;
    timeout(SOON, client.status()).await.expect("without waiting for the idle").expect("an answer");
    timeout(SOON, idle[0].status()).await.expect("on another connection").expect("an answer");
}

#[tokio::test]
async fn bodies_that_do_not_come_make_room() {
    let node = Node::start();
    let mut slow = Vec::new();
    for _ in 0..CROWD {
        let mut stream = socket::connect(&node.socket).await.expect("it listens");
        let head = b"POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{\"kind\"";
        stream.write_all(head).await.expect("sent");
        slow.push(stream);
    }
    let client = node.client().await;
    timeout(SOON, client.status()).await.expect("without waiting for the slow").expect("an answer");
    let text = "x".repeat(500_000);
    let large = format!(r#"{{"kind":"embed","texts":["{text}"]}}"#).into_bytes();
    let sent = timeout(SOON, client.raw("POST", "/api/v1/tasks", Some(large)));
    assert_eq!(sent.await.expect("they hold no place for large bodies").expect("an answer").0, 202);
}

#[tokio::test]
async fn a_call_under_way_is_not_displaced() {
    let node = Node::start();
    let mut stream = node.client().await.events().await.expect("opened");
    assert!(timeout(SOON, stream.next()).await.expect("in time").is_some());
    let mut silent = Vec::new();
    for _ in 0..CROWD {
        silent.push(socket::connect(&node.socket).await.expect("it listens"));
    }
    let client = node.client().await;
    timeout(SOON, client.status()).await.expect("in time").expect("an answer");
    node.send(crate::engine::SNAPSHOT + 1, "still there");
    assert!(timeout(SOON, stream.next()).await.expect("in time").expect("it goes on").is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_large_body_that_stops_gives_its_place_back() {
    let node = Node::start();
    let mut stream = socket::connect(&node.socket).await.expect("it listens");
    stream.write_all(b"POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n").await.expect("sent");
    stream.write_all(&[b' '; 100_000]).await.expect("sent");
    let mut bytes = vec![0; 4096];
    let read = timeout(Duration::from_secs(6), stream.read(&mut bytes)).await.expect("in time").expect("an answer");
    let answer = String::from_utf8_lossy(&bytes[..read]).into_owned();
    assert!(answer.contains(&ErrorCode::BadRequest.to_string()) && answer.contains("in time"), "{answer}");
}
