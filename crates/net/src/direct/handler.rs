//! The streams of one connection, until both stand.

use std::task::{Context, Poll};

use libp2p::StreamProtocol;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::swarm::handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, Stream, StreamUpgradeError, SubstreamProtocol};

/// This connection was chosen.
#[derive(Debug)]
pub(crate) struct Open;

/// What became of the streams.
#[derive(Debug)]
pub(crate) enum Report {
    /// Both stand: the inbound one and the outbound one.
    Standing(Box<(Stream, Stream)>),
    /// The other side does not speak the protocol of this network.
    Unsupported,
    /// The outbound stream could not be opened.
    Failed(String),
}

#[derive(Debug)]
pub(crate) struct Handler {
    protocol: StreamProtocol,
    /// Whether the other side decides, and this one answers.
    follows: bool,
    chosen: bool,
    requested: bool,
    handed_over: bool,
    inbound: Option<Stream>,
    outbound: Option<Stream>,
    trouble: Option<Report>,
}

type Upgrade = ReadyUpgrade<StreamProtocol>;

impl Handler {
    pub(crate) const fn new(protocol: StreamProtocol, follows: bool) -> Self {
        Self {
            protocol,
            follows,
            chosen: false,
            requested: false,
            handed_over: false,
            inbound: None,
            outbound: None,
            trouble: None,
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = Report;
    type InboundProtocol = Upgrade;
    type OutboundProtocol = Upgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Upgrade> {
        SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ())
    }

    fn on_behaviour_event(&mut self, _: Open) {
        self.chosen = true;
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Upgrade, (), Report>> {
        if let Some(trouble) = self.trouble.take() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(trouble));
        }
        match (self.inbound.take(), self.outbound.take()) {
            (Some(inbound), Some(outbound)) => {
                self.handed_over = true;
                let report = Report::Standing(Box::new((inbound, outbound)));
                return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(report));
            }
            (inbound, outbound) => (self.inbound, self.outbound) = (inbound, outbound),
        }
        let answers = self.follows && self.inbound.is_some();
        if (self.chosen || answers) && !self.requested {
            self.requested = true;
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ());
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        Poll::Pending
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Upgrade, Upgrade>) {
        match event {
            // One is enough: another one is dropped, which resets it.
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol: stream, .. })
                if !self.handed_over && self.inbound.is_none() =>
            {
                self.inbound = Some(stream);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: stream, .. }) => {
                self.outbound = Some(stream);
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                self.trouble = Some(match error {
                    StreamUpgradeError::NegotiationFailed => Report::Unsupported,
                    other => Report::Failed(other.to_string()),
                });
            }
            _ => {}
        }
    }
}
