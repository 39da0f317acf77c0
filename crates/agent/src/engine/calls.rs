//! Answers to the control API.

use p2p_control::api::{
    ConfigEntry, ConfigValue, ErrorCode, NetworkDetails, PauseRequest, PeerDetails, Problem, Status, SubmitTask, Task,
    TrustPeer,
};
use p2p_control::{Call, Reply};
use p2p_protocol::{ChunkSizes, Input, Payer, Rejection, TaskRequest};
use p2p_types::{DeviceId, Placement, Privacy, TaskId, TaskKind, Timestamp};

use super::effects::{DISK_BEHIND, not_written};
use super::{Engine, Exit, history};
use crate::clock::now;
use crate::{config, home, view};

/// How a text is split where the caller does not say.
const DEFAULT_CHUNKS: ChunkSizes = ChunkSizes { tokens: 128, overlap: 16 };
/// The longest pause that has an end.
const LONGEST_PAUSE_MS: u64 = 366 * 24 * 3600 * 1000;

/// What helps where nobody may see a text.
const TRUST_HINT: &str =
    "Trust one with `p2p-agent peer trust ID` (`p2p-agent peer list` has the ids), or use --privacy public";

/// Who waits until an order is on disk.
#[derive(Debug)]
pub(super) enum Kept {
    Trust(DeviceId, Reply<PeerDetails>),
    /// A pause, or its end.
    Pause(Reply<Status>),
}

impl Kept {
    pub(super) fn deny(self, why: &str) {
        match self {
            Self::Trust(_, reply) => drop(reply.send(Err(not_written(why)))),
            Self::Pause(reply) => drop(reply.send(Err(not_written(why)))),
        }
    }
}

impl Engine<'_> {
    pub(super) fn on_call(&mut self, call: Call) {
        // Nobody waiting for an answer any more is no error.
        match call {
            Call::Status(reply) => drop(reply.send(Ok(self.status()))),
            Call::Computer(reply) => drop(reply.send(Ok(self.computer()))),
            Call::Subscribe(reply) => {
                let subscription = self.subscribe();
                drop(reply.send(Ok(subscription)));
            }
            Call::Pause(request, reply) => match self.pause_until(request) {
                Ok(until) => {
                    // First the workers are halted: then what they do is ended at once and not waited for.
                    self.sources.rules.pause(now(), until);
                    self.rule();
                    self.keep(Input::Pause { until }, Kept::Pause(reply));
                }
                Err(problem) => drop(reply.send(Err(problem))),
            },
            Call::Resume(reply) => {
                self.keep(Input::Resume, Kept::Pause(reply));
                self.sources.rules.resume(now());
                self.rule();
            }
            Call::Schedule(reply) => drop(reply.send(Ok(self.sources.rules.view(now(), &self.parts.config)))),
            Call::Timeline(hours, reply) => self.timeline(hours, reply),
            Call::Signals(report, reply) => drop(reply.send(self.on_signals(&report))),
            Call::Shutdown(reply) => {
                self.exit = Some(Exit::Stop);
                drop(reply.send(Ok(())));
            }
            Call::Peers(reply) => {
                let node = &self.parts.node;
                let peers = node.peers().map(|(device, peer)| view::peer_summary(node, *device, peer));
                drop(reply.send(Ok(peers.collect())));
            }
            Call::Peer(device, reply) => drop(reply.send(self.peer(device))),
            Call::Trust(device, TrustPeer { trusted }, reply) => {
                self.keep(Input::Trust { device, trusted }, Kept::Trust(device, reply));
            }
            Call::Submit(request, reply) => drop(reply.send(self.submit(request))),
            Call::Tasks(reply) => {
                let in_memory = self.owners_tasks().map(view::task_summary).collect();
                history::list(self.parts.store.clone(), in_memory, reply);
            }
            Call::Task(id, reply) => match self.parts.node.task(&id) {
                Some(task) => drop(reply.send(Ok(view::task(task)))),
                None => history::one(self.parts.store.clone(), id, reply),
            },
            Call::Cancel(id, reply) => {
                self.feed(Input::Cancel { task: id });
                match self.parts.node.task(&id) {
                    Some(task) => drop(reply.send(Ok(view::task(task)))),
                    None => history::one(self.parts.store.clone(), id, reply),
                }
            }
            Call::Identity(reply) => drop(reply.send(Ok(self.parts.identity.clone()))),
            Call::Network(reply) => drop(reply.send(self.network())),
            Call::CreateNetwork(request, reply) => {
                let created = home::create_network_with(&self.parts.home, &self.parts.keys, request);
                drop(reply.send(self.reload_after(created)));
            }
            Call::JoinNetwork(request, reply) => {
                let joined = home::join_network_with(&self.parts.home, &self.parts.keys, request);
                drop(reply.send(self.reload_after(joined)));
            }
            Call::LeaveNetwork(reply) => {
                let left = home::leave_network(&self.parts.home);
                drop(reply.send(self.reload_after(left)));
            }
            Call::Invite(reply) => {
                let invite = home::invite_with(&self.parts.home, &self.parts.keys, self.listening.clone());
                drop(reply.send(invite));
            }
            Call::Nearby(reply) => drop(reply.send(Ok(self.nearby.values().cloned().collect()))),
            Call::Config(reply) => drop(reply.send(config::entries(&self.parts.home, None))),
            Call::SetConfig(key, value, reply) => drop(reply.send(self.set_config(&key, value))),
            Call::Wallet(reply) => drop(reply.send(self.wallet_or_problem())),
            Call::WalletRows(page, reply) => self.wallet_rows(page, reply),
            Call::WalletStats(days, reply) => self.wallet_stats(days, reply),
            Call::WalletVerify(reply) => self.wallet_check(reply),
            Call::Quote(request, reply) => drop(reply.send(self.quote(request))),
            Call::Departures(reply) => history::departures(self.parts.store.clone(), reply),
            Call::Metrics(reply) => drop(reply.send(Ok(self.metrics()))),
        }
    }

    /// An order of the owner that outlives the process: trust, a pause. It is heeded at once, and
    /// confirmed when it is on disk: whoever hears that a trust was withdrawn, or that no guests are
    /// taken, may rely on it, whatever happens to the process.
    fn keep(&mut self, order: Input, kept: Kept) {
        let first = self.sources.numbers.token + 1;
        self.feed(order);
        let commits = first..=self.sources.numbers.token;
        if commits.contains(&self.not_taken) {
            kept.deny(DISK_BEHIND);
        } else {
            self.written.wait(commits, kept);
        }
    }

    /// What was kept is on disk.
    pub(super) fn confirm(&self, kept: Kept) {
        // Nobody waiting for an answer any more is no error.
        match kept {
            Kept::Trust(device, reply) => drop(reply.send(Ok(self.peer_or_unknown(device)))),
            Kept::Pause(reply) => drop(reply.send(Ok(self.status()))),
        }
    }

    fn peer(&self, device: DeviceId) -> Result<PeerDetails, Problem> {
        if self.parts.node.peer(&device).is_none() && !self.parts.node.trusts(&device) {
            return Err(Problem::new(ErrorCode::NoSuchPeer, format!("{device} was never heard of here")));
        }
        Ok(self.peer_or_unknown(device))
    }

    /// A device may be trusted, or not any more, before it was ever met.
    fn peer_or_unknown(&self, device: DeviceId) -> PeerDetails {
        let node = &self.parts.node;
        view::peer_details(node, device, node.peer(&device).unwrap_or(&p2p_protocol::Peer::default()))
    }

    /// What the machine is asked.
    pub(super) fn request_of(&self, request: SubmitTask) -> Result<TaskRequest, Problem> {
        let chunk = request.chunk.map(|chunk| ChunkSizes { tokens: chunk.tokens, overlap: chunk.overlap });
        let chunk = match request.kind {
            TaskKind::Chunk => chunk.unwrap_or(DEFAULT_CHUNKS),
            _ if chunk.is_some() => {
                return Err(Problem::new(ErrorCode::TaskRejected, "only a chunk task has chunk sizes"));
            }
            _ => ChunkSizes::default(),
        };
        self.refuse_what_cannot_be_computed(&request)?;
        self.refuse_what_nobody_may_see(&request)?;
        Ok(TaskRequest {
            id: TaskId(p2p_platform::random_bytes()),
            kind: request.kind,
            texts: request.texts,
            chunk,
            privacy: request.privacy,
            placement: request.placement,
            priority: request.priority,
            deadline_ms: request.deadline_ms,
            payer: Payer::Owner,
            only: None,
            expected: Vec::new(),
        })
    }

    pub(super) fn submit(&mut self, request: SubmitTask) -> Result<Task, Problem> {
        let request = self.request_of(request)?;
        let id = request.id;
        self.parts.node.admits(&request).map_err(|rejection| rejected(&rejection))?;
        self.refuse_what_cannot_be_paid(&request)?;
        self.parts.node.submit(now(), request).map_err(|rejection| rejected(&rejection))?;
        self.counters.tasks_submitted += 1;
        self.perform();
        let task = self.parts.node.task(&id).map(view::task);
        task.ok_or_else(|| Problem::new(ErrorCode::Internal, "the task was taken and is not there"))
    }

    /// A task that must be computed here, where nothing can be, is refused with the real reason.
    fn refuse_what_cannot_be_computed(&self, request: &SubmitTask) -> Result<(), Problem> {
        let only_here = request.placement == Placement::Local || request.privacy == Privacy::Local;
        let alone = self.parts.node.network().is_none();
        let wants_network = request.placement == Placement::Network;
        if self.parts.node.abilities().contains_key(&request.kind) || wants_network || !(only_here || alone) {
            return Ok(());
        }
        let unsaid = || Problem::new(ErrorCode::AssetsMissing, "no worker offers this kind");
        Err(self.parts.cannot_compute.clone().unwrap_or_else(unsaid))
    }

    /// A task for trusted computers elsewhere, where none of those that were ever met is trusted, is
    /// not searched for in vain. Where all members are trusted, one may come any moment.
    fn refuse_what_nobody_may_see(&self, request: &SubmitTask) -> Result<(), Problem> {
        let node = &self.parts.node;
        let only_trusted = request.privacy == Privacy::Trusted && request.placement == Placement::Network;
        let chosen = node.network().is_some_and(|network| !network.members_trusted);
        if !(only_trusted && chosen) || node.peers().any(|(device, _)| node.trusts(device)) {
            return Ok(());
        }
        let why = "none of the computers that were met here is trusted with the text";
        Err(Problem::new(ErrorCode::NoProvider, why).with_hint(TRUST_HINT))
    }

    fn network(&self) -> Result<NetworkDetails, Problem> {
        let network = self.parts.node.network().map(view::network_details);
        network.ok_or_else(|| Problem::new(ErrorCode::NoNetwork, "it computes its own tasks"))
    }

    /// The home belongs to another network now: the loop begins anew with it.
    fn reload_after<T>(&mut self, changed: Result<T, Problem>) -> Result<T, Problem> {
        if changed.is_ok() {
            self.exit = Some(Exit::Reload);
        }
        changed
    }

    fn pause_until(&self, request: PauseRequest) -> Result<Option<Timestamp>, Problem> {
        let refuse = |why: &str| Err(Problem::new(ErrorCode::BadRequest, why));
        match (request.for_ms, request.until_tomorrow) {
            (None, false) => Ok(None),
            (None, true) => Ok(Some(self.sources.rules.until_tomorrow(now()))),
            (Some(_), true) => refuse("a pause ends after a time or tomorrow, and not both"),
            (Some(0), _) => refuse("a pause of no time is none"),
            (Some(ms), _) if ms > LONGEST_PAUSE_MS => refuse("a pause with an end lasts a year at most"),
            (Some(ms), _) => Ok(Some(now().wall.plus_ms(ms))),
        }
    }

    fn set_config(&mut self, key: &str, value: ConfigValue) -> Result<ConfigEntry, Problem> {
        let entry = config::set(&self.parts.home, key, value.value)?;
        if !entry.needs_restart {
            let config = config::load(&self.parts.home, None)?;
            self.parts.config.schedule = config.schedule;
            self.sources.rules.set_policy(now(), &self.parts.config);
            self.rule();
            self.parts.config.wallet = config.wallet;
            self.parts.config.energy = config.energy;
            self.feed(Input::Limits { limits: self.parts.config.wallet.limits() });
            self.purse.changed = true;
        }
        Ok(entry)
    }
}

pub(super) fn rejected(rejection: &Rejection) -> Problem {
    let code = match rejection {
        Rejection::Empty => ErrorCode::EmptyText,
        Rejection::TextTooLong { .. } | Rejection::TaskTooLong { .. } => ErrorCode::TextTooLong,
        Rejection::TooManyTexts { .. } | Rejection::ChunkSizes | Rejection::Duplicate => ErrorCode::TaskRejected,
        Rejection::PrivacyForbids => ErrorCode::PrivacyForbids,
        Rejection::NoNetwork => ErrorCode::NoNetwork,
        Rejection::TooManyTasks { .. } => ErrorCode::TooManyTasks,
    };
    Problem::new(code, rejection.to_string())
}
