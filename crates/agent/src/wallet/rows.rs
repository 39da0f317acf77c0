//! What orders did, as rows that people read.

use p2p_control::api::{RowDirection, RowReason, RowState, WalletRow};
use p2p_ledger::wire::Rule;
use p2p_ledger::{Body, Movement, Reason, Side};
use p2p_protocol::{Entry, Pending};
use p2p_store::{Record, Store, StoreError, StoredRow, Sums};
use p2p_types::{AccountId, Credits, DeviceId, Hash, NetworkId, Timestamp};

/// Numbers from here on are those of rows that are not kept yet: the highest that every reader of JSON holds
/// exactly is above them.
const PENDING_FROM: u64 = 1 << 52;

/// The rows of an order that touched the owner's lane, and what they count for. Numbered from `next` on.
/// `issuer` is whose payments are for canaries.
pub(crate) fn rows_of(entry: &Entry, next: u64, issuer: Option<AccountId>) -> Vec<(WalletRow, Sums)> {
    let mut rows: Vec<(WalletRow, Sums)> = Vec::new();
    // What a settled session paid: the payee's row has another owner, so the payer's note of it is made here.
    if let Body::Settle(voucher) = &entry.order.body
        && entry.order.lane != entry.lane
        && !voucher.amount.is_zero()
    {
        let other = entry.order.lane.device;
        let (tasks, amount) = (tasks(voucher.number), voucher.amount);
        let detail = format!("Paid to {} for {}", other.short(), counted(tasks));
        let row = Row { amount, granted: Credits::ZERO, tasks, other: Some(other), detail };
        let id = format!("{}/credit", entry.order.id);
        let row = row.finish(entry, id, RowDirection::Note, RowReason::Work, RowState::Settled);
        rows.push((row, Sums { tasks_paid: i64::from(tasks), ..Sums::default() }));
    }
    rows.extend(entry.movements.iter().map(|movement| row_of(entry, movement, issuer)));
    for (number, (row, _)) in (next..).zip(&mut rows) {
        row.number = number;
    }
    rows
}

/// A row and what it counts for, to be kept.
pub(crate) fn record(network: NetworkId, row: &WalletRow, sums: Sums) -> Option<Record> {
    let document = serde_json::to_vec(row).ok()?;
    Some(Record::Row { network, number: row.number, id: row.id.clone(), at: Timestamp(row.at_ms), document, sums })
}

struct Row {
    amount: Credits,
    granted: Credits,
    tasks: u32,
    other: Option<DeviceId>,
    detail: String,
}

impl Row {
    fn finish(
        self,
        entry: &Entry,
        id: String,
        direction: RowDirection,
        reason: RowReason,
        state: RowState,
    ) -> WalletRow {
        WalletRow {
            number: 0,
            id,
            at_ms: entry.at.0,
            direction,
            amount: self.amount.micro(),
            granted: self.granted.micro(),
            reason,
            state,
            other: self.other,
            task: None,
            tasks: self.tasks,
            detail: self.detail,
        }
    }
}

fn row_of(entry: &Entry, movement: &Movement, issuer: Option<AccountId>) -> (WalletRow, Sums) {
    let amount = movement.amounts.total();
    let granted = amount.minus(movement.amounts.earned).unwrap_or_default();
    let other = movement.other.map(|lane| lane.device);
    let who = other.map_or_else(|| "nobody".to_owned(), |device| device.short());
    let micro = i64::try_from(amount.micro()).unwrap_or(i64::MAX);
    let mut sums = Sums::default();
    let mut paid_tasks = 0;
    let (reason, state, detail) = match movement.reason {
        Reason::Work => {
            if let Body::Settle(voucher) = &entry.order.body {
                paid_tasks = tasks(voucher.number);
            }
            (sums.earned, sums.tasks_done) = (micro, i64::from(paid_tasks));
            let checks = movement.other.map(|lane| lane.account) == issuer;
            let of = if checks { "the network, which checks this computer by it" } else { who.as_str() };
            (RowReason::Work, RowState::Settled, format!("Work for {of}: {}", counted(paid_tasks)))
        }
        Reason::Held => {
            sums.spent = micro;
            (RowReason::Hold, RowState::Held, format!("Set aside for work by {who}"))
        }
        Reason::Returned => {
            sums.spent = -micro;
            (RowReason::Returned, RowState::Returned, format!("Set aside for {who} and not used"))
        }
        Reason::Burnt => {
            sums.burnt = micro;
            (RowReason::Burnt, RowState::Burnt, format!("The network's share of a payment to {who}"))
        }
        Reason::Lapsed => {
            sums.lapsed = micro;
            (RowReason::Lapsed, RowState::Lapsed, "Free credits of a day that is over".to_owned())
        }
        Reason::Gift => {
            let detail = match movement.side {
                Side::Debit => {
                    sums.spent = micro;
                    format!("Given to {who}")
                }
                Side::Credit | Side::Note => format!("Given by {who}"),
            };
            (RowReason::Gift, RowState::Settled, detail)
        }
        Reason::Own => {
            let way = if movement.side == Side::Debit { "To" } else { "From" };
            (RowReason::Own, RowState::Settled, format!("{way} your computer {who}"))
        }
        Reason::Granted(rule) => {
            sums.granted = micro;
            let (reason, detail) = match rule {
                Rule::Starter => (RowReason::Starter, "A start, after the first checked work"),
                Rule::Ramp => (RowReason::Ramp, "For a day with checked work"),
                Rule::Free => (RowReason::Free, "Free for today, until midnight (UTC)"),
                Rule::Budget | Rule::Unknown => (RowReason::Budget, "For canaries of this epoch"),
            };
            (reason, RowState::Settled, detail.to_owned())
        }
    };
    let direction = match movement.side {
        Side::Debit => RowDirection::Out,
        Side::Credit => RowDirection::In,
        Side::Note => RowDirection::Note,
    };
    let row = Row { amount, granted, tasks: paid_tasks, other, detail };
    (row.finish(entry, movement.row_id(&entry.order.id), direction, reason, state), sums)
}

/// What is earned and not settled, as rows that go away when it is.
pub(crate) fn pending(pending: impl Iterator<Item = Pending>, at: Timestamp, asleep: bool) -> Vec<WalletRow> {
    let row = |(place, pending): (u64, Pending)| {
        let tasks = tasks(pending.tasks);
        let waits = if asleep { "; the notary settles it when its computer is on" } else { "; settled soon" };
        WalletRow {
            number: PENDING_FROM + place,
            id: format!("{}/pending", pending.hold),
            at_ms: at.0,
            direction: RowDirection::In,
            amount: pending.amount.micro(),
            granted: 0,
            reason: RowReason::Work,
            state: RowState::Pending,
            other: Some(pending.payer),
            task: pending.task,
            tasks,
            detail: format!("Work for {}: {}{waits}", pending.payer.short(), counted(tasks)),
        }
    };
    let mut rows: Vec<WalletRow> = (0..).zip(pending).map(row).collect();
    rows.reverse();
    rows
}

/// A row of the store as it is now: what was set aside is settled once the hold is over.
pub(crate) fn shown(stored: &StoredRow, is_open: impl Fn(&Hash) -> bool) -> Option<WalletRow> {
    let row: WalletRow = serde_json::from_slice(&stored.document).ok()?;
    Some(as_it_is(WalletRow { number: stored.number, ..row }, is_open))
}

/// The same for a row that is at hand.
pub(crate) fn as_it_is(mut row: WalletRow, is_open: impl Fn(&Hash) -> bool) -> WalletRow {
    if row.state == RowState::Held {
        let hold = row.id.split('/').next().and_then(|hold| hold.parse::<Hash>().ok());
        if !hold.is_some_and(|hold| is_open(&hold)) {
            row.state = RowState::Settled;
        }
    }
    row
}

/// The newest rows, newest first; the next row's number; and how many rows there are.
pub(super) fn newest(store: &Store, network: NetworkId, limit: u32) -> Result<(Vec<WalletRow>, u64, u64), StoreError> {
    let stored = store.newest_rows(network, limit)?;
    let rows = stored.iter().filter_map(|stored| shown(stored, |_| true)).collect();
    Ok((rows, store.next_row()?, store.count_rows(network)?))
}

fn tasks(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn counted(tasks: u32) -> String {
    if tasks == 1 { "1 task".to_owned() } else { format!("{tasks} tasks") }
}
