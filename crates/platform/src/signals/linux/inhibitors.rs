//! Programs that keep the computer awake: the login manager's list, the desktop's, and games.
//! Each is followed on its own; the strongest of them all is told.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use p2p_types::{By, Inhibitor, Reading, SignalKind, Untold};
use zbus::Connection;
use zbus::zvariant::OwnedObjectPath;

use super::Context;
use super::bus::{Next, Object, call, follow};
use super::logind::MANAGER;
use super::reasons::{classify, is_ours, strongest};

const GNOME: Object = Object {
    name: "org.gnome.SessionManager",
    path: "/org/gnome/SessionManager",
    interface: "org.gnome.SessionManager",
};
const KDE: Object = Object {
    name: "org.kde.Solid.PowerManagement.PolicyAgent",
    path: "/org/kde/Solid/PowerManagement/PolicyAgent",
    interface: "org.kde.Solid.PowerManagement.PolicyAgent",
};
/// XFCE, MATE and others: whether, not why.
const OTHERS: Object = Object {
    name: "org.freedesktop.PowerManagement",
    path: "/org/freedesktop/PowerManagement/Inhibit",
    interface: "org.freedesktop.PowerManagement.Inhibit",
};
const GAMES: Object = Object {
    name: "com.feralinteractive.GameMode",
    path: "/com/feralinteractive/GameMode",
    interface: "com.feralinteractive.GameMode",
};

/// The second of two programs that ask for the same is not announced by the login manager: its
/// list is read this often while one asks.
const AGAIN: Duration = Duration::from_secs(30);
/// No desktop has more; a program that floods the list is not followed further.
const MOST: usize = 64;
/// As GNOME counts: the session must not go idle.
const GNOME_IDLE: u32 = 8;

type Found = Result<Option<Inhibitor>, Untold>;

/// What each source says, in the order of [`SOURCES`].
type Board = RefCell<[Option<Found>; 3]>;
const SOURCES: [By; 3] = [By::Logind, By::ScreenSaver, By::GameMode];

pub(super) async fn watch(context: Rc<Context>) {
    let board = Board::default();
    tokio::join!(
        follow(&context.system, &[MANAGER], async |bus| {
            let found = match bus {
                Ok(bus) => logind(&context, bus).await,
                Err(why) => Err(why),
            };
            put(&context, &board, 0, found)
        }),
        follow(&context.session, &[GNOME, KDE, OTHERS], async |bus| {
            let found = match bus {
                Ok(bus) => desktop(bus).await,
                Err(why) => Err(why),
            };
            put(&context, &board, 1, found)
        }),
        follow(&context.session, &[GAMES], async |bus| {
            let found = match bus {
                Ok(bus) => games(bus).await,
                Err(why) => Err(why),
            };
            put(&context, &board, 2, found)
        }),
    );
}

fn put(context: &Context, board: &Board, place: usize, found: Found) -> Next {
    let told = {
        let mut board = board.borrow_mut();
        board[place] = Some(found);
        combined(&board)
    };
    match told {
        Some((by, Ok(inhibitor))) => context.hub.reading(by, Reading::Inhibitor { inhibitor }),
        Some((by, Err(why))) => context.hub.cannot(SignalKind::Inhibitor, by, why),
        None => {}
    }
    match found {
        Ok(None) | Err(Untold::Unsupported) => Next::Event,
        Ok(Some(_)) => Next::Within(AGAIN),
        Err(_) => Next::Patiently,
    }
}

/// `None` until all were asked once: a source that is quick must not speak for the others.
fn combined(board: &[Option<Found>; 3]) -> Option<(By, Found)> {
    let mut all = Vec::new();
    for (by, found) in SOURCES.into_iter().zip(board) {
        all.push((by, (*found)?));
    }
    let inhibitor = strongest(all.iter().filter_map(|(_, found)| found.ok().flatten()));
    let answer = |(_, found): &&(By, Found)| match inhibitor {
        Some(_) => *found == Ok(inhibitor),
        None => found.is_ok(),
    };
    if let Some((by, _)) = all.iter().find(answer) {
        return Some((*by, Ok(inhibitor)));
    }
    let failed = all.iter().find(|(_, found)| *found == Err(Untold::Failed));
    Some(failed.map_or((By::Nothing, Err(Untold::Unsupported)), |(by, _)| (*by, Err(Untold::Failed))))
}

async fn logind(context: &Context, bus: &Connection) -> Found {
    if !MANAGER.is_there(bus).await? {
        return Err(Untold::Unsupported);
    }
    let ours = (context.options.ours)();
    // What, who, why, how, user, process.
    let all: Vec<(String, String, String, String, u32, u32)> = MANAGER.call(bus, "ListInhibitors", &()).await?;
    let kept = all.iter().take(MOST).filter(|(what, who, _, how, _, process)| {
        // Those who only delay a sleep, or block sleep alone (a backup, an update), show nothing.
        how == "block"
            && what.split(':').any(|what| what == "idle")
            && !is_ours(who)
            && *process != std::process::id()
            && !ours.contains(process)
    });
    Ok(strongest(kept.map(|(_, who, why, ..)| classify(who, why))))
}

async fn desktop(bus: &Connection) -> Found {
    if GNOME.is_there(bus).await? {
        return gnome(bus).await;
    }
    if KDE.is_there(bus).await? {
        let all: Vec<(String, String)> = KDE.call(bus, "ListInhibitions", &()).await?;
        let others = all.iter().take(MOST).filter(|(who, _)| !is_ours(who));
        return Ok(strongest(others.map(|(who, why)| classify(who, why))));
    }
    if OTHERS.is_there(bus).await? {
        let any: bool = OTHERS.call(bus, "HasInhibit", &()).await?;
        return Ok(any.then_some(Inhibitor::Presentation));
    }
    Err(Untold::Unsupported)
}

async fn gnome(bus: &Connection) -> Found {
    let all: Vec<OwnedObjectPath> = GNOME.call(bus, "GetInhibitors", &()).await?;
    let mut found = Vec::new();
    for path in all.iter().take(MOST) {
        let path = path.as_str();
        let interface = "org.gnome.SessionManager.Inhibitor";
        // One that has gone meanwhile gives an error and counts no more.
        let Ok(flags) = call::<_, u32>(bus, GNOME.name, path, interface, "GetFlags", &()).await else { continue };
        if flags & GNOME_IDLE == 0 {
            continue;
        }
        let who: String = call(bus, GNOME.name, path, interface, "GetAppId", &()).await.unwrap_or_default();
        let why: String = call(bus, GNOME.name, path, interface, "GetReason", &()).await.unwrap_or_default();
        if !is_ours(&who) {
            found.push(classify(&who, &why));
        }
    }
    Ok(strongest(found))
}

async fn games(bus: &Connection) -> Found {
    // It is started by the first game: while it does not run there is none that uses it.
    if !GAMES.is_there(bus).await? {
        return Err(Untold::Unsupported);
    }
    let clients: i32 = GAMES.get(bus, "ClientCount").await?;
    Ok((clients > 0).then_some(Inhibitor::Game))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_answers_is_enough_and_the_strongest_counts() {
        let none = Some(Ok(None));
        let unsupported = Some(Err(Untold::Unsupported));
        let film = Some(Ok(Some(Inhibitor::Media)));
        let game = Some(Ok(Some(Inhibitor::Game)));
        let failed = Some(Err(Untold::Failed));
        assert_eq!(combined(&[none, None, none]), None);
        assert_eq!(combined(&[none, unsupported, unsupported]), Some((By::Logind, Ok(None))));
        assert_eq!(combined(&[none, film, game]), Some((By::GameMode, Ok(Some(Inhibitor::Game)))));
        assert_eq!(combined(&[failed, film, unsupported]), Some((By::ScreenSaver, Ok(Some(Inhibitor::Media)))));
        assert_eq!(combined(&[unsupported, failed, unsupported]), Some((By::ScreenSaver, Err(Untold::Failed))));
        assert_eq!(combined(&[unsupported; 3]), Some((By::Nothing, Err(Untold::Unsupported))));
    }
}
