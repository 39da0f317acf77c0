//! Networks nearby, in a network namespace of its own, so that nothing is announced to anybody.

use std::env;
use std::process::Command;
use std::time::Duration;

use p2p_net::{NetConfig, NetEvent};

use crate::node::{ELSEWHERE, HOME, Node, both_up, config};

const INSIDE: &str = "P2P_NET_TEST_NAMESPACE";
/// A cable whose both ends are here.
const PREPARE: &str = "ip link set lo up && ip link add v0 type veth peer name v1 && \
    ip addr add 10.99.0.1/24 dev v0 && ip link set v0 up && ip link set v1 up && \
    exec \"$0\" --exact nearby::inside_the_namespace --nocapture";

#[test]
fn networks_nearby_are_found() {
    let allowed = Command::new("unshare").args(["-rn", "true"]).output().is_ok_and(|output| output.status.success());
    if !allowed {
        println!("skipped: this system does not let a test have a network namespace");
        return;
    }
    let test = env::current_exe().expect("this test");
    let ran = Command::new("unshare").args(["-rn", "sh", "-c", PREPARE]).arg(test).env(INSIDE, "1").output();
    let ran = ran.expect("unshare was there a moment ago");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    print!("{said}");
}

/// Does nothing outside of the namespace.
#[tokio::test]
async fn inside_the_namespace() {
    if env::var(INSIDE).is_err() {
        return;
    }
    let listen: Vec<String> = vec!["/ip4/0.0.0.0/tcp/0".into(), "/ip4/0.0.0.0/udp/0/quic-v1".into()];
    let start = |seed, network, name: &str| {
        Node::with(NetConfig {
            network,
            network_name: name.into(),
            listen: listen.clone(),
            nearby: true,
            ..config(seed)
        })
    };
    let mut one = start(140, HOME, "home").await.expect("it starts");
    let mut other = start(141, HOME, "home").await.expect("it starts");
    both_up(&mut one, &mut other).await;
    let mut stranger = start(142, ELSEWHERE, "the neighbours").await.expect("it starts");
    for node in [&mut one, &mut other] {
        let (id, name) = nearby(node).await;
        assert_eq!((id, name.as_str()), (ELSEWHERE, "the neighbours"));
    }
    let (id, name) = nearby(&mut stranger).await;
    assert_eq!((id, name.as_str()), (HOME, "home"));
    let wrong = |event: &NetEvent| matches!(event, NetEvent::PeerDown { .. } | NetEvent::Refused { .. });
    one.nothing(Duration::from_secs(2), wrong).await;
    assert_eq!(searches(), 3, "one thread each");
    for node in [one, other, stranger] {
        node.net.shutdown().await;
    }
    let ended = async {
        while searches() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), ended).await.expect("the threads end with the nodes");
}

/// Threads of this process that search for networks nearby.
fn searches() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let names = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
    names.filter(|name| name.trim() == "mDNS_daemon").count()
}

async fn nearby(node: &mut Node) -> (p2p_types::NetworkId, String) {
    node.until("a network nearby", |event| match event {
        NetEvent::Nearby { id, name } => Some((*id, name.clone())),
        _ => None,
    })
    .await
}
