//! Input under GNOME: Mutter's idle monitor sends both edges as events.

use std::rc::Rc;

use p2p_types::{By, Reading, Untold};

use super::bus::{Object, is_owner_change};
use super::{Context, Lost};

const MONITOR: Object = Object {
    name: "org.gnome.Mutter.IdleMonitor",
    path: "/org/gnome/Mutter/IdleMonitor/Core",
    interface: "org.gnome.Mutter.IdleMonitor",
};

pub(super) async fn watch(context: Rc<Context>) -> Lost {
    if context.options.places.session_bus.is_none() {
        return Lost(By::Mutter, Untold::NoSession);
    }
    let Err(why) = follow(&context).await else { return Lost(By::Mutter, Untold::Failed) };
    Lost(By::Mutter, why)
}

async fn follow(context: &Context) -> Result<(), Untold> {
    let (bus, mut ear) = context.session.listen(&[MONITOR]).await?;
    if !MONITOR.is_there(&bus).await? {
        return Err(Untold::Unsupported);
    }
    let still = context.still_ms();
    // This one fires each time; the one for activity fires once and is asked for anew.
    let idle: u32 = MONITOR.call(&bus, "AddIdleWatch", &(still,)).await?;
    let mut active = None;
    loop {
        // Asked for before the time is read: a touch in between shows in one or the other.
        if active.is_none() {
            active = Some(MONITOR.call::<_, u32>(&bus, "AddUserActiveWatch", &()).await?);
        }
        let time: u64 = MONITOR.call(&bus, "GetIdletime", &()).await?;
        // Its watches fire once for each pause: a time that is cut off a little short must not
        // be taken for a touch.
        let idle_ms = if time < still / 2 { 0 } else { time };
        context.hub.reading(By::Mutter, Reading::Input { idle_ms });
        loop {
            let message = ear.next().await?;
            if is_owner_change(&message) {
                return Ok(());
            }
            if message.header().member().is_none_or(|member| member.as_str() != "WatchFired") {
                continue;
            }
            let fired: u32 = message.body().deserialize().map_err(|_| Untold::Failed)?;
            if Some(fired) == active {
                context.hub.reading(By::Mutter, Reading::Input { idle_ms: 0 });
                active = None;
            } else if fired == idle {
                break;
            }
        }
    }
}
