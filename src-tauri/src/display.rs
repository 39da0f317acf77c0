//! What the web view must know about the screen before it starts.

/// Where there is no graphics card, WebKitGTK's accelerated paths leave the window blank.
#[cfg(target_os = "linux")]
pub(crate) fn prepare() {
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::Command;

    const COMPOSITING: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";
    const DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

    let decided = std::env::var_os(COMPOSITING).is_some() || std::env::var_os(DMABUF).is_some();
    if decided || Path::new("/dev/dri").exists() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    // The same process once more: an environment cannot be changed safely once there are threads,
    // and libraries may have made some before `main`.
    let error = Command::new(program).args(std::env::args_os().skip(1)).env(COMPOSITING, "1").env(DMABUF, "1").exec();
    // Only a failure comes back; then the window is tried as it is.
    drop(error);
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn prepare() {}
