//! Where a node keeps its things.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use p2p_types::Hash;
use thiserror::Error;

use crate::{file, socket};

/// Longest path of a local socket, in bytes. Linux allows 107, macOS 103.
const SOCKET_PATH_BYTES: usize = 100;

/// Why there is no home.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HomeError {
    #[error("no home folder was named - {0} is empty - name a folder, or leave it out")]
    Empty(&'static str),
    #[error("there is no place for a home - this user has no home folder ({0} is not set) - use --home DIR")]
    NoUserFolder(&'static str),
    #[error("the home folder cannot be found - {0:?} cannot be made absolute - use --home with a full path")]
    Relative(PathBuf),
    #[error("the home folder cannot be used - {0:?} is not a folder - name another with --home")]
    NotAFolder(PathBuf),
}

/// Every path a node keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
    config: PathBuf,
    named_config: Option<PathBuf>,
    logs: PathBuf,
    default: bool,
}

impl Home {
    /// The folder that was named (`--home`), else `$P2P_AGENT_HOME`, else the user's own folders.
    ///
    /// # Errors
    /// When none can be told.
    pub fn resolve(flag: Option<PathBuf>) -> Result<Self, HomeError> {
        Self::resolve_in(flag, env::var_os::<&str>)
    }

    fn resolve_in(flag: Option<PathBuf>, env: impl Fn(&'static str) -> Option<OsString>) -> Result<Self, HomeError> {
        let named = match flag {
            Some(flag) => Some((flag, "--home")),
            None => env("P2P_AGENT_HOME").map(|value| (PathBuf::from(value), "P2P_AGENT_HOME")),
        };
        let Some((root, source)) = named else {
            return Self::of_user(env);
        };
        if root.as_os_str().is_empty() {
            return Err(HomeError::Empty(source));
        }
        let root = std::path::absolute(&root).map_err(|_| HomeError::Relative(root))?;
        Ok(Self::at(root))
    }

    /// Everything under one folder, which should be absolute.
    #[must_use]
    pub fn at(root: PathBuf) -> Self {
        Self { config: root.clone(), named_config: None, logs: root.join("log"), root, default: false }
    }

    #[cfg(not(any(windows, target_os = "macos")))]
    fn of_user(env: impl Fn(&'static str) -> Option<OsString>) -> Result<Self, HomeError> {
        // The XDG rule: a path that is not absolute is ignored.
        let folder = |name| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let user = folder("HOME");
        let under = |name, rest: &str| {
            let chosen = folder(name).or_else(|| user.as_ref().map(|user| user.join(rest)));
            chosen.map(|base| base.join("p2p-agent")).ok_or(HomeError::NoUserFolder("HOME"))
        };
        Ok(Self {
            root: under("XDG_DATA_HOME", ".local/share")?,
            config: under("XDG_CONFIG_HOME", ".config")?,
            named_config: None,
            logs: under("XDG_STATE_HOME", ".local/state")?.join("log"),
            default: true,
        })
    }

    #[cfg(target_os = "macos")]
    fn of_user(env: impl Fn(&'static str) -> Option<OsString>) -> Result<Self, HomeError> {
        let user = env("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let user = user.ok_or(HomeError::NoUserFolder("HOME"))?;
        let root = user.join("Library/Application Support/p2p-agent");
        let logs = user.join("Library/Logs/p2p-agent");
        Ok(Self { config: root.clone(), named_config: None, logs, root, default: true })
    }

    #[cfg(windows)]
    fn of_user(env: impl Fn(&'static str) -> Option<OsString>) -> Result<Self, HomeError> {
        let folder = |name| {
            let path = env(name).map(PathBuf::from).filter(|path| path.is_absolute());
            path.map(|path| path.join("p2p-agent")).ok_or(HomeError::NoUserFolder(name))
        };
        let root = folder("LOCALAPPDATA")?;
        Ok(Self { config: folder("APPDATA")?, named_config: None, logs: root.join("log"), root, default: true })
    }

    /// The same home, with its settings in `file` in place of its own.
    #[must_use]
    pub fn with_config(self, file: PathBuf) -> Self {
        Self { named_config: Some(file), ..self }
    }

    /// The settings file that was named in place of the home's own, where one was.
    #[must_use]
    pub fn named_config(&self) -> Option<&Path> {
        self.named_config.as_deref()
    }

    /// Refuses a home where something else than a folder stands. That there is nothing is fine.
    ///
    /// # Errors
    /// [`HomeError::NotAFolder`].
    pub fn check(&self) -> Result<(), HomeError> {
        let no_folder = match fs::metadata(&self.root) {
            Ok(there) => !there.is_dir(),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => true,
            // A link that leads nowhere stands in the way too.
            Err(_) => fs::symlink_metadata(&self.root).is_ok_and(|there| there.is_symlink()),
        };
        if no_folder { Err(HomeError::NotAFolder(self.root.clone())) } else { Ok(()) }
    }

    /// Whether nobody named this home: the one of a user's desktop session.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.default
    }

    /// The folder that everything but the configuration and the logs of the default home is under.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The home's own configuration file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("agent.yaml")
    }

    #[must_use]
    pub fn keys_dir(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The SQLite database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.root.join("data").join("node.sqlite")
    }

    /// A notary's log of the network with this short id.
    #[must_use]
    pub fn ledger_file(&self, network: &str) -> PathBuf {
        self.root.join("data").join(format!("ledger-{network}.log"))
    }

    #[must_use]
    pub fn log_dir(&self) -> PathBuf {
        self.logs.clone()
    }

    /// The signed file of the network this home belongs to.
    #[must_use]
    pub fn network_file(&self) -> PathBuf {
        self.root.join("network.p2pnet")
    }

    /// The control socket: in the home, or in a short place where the home lies too deep for one.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        let own = self.run_dir().join("control.sock");
        if cfg!(unix) && own.as_os_str().len() <= SOCKET_PATH_BYTES {
            return own;
        }
        let name = Hash::of(self.root.as_os_str().as_encoded_bytes()).to_string();
        socket::short_place(&name[..16], SOCKET_PATH_BYTES)
    }

    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.run_dir().join("lock")
    }

    /// Locked by who tells the daemon of this user's session.
    #[must_use]
    pub fn session_lock_file(&self) -> PathBuf {
        self.run_dir().join("session.lock")
    }

    /// The running daemon's process id, as decimal text.
    #[must_use]
    pub fn pid_file(&self) -> PathBuf {
        self.run_dir().join("daemon.pid")
    }

    /// The token of the loopback door.
    #[must_use]
    pub fn token_file(&self) -> PathBuf {
        self.run_dir().join("token")
    }

    fn run_dir(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Makes the folders that are missing, for this user alone. The root of a named home keeps
    /// its rights when it was there before; what is inside never does.
    ///
    /// # Errors
    /// When a folder cannot be made, is a link, or belongs to somebody else.
    pub fn create(&self) -> io::Result<()> {
        for folder in [&self.root, &self.config] {
            file::make_folder(folder).map_err(|error| named(folder, error))?;
        }
        for folder in [self.keys_dir(), self.root.join("data"), self.run_dir(), self.log_dir()] {
            file::own_folder(&folder).map_err(|error| named(&folder, error))?;
        }
        Ok(())
    }
}

/// The error with the folder's name, and with what stands there where that is no folder.
fn named(folder: &Path, error: io::Error) -> io::Error {
    // Some errors name it themselves.
    if error.get_ref().is_some() {
        return error;
    }
    let why = match fs::symlink_metadata(folder) {
        Ok(there) if there.is_symlink() && !folder.exists() => "it is a link that leads nowhere".to_owned(),
        Ok(there) if there.is_symlink() => "it is a link, which is not followed here".to_owned(),
        Ok(there) if !there.is_dir() => "it is not a folder".to_owned(),
        _ => error.to_string(),
    };
    io::Error::new(error.kind(), format!("{}: {why}", folder.display()))
}

#[cfg(test)]
mod tests;
