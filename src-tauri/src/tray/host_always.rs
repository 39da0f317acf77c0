//! Systems whose tray is always there.

use tokio::sync::watch;

/// Whether there is a tray; `None` until that is known.
pub(super) fn watch() -> watch::Receiver<Option<bool>> {
    watch::channel(Some(true)).1
}
