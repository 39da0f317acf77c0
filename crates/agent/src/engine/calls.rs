//! Answers to the control API.

use p2p_control::api::{
    ConfigEntry, ConfigValue, ErrorCode, NetworkDetails, PauseRequest, PeerDetails, Problem, Status, SubmitTask, Task,
    TrustPeer,
};
use p2p_control::{Call, Reply};
use p2p_protocol::{ChunkSizes, Input, Rejection, TaskRequest};
use p2p_types::{DeviceId, Placement, Privacy, TaskId, TaskKind};

use super::effects::{DISK_BEHIND, not_written};
use super::{Engine, Exit, history};
use crate::clock::now;
use crate::{config, home, view};

/// How a text is split where the caller does not say.
const DEFAULT_CHUNKS: ChunkSizes = ChunkSizes { tokens: 128, overlap: 16 };
/// The longest pause that has an end.
const LONGEST_PAUSE_MS: u64 = 366 * 24 * 3600 * 1000;

impl Engine<'_> {
    pub(super) fn on_call(&mut self, call: Call) {
        // Nobody waiting for an answer any more is no error.
        match call {
            Call::Status(reply) => drop(reply.send(Ok(self.status()))),
            Call::Subscribe(reply) => {
                let subscription = self.subscribe();
                drop(reply.send(Ok(subscription)));
            }
            Call::Pause(request, reply) => drop(reply.send(self.pause(request))),
            Call::Resume(reply) => {
                self.feed(Input::Resume);
                drop(reply.send(Ok(self.status())));
            }
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
            Call::Trust(device, TrustPeer { trusted }, reply) => self.trust(device, trusted, reply),
            Call::Submit(request, reply) => drop(reply.send(self.submit(request))),
            Call::Tasks(reply) => {
                let in_memory = self.parts.node.tasks().map(view::task_summary).collect();
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
            Call::Departures(reply) => history::departures(self.parts.store.clone(), reply),
            Call::Metrics(reply) => drop(reply.send(Ok(self.metrics()))),
        }
    }

    fn pause(&mut self, request: PauseRequest) -> Result<Status, Problem> {
        let until = match request.for_ms {
            None => None,
            Some(0) => return Err(Problem::new(ErrorCode::BadRequest, "a pause of no time is none")),
            Some(ms) if ms > LONGEST_PAUSE_MS => {
                return Err(Problem::new(ErrorCode::BadRequest, "a pause with an end lasts a year at most"));
            }
            Some(ms) => Some(now().wall.plus_ms(ms)),
        };
        self.feed(Input::Pause { until });
        Ok(self.status())
    }

    /// The owner's word on a device. It is heeded at once, and confirmed when it is on disk: whoever
    /// hears that a trust was withdrawn may rely on it, whatever happens to the process.
    fn trust(&mut self, device: DeviceId, trusted: bool, reply: Reply<PeerDetails>) {
        let first = self.sources.numbers.token + 1;
        self.feed(Input::Trust { device, trusted });
        let commits = first..=self.sources.numbers.token;
        if commits.contains(&self.not_taken) {
            drop(reply.send(Err(not_written(DISK_BEHIND))));
        } else {
            self.written.wait(commits, (device, reply));
        }
    }

    fn peer(&self, device: DeviceId) -> Result<PeerDetails, Problem> {
        if self.parts.node.peer(&device).is_none() && !self.parts.node.trusts(&device) {
            return Err(Problem::new(ErrorCode::NoSuchPeer, format!("{device} was never heard of here")));
        }
        Ok(self.peer_or_unknown(device))
    }

    /// A device may be trusted, or not any more, before it was ever met.
    pub(super) fn peer_or_unknown(&self, device: DeviceId) -> PeerDetails {
        let node = &self.parts.node;
        view::peer_details(node, device, node.peer(&device).unwrap_or(&p2p_protocol::Peer::default()))
    }

    fn submit(&mut self, request: SubmitTask) -> Result<Task, Problem> {
        let chunk = request.chunk.map(|chunk| ChunkSizes { tokens: chunk.tokens, overlap: chunk.overlap });
        let chunk = match request.kind {
            TaskKind::Chunk => chunk.unwrap_or(DEFAULT_CHUNKS),
            _ if chunk.is_some() => {
                return Err(Problem::new(ErrorCode::TaskRejected, "only a chunk task has chunk sizes"));
            }
            _ => ChunkSizes::default(),
        };
        self.refuse_what_cannot_be_computed(&request)?;
        let id = TaskId(p2p_platform::random_bytes());
        let request = TaskRequest {
            id,
            kind: request.kind,
            texts: request.texts,
            chunk,
            privacy: request.privacy,
            placement: request.placement,
            priority: request.priority,
            deadline_ms: request.deadline_ms,
        };
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

    fn set_config(&self, key: &str, value: ConfigValue) -> Result<ConfigEntry, Problem> {
        config::set(&self.parts.home, key, value.value)
    }
}

fn rejected(rejection: &Rejection) -> Problem {
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
