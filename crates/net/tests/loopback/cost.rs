//! What it costs: latency of a round trip, and processor time of an idle node.

use std::env;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use p2p_net::{NetConfig, NetEvent};
use p2p_types::DeviceId;

use crate::node::{Node, QUIC, TCP, config, device};

const ROUNDS: usize = 1000;
/// Set in the process that plays the other nodes.
const BOOTSTRAP: &str = "P2P_NET_TEST_BOOTSTRAP";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Median time of a frame of 300 bytes there and back, between two threads.
fn round_trip(listen: &str, seed: u8) -> Duration {
    let (told, address) = std::sync::mpsc::channel();
    let listen = listen.to_owned();
    let echo = thread::spawn(move || {
        runtime().block_on(async {
            let mut echo = Node::with(NetConfig { listen: vec![listen], ..config(seed) }).await.expect("it starts");
            told.send(echo.addresses.clone()).expect("awaited");
            let mut echoed = 0;
            while let Some(event) = echo.events.recv().await {
                match event {
                    NetEvent::Received { from, frame } => echo.net.send(from, frame).expect("it is up"),
                    NetEvent::PeerDown { .. } => break,
                    _ => continue,
                }
                echoed += 1;
            }
            echoed
        })
    });
    let addresses = address.recv().expect("it listens");
    let median = runtime().block_on(async {
        let mut node = Node::start(seed + 1).await;
        let echo = device(seed);
        node.net.dial(Some(echo), addresses);
        node.up(echo).await;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            node.net.send(echo, vec![7; 300]).expect("it is up");
            while !matches!(node.events.recv().await, Some(NetEvent::Received { .. })) {}
            times.push(begun.elapsed());
        }
        node.net.clone().shutdown().await;
        times.sort_unstable();
        times[ROUNDS / 2]
    });
    assert_eq!(echo.join().expect("it ran"), ROUNDS);
    median
}

#[test]
fn latency_of_a_round_trip() {
    for (name, listen, seed) in [("TCP", TCP, 120), ("QUIC", QUIC, 122)] {
        let median = round_trip(listen, seed);
        println!("{name}: {} us for a round trip, the median of {ROUNDS}", median.as_micros());
        // A loose bound: what it is really is measured by the dispatch benchmark.
        assert!(median < Duration::from_millis(5), "{name}: {median:?}");
    }
}

/// Nanoseconds of processor time of all threads of this process.
fn processor_time() -> u64 {
    let threads = fs::read_dir("/proc/self/task").expect("threads");
    let of_thread = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    threads.filter_map(|entry| of_thread(entry.ok()?)).sum()
}

/// Plays four peers until it is killed. Only as a process of the test below.
#[test]
fn idle_peers_of_another_process() {
    let Ok(bootstrap) = env::var(BOOTSTRAP) else { return };
    runtime().block_on(async {
        let mut nodes = Vec::new();
        for seed in 131..135 {
            let config = NetConfig { bootstrap: vec![bootstrap.clone()], ..config(seed) };
            nodes.push(Node::with(config).await.expect("it starts"));
        }
        let drain = nodes.iter_mut().map(|node| async { while node.events.recv().await.is_some() {} });
        futures::future::join_all(drain).await;
    });
}

fn peers(bootstrap: &str) -> Child {
    Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "cost::idle_peers_of_another_process"])
        .env(BOOTSTRAP, bootstrap)
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts")
}

#[test]
fn idle_with_four_peers_is_idle_and_killed_peers_are_down() {
    runtime().block_on(async {
        let mut node = Node::start(130).await;
        let mut process = peers(&node.addresses[0]);
        let mut missing: Vec<DeviceId> = (131..135).map(device).collect();
        node.until("four peers", |event| {
            if let NetEvent::PeerUp { device, .. } = event {
                missing.retain(|other| other != device);
            }
            missing.is_empty().then_some(())
        })
        .await;
        // The table of the network is asked once, and first pings are exchanged.
        node.nothing(Duration::from_secs(3), |event| matches!(event, NetEvent::PeerDown { .. })).await;
        let (before, since) = (processor_time(), Instant::now());
        node.nothing(Duration::from_secs(10), |event| matches!(event, NetEvent::PeerDown { .. })).await;
        let share = (processor_time() - before) as f64 / since.elapsed().as_nanos() as f64;
        println!("idle with 4 peers: {:.3} % of a core, {} kB resident", share * 100.0, resident_kb());
        assert!(share < 0.002, "{:.3} % of a core", share * 100.0);

        process.kill().expect("it lived");
        process.wait().expect("it ended");
        let mut down = 0;
        let since = Instant::now();
        node.until("four peers down", |event| {
            down += usize::from(matches!(event, NetEvent::PeerDown { .. }));
            (down == 4).then_some(())
        })
        .await;
        assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    });
}

fn resident_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("resident memory");
    line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number")
}
