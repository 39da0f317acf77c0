//! The one window: made when it is opened, gone when it is closed.

use p2p_platform::Home;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindowBuilder};

/// Its name in the capability file.
pub(crate) const LABEL: &str = "main";
const TITLE: &str = "P2P Agent";
const SIZE: (f64, f64) = (960.0, 640.0);
const LEAST: (f64, f64) = (720.0, 520.0);

/// Brings the window to the front, made anew where there is none.
pub(crate) fn open(app: &AppHandle) {
    // Windows belong to the main thread; a failure to reach it means that the app is ending.
    let handle = app.clone();
    let _ = app.run_on_main_thread(move || {
        if let Err(error) = show(&handle) {
            tracing::error!("the window does not open: {error}");
        }
    });
}

fn show(app: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(LABEL) {
        window.unminimize()?;
        window.show()?;
        return window.set_focus();
    }
    WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
        .title(TITLE)
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(LEAST.0, LEAST.1)
        // Shown once the page is there: an empty window would flash in the wrong colour.
        .visible(false)
        .on_page_load(|window, page| {
            if page.event() == PageLoadEvent::Finished
                && let Err(error) = window.show().and_then(|()| window.set_focus())
            {
                tracing::error!("the window cannot be shown: {error}");
            }
        })
        // The page keeps nothing, but the web view insists on a folder. (Its private mode needs none,
        // and cannot be driven by tests.)
        .data_directory(app.state::<Home>().root().join("window"))
        .enable_clipboard_access()
        .disable_drag_drop_handler()
        .general_autofill_enabled(false)
        .devtools(cfg!(debug_assertions))
        .on_navigation(|url| is_ours(url.as_str()))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .build()?;
    Ok(())
}

/// The page that was built in, and nothing else.
fn is_ours(url: &str) -> bool {
    ["tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"]
        .iter()
        .any(|origin| url.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_goes_nowhere_else() {
        assert!(is_ours("tauri://localhost") && is_ours("tauri://localhost/index.html#/network"));
        for url in
            ["https://example.org/", "tauri://localhost.example.org/", "data:text/html,x", "file:///etc/passwd", ""]
        {
            assert!(!is_ours(url), "{url}");
        }
    }
}
