//! Input: a ladder of those who know, the best first.

use std::rc::Rc;
use std::time::Duration;

use p2p_types::{By, SignalKind, Untold};
use tokio::time::timeout;

use super::{Context, Lost, logind, mutter, wayland, x11_idle};

/// The login manager knows least; while it is all there is, the others are tried this often.
const CLIMB: Duration = Duration::from_secs(60);

/// Follows the first of them that can tell, until it fails.
pub(super) async fn ladder(context: Rc<Context>) -> Lost {
    loop {
        let mut why = Lost(By::Nothing, Untold::NoSession);
        let lost = mutter::watch(Rc::clone(&context)).await;
        if ends(&context, &mut why, lost) {
            return why;
        }
        let lost = wayland::watch(Rc::clone(&context)).await;
        if ends(&context, &mut why, lost) {
            return why;
        }
        // Under Wayland an X server sees only the input of its own windows.
        if !wayland::answers(&context).await {
            let lost = x11_idle::watch(Rc::clone(&context)).await;
            if ends(&context, &mut why, lost) {
                return why;
            }
        }
        if let Ok(lost) = timeout(CLIMB, logind::watch(Rc::clone(&context))).await {
            ends(&context, &mut why, lost);
            return why;
        }
    }
}

/// Whether the ladder ends at this rung because it told something and failed then. A rung that
/// told nothing leaves its reason, the worst of which is shown when no other could tell either.
fn ends(context: &Context, why: &mut Lost, lost: Lost) -> bool {
    if context.hub.is_told_by(SignalKind::Input, lost.0) {
        *why = Lost(lost.0, Untold::Failed);
        return true;
    }
    *why = worse(*why, lost);
    false
}

fn worse(why: Lost, lost: Lost) -> Lost {
    match (why.1, lost) {
        (_, Lost(_, Untold::Failed)) if why.1 != Untold::Failed => lost,
        // A computer without a login manager has no session to speak of either.
        (Untold::NoSession, Lost(by, Untold::Unsupported)) if by != By::Logind => lost,
        _ => why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_reason_is_shown() {
        let none = Lost(By::Nothing, Untold::NoSession);
        let no_logind = Lost(By::Logind, Untold::Unsupported);
        let old_compositor = Lost(By::IdleNotify, Untold::Unsupported);
        let dead_display = Lost(By::X11, Untold::Failed);
        assert_eq!(worse(none, no_logind), none);
        assert_eq!(worse(none, old_compositor), old_compositor);
        assert_eq!(worse(old_compositor, dead_display), dead_display);
        assert_eq!(worse(dead_display, Lost(By::Logind, Untold::Failed)), dead_display);
        assert_eq!(worse(dead_display, old_compositor), dead_display);
    }
}
