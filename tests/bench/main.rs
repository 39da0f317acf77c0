//! `p2p-bench`: our sides of benchmarks, and the answering side of a rival. `cargo xtask bench` calls it;
//! each command prints one JSON document.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a developer's command line")]

mod cap;
mod dispatch;
mod guests;
mod ledger;
mod nats;
mod search;
mod yielding;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::json;

const USAGE: &str = "p2p-bench dispatch SOCKET MESSAGES | nats-reply ADDRESS | nats-request ADDRESS MESSAGES | ledger FOLDER TRANSFERS | cap ours|cpulimit|grid PERMILLE SECONDS TEXTS | yield TRIES TEXTS | search VECTORS LISTINGS";
/// Messages before the clock counts.
const WARM_UP: usize = 200;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["dispatch", socket, messages] => {
            let times = dispatch::measure(socket.as_ref(), count(messages)?)?;
            let slowest = times.end_to_end.iter().copied().reduce(f64::max);
            summary(times.assignment_to_receipt, slowest)
        }
        ["ledger", folder, transfers] => {
            println!("{}", ledger::measure(folder.as_ref(), count(transfers)?)?);
            Ok(())
        }
        ["cap", holder, permille, seconds, texts] => {
            let permille = permille.parse().context("a cap is a number of thousandths")?;
            println!("{}", cap::measure(holder, permille, count(seconds)?, texts.as_ref())?);
            Ok(())
        }
        ["yield", tries, texts] => {
            println!("{}", yielding::measure(count(tries)?, texts.as_ref())?);
            Ok(())
        }
        ["search", vectors, listings] => {
            println!("{}", search::measure(vectors.as_ref(), count(listings)?)?);
            Ok(())
        }
        ["nats-reply", address] => nats::reply(address),
        ["nats-request", address, messages] => summary(nats::request(address, count(messages)?)?, None),
        _ => bail!(USAGE),
    }
}

fn count(word: &str) -> Result<usize> {
    word.parse().with_context(|| format!("{word:?} is no number of messages"))
}

/// Prints what a run of `times` (microseconds) was like, and the slowest task end to end.
fn summary(mut times: Vec<f64>, slowest: Option<f64>) -> Result<()> {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get(((times.len() - 1) as f64 * share).round() as usize).copied();
    let p50 = if times.is_empty() { None } else { at(0.5) };
    let p50 = p50.context("nothing was measured")?;
    let messages = times.len();
    println!(
        "{}",
        json!({"messages": messages, "p50_us": p50, "p99_us": at(0.99), "max_us": at(1.0), "end_to_end_max_us": slowest})
    );
    Ok(())
}
