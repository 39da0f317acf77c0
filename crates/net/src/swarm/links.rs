//! Connections, and which of them a peer is up on.

use std::collections::HashMap;
use std::time::Duration;

use libp2p::swarm::{ConnectionId, Stream};
use libp2p::{Multiaddr, PeerId, StreamProtocol, identify};
use p2p_types::{DeviceId, limits};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::{Ended, Node};
use crate::NetEvent;
use crate::address;
use crate::behaviour::{IDENTITY, Protocols};
use crate::config::{ADMISSION_TIME, AGENT_CHARS, SIMULTANEOUS_TIME, SURPLUS_GRACE};
use crate::dialer::Target;
use crate::direct::reader::{ReadEnd, read_frames};
use crate::direct::writer::{WriteEnd, outbox, write_frames};

#[derive(Debug, Default)]
pub(crate) struct Links {
    pub(super) links: HashMap<ConnectionId, Link>,
    /// For peers with a larger id: the connection this side chose.
    chosen: HashMap<DeviceId, ConnectionId>,
    sessions: HashMap<DeviceId, Session>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) peer: PeerId,
    pub(super) device: DeviceId,
    pub(super) remote: Multiaddr,
    pub(super) since: Instant,
    /// The dial that made it, while it has not led to a peer that is up.
    pub(super) via: Option<Target>,
    hello: Option<Hello>,
    streams: Option<(Stream, Stream)>,
    rtt: Option<Duration>,
    /// Nothing more is done with it.
    pub(super) closing: bool,
    /// When it is to be closed, if that is not done yet.
    pub(super) close_at: Option<Instant>,
}

/// What a peer says of itself.
#[derive(Debug, Clone)]
struct Hello {
    addresses: Vec<Multiaddr>,
    agent: String,
    protocols: Vec<StreamProtocol>,
}

/// A peer that is up.
#[derive(Debug)]
struct Session {
    connection: ConnectionId,
    reader: AbortHandle,
    /// Why it will be down, if this side knows before the reader.
    reason: Option<String>,
}

impl Links {
    pub(crate) fn is_up(&self, device: &DeviceId) -> bool {
        self.sessions.contains_key(device)
    }

    pub(crate) fn up_count(&self) -> usize {
        self.sessions.len()
    }

    /// Whether a peer is up that was dialed at `address` or says it is there.
    pub(crate) fn has_address(&self, address: &Multiaddr) -> bool {
        let is_there = |link: &Link| {
            let claimed = link.hello.iter().flat_map(|hello| &hello.addresses).any(|claimed| claimed == address);
            claimed || link.remote == *address
        };
        self.links.iter().any(|(id, link)| self.carries_session(link, *id) && is_there(link))
    }

    /// Nothing more is read from anybody.
    pub(crate) fn stop_reading(&self) {
        self.sessions.values().for_each(|session| session.reader.abort());
    }

    /// When the next connection has had its time to become a peer.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let admitted = self.waiting().map(|(_, link)| link.since + ADMISSION_TIME);
        admitted.chain(self.links.values().filter_map(|link| link.close_at)).min()
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = (&ConnectionId, &Link)> {
        self.links.iter().filter(|(id, link)| !link.closing && !self.carries_session(link, **id))
    }

    fn carries_session(&self, link: &Link, id: ConnectionId) -> bool {
        self.sessions.get(&link.device).is_some_and(|session| session.connection == id)
    }
}

impl Node {
    pub(super) fn on_connected(&mut self, id: ConnectionId, peer: PeerId, remote: Multiaddr) {
        let via = self.dialing.remove(&id);
        let Some(device) = address::device_id(&peer) else {
            tracing::debug!(%peer, "its key is not Ed25519");
            self.swarm.close_connection(id);
            return;
        };
        let now = Instant::now();
        let (remote, _) = address::without_peer(remote);
        let link = Link {
            peer,
            device,
            remote,
            since: now,
            via,
            hello: None,
            streams: None,
            rtt: None,
            closing: false,
            close_at: None,
        };
        self.links.links.insert(id, link);
        if self.swarm.behaviour().direct.decides(&peer) {
            self.choose(id, peer, device, now);
        }
    }

    /// This side decides which connection is used. The second of two that were dialed at the
    /// same moment is not needed; a later one comes from a peer that lost the first.
    fn choose(&mut self, id: ConnectionId, peer: PeerId, device: DeviceId, now: Instant) {
        let chosen = self.links.chosen.get(&device).and_then(|chosen| self.links.links.get(chosen));
        if chosen.is_some_and(|chosen| !chosen.closing && now - chosen.since < SIMULTANEOUS_TIME) {
            tracing::debug!(%device, "a second connection is not needed");
            // Not at once: a question to the table may be on its way over it, and who asks a peer
            // that stays connected over another one would not hear that it was lost.
            if let Some(link) = self.links.links.get_mut(&id) {
                link.closing = true;
                link.close_at = Some(now + SURPLUS_GRACE);
            }
            return;
        }
        self.links.chosen.insert(device, id);
        self.swarm.behaviour_mut().direct.open(peer, id);
    }

    pub(super) async fn on_streams(&mut self, id: ConnectionId, streams: (Stream, Stream)) {
        if let Some(link) = self.links.links.get_mut(&id) {
            link.streams = Some(streams);
            self.try_up(id).await;
        }
    }

    /// The peer said who it is.
    pub(super) async fn on_hello(&mut self, id: ConnectionId, info: identify::Info) {
        let now = Instant::now();
        let Some(link) = self.links.links.get_mut(&id) else { return };
        if link.closing {
            return;
        }
        let device = link.device;
        let is_up = self.links.sessions.get(&device).is_some_and(|session| session.connection == id);
        if !is_up && !info.protocols.contains(&self.protocols.direct) {
            let reason = match Protocols::other_network(&info.protocols) {
                Some(other) if info.protocol_version == IDENTITY => {
                    let other: String = other.chars().take(8).collect();
                    format!("it is a node of another network ({other}...)")
                }
                _ => format!(
                    "it is no node of ours but {:?}, of another network at best",
                    printable(&info.agent_version)
                ),
            };
            return self.refuse_foreign(id, reason).await;
        }
        let via = address::ip(&link.remote);
        let mut addresses: Vec<_> =
            info.listen_addrs.into_iter().map(|claimed| address::without_peer(claimed).0).collect();
        addresses.retain(|claimed| address::is_useful(claimed, via));
        addresses.truncate(limits::ADDRESSES_PER_PEER);
        let hello = Hello { addresses, agent: printable(&info.agent_version), protocols: info.protocols };
        link.hello = Some(hello.clone());
        if is_up {
            self.learn(device, &hello, now);
        } else {
            self.try_up(id).await;
        }
    }

    pub(super) async fn on_latency(&mut self, id: ConnectionId, rtt: Duration) {
        let Some(link) = self.links.links.get_mut(&id) else { return };
        let device = link.device;
        link.rtt = Some(rtt);
        if self.links.sessions.get(&device).is_some_and(|session| session.connection == id) {
            self.tell(NetEvent::Latency { device, rtt }).await;
        }
    }

    /// Up when the streams stand and the peer said who it is.
    async fn try_up(&mut self, id: ConnectionId) {
        let Some(link) = self.links.links.get_mut(&id) else { return };
        let Some(hello) = link.hello.clone().filter(|_| !link.closing) else { return };
        let Some((inbound, outbound)) = link.streams.take() else { return };
        let (device, rtt, via) = (link.device, link.rtt, link.via.take());
        let dialed = via.is_some().then(|| link.remote.clone());
        if let Some(old) = self.links.sessions.get(&device).map(|session| session.connection) {
            self.end_session(&device, "it connected anew".into()).await;
            self.close(old);
        }

        let now = Instant::now();
        self.dialer.up(device, via, now);
        self.dialer.learn(device, dialed.into_iter().collect(), now);
        self.learn(device, &hello, now);
        let (outbox, frames) = outbox(self.outboxes.limit.clone());
        self.outboxes.add(device, outbox);
        self.tell(NetEvent::PeerUp {
            device,
            addresses: hello.addresses.iter().map(|claimed| address::text(claimed, &device)).collect(),
            agent: hello.agent,
            protocols: hello.protocols.iter().map(ToString::to_string).collect(),
        })
        .await;
        if let Some(rtt) = rtt {
            self.tell(NetEvent::Latency { device, rtt }).await;
        }

        let (events, ended, counters) = (self.events.clone(), self.ended_sender.clone(), self.counters.clone());
        let reader = tokio::spawn(async move {
            let end = read_frames(inbound, device, &events, &counters).await;
            // Nobody to tell means that the node is gone.
            let _ = ended.send((id, Ended::Reader(end))).await;
        });
        let (ended, counters) = (self.ended_sender.clone(), self.counters.clone());
        tokio::spawn(async move {
            let end = write_frames(outbound, frames, &counters).await;
            let _ = ended.send((id, Ended::Writer(end))).await;
        });
        let session = Session { connection: id, reader: reader.abort_handle(), reason: None };
        self.links.sessions.insert(device, session);
    }

    /// Keeps the addresses of a peer that is up.
    fn learn(&mut self, device: DeviceId, hello: &Hello, now: Instant) {
        self.dialer.learn(device, hello.addresses.clone(), now);
        if hello.protocols.contains(&self.protocols.kad) {
            let peer = address::peer_id(&device);
            for address in &hello.addresses {
                self.swarm.behaviour_mut().kad.add_address(&peer, address.clone());
            }
        }
    }

    pub(super) async fn on_ended(&mut self, id: ConnectionId, ended: Ended) {
        let Some(device) = self.links.sessions.iter().find(|(_, up)| up.connection == id).map(|(device, _)| *device)
        else {
            return;
        };
        match ended {
            Ended::Reader(ReadEnd::Fault(fault)) => self.refuse(id, fault.to_string()).await,
            Ended::Reader(ReadEnd::Closed | ReadEnd::Unheard) => {
                self.end_session(&device, "it closed the connection".into()).await;
                self.close(id);
            }
            Ended::Writer(WriteEnd::Stalled) => {
                let reason = "it did not take what was sent to it".into();
                self.refuse(id, reason).await;
            }
            // The reader ends as well, after what is still to be read.
            Ended::Writer(WriteEnd::Closed) => {}
        }
    }

    /// Notes why a connection is about to end; the reader has the last word on when.
    pub(super) fn on_silent(&mut self, id: ConnectionId) {
        let Some(link) = self.links.links.get(&id) else { return };
        if let Some(session) = self.links.sessions.get_mut(&link.device).filter(|session| session.connection == id) {
            session.reason = Some("it did not answer any more".into());
        }
        self.close(id);
    }

    pub(super) fn on_closed(&mut self, id: ConnectionId, peer: PeerId, lost: bool, remaining: u32) {
        if remaining == 0 {
            self.floodgate.forget(&peer);
        }
        let Some(link) = self.links.links.remove(&id) else { return };
        let now = Instant::now();
        if let Some(session) = self.links.sessions.get_mut(&link.device).filter(|session| session.connection == id) {
            let reason = if lost { "the connection was lost" } else { "the connection was closed" };
            session.reason.get_or_insert_with(|| reason.into());
        }
        match link.via {
            Some(via) if self.links.is_up(&link.device) => self.dialer.answered(via),
            Some(via) => self.dialer.failed(via, now),
            None => {}
        }
        if self.links.chosen.get(&link.device) == Some(&id) {
            self.links.chosen.remove(&link.device);
            let other = self.links.links.iter().find(|(_, other)| other.device == link.device && !other.closing);
            if let Some(other) = other.map(|(id, _)| *id) {
                self.choose(other, peer, link.device, now);
            }
        }
    }

    /// Ends what `device` has with this node, if it is up.
    pub(super) async fn end_session(&mut self, device: &DeviceId, reason: String) {
        let Some(session) = self.links.sessions.remove(device) else { return };
        session.reader.abort();
        self.outboxes.remove(device);
        // Whoever asks the table waits for each of it that does not answer.
        self.swarm.behaviour_mut().kad.remove_peer(&address::peer_id(device));
        self.dialer.down(*device, Instant::now());
        let reason = session.reason.unwrap_or(reason);
        self.tell(NetEvent::PeerDown { device: *device, reason }).await;
    }

    pub(super) fn close(&mut self, id: ConnectionId) {
        if let Some(link) = self.links.links.get_mut(&id) {
            link.closing = true;
            link.close_at = None;
        }
        self.swarm.close_connection(id);
    }
}

/// A peer's word about itself, short, and all of it to be seen.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !p2p_types::is_hidden(*letter)).take(AGENT_CHARS).collect()
}
