//! The canary issuer: makes tasks whose answers it knows while the computer has nothing else to do, asks them
//! of others under the network's own money, and remembers who answered how.

use std::collections::BTreeMap;

use p2p_ledger::LaneId;
use p2p_protocol::{ChunkSizes, Input, Payer, State, TaskRequest};
use p2p_store::Record;
use p2p_trust::{Budget, Canary, Mark, Number, Outcome, Peer, Pool, Rounds, Standing, Texts};
use p2p_types::{DeviceId, Monotonic, Output, Placement, Priority, Privacy, TaskId, TaskKind};
use tracing::{info, warn};

use super::Engine;
use crate::clock::now;
use crate::wallet::{MARK, POOL, ROUNDS};

/// How long a canary may take.
const DEADLINE_MS: u64 = 30_000;
/// The computer counts as idle when it had nothing to do for this long: then the whole pool is filled.
const IDLE_MS: u64 = 120_000;
/// What changed is kept this often, and at the end.
const KEEP_MS: u64 = 30_000;
/// What the dearest canary costs: four long texts.
const MOST_TEXTS: usize = 4;
const MOST_BYTES: usize = MOST_TEXTS * 400;

/// The issuer's state.
pub(super) struct Canaries {
    pool: Pool,
    rounds: Rounds,
    texts: Texts,
    making: BTreeMap<TaskId, (Number, Vec<String>)>,
    asked: BTreeMap<TaskId, (DeviceId, Canary)>,
    /// A mark on its way to the disk, under its commit.
    marking: Option<(u64, Mark)>,
    busy_at: Monotonic,
    keep_at: Option<Monotonic>,
}

impl Engine<'_> {
    /// Begins where an earlier process ended, on the computer that plays the issuer.
    pub(super) fn begin_canaries(&mut self, pool: Option<Vec<u8>>, mark: Option<Vec<u8>>, rounds: Option<Vec<u8>>) {
        if self.parts.lanes.as_ref().is_none_or(|lanes| lanes.issuer.is_none()) {
            return;
        }
        let Some(founder) = self.parts.node.network().map(|network| network.founder) else { return };
        let mark = mark.and_then(|bytes| read_mark(&bytes)).unwrap_or_default();
        let pool = pool.and_then(|bytes| Pool::from_bytes(&bytes, mark).ok()).unwrap_or_else(|| Pool::new(mark));
        let rounds = rounds.and_then(|bytes| Rounds::from_bytes(&bytes, founder, now()).ok());
        let seed = blake3::derive_key("p2p-agent canary seed 1", self.parts.keys.account.expose());
        let mut canaries = Canaries {
            pool,
            rounds: rounds.unwrap_or_else(|| Rounds::new(founder)),
            texts: Texts::new(seed),
            making: BTreeMap::new(),
            asked: BTreeMap::new(),
            marking: None,
            busy_at: now().mono,
            keep_at: None,
        };
        for (kind, model) in &self.parts.abilities {
            canaries.pool.answers_with(*kind, *model);
        }
        info!(ready = canaries.pool.ready(), "this computer asks the network's canaries");
        self.canaries = Some(canaries);
        self.canaries_due = true;
    }

    /// When canaries are to be looked at again.
    pub(super) fn canaries_deadline(&self) -> Option<Monotonic> {
        let canaries = self.canaries.as_ref()?;
        let fill =
            (canaries.pool.wants(true) > 0 && canaries.making.is_empty()).then(|| canaries.busy_at.plus_ms(IDLE_MS));
        [canaries.rounds.next_deadline(), canaries.keep_at, fill].into_iter().flatten().min()
    }

    /// Moves everything on that can move on.
    pub(super) fn tend_canaries(&mut self) {
        let Some(mut canaries) = self.canaries.take() else { return };
        self.collect(&mut canaries);
        self.make(&mut canaries);
        self.reserve(&mut canaries);
        self.ask(&mut canaries);
        if canaries.keep_at.is_some_and(|at| at <= now().mono) {
            self.keep_canaries(&mut canaries);
        }
        self.canaries = Some(canaries);
    }

    /// Takes what ended.
    fn collect(&mut self, canaries: &mut Canaries) {
        let node = &self.parts.node;
        let ended = |id: &&TaskId| node.task(id).is_none_or(|task| task.state.is_final());
        for id in canaries.making.keys().filter(ended).copied().collect::<Vec<_>>() {
            let Some((number, texts)) = canaries.making.remove(&id) else { continue };
            let expected: Option<Vec<Output>> = self
                .parts
                .node
                .task(&id)
                .and_then(|task| task.results.iter().map(|result| result.clone().and_then(Result::ok)).collect());
            let model = self.parts.abilities.get(&number.kind).copied();
            match (expected, model) {
                (Some(expected), Some(model)) => {
                    // One without a clear answer is of no use, and another is made.
                    let _ = canaries.pool.add(Canary { number, model, texts, expected });
                }
                _ => canaries.pool.give_up(number),
            }
            canaries.keep_at.get_or_insert(now().mono.plus_ms(KEEP_MS));
        }
        for id in canaries.asked.keys().filter(ended).copied().collect::<Vec<_>>() {
            let Some((device, canary)) = canaries.asked.remove(&id) else { continue };
            let outcome = self.outcome(&id, &canary);
            let standing = canaries.rounds.ended(now().mono, random(), device, outcome);
            match (outcome, standing) {
                (Outcome::Wrong, Some(standing)) => {
                    warn!(%device, ?standing, "a canary was answered wrongly and is not paid");
                    if standing == Standing::Cheat {
                        let said =
                            format!("{} answers wrongly again and again, and is paid nothing for it", device.short());
                        if !self.parts.warnings.contains(&said) {
                            self.parts.warnings.push(said);
                        }
                    }
                }
                _ => info!(%device, ?outcome, "a canary ended"),
            }
            canaries.keep_at.get_or_insert(now().mono.plus_ms(KEEP_MS));
        }
    }

    fn outcome(&self, id: &TaskId, canary: &Canary) -> Outcome {
        let Some(task) = self.parts.node.task(id) else { return Outcome::Nothing };
        if !matches!(task.state, State::Done | State::Partial) {
            return Outcome::Nothing;
        }
        let missing = Err(p2p_types::TextFailure::NoProvider);
        let got: Vec<_> = task.results.iter().map(|result| result.clone().unwrap_or_else(|| missing.clone())).collect();
        p2p_trust::judge(&canary.expected, &got)
    }

    /// Lets this computer's own workers answer one more, where they have nothing else to do.
    fn make(&mut self, canaries: &mut Canaries) {
        let now = now();
        let (open, guests, _) = self.parts.node.counts();
        if open + guests > 0 {
            canaries.busy_at = now.mono;
            return;
        }
        // A new network needs some at once, and the rest can wait.
        let idle = canaries.busy_at.plus_ms(IDLE_MS) <= now.mono;
        if !canaries.making.is_empty() || self.parts.node.abilities().is_empty() {
            return;
        }
        let Some(number) = canaries.pool.begin(idle) else { return };
        let texts = canaries.texts.task(number).texts;
        let id = TaskId(p2p_platform::random_bytes());
        let request = TaskRequest {
            privacy: Privacy::Local,
            placement: Placement::Local,
            priority: Priority::Low,
            ..request(id, number.kind, texts.clone())
        };
        match self.parts.node.submit(now, request) {
            Ok(()) => {
                canaries.making.insert(id, (number, texts));
                self.perform();
            }
            Err(_) => canaries.pool.give_up(number),
        }
    }

    /// What may be taken is on disk first, so that nothing is ever asked twice.
    fn reserve(&mut self, canaries: &mut Canaries) {
        let Some(network) = self.parts.node.network().map(|network| network.id) else { return };
        if canaries.marking.is_some() {
            return;
        }
        if let Some(mark) = canaries.pool.reserve() {
            let document = write_mark(mark);
            let token = self.commit(vec![Record::Note { network, name: MARK, document }]);
            canaries.marking = token.map(|token| (token, mark));
        }
    }

    /// A commit ended.
    pub(super) fn canaries_committed(&mut self, token: u64, written: bool) {
        let Some(canaries) = &mut self.canaries else { return };
        if let Some((_, mark)) = canaries.marking.take_if(|(marking, _)| *marking == token) {
            if written {
                canaries.pool.reserved(mark);
            }
            self.canaries_due = true;
        }
    }

    fn ask(&mut self, canaries: &mut Canaries) {
        let now = now();
        let Some(balance) = self.parts.node.balance(Payer::Issuer, now).filter(|balance| balance.current) else {
            return;
        };
        // What is to be asked must be set aside on disk first.
        if canaries.marking.is_some() || canaries.pool.reserve().is_some() {
            return;
        }
        let peers = self.askable();
        let (price, _) = self.parts.node.quote(TaskKind::Sentiment, MOST_TEXTS, MOST_BYTES, Privacy::Public);
        let budget = Budget { left: balance.earned.micro(), price: price.micro() };
        while canaries.pool.ready() > 0 {
            let Some(ask) = canaries.rounds.next(now.mono, random(), &peers, budget) else { return };
            let kinds = peers.iter().find(|peer| peer.device == ask.device).map(|peer| &peer.kinds);
            let canary = kinds.and_then(|kinds| canaries.pool.take(kinds));
            let submitted = canary.and_then(|canary| {
                let id = TaskId(p2p_platform::random_bytes());
                let request = TaskRequest {
                    only: Some(ask.device),
                    expected: canary.expected.clone(),
                    ..request(id, canary.number.kind, canary.texts.clone())
                };
                self.parts.node.submit(now, request).ok().map(|()| (id, canary))
            });
            match submitted {
                Some((id, canary)) => {
                    canaries.asked.insert(id, (ask.device, canary));
                    canaries.keep_at.get_or_insert(now.mono.plus_ms(KEEP_MS));
                    self.perform();
                }
                None => {
                    canaries.rounds.ended(now.mono, random(), ask.device, Outcome::Nothing);
                }
            }
        }
    }

    /// Who is there, can be paid, and computes with the very models that answered the pool.
    fn askable(&self) -> Vec<Peer> {
        let (node, abilities) = (&self.parts.node, &self.parts.abilities);
        let Some(books) = node.books() else { return Vec::new() };
        let peer = |(device, peer): (&DeviceId, &p2p_protocol::Peer)| {
            let account = peer.account.filter(|_| peer.connected)?;
            books.ledger().lane(&LaneId { account, device: *device })?;
            let same =
                |(kind, model): (&TaskKind, &p2p_types::Hash)| (abilities.get(kind) == Some(model)).then_some(*kind);
            let kinds = peer.kinds.iter().filter_map(same).collect();
            Some(Peer { device: *device, account, kinds, accepting: peer.accepting })
        };
        node.peers().filter_map(peer).collect()
    }

    fn keep_canaries(&mut self, canaries: &mut Canaries) {
        canaries.keep_at = None;
        let Some(network) = self.parts.node.network().map(|network| network.id) else { return };
        let records = vec![
            Record::Note { network, name: POOL, document: canaries.pool.to_bytes() },
            Record::Note { network, name: ROUNDS, document: canaries.rounds.to_bytes(now()) },
        ];
        self.commit(records);
    }

    /// The run ends: what is under way is over.
    pub(super) fn end_canaries(&mut self) {
        if let Some(mut canaries) = self.canaries.take() {
            for id in canaries.making.keys().chain(canaries.asked.keys()).copied().collect::<Vec<_>>() {
                self.feed(Input::Cancel { task: id });
            }
            self.keep_canaries(&mut canaries);
        }
    }
}

/// A task of the issuer for anybody.
fn request(id: TaskId, kind: TaskKind, texts: Vec<String>) -> TaskRequest {
    TaskRequest {
        id,
        kind,
        texts,
        chunk: ChunkSizes::default(),
        privacy: Privacy::Public,
        placement: Placement::Network,
        priority: Priority::Normal,
        deadline_ms: Some(DEADLINE_MS),
        payer: Payer::Issuer,
        only: None,
        expected: Vec::new(),
    }
}

fn random() -> u64 {
    u64::from_le_bytes(p2p_platform::random_bytes())
}

fn write_mark(mark: Mark) -> Vec<u8> {
    [mark.sentiment.to_le_bytes(), mark.embed.to_le_bytes()].concat()
}

fn read_mark(bytes: &[u8]) -> Option<Mark> {
    let (sentiment, embed) = bytes.split_first_chunk::<8>()?;
    Some(Mark { sentiment: u64::from_le_bytes(*sentiment), embed: u64::from_le_bytes(embed.try_into().ok()?) })
}
