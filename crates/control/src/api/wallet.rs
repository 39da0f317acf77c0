//! Credits. Amounts are whole micro-credits: 1,000,000 make one credit.

use p2p_types::{AccountId, DeviceId, TaskId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Micro-credits in one credit.
pub const MICRO_CREDITS: u64 = 1_000_000;

/// What this computer has in its network, and what is on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Wallet {
    #[schema(value_type = String)]
    pub account: AccountId,
    #[schema(value_type = String)]
    pub device: DeviceId,
    /// The network's name. Credits count in one network only.
    pub network: String,
    /// What can be spent now: `earned`, `granted` and `free` together.
    pub available: u64,
    /// Free to be spent in every way.
    pub earned: u64,
    /// Given by the network, or paid with what was: to be spent on work only.
    pub granted: u64,
    /// Given for today: it lapses when the day (UTC) ends.
    pub free: u64,
    /// Set aside for work that others do now; what of it is not used comes back.
    pub held: u64,
    /// Earned by work that is done, not settled by the notary yet.
    pub pending: u64,
    /// On other computers of the same owner.
    pub others: u64,
    /// Since the day (UTC) began. What the network gives is not in it.
    pub earned_today: u64,
    /// Since the day (UTC) began.
    pub spent_today: u64,
    pub notary: NotaryState,
    /// The computer that keeps the network's books, where it is known.
    #[schema(value_type = Option<String>)]
    pub notary_device: Option<DeviceId>,
    /// One sentence, for people, where something waits.
    pub waiting: Option<String>,
    /// The most that may be spent in one day, where the owner set a limit.
    pub daily_limit: Option<u64>,
    /// The most that may be spent in all, where the owner set a limit.
    pub total_limit: Option<u64>,
    /// How many rows the history has.
    pub rows: u64,
    /// When the notary last confirmed all of this.
    pub heard_ms: Option<u64>,
}

/// Whether the computer that keeps the network's books answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NotaryState {
    /// It is this computer.
    #[serde(rename = "self")]
    Own,
    Reachable,
    Asleep,
}

/// One movement of credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WalletRow {
    /// Grows: the newest has the highest. It stays, as long as the home does.
    pub number: u64,
    /// Stays for ever. A row that is pending is replaced by one with another id.
    pub id: String,
    pub at_ms: u64,
    pub direction: RowDirection,
    pub amount: u64,
    /// The part of `amount` that may be spent on work only.
    pub granted: u64,
    pub reason: RowReason,
    pub state: RowState,
    /// The other party's computer.
    #[schema(value_type = Option<String>)]
    pub other: Option<DeviceId>,
    /// The latest task that it pays for, where one is known.
    #[schema(value_type = Option<String>)]
    pub task: Option<TaskId>,
    /// How many tasks it pays for.
    pub tasks: u32,
    /// One plain sentence, for people.
    pub detail: String,
}

/// Which way a row moves credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RowDirection {
    In,
    Out,
    /// What became of credits that had left before; nothing moves now.
    Note,
}

/// Why credits moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RowReason {
    /// Work that was done for others.
    Work,
    /// Set aside for work that others do.
    Hold,
    /// Set aside, and not used.
    Returned,
    /// The share of a payment that the network takes out of circulation.
    Burnt,
    /// Given for one day that has ended.
    Lapsed,
    Gift,
    /// Between computers of the same owner.
    Own,
    /// What a newcomer starts with.
    Starter,
    /// What a newcomer gets on top of the first work.
    Ramp,
    /// Given for one day.
    Free,
    /// Given to the canary issuer for an epoch's canaries.
    Budget,
}

/// How far a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RowState {
    /// Not settled by the notary yet.
    Pending,
    Held,
    Settled,
    Returned,
    Burnt,
    Lapsed,
}

/// Which rows of the history are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WalletPage {
    /// At most so many, from 1 to 500.
    #[serde(default = "usual_page")]
    pub limit: u32,
    /// Only rows with a lower number than this.
    #[serde(default)]
    pub before: Option<u64>,
}

impl WalletPage {
    /// Rows in one answer, at most.
    pub const MOST: u32 = 500;
    /// Rows in one answer, where nobody says how many.
    pub const USUAL: u32 = 50;
}

const fn usual_page() -> u32 {
    WalletPage::USUAL
}

impl Default for WalletPage {
    fn default() -> Self {
        Self { limit: Self::USUAL, before: None }
    }
}

/// A page of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WalletRows {
    /// The newest first.
    pub rows: Vec<WalletRow>,
    /// Given as `before`, it brings the older ones. Absent where there are none.
    pub next: Option<u64>,
}

/// Earnings and spending by day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WalletStats {
    /// The oldest first, without gaps, today last.
    pub days: Vec<WalletDay>,
    pub total: WalletSums,
}

impl WalletStats {
    /// Days in one answer, at most.
    pub const MOST_DAYS: u32 = 366;
    /// Days in one answer, where nobody says how many.
    pub const USUAL_DAYS: u32 = 30;
}

/// The sums of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WalletDay {
    /// In UTC.
    #[schema(example = "2026-11-21")]
    pub day: String,
    #[serde(flatten)]
    pub sums: WalletSums,
}

/// What moved in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct WalletSums {
    /// For work. What the network gives is not in it.
    pub earned: u64,
    /// Given by the network.
    pub granted: u64,
    pub spent: u64,
    pub burnt: u64,
    pub lapsed: u64,
    /// Tasks done for others, and paid.
    pub tasks_done: u64,
    /// Tasks that others did, and that were paid.
    pub tasks_paid: u64,
}

/// The wallet computed again, from the log and the notary's certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WalletCheck {
    /// Whether what is shown is what the log and the certificates say.
    pub agrees: bool,
    /// How many certificates were checked.
    pub certificates: u64,
    /// How many rows were checked.
    pub rows: u64,
    /// As computed.
    pub available: u64,
    /// As computed.
    pub held: u64,
    /// What does not agree, a sentence each.
    pub problems: Vec<String>,
}

/// What a task would cost. Asking runs nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quote {
    /// At most. What runs on this computer costs nothing.
    pub price: u64,
    pub texts: u32,
    /// Bytes of text that would leave this computer.
    pub bytes: u64,
    /// How many others would see the text, at most.
    pub computers: u32,
    pub available: u64,
    /// Whether what is available pays for it.
    pub enough: bool,
    /// Whether it is done for nothing where that is not enough: so it is among people who know each other.
    pub unpaid: bool,
    /// One sentence, for people.
    pub detail: String,
}
