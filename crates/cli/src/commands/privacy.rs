//! `privacy log`: what left this computer.

use p2p_control::api::{Departure, Problem};

use super::names;
use crate::args::PrivacyCommand;
use crate::context::Context;
use crate::moment;
use crate::output::{Cell, Table};
use crate::problem::Exit;

pub(super) async fn run(context: &Context, command: &PrivacyCommand) -> Result<Exit, Problem> {
    let PrivacyCommand::Log = command;
    let client = context.daemon(&context.home()?).await?;
    let departures = client.departures().await?;
    context.out.reply(&departures, |page| {
        if departures.is_empty() {
            return page.line("Nothing has left this computer.");
        }
        let mut table = Table::new(&["WHEN", "TO", "TASK", "KIND", "PRIVACY", "TEXTS", "BYTES"]).right(&[5, 6]);
        for departure in &departures {
            table.row(row(context, departure));
        }
        page.table(&table);
    });
    Ok(Exit::Fine)
}

fn row(context: &Context, departure: &Departure) -> Vec<Cell> {
    vec![
        moment::utc(departure.at_ms).into(),
        names::device(context, &departure.to).into(),
        names::task(context, &departure.task_id).into(),
        departure.kind.as_str().into(),
        departure.privacy.as_str().into(),
        departure.texts.to_string().into(),
        departure.bytes.to_string().into(),
    ]
}
