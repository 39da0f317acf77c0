//! `session`: tells the node what this desktop session shows, for as long as it lasts.

use std::time::Duration;

use p2p_control::api::{ErrorCode, Problem};
use p2p_platform::{Home, SessionLock};

use crate::context::Context;
use crate::problem::{self, Exit};

/// Without a daemon for so long the session is told to nobody, and this ends.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn run(context: &Context) -> Result<Exit, Problem> {
    let home = context.home()?;
    // One for a home is enough: the second would say the same.
    let lock = SessionLock::acquire(&home)
        .map_err(|error| problem::file(ErrorCode::HomeUnusable, &home.session_lock_file(), error))?;
    let Some(_lock) = lock else {
        context.out.note("This session is told already");
        return Ok(Exit::Fine);
    };
    let source = format!("session-{}", std::process::id());
    p2p_control::tell_session(home.socket(), home.root().to_owned(), source, Some(PATIENCE))
        .await
        .map_err(|error| Problem::new(ErrorCode::Internal, error.to_string()))?;
    Ok(Exit::Fine)
}

/// Whether this process is in a desktop session that can be watched.
pub(super) fn is_here() -> bool {
    let named = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(windows, target_os = "macos")) || named("WAYLAND_DISPLAY") || named("DISPLAY")
}

/// Starts `p2p-agent session` beside the daemon. That it cannot be is no reason not to go on: then the
/// node says that it cannot tell.
pub(super) fn start(home: &Home) {
    let Ok(program) = std::env::current_exe() else { return };
    let mut command = std::process::Command::new(program);
    p2p_platform::process::detach(&mut command);
    if !home.is_default() {
        command.arg("--home").arg(home.root());
    }
    command.arg("session").current_dir(home.root());
    if let Err(error) = command.spawn() {
        tracing::debug!(%error, "nobody watches this session");
    }
}
