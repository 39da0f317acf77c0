//! `wallet history`: a page of what came in and what went out.

use p2p_control::api::{Problem, RowDirection, RowReason, RowState, WalletPage, WalletRow};

use super::super::names;
use crate::context::Context;
use crate::output::{Cell, Table, Tint};
use crate::problem::Exit;
use crate::{credits, moment};

pub(super) async fn run(context: &Context, limit: u32, before: Option<u64>) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let found = client.wallet_rows(WalletPage { limit, before }).await?;
    context.out.reply(&found, |page| {
        if found.rows.is_empty() {
            let older = if before.is_some() { "There is nothing older." } else { "No credits have moved yet." };
            return page.line(older);
        }
        page.table(&table(context, &found.rows));
    });
    if let Some(next) = found.next {
        context.out.note(&format!("Older ones: `p2p-agent wallet history --before {next}`"));
    }
    Ok(Exit::Fine)
}

fn table(context: &Context, rows: &[WalletRow]) -> Table {
    let mut columns = vec!["TIME", "CREDITS", "STATE", "WHAT FOR", "WITH", "TASK"];
    if context.out.verbose {
        columns.extend(["NUMBER", "DETAIL"]);
    }
    let mut table = Table::new(&columns).points(&[1]);
    for row in rows {
        let mut cells = vec![
            moment::utc(row.at_ms).into(),
            amount(row),
            state(row.state),
            reason(row.reason, row.direction).into(),
            row.other.map(|id| names::device(context, &id)).unwrap_or_default().into(),
            tasks(context, row).into(),
        ];
        if context.out.verbose {
            cells.extend([row.number.to_string().into(), row.detail.as_str().into()]);
        }
        table.row(cells);
    }
    table
}

fn amount(row: &WalletRow) -> Cell {
    let shown = credits::shown(row.amount);
    match row.direction {
        RowDirection::In => Cell::tinted(Tint::Good, &format!("+{shown}")),
        RowDirection::Out => format!("-{shown}").into(),
        RowDirection::Note => Cell::tinted(Tint::Faint, &shown),
    }
}

fn tasks(context: &Context, row: &WalletRow) -> String {
    let latest = row.task.map(|id| names::task(context, &id));
    match (latest, row.tasks) {
        (Some(latest), 0..=1) => latest,
        (Some(latest), tasks) => format!("{latest} and {} more", tasks - 1),
        (None, 0) => String::new(),
        (None, tasks) => names::count(u64::from(tasks), "task", "tasks"),
    }
}

fn state(state: RowState) -> Cell {
    match state {
        RowState::Pending => Cell::tinted(Tint::Warn, "pending"),
        RowState::Held => Cell::tinted(Tint::Warn, "set aside"),
        RowState::Settled => "settled".into(),
        RowState::Returned => "returned".into(),
        RowState::Burnt => Cell::tinted(Tint::Faint, "burnt"),
        RowState::Lapsed => Cell::tinted(Tint::Faint, "lapsed"),
    }
}

const fn reason(reason: RowReason, direction: RowDirection) -> &'static str {
    match reason {
        // Of what was set aside before: nothing moves now.
        RowReason::Work if matches!(direction, RowDirection::Note) => "paid for it",
        RowReason::Work => "work you did",
        RowReason::Hold => "work by others",
        RowReason::Returned => "not used up",
        RowReason::Burnt => "a share of that",
        RowReason::Lapsed => "day's credits unused",
        RowReason::Gift => "gift",
        RowReason::Own => "own computers",
        RowReason::Starter => "starter credits",
        RowReason::Ramp => "newcomer's extra",
        RowReason::Free => "credits of the day",
        RowReason::Budget => "owner's budget",
    }
}
