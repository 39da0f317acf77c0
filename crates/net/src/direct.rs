//! The streams that carry frames: one each way on one connection between two peers.
//!
//! The device with the smaller id decides: it opens its stream on the connection it chose
//! ([`Direct::open`]), and the other answers with its own on the same one. When both stand the
//! swarm is handed the pair. libp2p-stream would do for a stream, but it picks a connection at
//! random, dials by itself, and drops an inbound stream that nobody waits for.

mod handler;
pub(crate) mod reader;
pub(crate) mod upload;
pub(crate) mod writer;

use std::collections::VecDeque;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, StreamProtocol};

use handler::Handler;
pub(crate) use handler::{Open, Report};

/// What became of the streams of one connection.
#[derive(Debug)]
pub(crate) struct DirectEvent {
    pub(crate) connection: ConnectionId,
    pub(crate) report: Report,
}

/// Opens and accepts the streams.
#[derive(Debug)]
pub(crate) struct Direct {
    me: PeerId,
    protocol: StreamProtocol,
    queue: VecDeque<ToSwarm<DirectEvent, Open>>,
}

impl Direct {
    pub(crate) fn new(me: PeerId, protocol: StreamProtocol) -> Self {
        Self { me, protocol, queue: VecDeque::new() }
    }

    /// Whether this side chooses the connection to `peer`.
    pub(crate) fn decides(&self, peer: &PeerId) -> bool {
        self.me.to_bytes() < peer.to_bytes()
    }

    /// Chooses `connection`. For the side that [decides](Self::decides).
    pub(crate) fn open(&mut self, peer: PeerId, connection: ConnectionId) {
        self.queue.push_back(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(connection),
            event: Open,
        });
    }
}

impl NetworkBehaviour for Direct {
    type ConnectionHandler = Handler;
    type ToSwarm = DirectEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new(self.protocol.clone(), !self.decides(&peer)))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new(self.protocol.clone(), !self.decides(&peer)))
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, _: PeerId, connection: ConnectionId, report: THandlerOutEvent<Self>) {
        self.queue.push_back(ToSwarm::GenerateEvent(DirectEvent { connection, report }));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.queue.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}
