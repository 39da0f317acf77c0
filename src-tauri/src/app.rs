//! Puts the parts together: one instance, the supervisor, the tray, the window, and the end.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use p2p_control::Client;
use p2p_control::api::Problem;
use p2p_platform::{Home, HomeError};
use tauri::{App, AppHandle, Manager, RunEvent, WindowEvent};
use thiserror::Error;

use crate::args::Args;
use crate::bridge::{self, Bridge};
use crate::keep;
use crate::supervisor::Supervisor;
use crate::tray::{self, Action, Pause, Tray};
use crate::window;

/// Why the app does not run.
#[derive(Debug, Error)]
pub(crate) enum AppError {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error("the app cannot start - {0} - check that a display is there, and see the log")]
    Tauri(#[from] tauri::Error),
}

/// Whether the app is ending already: the second time one asks, it does not ask the daemon again.
#[derive(Debug, Default)]
struct Ending(AtomicBool);

/// Runs until the app is quit.
///
/// # Errors
/// When there is no home, or no display.
pub(crate) fn run(args: Args) -> Result<(), AppError> {
    let home = Home::resolve(args.home)?;
    let single = tauri_plugin_single_instance::Builder::new()
        .callback(|app, _arguments, _folder| window::open(app))
        .dbus_id(instance(&home))
        .build();
    let app = tauri::Builder::default()
        // First of all plugins: a second instance must not get any further.
        .plugin(single)
        .invoke_handler(tauri::generate_handler![bridge::call, bridge::follow, bridge::start_daemon, keep::save_rows])
        .manage(Ending::default())
        .manage(Tray::default())
        .manage(home.clone())
        .setup(move |app| {
            start(app, home, args.hidden);
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(on_event);
    Ok(())
}

fn start(app: &App, home: Home, hidden: bool) {
    let (supervisor, keeper) = Supervisor::new(home.clone());
    tauri::async_runtime::spawn(keeper);
    app.manage(supervisor.clone());
    tauri::async_runtime::spawn(watch_session(home.clone()));
    app.manage(Bridge::new(home, supervisor.clone()));
    tauri::async_runtime::spawn(tray::keep(app.handle().clone(), supervisor.view(), hidden));
    tauri::async_runtime::spawn(quit_when_told(app.handle().clone()));
}

fn on_event(app: &AppHandle, event: RunEvent) {
    match event {
        RunEvent::WindowEvent { event: WindowEvent::Destroyed, .. } => app.state::<Bridge>().unfollow(),
        RunEvent::ExitRequested { code: None, api, .. } => {
            // The last window closed. In the tray the app lives on; without one nobody could reach it.
            api.prevent_exit();
            if !app.state::<Tray>().is_visible() {
                quit(app);
            }
        }
        _ => {}
    }
}

/// Does what was chosen in the tray.
pub(crate) fn act(app: &AppHandle, action: Action) {
    match action {
        Action::Open => window::open(app),
        Action::Quit => quit(app),
        Action::Pause(pause) => tell(app, Some(pause)),
        Action::Resume => tell(app, None),
    }
}

/// Pauses, or resumes where no pause is named. The window says what is wrong; a menu cannot.
fn tell(app: &AppHandle, pause: Option<Pause>) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(problem) = pause_or_resume(&app.state::<Home>().socket(), pause).await {
            tracing::warn!("pausing or resuming failed: {problem}");
            window::open(&app);
        }
    });
}

async fn pause_or_resume(socket: &Path, pause: Option<Pause>) -> Result<(), Problem> {
    let client = Client::connect(socket).await?;
    match pause {
        Some(pause) => client.pause(pause.request()).await?,
        None => client.resume().await?,
    };
    Ok(())
}

/// A session that could not be watched, or not any more, is tried again after this time.
const WATCH_AGAIN: std::time::Duration = std::time::Duration::from_secs(60);

/// Tells the daemon what this session shows, for as long as the app runs: the daemon of a home has no
/// session of its own.
async fn watch_session(home: Home) {
    let source = format!("tray-{}", std::process::id());
    loop {
        let told = p2p_control::tell_session(home.socket(), home.root().to_owned(), source.clone(), None).await;
        if let Err(error) = told {
            tracing::warn!("this session cannot be watched, so rules about its owner cannot be applied: {error}");
        }
        tokio::time::sleep(WATCH_AGAIN).await;
    }
}

/// Ends the app, after the daemon that it started.
fn quit(app: &AppHandle) {
    if app.state::<Ending>().0.swap(true, Ordering::SeqCst) {
        return;
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let supervisor = app.state::<Supervisor>().inner().clone();
        supervisor.quit().await;
        app.exit(0);
    });
}

#[cfg(unix)]
async fn quit_when_told(app: AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    quit(&app);
}

#[cfg(not(unix))]
async fn quit_when_told(app: AppHandle) {
    if tokio::signal::ctrl_c().await.is_ok() {
        quit(&app);
    }
}

/// One instance for each home: the name under which it is found on the session bus.
fn instance(home: &Home) -> String {
    const NAME: &str = "org.p2pagent.desktop";
    if home.is_default() {
        return NAME.to_owned();
    }
    let digest = blake3::hash(home.root().as_os_str().as_encoded_bytes()).to_hex();
    format!("{NAME}.h{}", &digest[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_homes_are_two_instances() {
        let (a, b) = (Home::at("/srv/a".into()), Home::at("/srv/b".into()));
        assert_ne!(instance(&a), instance(&b));
        assert_eq!(instance(&a), instance(&Home::at("/srv/a".into())));
        assert!(instance(&a).len() < 200 && !instance(&a).contains('/'));
    }
}
