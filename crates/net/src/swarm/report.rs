//! What the swarm reports, and what it means.

use libp2p::allow_block_list::Blocked;
use libp2p::core::ConnectedPoint;
use libp2p::swarm::{ConnectionId, DialError, ListenError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, gossipsub, identify, kad, ping};
use tokio::time::Instant;

use super::Node;
use crate::behaviour::BehaviourEvent;
use crate::direct::{DirectEvent, Report};
use crate::topics::{self, Passage};
use crate::{NetEvent, PublishedId, address};

impl Node {
    pub(super) async fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event).await,
            SwarmEvent::NewListenAddr { address, .. } => self.on_listening(address).await,
            SwarmEvent::ExpiredListenAddr { address, .. } => self.on_not_listening(&[address]).await,
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                if matches!(endpoint, ConnectedPoint::Listener { .. }) {
                    // Somebody reached this node, so it can be asked.
                    self.swarm.behaviour_mut().kad.set_mode(Some(kad::Mode::Server));
                }
                self.on_connected(connection_id, peer_id, endpoint.get_remote_address().clone());
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, num_established, .. } => {
                self.on_closed(connection_id, peer_id, cause.is_some(), num_established);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                self.on_dial_failed(connection_id, peer_id, error).await;
            }
            SwarmEvent::IncomingConnectionError { peer_id, error, .. } => self.on_turned_away(peer_id, error).await,
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener has trouble"),
            SwarmEvent::ListenerClosed { addresses, reason, .. } => {
                if let Err(error) = reason {
                    tracing::error!(?addresses, %error, "this node does not listen any more");
                }
                self.on_not_listening(&addresses).await;
            }
            _ => {}
        }
    }

    async fn on_listening(&mut self, listening: Multiaddr) {
        if let Some(nearby) = &mut self.nearby {
            nearby.on_listening(&listening, Instant::now());
        }
        if self.listening.add(&listening) {
            self.tell_listening(Some(&listening)).await;
        }
    }

    /// An interface went away, or a listener ended.
    async fn on_not_listening(&mut self, gone: &[Multiaddr]) {
        let gone = gone.iter().filter(|address| self.listening.remove(address)).count();
        if gone > 0 {
            self.tell_listening(None).await;
        }
    }

    /// Says where this node listens now; `news` is what was added.
    async fn tell_listening(&mut self, news: Option<&Multiaddr>) {
        let (best, event) = self.listening.news(news, &self.me);
        self.told.send_replace(best);
        self.tell(event).await;
    }

    async fn on_dial_failed(&mut self, id: ConnectionId, peer: Option<PeerId>, error: DialError) {
        let Some(target) = self.dialing.remove(&id) else { return };
        tracing::debug!(?target, %error, "dial failed");
        match error {
            // The address is this node's own.
            DialError::LocalPeerId { .. } => self.dialer.is_self(target),
            DialError::WrongPeerId { obtained, address } => {
                self.dialer.failed(target, Instant::now());
                let device = peer.as_ref().and_then(address::device_id);
                let (address, _) = address::without_peer(address);
                let reason = format!("at {address} answers {obtained} instead");
                self.tell(NetEvent::Refused { device, reason }).await;
            }
            _ => self.dialer.failed(target, Instant::now()),
        }
    }

    /// Somebody who is banned knocks.
    async fn on_turned_away(&mut self, peer: Option<PeerId>, error: ListenError) {
        tracing::debug!(?peer, %error, "connection turned away");
        let ListenError::Denied { cause } = error else { return };
        if let Some(peer) = peer.filter(|_| cause.downcast_ref::<Blocked>().is_some())
            && self.bans.first_knock(&peer)
        {
            self.counters.refused();
            let reason = "it is banned and came back".into();
            self.tell(NetEvent::Refused { device: address::device_id(&peer), reason }).await;
        }
    }

    async fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Direct(DirectEvent { connection, report }) => self.on_direct(connection, report).await,
            BehaviourEvent::Identify(event) => {
                self.metrics.record(&event);
                if let identify::Event::Received { connection_id, info, .. } = event {
                    self.on_hello(connection_id, info).await;
                }
            }
            BehaviourEvent::Ping(event) => {
                self.metrics.record(&event);
                match event.result {
                    Ok(rtt) => self.on_latency(event.connection, rtt).await,
                    Err(ping::Failure::Unsupported) => {}
                    Err(_) => self.on_silent(event.connection),
                }
            }
            BehaviourEvent::Gossip(event) => {
                self.metrics.record(&event);
                if let gossipsub::Event::Message { propagation_source, message_id, message } = event {
                    self.on_published(propagation_source, message_id, message).await;
                }
            }
            BehaviourEvent::Kad(event) => {
                self.metrics.record(&event);
                self.on_table(event).await;
            }
            BehaviourEvent::Bans(never) | BehaviourEvent::Limits(never) | BehaviourEvent::Groups(never) => {
                match never {}
            }
        }
    }

    async fn on_direct(&mut self, id: ConnectionId, report: Report) {
        match report {
            Report::Standing(streams) => self.on_streams(id, *streams).await,
            Report::Unsupported => self.refuse_foreign(id, "it is a node of another network".into()).await,
            Report::Failed(reason) => {
                tracing::debug!(reason, "the stream did not open");
                self.close(id);
            }
        }
    }

    async fn on_published(&mut self, source: PeerId, id: gossipsub::MessageId, message: gossipsub::Message) {
        let passage = self.floodgate.pass(source, message.data.len(), Instant::now());
        let (Passage::Open, Some(topic), Some(device)) =
            (&passage, self.topics.get(&message.topic), address::device_id(&source))
        else {
            self.counters.published_dropped();
            let ignore = gossipsub::MessageAcceptance::Ignore;
            self.swarm.behaviour_mut().gossip.report_message_validation_result(&id, &source, ignore);
            if passage == Passage::Flood {
                self.refuse_peer(source, "it floods topics").await;
            }
            return;
        };
        let id = PublishedId { message: topics::message_id(&message), source: device };
        let topic = (*topic).to_owned();
        self.tell(NetEvent::Published { topic, id, source: device, message: message.data }).await;
    }

    async fn on_table(&mut self, event: kad::Event) {
        match event {
            kad::Event::InboundRequest { request: kad::InboundRequest::AddProvider { record: Some(record) } } => {
                let store = self.swarm.behaviour_mut().kad.store_mut();
                self.providers.keep(store, record, Instant::now());
            }
            kad::Event::OutboundQueryProgressed {
                id, result: kad::QueryResult::GetProviders(result), step, ..
            } => {
                if let Ok(kad::GetProvidersOk::FoundProviders { providers, .. }) = &result {
                    self.providers.found(id, &self.me, providers);
                }
                if step.last
                    && let Some((key, devices)) = self.providers.answer(id)
                {
                    self.tell(NetEvent::Providers { key, devices }).await;
                }
            }
            _ => {}
        }
    }
}
