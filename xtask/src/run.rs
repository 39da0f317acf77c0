//! Running other programs, and saying what goes on. Everything said goes to stderr: stdout
//! belongs to documents.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(false)));

/// Starts the clock of [`say`].
pub(crate) fn start_clock() {
    LazyLock::force(&START);
}

/// One line of progress, with the seconds since the start.
pub(crate) fn say(line: impl AsRef<str>) {
    eprintln!("[{:6.1} s] {}", START.elapsed().as_secs_f64(), line.as_ref());
}

/// From now on the first Ctrl-C (or SIGTERM) only sets a flag, so that what was started can be
/// stopped; a second one ends xtask at once.
pub(crate) fn catch_interrupts() -> Result<()> {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&STOP))?;
        signal_hook::flag::register(signal, Arc::clone(&STOP))?;
    }
    Ok(())
}

pub(crate) fn interrupted() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Fails once Ctrl-C was pressed.
pub(crate) fn check_interrupt() -> Result<()> {
    if interrupted() {
        bail!("interrupted");
    }
    Ok(())
}

/// Runs to the end with its output on our stderr.
pub(crate) fn run(command: &mut Command, what: &str) -> Result<()> {
    say(what);
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::from(io::stderr()))
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    ended(status, what, command)
}

/// Runs to the end with its output in a file; the end of it is shown when it fails.
pub(crate) fn run_logged(command: &mut Command, what: &str, log: &Path) -> Result<()> {
    const SHOWN_LINES: usize = 30;
    say(what);
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        let text = fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        for line in &lines[lines.len().saturating_sub(SHOWN_LINES)..] {
            eprintln!("    {line}");
        }
    }
    ended(status, what, command)
}

/// Runs to the end and returns what it printed to stdout.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        let said = [output.stderr, output.stdout].concat();
        bail!("{} failed ({}): {}", shown(command), output.status, String::from_utf8_lossy(&said).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed what is not text", shown(command)))
}

/// Whether it runs and says that all is well. Its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Runs to the end, showing its output on stderr and returning all of it.
pub(crate) fn run_shown(command: &mut Command, what: &str) -> Result<(ExitStatus, String)> {
    say(what);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let out = child.stdout.take().map(|pipe| thread::spawn(move || pass_on(pipe)));
    let err = child.stderr.take().map(|pipe| thread::spawn(move || pass_on(pipe)));
    let status = child.wait()?;
    let mut text = String::new();
    for reader in [out, err].into_iter().flatten() {
        text.push_str(&reader.join().unwrap_or_default());
    }
    Ok((status, text))
}

/// Lines may be cut anywhere but at their end, so both pipes can share the terminal.
fn pass_on(pipe: impl Read) -> String {
    let mut reader = BufReader::new(pipe);
    let mut all = String::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // The terminal may be gone; the text still counts.
        let _ = io::stderr().write_all(&line);
        all.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    all
}

fn ended(status: ExitStatus, what: &str, command: &Command) -> Result<()> {
    check_interrupt()?;
    if !status.success() {
        bail!("{what}: failed ({status}); the command was: {}", shown(command));
    }
    Ok(())
}

/// A command as somebody would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
