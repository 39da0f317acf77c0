//! A log file a day, a week of them, and no more a day than a disk can bear.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use p2p_control::api::{ErrorCode, Problem};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{Builder, Rotation};

use crate::problem;

const PREFIX: &str = "p2p-daemon";
const SUFFIX: &str = "log";
const DAYS: usize = 7;
/// The files change by the day only, so this bounds them.
const BYTES_A_DAY: usize = 20 * 1024 * 1024;
/// Lines on their way to the disk; more are dropped rather than waited for.
const WAITING_LINES: usize = 4096;
const DAY_MS: u64 = 86_400_000;

/// A writer that never waits for the disk.
pub(super) fn open(dir: &Path) -> Result<(NonBlocking, WorkerGuard), Problem> {
    let appender = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix(PREFIX)
        .filename_suffix(SUFFIX)
        .max_log_files(DAYS)
        .build(dir)
        .map_err(|error| problem::file(ErrorCode::HomeUnusable, dir, error))?;
    let capped = Capped { inner: appender, day: 0, written: 0, now_ms: || p2p_platform::now().0 };
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES);
    Ok(builder.thread_name("log").finish(capped))
}

/// The newest log file in `dir`. Their names sort by day.
pub(crate) fn newest(dir: &Path) -> io::Result<Option<PathBuf>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let names = entries.filter_map(Result::ok).filter_map(|entry| entry.file_name().into_string().ok());
    let ours = names.filter(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
    Ok(ours.max().map(|name| dir.join(name)))
}

/// Counts bytes, and says once a day that there were too many.
struct Capped<W> {
    inner: W,
    day: u64,
    written: usize,
    now_ms: fn() -> u64,
}

impl<W: Write> Write for Capped<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let day = (self.now_ms)() / DAY_MS;
        if day != self.day {
            (self.day, self.written) = (day, 0);
        }
        let before = self.written;
        self.written = before.saturating_add(line.len());
        if self.written <= BYTES_A_DAY {
            self.inner.write_all(line)?;
        } else if before <= BYTES_A_DAY {
            self.inner.write_all(b"(the log of this day is full; what follows is not kept)\n")?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_a_limit_and_the_next_day_another() {
        let mut now = 0;
        let mut capped = Capped { inner: Vec::new(), day: 0, written: 0, now_ms: || 0 };
        let line = vec![b'x'; 1024 * 1024];
        for _ in 0..30 {
            capped.write_all(&line).expect("a vector takes it");
        }
        let full = capped.inner.len();
        assert!((BYTES_A_DAY..BYTES_A_DAY + 100).contains(&full), "{full}");
        assert!(capped.inner.ends_with(b"is not kept)\n"));
        capped.now_ms = || DAY_MS;
        now += 1;
        capped.write_all(&line).expect("a vector takes it");
        assert_eq!(capped.inner.len(), full + now * line.len());
    }

    #[test]
    fn the_newest_file_is_found() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(newest(folder.path()).expect("readable"), None);
        assert_eq!(newest(&folder.path().join("none")).expect("missing is empty"), None);
        for name in ["p2p-daemon.2025-11-09.log", "p2p-daemon.2025-11-20.log", "panic.log", "p2p-daemon.2025-10-30.log"]
        {
            std::fs::write(folder.path().join(name), "").expect("written");
        }
        let found = newest(folder.path()).expect("readable");
        assert_eq!(found, Some(folder.path().join("p2p-daemon.2025-11-20.log")));
    }
}
