//! What the server asks of the engine: one variant a route, each with the way back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use p2p_types::{DeviceId, TaskId};
use tokio::sync::{broadcast, oneshot};

use crate::api::{
    Computer, ConfigEntry, ConfigValue, CreateNetwork, Departure, Event, Identity, Invite, JoinNetwork, LogLine,
    NearbyNetwork, NetworkDetails, PauseRequest, PeerDetails, PeerSummary, Problem, Quote, Schedule, SignalReport,
    Snapshot, Status, SubmitTask, Task, TaskSummary, Timeline, TrustPeer, Wallet, WalletCheck, WalletPage, WalletRows,
    WalletStats,
};

/// Where an answer goes. Whoever asked may have gone; that is no error.
pub type Reply<T> = oneshot::Sender<Result<T, Problem>>;

/// One question to the engine.
#[derive(Debug)]
pub enum Call {
    Status(Reply<Status>),
    /// What the computer is good for, and what its work costs.
    Computer(Reply<Computer>),
    Subscribe(Reply<Subscription>),
    Pause(PauseRequest, Reply<Status>),
    Resume(Reply<Status>),
    Shutdown(Reply<()>),
    Peers(Reply<Vec<PeerSummary>>),
    Peer(DeviceId, Reply<PeerDetails>),
    Trust(DeviceId, TrustPeer, Reply<PeerDetails>),
    Submit(SubmitTask, Reply<Task>),
    /// What the task would cost. Nothing of it runs.
    Quote(SubmitTask, Reply<Quote>),
    Tasks(Reply<Vec<TaskSummary>>),
    Task(TaskId, Reply<Task>),
    Cancel(TaskId, Reply<Task>),
    Identity(Reply<Identity>),
    Network(Reply<NetworkDetails>),
    CreateNetwork(CreateNetwork, Reply<NetworkDetails>),
    JoinNetwork(JoinNetwork, Reply<NetworkDetails>),
    LeaveNetwork(Reply<()>),
    Invite(Reply<Invite>),
    Nearby(Reply<Vec<NearbyNetwork>>),
    Config(Reply<Vec<ConfigEntry>>),
    SetConfig(String, ConfigValue, Reply<ConfigEntry>),
    Departures(Reply<Vec<Departure>>),
    Wallet(Reply<Wallet>),
    WalletRows(WalletPage, Reply<WalletRows>),
    /// Of so many days, today included.
    WalletStats(u32, Reply<WalletStats>),
    WalletVerify(Reply<WalletCheck>),
    Schedule(Reply<Schedule>),
    /// Of so many hours back.
    Timeline(u32, Reply<Timeline>),
    Signals(SignalReport, Reply<()>),
    /// Prometheus text.
    Metrics(Reply<String>),
}

/// The state as it is, and all that changes after it.
#[derive(Debug)]
pub struct Subscription {
    pub snapshot: Snapshot,
    /// Of the snapshot; the next event has the next number.
    pub number: u64,
    pub events: broadcast::Receiver<Arc<Event>>,
}

/// The daemon's last log lines, and those to come.
#[derive(Debug, Clone)]
pub struct LogSource {
    pub recent: Arc<Mutex<VecDeque<LogLine>>>,
    pub follow: broadcast::Sender<LogLine>,
}

impl LogSource {
    /// Log lines kept to be shown.
    pub const RECENT_LINES: usize = 1000;
    /// Lines that a follower may be behind before it is cut off.
    const FOLLOWER_LAG: usize = 256;

    #[must_use]
    pub fn new() -> Self {
        Self { recent: Arc::default(), follow: broadcast::Sender::new(Self::FOLLOWER_LAG) }
    }

    /// Adds a line, and forgets the oldest where there are too many.
    pub fn push(&self, line: LogLine) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= Self::RECENT_LINES {
            recent.pop_front();
        }
        recent.push_back(line.clone());
        // Under the lock, so that a follower sees each line once. Nobody following is no error.
        let _ = self.follow.send(line);
    }

    /// The lines kept, oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The lines kept and all after them, without a gap.
    #[must_use]
    pub fn subscribe(&self) -> (Vec<LogLine>, broadcast::Receiver<LogLine>) {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        (recent.iter().cloned().collect(), self.follow.subscribe())
    }
}

impl Default for LogSource {
    fn default() -> Self {
        Self::new()
    }
}
