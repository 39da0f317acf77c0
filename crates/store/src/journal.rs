//! A notary's log on disk: a file that only grows, one record behind the other.
//!
//! The frame of a record is [`p2p_ledger::log`]'s. What was being written when the computer stopped is
//! cut off at the next start and kept beside the log; damage before the end is never cut.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use p2p_ledger::log;

use crate::StoreError;

/// An open log. Nobody else has it open.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Where each record begins.
    places: Vec<u64>,
    /// Where the next record begins.
    end: u64,
    /// After a write failed nobody knows what is on disk, so nothing more is written.
    failed: bool,
}

/// What was read of a log.
#[derive(Debug, Default)]
pub struct Replay {
    /// The contents of the whole records, in their order.
    pub records: Vec<Vec<u8>>,
    /// Where the rest is kept, when the log ended in the middle of a record.
    pub cut: Option<PathBuf>,
}

impl Journal {
    /// Opens the log at `path`, makes it where there is none, and reads it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while somebody else has it open, [`StoreError::DamagedLog`] when a record
    /// before the last is damaged, [`StoreError::Full`] and [`StoreError::Io`] by the disk.
    pub fn open(path: &Path) -> Result<(Self, Replay), StoreError> {
        let io = |source| failure(path, source);
        let existed = path.exists();
        let mut file = private().read(true).create(true).truncate(false).open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked),
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        if !existed {
            sync_folder(path)?;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let damaged = |damaged: log::Damaged| StoreError::DamagedLog { path: path.to_owned(), at: damaged.at };
        let (records, end) = log::read(&bytes).map_err(damaged)?;
        let mut at = 0;
        let mut places = Vec::with_capacity(records.len());
        for record in &records {
            places.push(at);
            at += log::framed_len(record.len());
        }
        let records = records.into_iter().map(<[u8]>::to_vec).collect();
        let cut = if end < bytes.len() { Some(keep_aside(path, &bytes[end..])?) } else { None };
        let end = end as u64;
        if cut.is_some() {
            file.set_len(end).and_then(|()| file.sync_all()).map_err(io)?;
        }
        file.seek(SeekFrom::Start(end)).map_err(io)?;
        let journal = Self { file, path: path.to_owned(), places, end, failed: false };
        Ok((journal, Replay { records, cut }))
    }

    /// Writes a record and returns when it is on the disk. One at a time: of two that are written
    /// together the second may reach the disk without the first, which would look like damage.
    ///
    /// # Errors
    /// By the disk, and for a record of more than [`log::RECORD_BYTES`]. After the disk failed the log
    /// takes no more: whoever counts on it must stop.
    pub fn append(&mut self, record: &[u8]) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Closed);
        }
        let too_large = || failure(&self.path, ErrorKind::FileTooLarge.into());
        let framed = log::frame(self.end, record).ok_or_else(too_large)?;
        let written = self.file.write_all(&framed).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            self.failed = true;
            // As good as one can: what is half there would be cut at the next start anyway.
            let _ = self.file.set_len(self.end);
            return Err(failure(&self.path, source));
        }
        self.places.push(self.end);
        self.end += framed.len() as u64;
        Ok(())
    }

    /// A record that was written before, by its number.
    ///
    /// # Errors
    /// By the disk, when there is no such record, or when it is damaged by now.
    pub fn read(&mut self, number: u64) -> Result<Vec<u8>, StoreError> {
        let io = |source| failure(&self.path, source);
        let place = usize::try_from(number).ok();
        let begin = place.and_then(|place| self.places.get(place).copied());
        let begin = begin.ok_or_else(|| io(ErrorKind::UnexpectedEof.into()))?;
        let end = place.and_then(|place| self.places.get(place + 1).copied()).unwrap_or(self.end);
        let mut framed = vec![0; usize::try_from(end - begin).unwrap_or(0)];
        self.file.seek(SeekFrom::Start(begin)).map_err(io)?;
        let read = self.file.read_exact(&mut framed);
        self.file.seek(SeekFrom::Start(self.end)).map_err(io)?;
        read.map_err(io)?;
        let damaged = || StoreError::DamagedLog { path: self.path.clone(), at: begin };
        log::unframe(begin, &framed).map(<[u8]>::to_vec).ok_or_else(damaged)
    }

    /// Bytes of the log.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.end
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.end == 0
    }
}

/// A file that only its owner may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Puts what is cut off into a file of its own beside the log.
fn keep_aside(path: &Path, bytes: &[u8]) -> Result<PathBuf, StoreError> {
    for number in 1_u32.. {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".cut-{number}"));
        let aside = path.with_file_name(name);
        match private().create_new(true).open(&aside) {
            Ok(mut file) => {
                let written = file.write_all(bytes).and_then(|()| file.sync_all());
                written.map_err(|source| failure(&aside, source))?;
                sync_folder(path)?;
                return Ok(aside);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(source) => return Err(failure(&aside, source)),
        }
    }
    Err(StoreError::Full)
}

/// A new name in a folder is on disk only when the folder is.
fn sync_folder(path: &Path) -> Result<(), StoreError> {
    if cfg!(unix)
        && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
    {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| failure(folder, source))?;
    }
    Ok(())
}

fn failure(path: &Path, source: std::io::Error) -> StoreError {
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Io { path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.log");
        (folder, path)
    }

    #[test]
    fn what_was_appended_is_read_again() {
        let (_folder, path) = folder();
        let (mut journal, replay) = Journal::open(&path).expect("opened");
        assert!(replay.records.is_empty() && journal.is_empty());
        journal.append(b"one").expect("written");
        journal.append(b"two").expect("written");
        journal.append(b"three").expect("written");
        assert!(matches!(Journal::open(&path), Err(StoreError::Locked)), "one at a time");
        assert_eq!(journal.read(1).expect("read"), b"two");
        journal.append(b"four").expect("reading moves no end");
        drop(journal);
        let (mut journal, replay) = Journal::open(&path).expect("opened");
        assert_eq!(
            (journal.read(0).expect("read"), journal.read(3).expect("read")),
            (b"one".to_vec(), b"four".to_vec())
        );
        assert!(journal.read(4).is_err());
        assert_eq!(
            (replay.records, replay.cut),
            (vec![b"one".to_vec(), b"two".to_vec(), b"three".to_vec(), b"four".to_vec()], None)
        );
    }

    #[test]
    fn a_torn_end_is_cut_kept_aside_and_written_over() {
        let (_folder, path) = folder();
        let (mut journal, _) = Journal::open(&path).expect("opened");
        journal.append(b"one").expect("written");
        journal.append(b"two").expect("written");
        drop(journal);
        let whole = fs::read(&path).expect("read");
        fs::write(&path, &whole[..whole.len() - 1]).expect("written");
        let (mut journal, replay) = Journal::open(&path).expect("opened");
        assert_eq!(replay.records, [b"one".to_vec()]);
        let cut = fs::read(replay.cut.expect("the rest")).expect("kept");
        assert!(whole[..whole.len() - 1].ends_with(&cut) && !cut.is_empty());
        journal.append(b"other").expect("written");
        drop(journal);
        let (_, replay) = Journal::open(&path).expect("opened");
        assert_eq!((replay.records, replay.cut), (vec![b"one".to_vec(), b"other".to_vec()], None));
    }

    #[test]
    fn damage_before_the_end_is_said_and_nothing_is_cut() {
        let (_folder, path) = folder();
        let (mut journal, _) = Journal::open(&path).expect("opened");
        journal.append(b"one").expect("written");
        journal.append(b"two").expect("written");
        drop(journal);
        let mut bytes = fs::read(&path).expect("read");
        bytes[17] ^= 1;
        fs::write(&path, &bytes).expect("written");
        assert!(matches!(Journal::open(&path), Err(StoreError::DamagedLog { at: 0, .. })));
        assert_eq!(fs::read(&path).expect("read"), bytes);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said_and_ends_the_log() {
        let mut journal = Journal {
            file: OpenOptions::new().write(true).open("/dev/full").expect("Linux has it"),
            path: "/dev/full".into(),
            places: Vec::new(),
            end: 0,
            failed: false,
        };
        assert!(matches!(journal.append(b"one"), Err(StoreError::Full)));
        assert!(matches!(journal.append(b"one"), Err(StoreError::Closed)));
        assert_eq!(journal.len(), 0);
    }
}
