//! The task that owns the swarm: commands, what the swarm reports, and what became of the
//! readers and writers come in; events go out.

mod links;
mod refusal;
mod report;

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use libp2p::swarm::ConnectionId;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, Swarm, gossipsub, kad};
use p2p_types::{DeviceId, limits};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::bans::Bans;
use crate::behaviour::{Behaviour, Protocols};
use crate::counters::{Counters, Libp2pMetrics};
use crate::dialer::{Dialer, Target};
use crate::direct::reader::ReadEnd;
use crate::direct::writer::{Outboxes, WriteEnd};
use crate::handle::Command;
use crate::listening::Listening;
use crate::nearby::{self, Found, Nearby};
use crate::providers::{self, Providers};
use crate::topics::Floodgate;
use crate::{NetConfig, NetEvent, address, stack};
use links::Links;

/// Readers and writers that ended and were not noticed yet.
const ENDED: usize = 2 * limits::PEERS;
/// How long connections may take to close when the node ends.
const GOODBYE: Duration = Duration::from_millis(500);

/// What a [`Node`] is made of.
pub(crate) struct Parts<'a> {
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) me: DeviceId,
    pub(crate) protocols: Protocols,
    pub(crate) config: &'a NetConfig,
    pub(crate) listen: &'a [Multiaddr],
    pub(crate) bootstrap: Vec<(Multiaddr, Option<DeviceId>)>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) events: mpsc::Sender<NetEvent>,
    pub(crate) stopping: watch::Receiver<bool>,
    /// Where this node listens, for whoever asks.
    pub(crate) told: watch::Sender<Vec<String>>,
    pub(crate) outboxes: Outboxes,
    pub(crate) counters: Counters,
    pub(crate) metrics: Libp2pMetrics,
}

/// The one owner of everything that is not a frame on its way.
pub(crate) struct Node {
    swarm: Swarm<Behaviour>,
    me: DeviceId,
    protocols: Protocols,
    max_peers: usize,
    topics: HashMap<gossipsub::TopicHash, &'static str>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<NetEvent>,
    stopping: watch::Receiver<bool>,
    listening: Listening,
    told: watch::Sender<Vec<String>>,
    ended_sender: mpsc::Sender<(ConnectionId, Ended)>,
    ended: mpsc::Receiver<(ConnectionId, Ended)>,
    outboxes: Outboxes,
    counters: Counters,
    metrics: Libp2pMetrics,
    dialer: Dialer,
    dialing: HashMap<ConnectionId, Target>,
    links: Links,
    bans: Bans,
    providers: Providers,
    floodgate: Floodgate,
    nearby: Option<Nearby>,
}

/// A reader or a writer ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Reader(ReadEnd),
    Writer(WriteEnd),
}

impl Node {
    pub(crate) fn new(parts: Parts<'_>) -> Self {
        let now = Instant::now();
        let Parts { swarm, me, protocols, config, listen, .. } = parts;
        let (ended_sender, ended) = mpsc::channel(ENDED);
        let mut node = Self {
            swarm,
            me,
            protocols,
            max_peers: config.max_peers.max(1),
            topics: config.topics.iter().map(|topic| (gossipsub::IdentTopic::new(*topic).hash(), *topic)).collect(),
            commands: parts.commands,
            events: parts.events,
            stopping: parts.stopping,
            listening: Listening::default(),
            told: parts.told,
            ended_sender,
            ended,
            outboxes: parts.outboxes,
            counters: parts.counters,
            metrics: parts.metrics,
            dialer: Dialer::new(me, parts.bootstrap, now),
            dialing: HashMap::new(),
            links: Links::default(),
            bans: Bans::default(),
            providers: Providers::default(),
            floodgate: Floodgate::new(now),
            nearby: None,
        };
        let on_loopback = |listen: &Multiaddr| address::ip(listen).is_some_and(|ip| ip.is_loopback());
        if listen.iter().all(on_loopback) {
            // Everybody on this computer can reach it.
            node.swarm.behaviour_mut().kad.set_mode(Some(kad::Mode::Server));
        } else if config.nearby {
            node.nearby = Some(Nearby::new(me, config.network, &config.network_name, now));
        }
        node
    }

    /// Runs until [`Command::Shutdown`] or until nobody holds a handle any more.
    pub(crate) async fn run(mut self) {
        loop {
            self.dial_due();
            let deadline = self.deadline();
            tokio::select! {
                // What this node began is finished before something new is let in.
                biased;
                command = self.commands.recv() => match command {
                    Some(Command::Shutdown(done)) => {
                        self.say_goodbye().await;
                        // Whoever asked may have stopped waiting.
                        let _ = done.send(());
                        return;
                    }
                    Some(command) => self.perform(command).await,
                    None => return self.say_goodbye().await,
                },
                Some((connection, ended)) = self.ended.recv() => self.on_ended(connection, ended).await,
                event = self.swarm.select_next_some() => {
                    self.metrics.record(&event);
                    self.on_swarm_event(event).await;
                }
                found = nearby::next(&mut self.nearby) => self.on_nearby(found).await,
                () = wait_for(deadline) => self.on_time().await,
            }
        }
    }

    async fn perform(&mut self, command: Command) {
        let now = Instant::now();
        let behaviour = self.swarm.behaviour_mut();
        match command {
            Command::Publish { topic, message } => {
                if let Err(error) = behaviour.gossip.publish(gossipsub::IdentTopic::new(topic), message) {
                    tracing::debug!(topic, %error, "not published");
                }
            }
            Command::Judge { id, accept } => {
                let verdict = match accept {
                    true => gossipsub::MessageAcceptance::Accept,
                    false => gossipsub::MessageAcceptance::Reject,
                };
                let message = gossipsub::MessageId::from(id.message.to_vec());
                behaviour.gossip.report_message_validation_result(&message, &address::peer_id(&id.source), verdict);
            }
            Command::Dial { device, address } => match device {
                Some(device) if self.links.is_up(&device) => self.dialer.learn(device, vec![address], now),
                None if self.links.has_address(&address) => {}
                _ => self.dialer.wish(device, address, now),
            },
            Command::Disconnect { device, ban_ms } => self.send_away(device, ban_ms, now).await,
            Command::Provide(key) => {
                if let Err(error) = behaviour.kad.start_providing(providers::key(&key)) {
                    tracing::warn!(%key, %error, "not announced as a provider");
                }
            }
            Command::FindProviders(key) => {
                if !self.providers.ask(&mut behaviour.kad, key, now) {
                    self.tell(NetEvent::Providers { key, devices: Vec::new() }).await;
                }
            }
            Command::Shutdown(_) => unreachable!("the loop ends on it"),
        }
    }

    fn dial_due(&mut self) {
        let now = Instant::now();
        let room = self.max_peers.saturating_sub(self.links.up_count());
        for dial in self.dialer.due(room, now) {
            match dial.target {
                Target::Device(device) => {
                    let peer = address::peer_id(&device);
                    let options = DialOpts::peer_id(peer)
                        .condition(PeerCondition::DisconnectedAndNotDialing)
                        .addresses(dial.addresses)
                        .allocate_new_port()
                        .build();
                    self.dial(dial.target, options, now);
                }
                Target::Place(_) => {
                    for address in dial.addresses {
                        let options = DialOpts::unknown_peer_id().address(address).allocate_new_port().build();
                        self.dial(dial.target, options, now);
                    }
                }
            }
        }
    }

    /// A new port each time: two sockets that dial each other from their listening ports would
    /// both take themselves for the dialer.
    fn dial(&mut self, target: Target, options: DialOpts, now: Instant) {
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => drop(self.dialing.insert(connection, target)),
            Err(error) => {
                tracing::debug!(?target, %error, "not dialed");
                self.dialer.failed(target, now);
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let nearby = self.nearby.as_ref().and_then(Nearby::deadline);
        let timers = [self.dialer.deadline(), self.links.deadline(), self.bans.deadline(), nearby];
        timers.into_iter().chain([self.providers.deadline()]).flatten().min()
    }

    async fn on_time(&mut self) {
        let now = Instant::now();
        self.bans.end(&mut self.swarm.behaviour_mut().bans, now);
        if let Some(nearby) = &mut self.nearby {
            nearby.on_time(now);
        }
        for (query, key, devices) in self.providers.overdue(now) {
            if let Some(mut query) = self.swarm.behaviour_mut().kad.query_mut(&query) {
                query.finish();
            }
            self.tell(NetEvent::Providers { key, devices }).await;
        }
        self.close_overdue(now).await;
    }

    async fn on_nearby(&mut self, found: Found) {
        match found {
            Found::Member { device, addresses } => {
                for address in addresses {
                    if !self.links.is_up(&device) {
                        self.dialer.wish(Some(device), address, Instant::now());
                    }
                }
            }
            Found::Other { id, name } => self.tell(NetEvent::Nearby { id, name }).await,
        }
    }

    async fn say_goodbye(mut self) {
        // Its thread ends with it.
        self.nearby = None;
        // The writers end with their outboxes. The readers may be waiting to be heard.
        self.outboxes.clear();
        self.links.stop_reading();
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // An error means that it is gone already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closed = async {
            while self.swarm.network_info().num_peers() > 0 {
                self.swarm.select_next_some().await;
            }
        };
        if timeout(GOODBYE, closed).await.is_err() {
            tracing::debug!("some connections did not close in time");
        }
        let listening: Vec<_> = self.swarm.listeners().cloned().collect();
        drop(self);
        // QUIC's socket outlives its swarm a little; whoever starts again wants the same port.
        let freed = async {
            while stack::check_free(&listening).is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = timeout(GOODBYE, freed).await;
    }

    /// Waits while the engine is busy, and so makes the peers wait.
    async fn tell(&mut self, event: NetEvent) {
        tokio::select! {
            biased;
            // Nobody listening means that the node is about to end.
            _ = self.events.send(event) => {}
            // Whoever ends the node may not listen any more.
            _ = self.stopping.wait_for(|stopping| *stopping) => {}
        }
    }
}

async fn wait_for(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
