//! A log file a day, a week of them, and no more a day than a disk can bear.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use p2p_control::api::{ErrorCode, Problem};
use p2p_platform::file::{FileError, append_private};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};

use crate::moment;

const PREFIX: &str = "p2p-daemon.";
const SUFFIX: &str = ".log";
const DAYS: usize = 7;
/// The files change by the day only, so this bounds them.
const BYTES_A_DAY: usize = 20 * 1024 * 1024;
/// Lines on their way to the disk; more are dropped rather than waited for.
const WAITING_LINES: usize = 4096;
const DAY_MS: u64 = 86_400_000;

/// A writer that never waits for the disk.
pub(super) fn open(dir: &Path) -> Result<(NonBlocking, WorkerGuard), Problem> {
    let daily = Daily::open(dir, || p2p_platform::now().0).map_err(|error| unusable(&error))?;
    let capped = Capped { inner: daily, day: 0, written: 0, now_ms: || p2p_platform::now().0 };
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES);
    Ok(builder.thread_name("log").finish(capped))
}

/// The reason names the file.
fn unusable(error: &FileError) -> Problem {
    let problem = Problem::new(ErrorCode::HomeUnusable, error.to_string());
    match error {
        FileError::NotAFile(path) | FileError::Special(path) => {
            problem.with_hint(format!("Move {} away; a new one is made", path.display()))
        }
        _ => problem,
    }
}

/// The newest log file in `dir`. Their names sort by day.
pub(crate) fn newest(dir: &Path) -> io::Result<Option<PathBuf>> {
    Ok(names(dir)?.pop().map(|name| dir.join(name)))
}

/// The names of the log files in `dir`, the newest last.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let names = entries.filter_map(Result::ok).filter_map(|entry| entry.file_name().into_string().ok());
    let mut ours: Vec<_> = names.filter(|name| day_of(name).is_some()).collect();
    ours.sort_unstable();
    Ok(ours)
}

/// The day in the name of a log file.
fn day_of(name: &str) -> Option<&str> {
    let day = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    (day.len() == 10 && day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')).then_some(day)
}

fn path_of(dir: &Path, day: u64) -> PathBuf {
    let stamp = moment::stamp(day.saturating_mul(DAY_MS));
    let date = stamp.split('T').next().unwrap_or_default();
    dir.join(format!("{PREFIX}{date}{SUFFIX}"))
}

/// Writes to the file of the day, of which so many are kept.
struct Daily {
    dir: PathBuf,
    day: u64,
    file: File,
    now_ms: fn() -> u64,
}

impl Daily {
    fn open(dir: &Path, now_ms: fn() -> u64) -> Result<Self, FileError> {
        let day = now_ms() / DAY_MS;
        let file = append_private(&path_of(dir, day))?;
        let daily = Self { dir: dir.to_owned(), day, file, now_ms };
        daily.forget_old();
        Ok(daily)
    }

    fn turn(&mut self) {
        let day = (self.now_ms)() / DAY_MS;
        if day == self.day {
            return;
        }
        self.day = day;
        // Where the new day's file cannot be written, the old one goes on.
        if let Ok(file) = append_private(&path_of(&self.dir, day)) {
            self.file = file;
            self.forget_old();
        }
    }

    fn forget_old(&self) {
        let names = names(&self.dir).unwrap_or_default();
        let old = names.len().saturating_sub(DAYS);
        for name in &names[..old] {
            // One that stays is tried again tomorrow.
            let _ = std::fs::remove_file(self.dir.join(name));
        }
    }
}

impl Write for Daily {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.turn();
        self.file.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
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

    #[test]
    fn a_day_has_its_file_and_a_week_of_them_is_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        for day in 10..20 {
            std::fs::write(path(&format!("p2p-daemon.2025-11-{day}.log")), "old").expect("written");
        }
        std::fs::write(path("p2p-daemon.stderr"), "other").expect("written");
        let mut daily = Daily::open(folder.path(), || 1_763_646_482_123).expect("a log");
        daily.write_all(b"one\n").expect("written");
        daily.now_ms = || 1_763_646_482_123 + DAY_MS;
        daily.write_all(b"two\n").expect("written");
        assert_eq!(std::fs::read(path("p2p-daemon.2025-11-20.log")).expect("there"), b"one\n");
        assert_eq!(std::fs::read(path("p2p-daemon.2025-11-21.log")).expect("there"), b"two\n");
        let names = names(folder.path()).expect("readable");
        assert_eq!((names.len(), names[0].as_str()), (DAYS, "p2p-daemon.2025-11-15.log"));
        assert!(path("p2p-daemon.stderr").exists());
    }

    #[cfg(unix)]
    #[test]
    fn what_lies_in_place_of_a_log_is_not_written_nor_waited_for() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (today, tomorrow) = (path_of(folder.path(), 0), path_of(folder.path(), 1));
        let target = folder.path().join("target");
        std::fs::write(&target, "precious").expect("written");
        std::os::unix::fs::symlink(&target, &today).expect("a link");
        assert!(Daily::open(folder.path(), || 0).is_err(), "a link");
        std::fs::remove_file(&today).expect("removed");
        assert!(std::process::Command::new("mkfifo").arg(&today).status().expect("mkfifo runs").success());
        assert!(Daily::open(folder.path(), || 0).is_err(), "a pipe");

        std::fs::remove_file(&today).expect("removed");
        std::os::unix::fs::symlink(&target, &tomorrow).expect("a link");
        let mut daily = Daily::open(folder.path(), || 0).expect("a log");
        daily.now_ms = || DAY_MS;
        daily.write_all(b"one\n").expect("the old file goes on");
        assert_eq!(std::fs::read(&today).expect("there"), b"one\n");
        assert_eq!(std::fs::read(&target).expect("there"), b"precious");
    }
}
