use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::{Home, file};

/// Why the lock of a home was not given.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process has it; its id, where it could be read.
    #[error("another daemon runs on this home{}", .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Held { pid: Option<u32> },
    #[error("the lock file cannot be used: {0}")]
    Io(#[from] io::Error),
}

/// The right to be the one daemon of a home. The system takes it back when the process ends,
/// however it ends.
#[derive(Debug)]
pub struct HomeLock {
    /// Holds the lock as long as it is open.
    _file: File,
    pid_file: PathBuf,
}

impl HomeLock {
    /// Takes the lock of `home`, whose folders must exist, and writes the pid file.
    ///
    /// # Errors
    /// [`LockError::Held`] at once when somebody else has it.
    pub fn acquire(home: &Home) -> Result<Self, LockError> {
        let file = file::open_lock(&home.lock_file())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held { pid: pid_of_daemon(home) }),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let pid_file = home.pid_file();
        file::write_private(&pid_file, format!("{}\n", std::process::id()).as_bytes())?;
        Ok(Self { _file: file, pid_file })
    }
}

impl Drop for HomeLock {
    fn drop(&mut self) {
        // A pid file that stays behind does no harm: the lock decides.
        let _ = std::fs::remove_file(&self.pid_file);
    }
}

/// The right to be the one that tells a home's daemon of this user's session.
#[derive(Debug)]
pub struct SessionLock {
    /// Holds the lock as long as it is open.
    _file: File,
}

impl SessionLock {
    /// Takes it; `None` where somebody else has it. The home's folders must exist.
    ///
    /// # Errors
    /// When the lock file cannot be used.
    pub fn acquire(home: &Home) -> io::Result<Option<Self>> {
        let file = file::open_lock(&home.session_lock_file())?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn pid_of_daemon(home: &Home) -> Option<u32> {
    let text = file::read_private(&home.pid_file(), 32).ok()?;
    std::str::from_utf8(&text).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_daemon_a_home() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        home.create().expect("folders");
        let first = HomeLock::acquire(&home).expect("nobody has it");
        match HomeLock::acquire(&home) {
            Err(LockError::Held { pid }) => assert_eq!(pid, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(first);
        assert!(!home.pid_file().exists());
        HomeLock::acquire(&home).expect("given back");
    }

    #[test]
    fn one_session_a_home() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        home.create().expect("folders");
        let first = SessionLock::acquire(&home).expect("usable").expect("nobody has it");
        assert!(SessionLock::acquire(&home).expect("usable").is_none());
        drop(first);
        assert!(SessionLock::acquire(&home).expect("usable").is_some());
    }

    #[test]
    fn a_pid_file_of_a_dead_daemon_is_in_nobodys_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        home.create().expect("folders");
        file::write_private(&home.pid_file(), b"999999\n").expect("a stale pid file");
        HomeLock::acquire(&home).expect("the lock decides");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        home.create().expect("folders");
        let target = folder.path().join("elsewhere");
        std::os::unix::fs::symlink(&target, home.lock_file()).expect("a link");
        assert!(matches!(HomeLock::acquire(&home), Err(LockError::Io(_))));
        assert!(!target.exists());
    }
}
