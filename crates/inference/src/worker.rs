//! What `p2p-worker` runs: a process with one thread that reads orders, computes and answers.
//!
//! It speaks [`crate::wire`] over standard input and output and ends when its input does. The
//! runtime and the models are loaded by the first order that needs them. Standard error is its
//! log, which never holds a text.
//!
//! For the benchmark there is a way past the pool: `p2p-worker --bench FILE` embeds the lines of
//! FILE, once to warm up and then for a while, and prints `{"tokens_per_second": …, "tokens": …,
//! "texts": …}`. The assets are found as the daemon finds them. For the tests of the sandbox,
//! `p2p-worker --probe FILE` closes it, loads FILE as a model, runs it once and prints what came of
//! it.
//!
//! Before the first order it loads the runtime and closes its sandbox (`p2p_platform::sandbox`).

mod batch;
mod bench;
mod chunk;
mod closed;
mod engine;
mod head;
mod model;
mod probe;
mod pulse;
mod tokens;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use p2p_platform::sandbox::{self, Level};
use p2p_types::TextFailure;

use crate::wire::{Order, PROTOCOL, Reply, encode, read_blocking, write_blocking};
use closed::Closed;

/// Runs the worker with the arguments that follow the program's name, until its input ends.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    sandbox::forbid_reports();
    quiet_panics();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let ended = match arguments.as_slice() {
        [] => {
            let closed = |assets, memory| {
                let closed = closed::close(assets, memory, 0);
                // Its thread comes after, or it would not be closed in.
                pulse::start().map(|()| closed)
            };
            // Frame by frame, so that the pulse finds its place between two of them.
            let served = serve(&mut BufReader::new(io::stdin().lock()), &mut io::stdout(), closed);
            served.map_err(|error| error.to_string())
        }
        [flag, file] if flag == "--bench" => bench::run(&PathBuf::from(file)),
        [flag, file] if flag == "--probe" => probe::run(&PathBuf::from(file)),
        _ => Err("p2p-worker is started by the daemon and takes no arguments".to_owned()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            log(&reason);
            ExitCode::FAILURE
        }
    }
}

/// Greets, closes the sandbox with `close`, then answers order after order.
fn serve(
    input: &mut impl Read,
    output: &mut impl Write,
    close: impl FnOnce(PathBuf, u64) -> io::Result<(Closed, Level)>,
) -> io::Result<()> {
    let Some(Order::Hello { protocol, assets }) = read_blocking(input)? else {
        return Err(io::Error::other("the first message was no hello"));
    };
    write_blocking(output, &Reply::Hello { protocol: PROTOCOL })?;
    if protocol != PROTOCOL {
        return Err(io::Error::other(format!("the daemon speaks version {protocol}, this worker {PROTOCOL}")));
    }
    let Some(Order::Close { memory }) = read_blocking(input)? else {
        return Err(io::Error::other("the second message did not close the sandbox"));
    };
    let (mut closed, level) = close(PathBuf::from(assets), memory)?;
    write_blocking(output, &Reply::Closed { level })?;
    while let Some(order) = read_blocking(input)? {
        let Order::Run { id, kind, texts, chunk, run_tokens } = order else {
            return Err(io::Error::other("a second hello"));
        };
        let begun = Instant::now();
        pulse::set_busy(true);
        let mut left = texts.len();
        let mut last = Vec::new();
        let computed = closed.engine.compute(kind, &texts, chunk, run_tokens as usize, &mut |outcomes| {
            left = left.saturating_sub(outcomes.len());
            let finished = outcomes.into_iter().map(|(place, outcome)| (count(place), outcome)).collect();
            if left > 0 {
                // At once: if this process ends over another text, these are safe.
                return answer(output, Reply::Progress { id, finished });
            }
            last = finished;
            Ok(())
        })?;
        let pace = closed.engine.take_pace();
        let reply = match computed {
            Ok(()) => {
                let compute_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                Reply::Done { id, finished: last, compute_us, pace }
            }
            Err(why) => Reply::Unable { id, why },
        };
        pulse::set_busy(false);
        let unable = matches!(reply, Reply::Unable { .. });
        answer(output, reply)?;
        if unable && closed.lacks {
            // Whoever mends it finds a new worker that sees it.
            return Ok(());
        }
    }
    Ok(())
}

/// Writes a reply. One that is too long for a frame fails its texts, not the worker.
fn answer(output: &mut impl Write, mut reply: Reply) -> io::Result<()> {
    let frame = match encode(&reply) {
        Ok(frame) => frame,
        Err(error) => {
            log(&error);
            let (Reply::Progress { finished, .. } | Reply::Done { finished, .. }) = &mut reply else {
                return Err(error);
            };
            for (_, outcome) in finished {
                *outcome = Err(TextFailure::TooLong);
            }
            encode(&reply)?
        }
    };
    output.write_all(&frame)?;
    output.flush()
}

/// Says where a panic was and not what it says: the message may quote a text.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| match panic.location() {
        Some(place) => log(&format_args!("panicked at {}:{}", place.file(), place.line())),
        None => log(&"panicked"),
    }));
}

/// One line for the daemon's log.
fn log(line: &dyn Display) {
    // Without a reader there is nobody to tell that there is no reader.
    let _ = writeln!(io::stderr(), "{line}");
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
