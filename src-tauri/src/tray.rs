//! The tray icon: optional, a picture of the node's state and a short menu.

mod face;
#[cfg(target_os = "linux")]
#[path = "tray/host_linux.rs"]
mod host;
#[cfg(not(target_os = "linux"))]
#[path = "tray/host_always.rs"]
mod host;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub(crate) use face::{Action, Pause};
use face::{Face, Shape};
use tauri::image::Image;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, Wry};
use tokio::sync::watch;

use crate::supervisor::View;
use crate::{app, window};

const ID: &str = "p2p-agent";
/// The entry that only says something.
const SENTENCE: &str = "sentence";
/// A panel that restarts is back within this; only then does the window stand in for the icon.
const HOST_GRACE: Duration = Duration::from_secs(5);
/// Tries to put the icon into a tray that says it is there, and the wait between them.
const TRIES: u32 = 5;
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// What is in the tray now.
#[derive(Default)]
pub(crate) struct Tray {
    shown: Mutex<Option<Shown>>,
    visible: Mutex<bool>,
}

struct Shown {
    icon: TrayIcon<Wry>,
    /// The first line of the menu.
    sentence: MenuItem<Wry>,
    face: Face,
}

impl Tray {
    /// Whether somebody can see the icon, so that the app may live without a window.
    pub(crate) fn is_visible(&self) -> bool {
        *self.visible.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_visible(&self, visible: bool) {
        *self.visible.lock().unwrap_or_else(PoisonError::into_inner) = visible;
    }
}

/// Keeps the icon in the tray wherever there is one, and lets the window stand in where there is
/// none. `hidden`: no window at the start, if the tray allows it.
pub(crate) async fn keep(app: AppHandle, view: watch::Receiver<View>, hidden: bool) {
    let host = host::watch();
    tauri::async_runtime::spawn(follow_view(app.clone(), view.clone()));
    follow_host(&app, host, &view, hidden).await;
}

async fn follow_host(
    app: &AppHandle,
    mut host: watch::Receiver<Option<bool>>,
    view: &watch::Receiver<View>,
    hidden: bool,
) {
    let mut first = true;
    loop {
        let Some(there) = *host.borrow_and_update() else {
            if host.changed().await.is_err() {
                return;
            }
            continue;
        };
        let visible = there && put(app, view).await;
        let was = app.state::<Tray>().is_visible();
        app.state::<Tray>().set_visible(visible);
        if first && !(hidden && visible) {
            window::open(app);
        } else if was && !visible {
            let back = tokio::time::timeout(HOST_GRACE, host.changed()).await;
            if back.is_err() {
                window::open(app);
            } else {
                continue;
            }
        }
        first = false;
        if host.changed().await.is_err() {
            return;
        }
    }
}

/// Puts the icon into the tray, or finds it there. `false` when the tray does not take it.
async fn put(app: &AppHandle, view: &watch::Receiver<View>) -> bool {
    for _ in 0..TRIES {
        if app.state::<Tray>().shown.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return true;
        }
        let face = Face::of(&view.borrow());
        match build(app, face) {
            Ok(shown) => {
                *app.state::<Tray>().shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
                // What changed while it was made.
                refresh(app, &view.borrow().clone());
                return true;
            }
            Err(error) => tracing::info!("the tray does not take the icon: {error}"),
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
    tracing::warn!("there is a tray, but it does not take the icon; the window stands in for it");
    false
}

fn build(app: &AppHandle, face: Face) -> tauri::Result<Shown> {
    let (menu, sentence) = menu(app, &face)?;
    let icon = TrayIconBuilder::with_id(ID)
        .menu(&menu)
        .icon(picture(face.shape)?)
        .icon_as_template(cfg!(target_os = "macos"))
        .title(if cfg!(target_os = "linux") { "P2P Agent" } else { "" })
        .tooltip(&face.sentence)
        .show_menu_on_left_click(cfg!(target_os = "macos"))
        .on_menu_event(|app, event| {
            if let Some(action) = Action::of(event.id().as_ref()) {
                app::act(app, action);
            }
        })
        .on_tray_icon_event(|icon, event| {
            if let TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } = event {
                app::act(icon.app_handle(), Action::Open);
            }
        })
        .build(app)?;
    Ok(Shown { icon, sentence, face })
}

/// What it does, pausing or resuming, and the rest; and the line that says what it does.
fn menu(app: &AppHandle, face: &Face) -> tauri::Result<(Menu<Wry>, MenuItem<Wry>)> {
    let entry = |action: Action, enabled| MenuItem::with_id(app, action.id(), action.label(), enabled, None::<&str>);
    let line = || PredefinedMenuItem::separator(app);
    let menu = Menu::new(app)?;
    let sentence = MenuItem::with_id(app, SENTENCE, as_label(&face.sentence), false, None::<&str>)?;
    menu.append_items(&[&sentence, &line()?])?;
    for action in face.offers() {
        menu.append(&entry(action, face.can_pause)?)?;
    }
    menu.append_items(&[&line()?, &entry(Action::Open, true)?, &entry(Action::Quit, true)?])?;
    Ok((menu, sentence))
}

/// In a label, `&` marks the letter to press.
fn as_label(text: &str) -> String {
    text.replace('&', "&&")
}

async fn follow_view(app: AppHandle, mut view: watch::Receiver<View>) {
    loop {
        refresh(&app, &view.borrow_and_update().clone());
        if view.changed().await.is_err() {
            return;
        }
    }
}

/// Makes the icon, if there is one, say what is so now.
fn refresh(app: &AppHandle, view: &View) {
    let tray = app.state::<Tray>();
    let mut shown = tray.shown.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shown) = &mut *shown
        && let Err(error) = change(shown, Face::of(view))
    {
        tracing::warn!("the tray icon cannot be changed: {error}");
    }
}

/// Changes what differs, and nothing else: some trays flicker.
fn change(shown: &mut Shown, face: Face) -> tauri::Result<()> {
    if shown.face.shape != face.shape {
        shown.icon.set_icon_with_as_template(Some(picture(face.shape)?), cfg!(target_os = "macos"))?;
    }
    if shown.face.sentence != face.sentence {
        shown.icon.set_tooltip(Some(&face.sentence))?;
    }
    if shown.face.offers() != face.offers() || shown.face.can_pause != face.can_pause {
        // Entries cannot be hidden: other entries are another menu.
        let (menu, sentence) = menu(shown.icon.app_handle(), &face)?;
        shown.icon.set_menu(Some(menu))?;
        shown.sentence = sentence;
    } else if shown.face.sentence != face.sentence {
        shown.sentence.set_text(as_label(&face.sentence))?;
    }
    shown.face = face;
    Ok(())
}

/// The picture of a state: black for systems that colour it themselves, else a grey that stands
/// out by at least 3 to 1 from light and from dark panels.
fn picture(shape: Shape) -> tauri::Result<Image<'static>> {
    const GREY: [u8; 3] = [0x8a; 3];
    let png: &[u8] = match shape {
        Shape::Working => include_bytes!("../../icons/tray/working.png"),
        Shape::Waiting => include_bytes!("../../icons/tray/waiting.png"),
        Shape::Paused => include_bytes!("../../icons/tray/paused.png"),
        Shape::Offline => include_bytes!("../../icons/tray/offline.png"),
    };
    let image = Image::from_bytes(png)?;
    if cfg!(target_os = "macos") {
        return Ok(image.to_owned());
    }
    let mut rgba = image.rgba().to_vec();
    for pixel in rgba.chunks_exact_mut(4) {
        pixel[..3].copy_from_slice(&GREY);
    }
    Ok(Image::new_owned(rgba, image.width(), image.height()))
}
