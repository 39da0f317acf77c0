//! `session`: tells the node what this desktop session shows, for as long as it lasts.

use std::path::Path;
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
    let word = |name: &str| std::env::var(name).unwrap_or_default();
    cfg!(any(windows, target_os = "macos")) || !word("WAYLAND_DISPLAY").is_empty() || is_local(&word("DISPLAY"))
}

/// Whether an X11 display is that of this computer. One that came over the network, as with `ssh -X`, shows
/// somebody who sits elsewhere.
fn is_local(display: &str) -> bool {
    let display = display.strip_prefix("unix").unwrap_or(display);
    display.starts_with(':')
}

/// Has this session told, where the rules of the home ask what happens in it and nobody tells it yet.
pub(super) fn start_if_asked(home: &Home, config: Option<&Path>) {
    if is_here() && p2p_agent::config::load(home, config).is_ok_and(|config| config.schedule.heeds_input()) {
        start(home);
    }
}

/// Starts `p2p-agent session` beside the daemon. That it cannot be is no reason not to go on: then the
/// node says that it cannot tell.
fn start(home: &Home) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_that_came_over_the_network_is_not_of_this_session() {
        for (display, local) in [(":0", true), (":1.0", true), ("unix:0", true), ("localhost:10.0", false), ("", false)]
        {
            assert_eq!(is_local(display), local, "{display}");
        }
    }
}
