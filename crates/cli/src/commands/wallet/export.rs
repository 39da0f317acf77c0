//! `wallet export`: the whole history, the oldest first, however long it is.
//!
//! The daemon gives pages from the newest on. The way back is walked first, and only where each
//! page ends is kept; then the pages are asked for again from the oldest on. So one page is in
//! memory at a time. What comes in meanwhile is left to the next export.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use p2p_control::Client;
use p2p_control::api::{ErrorCode, Problem, WalletPage, WalletRow, WalletRows};
use serde_json::json;

use super::super::names;
use super::csv;
use crate::args::{ExportArgs, ExportFormat};
use crate::context::Context;
use crate::output::Output;
use crate::problem::{self, Exit};

pub(super) async fn run(context: &Context, args: &ExportArgs) -> Result<Exit, Problem> {
    let format = format(args, context.out.is_json())?;
    let client = context.daemon(&context.home()?).await?;
    // Before there is a file: outside a network there is nothing to write.
    let way = Way::back(&client).await?;
    let Some(path) = &args.out else {
        write(&client, way, format, &mut |text| {
            context.out.raw(text);
            Ok(())
        })
        .await?;
        return Ok(Exit::Fine);
    };
    let rows = to_file(&client, way, format, path).await?;
    let document = json!({ "file": path, "format": format.as_str(), "rows": rows });
    context.out.reply(&document, |page| {
        page.line(&format!("{} are in {}.", names::count(rows, "row", "rows"), path.display()));
    });
    Ok(Exit::Fine)
}

fn format(args: &ExportArgs, json: bool) -> Result<ExportFormat, Problem> {
    let stdout = args.out.is_none();
    match args.format {
        Some(ExportFormat::Csv) if json && stdout => {
            let problem = Problem::new(ErrorCode::Usage, "--json and --format csv cannot both be printed");
            Err(problem.with_hint("Leave one of them out, or write to a file with --out FILE"))
        }
        Some(format) => Ok(format),
        None if json && stdout => Ok(ExportFormat::Json),
        None => {
            let ending = args.out.as_deref().and_then(Path::extension);
            let json = ending.is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
            Ok(if json { ExportFormat::Json } else { ExportFormat::Csv })
        }
    }
}

/// Writes a new file. Where that fails half of it is no export, and goes.
async fn to_file(client: &Client, way: Way, format: ExportFormat, path: &PathBuf) -> Result<u64, Problem> {
    let unwritable =
        |error: std::io::Error| problem::file(ErrorCode::Usage, path, error).with_hint("Give another name");
    let mut file = BufWriter::new(File::create_new(path).map_err(unwritable)?);
    let written = write(client, way, format, &mut |text| file.write_all(text.as_bytes()).map_err(unwritable)).await;
    let written = written.and_then(|rows| file.flush().map_err(unwritable).map(|()| rows));
    if written.is_err() {
        // The reason matters more than what is left behind.
        let _ = std::fs::remove_file(path);
    }
    written
}

/// Hands all rows to `put`, piece by piece, and says how many there were.
async fn write(
    client: &Client,
    mut way: Way,
    format: ExportFormat,
    put: &mut impl FnMut(&str) -> Result<(), Problem>,
) -> Result<u64, Problem> {
    let mut count = 0;
    put(&match format {
        ExportFormat::Csv => csv::head(),
        ExportFormat::Json => "[".to_owned(),
    })?;
    while let Some(rows) = way.next(client).await? {
        let mut text = String::new();
        for row in &rows {
            match format {
                ExportFormat::Csv => text.push_str(&csv::row(row)),
                ExportFormat::Json => {
                    text.push_str(if count == 0 { "\n" } else { ",\n" });
                    text.push_str(&Output::json_line(row));
                }
            }
            count += 1;
        }
        put(&text)?;
    }
    if format == ExportFormat::Json {
        put(if count == 0 { "]\n" } else { "\n]\n" })?;
    }
    Ok(count)
}

/// The pages that are still to be written.
struct Way {
    /// The oldest page, which is at hand after the way back.
    at_hand: Option<Vec<WalletRow>>,
    /// Of the others, the oldest last: the lowest number in it, and the one it ends before.
    pages: Vec<(u64, u64)>,
}

impl Way {
    /// Walks from the newest page to the oldest.
    async fn back(client: &Client) -> Result<Self, Problem> {
        let mut pages = Vec::new();
        let mut before = None;
        loop {
            let WalletRows { rows, next } = page(client, before).await?;
            let Some(next) = next else { return Ok(Self { at_hand: Some(rows), pages }) };
            let end = before.or_else(|| rows.first().map(|row| row.number.saturating_add(1))).unwrap_or(u64::MAX);
            if next >= end {
                return Err(Problem::new(ErrorCode::Version, format!("Its pages go in a circle at row {next}")));
            }
            pages.push((next, end));
            before = Some(next);
        }
    }

    /// The rows of the next page, the oldest first.
    async fn next(&mut self, client: &Client) -> Result<Option<Vec<WalletRow>>, Problem> {
        let mut rows = match self.at_hand.take() {
            Some(rows) => rows,
            None => {
                let Some((lowest, end)) = self.pages.pop() else { return Ok(None) };
                let mut rows = page(client, Some(end)).await?.rows;
                // Where a row of this page has gone, the daemon filled it with one that is written already.
                rows.retain(|row| row.number >= lowest);
                rows
            }
        };
        rows.reverse();
        Ok(Some(rows))
    }
}

async fn page(client: &Client, before: Option<u64>) -> Result<WalletRows, Problem> {
    client.wallet_rows(WalletPage { limit: WalletPage::MOST, before }).await
}
