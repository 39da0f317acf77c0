//! Writes down which commands the window may call, and embeds the configuration.

fn main() {
    let commands = tauri_build::AppManifest::new().commands(&["call", "follow", "start_daemon", "save_rows"]);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(commands))
        .expect("tauri.conf.json and capabilities/ can be read");
}
