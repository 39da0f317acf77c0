//! What every command is given: where it prints, which home it is about, and the way to the daemon.

use std::path::{Path, PathBuf};

use p2p_control::Client;
use p2p_control::api::{ErrorCode, Problem};
use p2p_platform::Home;

use crate::args::Global;
use crate::output::Output;
use crate::problem;

#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) out: Output,
    home: Option<PathBuf>,
    config: Option<PathBuf>,
}

impl Context {
    pub(crate) fn new(out: Output, global: &Global) -> Self {
        Self { out, home: global.home.clone(), config: global.config.clone() }
    }

    /// The home that was named, or the user's own.
    pub(crate) fn home(&self) -> Result<Home, Problem> {
        home(self.home.clone())
    }

    /// The settings file that was named, where one was.
    pub(crate) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The daemon of `home`.
    ///
    /// # Errors
    /// E1001 when none runs.
    pub(crate) async fn daemon(&self, home: &Home) -> Result<Client, Problem> {
        Client::connect(&home.socket()).await
    }

    /// The daemon of `home`, where one runs.
    pub(crate) async fn daemon_if_running(&self, home: &Home) -> Result<Option<Client>, Problem> {
        match self.daemon(home).await {
            Ok(client) => Ok(Some(client)),
            Err(problem) if problem.code == ErrorCode::NotRunning => Ok(None),
            Err(problem) => Err(problem),
        }
    }
}

/// The home that was named, or the user's own. It may not be there yet.
///
/// # Errors
/// E1008 when none can be told, or something else stands there.
pub(crate) fn home(named: Option<PathBuf>) -> Result<Home, Problem> {
    let home = Home::resolve(named).and_then(|home| home.check().map(|()| home));
    home.map_err(|error| problem::of_three_parts(ErrorCode::HomeUnusable, &error.to_string()))
}
