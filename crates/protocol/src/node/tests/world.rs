//! The world that the tests look at: what one node says, the other hears at once, in order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use p2p_types::{
    AccountId, Chunk, DeviceId, Ed25519, Hash, Monotonic, Now, Output as Answer, Placement, Priority, Privacy,
    QuantizedVector, Scheme, SecretKey, Signed, TaskId, TaskKind, TextFailure, Timestamp,
};

use crate::io::{ChunkSizes, Durable, Input, Output, Restored, TaskRequest, Work};
use crate::network::{Charter, Network, NetworkKind, found_network};
use crate::node::{Config, Node};
use crate::outcome::TextOutcome;
use crate::pay::Payer;
use crate::requester::{Stage, Task};
use crate::wire::{self, envelope::Message};
use crate::{certify, make_admission, make_membership};

mod wallets;

pub(super) const START: Timestamp = Timestamp(1_800_000_000_000);
pub(super) const MODEL: Hash = Hash([7; 32]);

/// How the workers of a node behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Workers {
    /// They answer after so many milliseconds for each text.
    Take(u64),
    /// They answer when the test says so.
    Wait,
    CannotStart,
}

/// One node with everything around it.
pub(super) struct Seat {
    pub(super) node: Node,
    pub(super) key: Ed25519,
    pub(super) device: DeviceId,
    pub(super) workers: Workers,
    pub(super) running: BTreeMap<u64, (Work, Monotonic)>,
    pub(super) connected: BTreeSet<usize>,
    /// All outputs but `Send` and `Publish`.
    pub(super) outputs: Vec<Output>,
    pub(super) ticks: u64,
    published: u64,
    /// Outputs that were looked through for farewells.
    shown_out: usize,
}

/// What becomes of a message on its way.
pub(super) enum Way {
    Straight,
    Lost,
    /// It was changed, and its sender signs it anew.
    Changed,
}

type Road = Box<dyn FnMut(usize, usize, &mut wire::Envelope) -> Way>;

pub(super) struct World {
    pub(super) now: Now,
    pub(super) seats: Vec<Seat>,
    pub(super) network: Network,
    /// Every message as it arrived: from, to, what.
    pub(super) heard: Vec<(usize, usize, Message)>,
    /// The last frames as they arrived.
    pub(super) frames: Vec<(usize, usize, Vec<u8>)>,
    road: Road,
    on_the_way: VecDeque<(usize, usize, Vec<u8>)>,
    tasks: u8,
    money: bool,
    /// The notary's.
    pub(super) log: Vec<Vec<u8>>,
}

impl World {
    /// So many strangers in an open network, all connected, each able to do everything with one worker.
    pub(super) fn new(nodes: usize) -> Self {
        Self::of_kind(nodes, NetworkKind::Open, false)
    }

    pub(super) fn of_kind(nodes: usize, kind: NetworkKind, members_trusted: bool) -> Self {
        let mut world = Self::apart(nodes, kind, members_trusted);
        for one in 0..nodes {
            (0..one).for_each(|other| world.connect(one, other));
        }
        world
    }

    /// The same, not connected.
    pub(super) fn apart(nodes: usize, kind: NetworkKind, members_trusted: bool) -> Self {
        let notary = DeviceId(key_of(1).public_key());
        let issuer = AccountId(key_of(199).public_key());
        let charter =
            Charter { name: "test".into(), kind, members_trusted, unpaid: true, notary, issuer, nonce: [9; 32] };
        let network = found_network(&key_of(101), &charter, START).expect("a network");
        let mut world = Self {
            now: Now { wall: START, mono: Monotonic(5_000_000_000) },
            seats: Vec::new(),
            network,
            heard: Vec::new(),
            frames: Vec::new(),
            road: Box::new(|_, _, _| Way::Straight),
            on_the_way: VecDeque::new(),
            tasks: 0,
            money: false,
            log: Vec::new(),
        };
        for _ in 0..nodes {
            world.sit(&Restored::default(), true);
        }
        world
    }

    /// One more node. Everybody but the founder is `invited`, or not.
    pub(super) fn sit(&mut self, restored: &Restored, invited: bool) -> usize {
        let at = self.seats.len();
        let number = u8::try_from(at).expect("few nodes") + 1;
        let key = key_of(number);
        let device = DeviceId(key.public_key());
        let node = self.machine(number, restored, invited);
        let seat = Seat {
            node,
            key,
            device,
            workers: Workers::Take(5),
            running: BTreeMap::new(),
            connected: BTreeSet::new(),
            outputs: Vec::new(),
            ticks: 0,
            published: 0,
            shown_out: 0,
        };
        self.seats.push(seat);
        self.able(at, 1);
        at
    }

    fn machine(&self, number: u8, restored: &Restored, invited: bool) -> Node {
        let (key, account) = (key_of(number), key_of(100 + number));
        let (device, account_id) = (DeviceId(key.public_key()), AccountId(account.public_key()));
        let membership = if invited {
            let admission =
                make_admission(&key_of(101), &self.network.id, key_of(200).public_key(), START.plus_ms(1000));
            make_membership(&key_of(200), &self.network.id, account_id, admission, START)
        } else {
            Vec::new()
        };
        let config = Config {
            network: Some(self.network.clone()),
            account: account_id,
            certificate: certify(&account, device, START).into_bytes(),
            membership,
            agent_version: "0.1.0".to_owned(),
            max_peers: p2p_types::limits::PEERS,
            money: self.money_of(number),
        };
        Node::new(config, Arc::new(key), restored)
    }

    /// The process ends and another begins, knowing what was durable.
    pub(super) fn restart(&mut self, at: usize, restored: &Restored) {
        let others: Vec<usize> = self.seats[at].connected.iter().copied().collect();
        others.iter().for_each(|other| self.part(at, *other));
        let number = u8::try_from(at).expect("few nodes") + 1;
        self.seats[at].node = self.machine(number, restored, true);
        self.seats[at].running.clear();
        self.able(at, 1);
        others.iter().for_each(|other| self.connect(at, *other));
    }

    pub(super) fn able(&mut self, at: usize, slots: u32) {
        let kinds = TaskKind::ALL.iter().map(|kind| (*kind, MODEL)).collect();
        self.feed(at, Input::Able { kinds, slots });
        self.settle();
    }

    pub(super) fn connect(&mut self, one: usize, other: usize) {
        self.seats[one].connected.insert(other);
        self.seats[other].connected.insert(one);
        for (at, peer) in [(one, other), (other, one)] {
            let device = self.seats[peer].device;
            let addresses = vec![format!("/ip4/127.0.0.1/tcp/{}", 9000 + peer)];
            self.feed(at, Input::PeerUp { device, addresses, protocols: Vec::new() });
        }
        self.settle();
    }

    /// The connection breaks.
    pub(super) fn part(&mut self, one: usize, other: usize) {
        self.on_the_way.retain(|(from, to, _)| ![(one, other), (other, one)].contains(&(*from, *to)));
        for (at, peer) in [(one, other), (other, one)] {
            if self.seats[at].connected.remove(&peer) {
                self.feed(at, Input::PeerDown { device: self.seats[peer].device });
            }
        }
        self.settle();
    }

    /// The process of `at` ends.
    pub(super) fn kill(&mut self, at: usize) {
        (0..self.seats.len()).for_each(|other| self.part(at, other));
    }

    pub(super) fn road(&mut self, road: impl FnMut(usize, usize, &mut wire::Envelope) -> Way + 'static) {
        self.road = Box::new(road);
    }

    pub(super) fn device(&self, at: usize) -> DeviceId {
        self.seats[at].device
    }

    /// One input, without what follows from it.
    pub(super) fn feed(&mut self, at: usize, input: Input) {
        let tick = matches!(input, Input::Tick);
        let seat = &mut self.seats[at];
        seat.node.handle(self.now, input);
        seat.node.requester.assert_consistent();
        if tick {
            seat.ticks += 1;
            let due = seat.node.next_deadline(self.now);
            assert!(due.is_none_or(|due| due > self.now.mono), "node {at} would tick for ever: {:?}", seat.node);
        }
        self.drain(at);
    }

    pub(super) fn input(&mut self, at: usize, input: Input) {
        self.feed(at, input);
        self.show_out(at);
        self.settle();
    }

    /// A frame out of nowhere, as if `from` had sent it. The number it used is forgotten, for what
    /// `from` sends itself goes on from the number before.
    pub(super) fn inject(&mut self, from: usize, to: usize, frame: Vec<u8>) {
        let from = self.seats[from].device;
        let peers = &mut self.seats[to].node.peers;
        let before = peers.get(&from).map_or(0, |peer| peer.direct_sequence);
        self.feed(to, Input::Received { from, frame });
        if let Some(peer) = self.seats[to].node.peers.get_mut(&from) {
            peer.direct_sequence = before;
        }
        self.show_out(to);
        self.settle();
    }

    /// A message that `from` signs now, with whatever the test wants to be wrong about it.
    pub(super) fn forge(
        &self,
        from: usize,
        to: usize,
        message: Message,
        change: impl FnOnce(&mut wire::Envelope),
    ) -> Vec<u8> {
        let session = self.seats[from].node.peer(&self.device(to)).map_or(0, |_| self.hello_of(to, from));
        let mut envelope = wire::Envelope {
            network: self.network.id.0.to_vec(),
            recipient: self.device(to).0.to_vec(),
            sequence: self.last_sequence(from, to) + 1,
            sent_ms: self.now.wall.0,
            expires_ms: self.now.wall.0 + 1000,
            session,
            message: Some(message),
            ..wire::Envelope::default()
        };
        change(&mut envelope);
        let network = p2p_types::NetworkId(envelope.network.as_slice().try_into().expect("32 bytes"));
        Signed::new(&self.seats[from].key, &network, &envelope).into_bytes()
    }

    /// The sequence of the hello that `at` began its connection to `to` with.
    fn hello_of(&self, at: usize, to: usize) -> u64 {
        self.seats[at].node.peer(&self.device(to)).map_or(0, |peer| peer.our_hello)
    }

    fn last_sequence(&self, from: usize, to: usize) -> u64 {
        self.seats[to].node.peer(&self.device(from)).map_or(0, |peer| peer.direct_sequence)
    }

    fn drain(&mut self, at: usize) {
        while let Some(output) = self.seats[at].node.poll_output() {
            match output {
                Output::Send { to, frame } => {
                    let Some(to) = self.seats.iter().position(|seat| seat.device == to) else { continue };
                    if self.seats[at].connected.contains(&to) {
                        self.on_the_way.push_back((at, to, frame));
                    }
                }
                Output::Publish { message } => {
                    for other in self.seats[at].connected.clone() {
                        self.seats[other].published += 1;
                        let id = self.seats[other].published;
                        self.feed(other, Input::Published { id, message: message.clone() });
                    }
                }
                Output::Run(work) => {
                    let due = match self.seats[at].workers {
                        Workers::Take(ms) => self.now.mono.plus_ms(ms * work.texts.len() as u64),
                        Workers::Wait => Monotonic(u64::MAX),
                        Workers::CannotStart => self.now.mono,
                    };
                    self.seats[at].running.insert(work.work_id, (work.clone(), due));
                    self.seats[at].outputs.push(Output::Run(work));
                }
                Output::Stop { work_id } => {
                    self.seats[at].running.remove(&work_id);
                    self.seats[at].outputs.push(Output::Stop { work_id });
                }
                Output::Record { record } => {
                    self.log.push(record);
                    self.feed(at, Input::Recorded { written: true });
                }
                Output::ReadLog { request, places } => {
                    let certificates = places.iter().map(|place| self.certificate(*place)).collect();
                    self.feed(at, Input::LogRead { request, certificates });
                }
                other => self.seats[at].outputs.push(other),
            }
        }
    }

    /// Carries everything to where it goes, until nothing moves.
    pub(super) fn settle(&mut self) {
        while let Some((from, to, frame)) = self.on_the_way.pop_front() {
            assert!(frame.len() <= p2p_types::limits::FRAME_BYTES);
            let signed = Signed::<wire::Envelope>::from_bytes(frame.clone()).expect("well formed");
            let mut envelope = signed.peek().expect("an envelope");
            let frame = match (self.road)(from, to, &mut envelope) {
                Way::Straight => frame,
                Way::Lost => continue,
                Way::Changed => Signed::new(&self.seats[from].key, &self.network.id, &envelope).into_bytes(),
            };
            self.heard.push((from, to, envelope.message.expect("a message")));
            self.frames.push((from, to, frame.clone()));
            self.feed(to, Input::Received { from: self.seats[from].device, frame });
            self.show_out(to);
        }
    }

    /// Ends the connections that `at` wants to end.
    fn show_out(&mut self, at: usize) {
        let (seat, done) = (&self.seats[at], self.seats[at].shown_out);
        let leaving: Vec<DeviceId> = seat.outputs[done.min(seat.outputs.len())..]
            .iter()
            .filter_map(|output| match output {
                Output::Disconnect { device, .. } => Some(*device),
                _ => None,
            })
            .collect();
        self.seats[at].shown_out = self.seats[at].outputs.len();
        for device in leaving {
            if let Some(other) = self.seats.iter().position(|seat| seat.device == device) {
                self.part(at, other);
            }
        }
    }

    /// Lets the workers of `at` answer the order that waits longest.
    pub(super) fn answer(&mut self, at: usize) {
        let oldest = *self.seats[at].running.keys().next().expect("an order");
        self.answer_order(at, oldest);
    }

    fn answer_order(&mut self, at: usize, work_id: u64) {
        let (work, _) = self.seats[at].running.remove(&work_id).expect("it is there");
        let input = match self.seats[at].workers {
            Workers::CannotStart => Input::WorkUnavailable { work_id, reason: "no runtime".to_owned() },
            Workers::Take(_) | Workers::Wait => {
                let outcomes = work.texts.iter().map(|text| computed(work.kind, text)).collect();
                Input::WorkDone { work_id, outcomes, queued_us: 0, compute_us: 5000 * work.texts.len() as u64 }
            }
        };
        self.input(at, input);
    }

    /// Lets time pass, stopping at everything that is due meanwhile.
    pub(super) fn pass(&mut self, ms: u64) {
        let end = self.now.mono.plus_ms(ms);
        loop {
            let ticks = self
                .seats
                .iter()
                .enumerate()
                .filter_map(|(at, seat)| Some((seat.node.next_deadline(self.now)?, at, true)));
            let answers =
                self.seats.iter().enumerate().filter_map(|(at, seat)| {
                    seat.running.values().map(|(_, due)| *due).min().map(|due| (due, at, false))
                });
            let Some((due, at, tick)) = ticks.chain(answers).min().filter(|(due, _, _)| *due <= end) else { break };
            self.step_to(due);
            if tick {
                self.input(at, Input::Tick);
            } else {
                let first = self.seats[at].running.iter().min_by_key(|(_, (_, due))| *due);
                let first = *first.expect("an order").0;
                self.answer_order(at, first);
            }
        }
        self.step_to(end);
    }

    fn step_to(&mut self, mono: Monotonic) {
        let passed = mono.since(self.now.mono);
        if passed > 0 {
            self.now.mono = mono;
            self.now.wall = self.now.wall.plus_ms(passed / 1000);
        }
    }

    pub(super) fn request(&mut self, kind: TaskKind, texts: &[&str]) -> TaskRequest {
        self.tasks += 1;
        TaskRequest {
            id: TaskId([self.tasks; 16]),
            kind,
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
            chunk: if kind == TaskKind::Chunk { ChunkSizes { tokens: 8, overlap: 2 } } else { ChunkSizes::default() },
            privacy: Privacy::Public,
            placement: Placement::Network,
            priority: Priority::Normal,
            deadline_ms: None,
            payer: Payer::Owner,
            only: None,
            expected: Vec::new(),
        }
    }

    pub(super) fn submit(&mut self, at: usize, request: TaskRequest) -> TaskId {
        let id = request.id;
        self.seats[at].node.submit(self.now, request).expect("a good task");
        self.seats[at].node.requester.assert_consistent();
        self.drain(at);
        self.settle();
        id
    }

    /// A public task for others.
    pub(super) fn ask(&mut self, at: usize, texts: &[&str]) -> TaskId {
        let request = self.request(TaskKind::Sentiment, texts);
        self.submit(at, request)
    }

    pub(super) fn task(&self, at: usize, id: TaskId) -> &Task {
        self.seats[at].node.task(&id).expect("the task")
    }

    pub(super) fn stages(&self, at: usize, id: TaskId) -> Vec<Stage> {
        self.task(at, id).stages.iter().map(|record| record.stage).collect()
    }

    pub(super) fn count_heard(&self, wanted: impl Fn(&Message) -> bool) -> usize {
        self.heard.iter().filter(|(_, _, message)| wanted(message)).count()
    }

    pub(super) fn misbehaved(&self, at: usize) -> Vec<&str> {
        let said = self.seats[at].outputs.iter().filter_map(|output| match output {
            Output::Misbehaved { reason, .. } => Some(reason.as_str()),
            _ => None,
        });
        said.collect()
    }

    pub(super) fn kept(&self, at: usize) -> impl Iterator<Item = &Durable> {
        self.seats[at].outputs.iter().filter_map(|output| match output {
            Output::Persist(durable) => Some(durable),
            _ => None,
        })
    }
}

pub(super) fn key_of(number: u8) -> Ed25519 {
    Ed25519::new(&SecretKey::new([number; 32]))
}

/// What every honest worker answers.
pub(super) fn computed(kind: TaskKind, text: &str) -> TextOutcome {
    if text.trim().is_empty() {
        return Err(TextFailure::Empty);
    }
    if text.contains("poison") {
        return Err(TextFailure::WorkerLost);
    }
    Ok(match kind {
        TaskKind::Sentiment => {
            let label = if text.contains("good") { "positive" } else { "negative" };
            Answer::Label { label: label.to_owned(), score_ppm: 900_000 }
        }
        TaskKind::Embed => Answer::Embedding(QuantizedVector { scale: 0.01, values: vec![text.len() as i8; 384] }),
        TaskKind::Chunk => Answer::Chunks(vec![Chunk { start: 0, end: text.len() as u32, tokens: 3 }]),
        TaskKind::Noop => Answer::Nothing,
    })
}
