//! `wallet stats`: what was earned and spent, a line a day.

use p2p_control::api::{Problem, WalletStats, WalletSums};

use super::super::names;
use crate::context::Context;
use crate::credits;
use crate::output::{Cell, Table, Tint};
use crate::problem::Exit;

pub(super) async fn run(context: &Context, days: u32) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    let stats = client.wallet_stats(days).await?;
    context.out.reply(&stats, |page| page.table(&table(&stats)));
    Ok(Exit::Fine)
}

fn table(stats: &WalletStats) -> Table {
    let columns = ["DAY", "EARNED", "GIVEN", "SPENT", "BURNT", "LAPSED", "TASKS FOR OTHERS", "TASKS FOR YOU"];
    let mut table = Table::new(&columns).points(&[1, 2, 3, 4, 5]).right(&[6, 7]);
    for day in &stats.days {
        table.row(cells(day.day.as_str().into(), &day.sums, Tint::Plain));
    }
    let days = names::count(stats.days.len() as u64, "day", "days");
    table.row(cells(Cell::tinted(Tint::Strong, &days), &stats.total, Tint::Strong));
    table
}

fn cells(name: Cell, sums: &WalletSums, tint: Tint) -> Vec<Cell> {
    // Most days of most people are empty: a dash lets the others stand out.
    let number = |number: u64, shown: String| match number {
        0 => Cell::tinted(Tint::Faint, "-"),
        _ => Cell::tinted(tint, &shown),
    };
    let amount = |micro: u64| number(micro, credits::shown(micro));
    let count = |tasks: u64| number(tasks, tasks.to_string());
    vec![
        name,
        amount(sums.earned),
        amount(sums.granted),
        amount(sums.spent),
        amount(sums.burnt),
        amount(sums.lapsed),
        count(sums.tasks_done),
        count(sums.tasks_paid),
    ]
}
