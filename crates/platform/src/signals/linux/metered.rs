//! Whether the network is paid by volume, as NetworkManager has it.

use std::rc::Rc;

use p2p_types::{By, Reading, SignalKind, Untold};

use super::Context;
use super::bus::{Next, Object, follow};

const MANAGER: Object = Object {
    name: "org.freedesktop.NetworkManager",
    path: "/org/freedesktop/NetworkManager",
    interface: "org.freedesktop.NetworkManager",
};

pub(super) async fn watch(context: Rc<Context>) {
    follow(&context.system, &[MANAGER], async |bus| {
        let found = match bus {
            Ok(bus) if MANAGER.is_there(bus).await == Ok(true) => MANAGER.get(bus, "Metered").await.and_then(metered),
            Ok(_) => Err(Untold::Unsupported),
            Err(why) => Err(why),
        };
        match found {
            Ok(metered) => context.hub.reading(By::NetworkManager, Reading::Metered { metered }),
            Err(why) => context.hub.cannot(SignalKind::Metered, By::NetworkManager, why),
        }
        if found == Err(Untold::Failed) { Next::Patiently } else { Next::Event }
    })
    .await;
}

/// Its guesses count: a phone that shares its connection is one.
fn metered(value: u32) -> Result<bool, Untold> {
    match value {
        1 | 3 => Ok(true),
        2 | 4 => Ok(false),
        // There is no connection that could be either.
        0 => Err(Untold::Absent),
        _ => Err(Untold::Failed),
    }
}
