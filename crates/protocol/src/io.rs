//! What goes into the machine and what comes out.

use std::collections::{BTreeMap, BTreeSet};

use p2p_ledger::{LaneId, Movement, Notary, Order, Place, Statement};
use p2p_types::{DeviceId, Hash, Output as Answer, Placement, Priority, Privacy, TaskId, TaskKind, Timestamp};
use thiserror::Error;

use crate::outcome::TextOutcome;
use crate::pay::{KeptVoucher, Limits, Payer};

/// How a `chunk` task splits: most tokens in a chunk, and how many it shares with the one before.
/// Zeros for the other kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChunkSizes {
    pub tokens: u32,
    pub overlap: u32,
}

impl ChunkSizes {
    /// Whether texts can be split so: 8 to 512 tokens, less than half of them shared.
    #[must_use]
    pub const fn is_sound(self) -> bool {
        8 <= self.tokens && self.tokens <= 512 && self.overlap < self.tokens.div_ceil(2)
    }
}

/// A task as its owner asked for it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRequest {
    pub id: TaskId,
    pub kind: TaskKind,
    pub texts: Vec<String>,
    pub chunk: ChunkSizes,
    pub privacy: Privacy,
    pub placement: Placement,
    pub priority: Priority,
    pub deadline_ms: Option<u64>,
    pub payer: Payer,
    /// The one computer that is asked, where only one may be.
    pub only: Option<DeviceId>,
    /// In a canary, the right answers, one for each text: others are not paid for. Else empty.
    pub expected: Vec<Answer>,
}

/// Why a task was not taken at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Rejection {
    #[error("there is no text, or nothing but space in it")]
    Empty,
    #[error("a text has {bytes} bytes; {limit} are the most for {kind}")]
    TextTooLong { bytes: usize, limit: usize, kind: TaskKind },
    #[error("the texts have {bytes} bytes together; {limit} are the most for one task")]
    TaskTooLong { bytes: usize, limit: usize },
    #[error("{texts} texts are more than the {limit} that one task may have")]
    TooManyTexts { texts: usize, limit: usize },
    #[error("a text of the privacy class `local` never leaves this computer, and --where network asks for just that")]
    PrivacyForbids,
    #[error("this node is in no network, so there is no other computer to ask")]
    NoNetwork,
    #[error("{open} tasks are open; with their texts that is the limit")]
    TooManyTasks { open: usize },
    #[error("chunks have 8 to 512 tokens, and share less than half of them")]
    ChunkSizes,
    #[error("a task with this id is there already")]
    Duplicate,
}

/// What happened outside.
#[derive(Debug, Clone)]
pub enum Input {
    PeerUp {
        device: DeviceId,
        addresses: Vec<String>,
        protocols: Vec<String>,
    },
    PeerDown {
        device: DeviceId,
    },
    Latency {
        device: DeviceId,
        rtt_us: u64,
    },
    /// A direct message, as it arrived. What comes before `PeerUp` or after `PeerDown` is not read.
    Received {
        from: DeviceId,
        frame: Vec<u8>,
    },
    /// A message of the presence topic; `id` is how the judgement refers to it.
    Published {
        id: u64,
        message: Vec<u8>,
    },
    /// Where this node can be reached.
    Listening {
        addresses: Vec<String>,
    },
    /// What this computer can compute, with the digest of the model that does, and on how many
    /// workers. Without workers it can compute nothing.
    Able {
        kinds: BTreeMap<TaskKind, Hash>,
        slots: u32,
    },
    Cancel {
        task: TaskId,
    },
    /// The owner pauses by hand. It lasts until [`Input::Resume`], also across a restart: when `until` is
    /// over is for the rules to say, which know by which clock.
    Pause {
        until: Option<Timestamp>,
    },
    Resume,
    /// What the owner's rules say now: whether guests are welcome, whether what the owner asked for may
    /// begin, and whether the network need not be spared: where it is, signs of life come seldom. A notary
    /// serves all the same, because others' earnings lapse where it does not. Without this input all are so.
    Rules {
        guests: bool,
        own_work: bool,
        duties: bool,
    },
    Trust {
        device: DeviceId,
        trusted: bool,
    },
    WorkProgress {
        work_id: u64,
        done: u32,
    },
    /// An order ended, with one outcome for each of its texts. All the time it was here and not
    /// computed counts as queued in a receipt, so `queued_us` is for who watches the workers.
    WorkDone {
        work_id: u64,
        outcomes: Vec<TextOutcome>,
        queued_us: u64,
        compute_us: u64,
    },
    /// The worker cannot start at all.
    WorkUnavailable {
        work_id: u64,
        reason: String,
    },
    /// On a notary's computer: what its log says. Until it is told, no order is carried out.
    Books {
        notary: Box<Notary>,
    },
    /// What the disk has of a lane of this computer. Until it is told, the lane gives no orders.
    Wallet {
        payer: Payer,
        statement: Box<Statement>,
        /// In their order.
        entries: Vec<Entry>,
        kept: Vec<KeptVoucher>,
    },
    /// The newest certificates that the disk has of a lane, in their order, before [`Input::Wallet`]. A notary
    /// whose log lost its end gets them back.
    Recall {
        payer: Payer,
        certificates: Vec<Vec<u8>>,
    },
    /// The owner changed what may be spent.
    Limits {
        limits: Limits,
    },
    /// The last [`Output::Record`] is on disk, or never will be.
    Recorded {
        written: bool,
    },
    /// The certificates that an [`Output::ReadLog`] asked for, encoded, in its order; none where
    /// the log could not be read.
    LogRead {
        request: u64,
        certificates: Vec<Vec<u8>>,
    },
    /// A deadline came.
    Tick,
}

/// An order that was carried out and touched a lane of this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub lane: LaneId,
    /// Its place among the lane's orders.
    pub number: u64,
    /// When the notary carried it out.
    pub at: Timestamp,
    pub order: Order,
    /// What it moved in this lane.
    pub movements: Vec<Movement>,
}

/// Whose work it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Mine,
    Guest,
}

/// One order for the workers.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    pub work_id: u64,
    pub class: Class,
    pub kind: TaskKind,
    pub texts: Vec<String>,
    pub chunk: ChunkSizes,
    pub timeout_ms: u64,
}

/// What must be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Make it durable before any later output leaves, where [`Durable::before_sends`] says so.
    Persist(Durable),
    Send {
        to: DeviceId,
        frame: Vec<u8>,
    },
    /// To the presence topic.
    Publish {
        message: Vec<u8>,
    },
    /// Pass a published message on, or hold it against whoever brought it. A message that is never
    /// judged is not passed on, and nobody is blamed.
    Judge {
        id: u64,
        accept: bool,
    },
    Dial {
        device: DeviceId,
        addresses: Vec<String>,
    },
    Disconnect {
        device: DeviceId,
        ban_ms: Option<u64>,
    },
    Run(Work),
    Stop {
        work_id: u64,
    },
    /// Look at the task again: it moved on.
    TaskChanged {
        task: TaskId,
    },
    /// Look at the node and its peers again.
    NodeChanged,
    /// Append it to the notary's log and say [`Input::Recorded`]. There is one at a time.
    Record {
        record: Vec<u8>,
    },
    /// Read certificates from the notary's log and say [`Input::LogRead`].
    ReadLog {
        request: u64,
        places: Vec<Place>,
    },
    /// Look at the wallet again.
    WalletChanged,
    /// The notary will not do something that this computer asked; for the log.
    OrderRefused {
        what: &'static str,
        why: String,
    },
    /// Somebody sent what they should not have; for the log and the counters.
    Misbehaved {
        device: DeviceId,
        reason: String,
    },
}

/// What outlives the process.
#[derive(Debug, Clone, PartialEq)]
pub enum Durable {
    Task {
        task: TaskId,
        finished: bool,
    },
    /// A receipt for work that was done for this node.
    Receipt {
        task: TaskId,
        part: u32,
        provider: DeviceId,
        signed: Vec<u8>,
    },
    /// A receipt that this node signed for others.
    GuestReceipt {
        task: TaskId,
        part: u32,
        requester: DeviceId,
        signed: Vec<u8>,
    },
    Departure {
        to: DeviceId,
        task: TaskId,
        kind: TaskKind,
        privacy: Privacy,
        texts: u32,
        bytes: u64,
    },
    Trust {
        device: DeviceId,
        trusted: bool,
    },
    Peer {
        device: DeviceId,
        addresses: Vec<String>,
    },
    Paused {
        paused: bool,
        until: Option<Timestamp>,
    },
    /// Sequence numbers up to this one may be in use.
    Sequence {
        reserved: u64,
    },
    /// An order that touched a lane of this computer, with the encoded certificate.
    Entry {
        entry: Box<Entry>,
        certificate: Vec<u8>,
    },
    /// A payer's latest voucher under a hold: what this computer earned and did not settle yet.
    Voucher {
        hold: Hash,
        signed: Vec<u8>,
    },
    /// There is nothing to settle under the hold any more.
    VoucherDone {
        hold: Hash,
    },
}

impl Durable {
    /// Whether later outputs wait until it is on disk: the owner's list of what left must not
    /// miss anything, and a sequence number must never be used twice.
    #[must_use]
    pub const fn before_sends(&self) -> bool {
        matches!(self, Self::Departure { .. } | Self::Sequence { .. })
    }
}

/// What an earlier process left behind.
#[derive(Debug, Clone, Default)]
pub struct Restored {
    pub trusted: BTreeSet<DeviceId>,
    /// Marked as not trusted by hand, also where all members are.
    pub distrusted: BTreeSet<DeviceId>,
    pub peers: Vec<(DeviceId, Vec<String>)>,
    /// Set while paused by hand: with an end, or without.
    pub paused: Option<Option<Timestamp>>,
    /// Sequence numbers up to this one may have been used.
    pub sequence: u64,
}
