//! The engine's hand on the network.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::metrics::Registry;
use p2p_types::{DeviceId, Hash, limits};
use tokio::sync::{mpsc, oneshot, watch};

use crate::behaviour::Protocols;
use crate::config::{COMMANDS, EVENTS};
use crate::counters::{self, Counters, Libp2pMetrics};
use crate::direct::writer::Outboxes;
use crate::swarm::Node;
use crate::{NetConfig, NetError, NetEvent, PublishedId, SendError, address, stack};

/// A running network. Cheap to clone; when the last clone is dropped the network ends.
///
/// No method waits. What the swarm's task must do is queued; when [1024](COMMANDS) commands wait
/// there, further ones are dropped, logged and counted in the metrics.
#[derive(Debug, Clone)]
pub struct Net {
    commands: mpsc::Sender<Command>,
    outboxes: Outboxes,
    counters: Counters,
    registry: Arc<Registry>,
    dropping: Arc<AtomicBool>,
    listening: watch::Receiver<Vec<String>>,
    stopping: Arc<watch::Sender<bool>>,
}

/// What the swarm's task is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    Publish { topic: &'static str, message: Vec<u8> },
    Judge { id: PublishedId, accept: bool },
    Dial { device: Option<DeviceId>, address: Multiaddr },
    Disconnect { device: DeviceId, ban_ms: Option<u64> },
    Provide(Hash),
    FindProviders(Hash),
    Shutdown(oneshot::Sender<()>),
}

impl Net {
    /// Listens, and starts to knock at the bootstrap addresses. Runs on the current tokio
    /// runtime, for which one thread is enough.
    ///
    /// # Errors
    /// When an address cannot be read or listened on, or its port is taken.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(config: NetConfig) -> Result<(Self, mpsc::Receiver<NetEvent>), NetError> {
        let keypair =
            Keypair::ed25519_from_bytes(*config.secret.expose()).map_err(|error| NetError::Key(error.to_string()))?;
        let me = address::device_id(&keypair.public().to_peer_id()).expect("the key is Ed25519");
        let listen = config.listen.iter().map(|text| Ok(address::parse(text)?.0)).collect::<Result<Vec<_>, _>>()?;
        let bootstrap = config.bootstrap.iter().map(|text| address::parse(text)).collect::<Result<Vec<_>, _>>()?;
        stack::check_free(&listen)?;

        let mut registry = Registry::default();
        let counters = Counters::register(&mut registry);
        let metrics = Libp2pMetrics::register(&mut registry);
        let protocols = Protocols::of(&config.network);
        let mut swarm = stack::build(&config, keypair, &protocols, &mut registry)?;
        stack::listen(&mut swarm, &listen)?;

        let (commands, command_receiver) = mpsc::channel(COMMANDS);
        let (events, event_receiver) = mpsc::channel(EVENTS);
        let (stopping, stopping_receiver) = watch::channel(false);
        let (told, listening) = watch::channel(Vec::new());
        let outboxes = Outboxes::default();
        let node = Node::new(crate::swarm::Parts {
            swarm,
            me,
            protocols,
            config: &config,
            listen: &listen,
            bootstrap,
            commands: command_receiver,
            events,
            stopping: stopping_receiver,
            told,
            outboxes: outboxes.clone(),
            counters: counters.clone(),
            metrics,
        });
        tokio::spawn(node.run());
        let registry = Arc::new(registry);
        let stopping = Arc::new(stopping);
        let net = Self { commands, outboxes, counters, registry, dropping: Arc::default(), listening, stopping };
        Ok((net, event_receiver))
    }

    /// Queues one frame for a peer that is up. Frames to one peer arrive in order, or the peer
    /// goes down.
    ///
    /// # Errors
    /// When the peer is not up, too much waits for it, or the frame is empty or too long.
    pub fn send(&self, to: DeviceId, frame: Vec<u8>) -> Result<(), SendError> {
        let sent = self.outboxes.send(&to, frame);
        if sent == Err(SendError::Full) {
            self.counters.outbox_full();
        }
        sent
    }

    /// Sends `message` to everybody who listens to `topic`: one of [`NetConfig::topics`], at most
    /// [`limits::PUBLISHED_BYTES`] long. It is not delivered to this node itself. Nobody may hear
    /// it; that is no error.
    pub fn publish(&self, topic: &'static str, message: Vec<u8>) {
        if message.len() > limits::PUBLISHED_BYTES {
            tracing::error!(topic, bytes = message.len(), "a message is too long to be published");
            self.counters.published_dropped();
            return;
        }
        self.command(Command::Publish { topic, message });
    }

    /// Passes a message on, or rejects it, which is held against who sent it. A message that is
    /// judged neither way is not passed on and held against nobody. Judge within 30 s.
    pub fn judge(&self, id: PublishedId, accept: bool) {
        self.command(Command::Judge { id, accept });
    }

    /// Dials a device, or whoever answers at the addresses, until it is up or ten dials failed,
    /// with growing waits. Addresses that cannot be read are skipped; each may end in
    /// `/p2p/DEVICE`, which `device` overrules. Nothing happens for this node itself, a peer that
    /// is up, and one that is banned or of another network.
    pub fn dial(&self, device: Option<DeviceId>, addresses: Vec<String>) {
        // A caller may hand on what a peer said: as many as are kept are read.
        for text in addresses.iter().take(limits::ADDRESSES_PER_PEER) {
            match address::parse(text) {
                Ok((address, named)) => {
                    let device = device.or(named);
                    self.command(Command::Dial { device, address });
                }
                Err(error) => tracing::debug!(%error, "not dialed"),
            }
        }
    }

    /// Where this node can be reached now, best first, each ending in `/p2p/DEVICE`: at most
    /// [`limits::ADDRESSES_PER_PEER`], as many as others keep. Changes with
    /// [`NetEvent::Listening`].
    #[must_use]
    pub fn listening(&self) -> Vec<String> {
        self.listening.borrow().clone()
    }

    /// Ends the connection to a device and forgets its addresses. With `ban_ms` it may not
    /// come back, and is not dialed, for so many milliseconds.
    pub fn disconnect(&self, device: DeviceId, ban_ms: Option<u64>) {
        self.command(Command::Disconnect { device, ban_ms });
    }

    /// Tells the network, now and every few hours, that this node provides what `key` names.
    pub fn provide(&self, key: Hash) {
        self.command(Command::Provide(key));
    }

    /// Asks the network who provides what `key` names. One [`NetEvent::Providers`] answers,
    /// within 5 s, empty when nobody is found or too many questions are open.
    pub fn find_providers(&self, key: Hash) {
        self.command(Command::FindProviders(key));
    }

    /// Bytes that went over connections since the start, both ways, as libp2p counts them: within TCP and QUIC,
    /// so headers of the network come on top.
    #[must_use]
    pub fn traffic(&self) -> u64 {
        counters::traffic(&self.registry)
    }

    /// Frames leave no faster than this, to all peers together, in bytes a second; `None` is no limit.
    pub fn limit_upload(&self, bytes_per_s: Option<u64>) {
        self.outboxes.limit.set(bytes_per_s);
    }

    /// Prometheus text: libp2p's metrics and our own, without the closing `# EOF`.
    #[must_use]
    pub fn metrics(&self) -> String {
        counters::text(&self.registry)
    }

    /// Says goodbye to all peers and ends. Waits until that is done and the ports are free again,
    /// a second at most. Events need not be taken meanwhile.
    pub async fn shutdown(self) {
        self.stopping.send_replace(true);
        let (done, wait) = oneshot::channel();
        if self.commands.send(Command::Shutdown(done)).await.is_ok() {
            // Ends also when the task is gone.
            let _ = wait.await;
        }
    }

    fn command(&self, command: Command) {
        let dropped = self.commands.try_send(command).is_err() && !self.commands.is_closed();
        if dropped {
            self.counters.command_dropped();
        }
        if dropped != self.dropping.swap(dropped, Ordering::Relaxed) && dropped {
            tracing::warn!("the network has too much to do, commands are dropped");
        }
    }
}
