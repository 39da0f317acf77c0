//! Input as the login manager has it: a hint that the desktop sets, minutes late and not all do.

use std::rc::Rc;
use std::time::Duration;

use p2p_types::{By, Reading, Untold};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::timeout;

use super::bus::Object;
use super::{Context, Lost};

pub(super) const MANAGER: Object = Object {
    name: "org.freedesktop.login1",
    path: "/org/freedesktop/login1",
    interface: "org.freedesktop.login1.Manager",
};

/// The session of this process, else the one its user sees.
const SESSION: Object =
    Object { path: "/org/freedesktop/login1/session/auto", interface: "org.freedesktop.login1.Session", ..MANAGER };

/// A hint that was set long ago is looked at again: its time is a lower bound.
const AGAIN: Duration = Duration::from_secs(600);

pub(super) async fn watch(context: Rc<Context>) -> Lost {
    let why = follow(&context).await.err().unwrap_or(Untold::Failed);
    Lost(By::Logind, why)
}

async fn follow(context: &Context) -> Result<(), Untold> {
    let (bus, mut ear) = context.system.listen(&[MANAGER]).await?;
    if !MANAGER.is_there(&bus).await? {
        return Err(Untold::Unsupported);
    }
    loop {
        let idle: bool = SESSION.get(&bus, "IdleHint").await.map_err(no_session)?;
        let since: u64 = SESSION.get(&bus, "IdleSinceHintMonotonic").await?;
        // Nobody has ever set it, so nobody keeps it: "not idle" would be said for ever.
        if since == 0 {
            return Err(Untold::Unsupported);
        }
        let idle_ms = if idle { micros_now().saturating_sub(since) / 1000 } else { 0 };
        context.hub.reading(By::Logind, Reading::Input { idle_ms: if idle { idle_ms.max(1) } else { 0 } });
        if let Ok(heard) = timeout(AGAIN, ear.next()).await {
            heard?;
        }
    }
}

/// Errors of the session's object are its way to say that there is none.
fn no_session(why: Untold) -> Untold {
    if why == Untold::Unsupported { Untold::NoSession } else { why }
}

fn micros_now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0) / 1000
}
