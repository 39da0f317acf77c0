//! Full screen: under X11 the state of the active window, by events. Wayland tells it to nobody.

use std::rc::Rc;

use p2p_types::{By, Reading, Untold};
use tokio::time::timeout;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{Atom, AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, Window};
use x11rb::rust_connection::RustConnection;

use super::{ANSWER, Context, Lost, wayland, x11};

pub(super) async fn watch(context: Rc<Context>) -> Lost {
    if context.options.places.wayland.is_some() && wayland::answers(&context).await {
        return Lost(By::Nothing, Untold::Unsupported);
    }
    let Some(display) = context.options.places.display.as_deref() else {
        return Lost(By::Nothing, Untold::NoSession);
    };
    let why = follow(&context, display).await.err().unwrap_or(Untold::Failed);
    Lost(By::X11, why)
}

async fn follow(context: &Context, display: &str) -> Result<(), Untold> {
    let mut events = x11::connect(display, run).await?;
    let mut state = timeout(ANSWER, events.next()).await.map_err(|_| Untold::Failed)?;
    while let Some(now) = state {
        match now {
            Some(full_screen) => context.hub.reading(By::X11, Reading::FullScreen { full_screen }),
            None => context.hub.cannot(p2p_types::SignalKind::FullScreen, By::X11, Untold::Unsupported),
        }
        state = events.next().await;
    }
    Ok(())
}

struct Names {
    supported: Atom,
    active: Atom,
    state: Atom,
    full_screen: Atom,
}

/// Tells whether the active window fills the screen; `None` where no window manager says which
/// one is active.
fn run(connection: &RustConnection, screen: usize, tell: &dyn Fn(Option<bool>)) -> Option<()> {
    let atom = |name: &str| Some(connection.intern_atom(false, name.as_bytes()).ok()?.reply().ok()?.atom);
    let names = Names {
        supported: atom("_NET_SUPPORTED")?,
        active: atom("_NET_ACTIVE_WINDOW")?,
        state: atom("_NET_WM_STATE")?,
        full_screen: atom("_NET_WM_STATE_FULLSCREEN")?,
    };
    let root = connection.setup().roots.get(screen)?.root;
    hear(connection, root, EventMask::PROPERTY_CHANGE)?;
    let mut watched = None;
    loop {
        let active = active_window(connection, root, &names)?;
        if active != watched {
            // A window that is gone by now gives an error, which is read as an event and skipped.
            if let Some(old) = watched.flatten() {
                hear(connection, old, EventMask::NO_EVENT)?;
            }
            if let Some(new) = active.flatten() {
                hear(connection, new, EventMask::PROPERTY_CHANGE)?;
            }
            watched = active;
        }
        tell(active.map(|window| window.is_some_and(|window| fills(connection, window, &names))));
        loop {
            let Event::PropertyNotify(event) = connection.wait_for_event().ok()? else { continue };
            if event.atom == names.active || event.atom == names.state || event.atom == names.supported {
                break;
            }
        }
    }
}

fn hear(connection: &RustConnection, window: Window, mask: EventMask) -> Option<()> {
    connection.change_window_attributes(window, &ChangeWindowAttributesAux::new().event_mask(mask)).ok()?;
    connection.flush().ok()
}

/// The outer `None` ends the thread, the middle one is a desktop that does not say, the inner one
/// that no window is active.
#[allow(clippy::option_option)]
fn active_window(connection: &RustConnection, root: Window, names: &Names) -> Option<Option<Option<Window>>> {
    let reply = connection.get_property(false, root, names.active, AtomEnum::WINDOW, 0, 1).ok()?.reply().ok()?;
    if let Some(window) = reply.value32().and_then(|mut values| values.next()) {
        return Some(Some(Some(window).filter(|window| *window != 0)));
    }
    let managed = connection.get_property(false, root, names.supported, AtomEnum::ATOM, 0, 1).ok()?.reply().ok()?;
    Some((managed.value_len > 0).then_some(None))
}

fn fills(connection: &RustConnection, window: Window, names: &Names) -> bool {
    let Ok(asked) = connection.get_property(false, window, names.state, AtomEnum::ATOM, 0, 64) else { return false };
    // An error is a window that has just gone.
    let Ok(reply) = asked.reply() else { return false };
    reply.value32().is_some_and(|mut states| states.any(|state| state == names.full_screen))
}
