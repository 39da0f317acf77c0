use std::collections::BTreeSet;

use p2p_control::api::*;
use p2p_types::{Placement, Priority, Privacy, TaskKind};
use serde_json::json;

use crate::engine::*;
use crate::{computer, credits, rules};

#[tokio::test]
async fn every_route_reaches_the_engine_and_brings_its_answer_back() {
    let node = Node::start();
    let client = node.client().await;

    assert_eq!(client.status().await, Ok(status()));
    let health = client.health().await.expect("it is up");
    assert_eq!((health.status.as_str(), health.ready), ("degraded", true));
    assert_eq!(health.reasons, status().warnings);
    assert_eq!(client.metrics().await.as_deref(), Ok("p2p_peers 1\n"));
    assert_eq!(client.pause(PauseRequest { for_ms: Some(5), until_tomorrow: false }).await, Ok(status()));
    assert_eq!(client.resume().await, Ok(status()));
    assert_eq!(client.peers().await, Ok(vec![peer_summary()]));
    assert_eq!(client.peer(DEVICE).await, Ok(peer()));
    assert_eq!(client.trust(DEVICE, TrustPeer { trusted: true }).await, Ok(peer()));
    assert_eq!(client.submit(&submission()).await, Ok(task()));
    assert_eq!(client.tasks().await, Ok(vec![summary()]));
    assert_eq!(client.task(TASK).await, Ok(task()));
    assert_eq!(client.cancel(TASK).await, Ok(task()));
    assert_eq!(client.identity().await, Ok(identity()));
    assert_eq!(client.network().await, Ok(network()));
    let create = CreateNetwork { name: "home".to_owned(), kind: NetworkKind::Closed, members_trusted: None };
    assert_eq!(client.create_network(&create).await, Ok(network()));
    let join = JoinNetwork { invite: Some("p2p-agent://invite/x".to_owned()), file: None };
    assert_eq!(client.join_network(&join).await, Ok(network()));
    assert_eq!(client.leave_network().await, Ok(()));
    assert_eq!(client.invite().await.map(|invite| invite.expires_ms), Ok(9));
    assert_eq!(client.nearby().await.map(|networks| networks[0].id), Ok(NETWORK));
    assert_eq!(client.config().await, Ok(vec![setting("log.level")]));
    let value = ConfigValue { value: json!(["a", 1]) };
    assert_eq!(client.set_config("odd key/with ü?", &value).await, Ok(setting("odd key/with ü?")));
    assert_eq!(client.departures().await, Ok(vec![departure()]));
    assert_eq!(client.quote(&submission()).await, Ok(credits::quote()));
    assert_eq!(client.wallet().await, Ok(credits::wallet()));
    assert_eq!(client.wallet_rows(WalletPage { limit: 500, before: Some(9) }).await, Ok(credits::rows()));
    assert_eq!(client.wallet_stats(7).await, Ok(credits::stats()));
    assert_eq!(client.wallet_verify().await, Ok(credits::check()));
    assert_eq!(client.schedule().await, Ok(rules::schedule()));
    assert_eq!(client.timeline(48).await, Ok(rules::timeline()));
    assert_eq!(client.signals(&rules::report()).await, Ok(()));
    assert_eq!(client.computer().await, Ok(computer::computer()));
    assert!(client.events().await.is_ok());
    assert_eq!(client.shutdown().await, Ok(()));

    let asked = node.asked();
    for expected in [
        "Pause(PauseRequest { for_ms: Some(5), until_tomorrow: false }",
        "Trust(12D3KooW",
        "TrustPeer { trusted: true }",
        "SetConfig(\"odd key/with ü?\", ConfigValue { value: Array [String(\"a\"), Number(1)] }",
        "WalletRows(WalletPage { limit: 500, before: Some(9) }",
        "WalletStats(7",
        "Timeline(48",
        "Signals(SignalReport { source: \"tray-1\", lease_ms: 60000",
        "invite: Some(\"p2p-agent://invite/x\")",
    ] {
        assert!(asked.iter().any(|call| call.contains(expected)), "{expected} is not in {asked:#?}");
    }
    let submitted = asked.iter().find(|call| call.starts_with("Submit")).expect("submitted");
    assert_eq!(*submitted, format!("Submit({:?}", submission()));
    let names: BTreeSet<_> = asked.iter().map(|call| call.split('(').next().expect("a name")).collect();
    assert_eq!(names.len(), 32, "each variant of Call: {names:?}");
}

fn submission() -> SubmitTask {
    SubmitTask {
        kind: TaskKind::Chunk,
        texts: vec!["good \u{1F600}".to_owned(), String::new()],
        privacy: Privacy::Public,
        placement: Placement::Local,
        priority: Priority::High,
        deadline_ms: Some(1000),
        chunk: Some(ChunkOptions { tokens: 64, overlap: 8 }),
    }
}

#[tokio::test]
async fn agents_is_another_name_of_peers() {
    let node = Node::start();
    let client = node.client().await;
    for rest in ["", &format!("/{DEVICE}")] {
        let peers = client.raw("GET", &format!("/api/v1/peers{rest}"), None).await.expect("an answer");
        let agents = client.raw("GET", &format!("/api/v1/agents{rest}"), None).await.expect("an answer");
        assert_eq!((peers.0, &peers), (200, &agents));
    }
    let path = format!("/api/v1/agents/{DEVICE}/trust");
    let trust = client.raw("PUT", &path, Some(br#"{"trusted":false}"#.to_vec())).await;
    assert_eq!(trust.expect("an answer").0, 200);
}

#[tokio::test]
async fn what_is_left_out_has_its_default() {
    let node = Node::start();
    let client = node.client().await;
    let (status, _) = client.raw("POST", "/api/v1/node/pause", None).await.expect("an answer");
    assert_eq!(status, 200);
    let least = br#"{"kind":"sentiment","texts":["good"]}"#.to_vec();
    let (status, body) = client.raw("POST", "/api/v1/tasks", Some(least)).await.expect("an answer");
    assert_eq!(status, 202, "{}", String::from_utf8_lossy(&body));
    let asked = node.asked().join("\n");
    assert!(asked.contains("for_ms: None"), "{asked}");
    assert!(asked.contains("privacy: Local, placement: Auto, priority: Normal, deadline_ms: None"), "{asked}");
}

#[tokio::test]
async fn calls_may_run_at_the_same_time_and_connections_are_used_again() {
    let node = Node::start();
    let client = node.client().await;
    let calls: Vec<_> = (0..40)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.status().await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.expect("no panic"), Ok(status()));
    }
    // The server closes connections that are idle; the client notices and opens another.
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    tokio::time::resume();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(client.status().await, Ok(status()));
}
