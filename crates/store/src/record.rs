//! What is kept, and what comes back.

use std::collections::{BTreeMap, BTreeSet};

use p2p_ledger::LaneId;
use p2p_types::{DeviceId, Hash, NetworkId, Privacy, TaskId, TaskKind, Timestamp};

use crate::{StoreError, Sums};

/// One thing to keep. Times beyond the year 292 million are kept as that year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Replaces what was kept under this id. The document is opaque here.
    Task { id: TaskId, submitted: Timestamp, finished: bool, document: Vec<u8> },
    /// What `provider` signed for this node. Never replaces another receipt.
    Receipt { task: TaskId, subtask: u32, provider: DeviceId, signed: Vec<u8>, at: Timestamp },
    /// What this node signed for `requester`. Never replaces another receipt.
    GuestReceipt { task: TaskId, subtask: u32, requester: DeviceId, signed: Vec<u8>, at: Timestamp },
    /// Texts left this computer.
    Departure { at: Timestamp, to: DeviceId, task: TaskId, kind: TaskKind, privacy: Privacy, texts: u32, bytes: u64 },
    /// The owner's last word on a device.
    Trust { device: DeviceId, trusted: bool, at: Timestamp },
    /// Where a device was last reached. Of the addresses the first `limits::ADDRESSES_PER_PEER` are kept.
    Peer { device: DeviceId, addresses: Vec<String>, seen: Timestamp },
    /// Forgets every [`Record::Peer`]: they were of another network.
    ForgetPeers,
    /// `None`: not paused. `Some(None)`: until resumed. `Some(Some(t))`: until `t`.
    Paused { until: Option<Option<Timestamp>> },
    /// The highest number of a lane that may have been used (below 2^63). Never goes down.
    Sequence { lane: &'static str, reserved: u64 },
    /// The certificate of an order that touched a lane of this computer.
    Entry { network: NetworkId, lane: LaneId, number: u64, certificate: Vec<u8> },
    /// A row of the wallet, under a number that is higher than any before. One with the same id stays as it is.
    Row { network: NetworkId, number: u64, id: String, at: Timestamp, document: Vec<u8>, sums: Sums },
    /// A payer's latest voucher.
    Voucher { network: NetworkId, hold: Hash, signed: Vec<u8> },
    /// It was settled, or never will be.
    VoucherDone { network: NetworkId, hold: Hash },
    /// What the owner's rules let guests do from now on. Kept for [`DECISION_DAYS`].
    Decision { at: Timestamp, document: Vec<u8> },
    /// Replaces what was kept of this computer's use.
    Usage { usage: Usage },
    /// What a role of this node keeps for itself, by its name.
    Note { network: NetworkId, name: &'static str, document: Vec<u8> },
}

/// What a completed commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// The death of the process, in any way. Power loss may cost the last seconds, in whole
    /// transactions and from the end.
    Process,
    /// Power loss too: the commit waits for the disk.
    Power,
}

impl Record {
    /// What this record asks of the transaction it is in. A number used twice is a lie to others;
    /// a trust withdrawn and then back is a breach of the owner's word; a voucher is money that nobody else
    /// keeps. These wait for the disk. Certificates need not: the notary has them.
    #[must_use]
    pub const fn durability(&self) -> Durability {
        match self {
            Self::Trust { .. } | Self::Sequence { .. } | Self::Voucher { .. } | Self::Note { .. } => Durability::Power,
            Self::Task { .. }
            | Self::Receipt { .. }
            | Self::GuestReceipt { .. }
            | Self::Departure { .. }
            | Self::Peer { .. }
            | Self::ForgetPeers
            | Self::Paused { .. }
            | Self::Entry { .. }
            | Self::Row { .. }
            | Self::Decision { .. }
            | Self::Usage { .. }
            | Self::VoucherDone { .. } => Durability::Process,
        }
    }

    /// How much nearer this brings the next pruning: one for the record, one for each 16 KiB in it.
    pub(crate) const fn weight(&self) -> usize {
        match self {
            Self::Task { document: bytes, .. }
            | Self::Receipt { signed: bytes, .. }
            | Self::GuestReceipt { signed: bytes, .. } => 1 + bytes.len() / (16 * 1024),
            _ => 1,
        }
    }
}

/// The end of one commit. Every token that [`crate::Store::commit`] took has exactly one.
#[derive(Debug)]
pub struct Committed {
    pub token: u64,
    /// `Ok` once the batch is as durable as its records ask. On an error nothing of it was kept.
    pub result: Result<(), StoreError>,
}

/// What a node needs to know when it starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    pub trusted: BTreeSet<DeviceId>,
    /// Only those whose trust was withdrawn.
    pub untrusted: BTreeSet<DeviceId>,
    /// Last seen first.
    pub peers: Vec<(DeviceId, Vec<String>, Timestamp)>,
    /// As [`Record::Paused`] has it.
    pub paused: Option<Option<Timestamp>>,
    pub sequences: BTreeMap<String, u64>,
    pub usage: Option<Usage>,
    /// Newest first: the newest `limits::SHOWN_TASKS`, and all that are not finished. Finished
    /// ones are left out where the documents together would pass [`READ_BYTES`].
    pub tasks: Vec<StoredTask>,
}

/// Documents that one read of tasks brings into memory, in bytes; unfinished tasks always come.
pub const READ_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTask {
    pub id: TaskId,
    pub submitted: Timestamp,
    pub finished: bool,
    pub document: Vec<u8>,
}

/// What this computer has used, and when it was last known to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    pub at: Timestamp,
    /// Whether the node ended then, and said so.
    pub ended: bool,
    /// Months since January of the year 0.
    pub month: u32,
    /// Bytes that went over the network in that month, both ways.
    pub bytes: u64,
}

/// How long decisions are kept.
pub const DECISION_DAYS: u64 = 30;

/// A decision as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDecision {
    pub at: Timestamp,
    pub document: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDeparture {
    pub at: Timestamp,
    pub to: DeviceId,
    pub task: TaskId,
    pub kind: TaskKind,
    pub privacy: Privacy,
    pub texts: u32,
    pub bytes: u64,
}
