//! Leaves a file with the person: the rows of the wallet, among their downloads.
//!
//! The page says what is in it and nothing else: a page that went wrong can neither choose a name nor
//! replace a file that is there.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use p2p_control::api::{ErrorCode, Problem};
use p2p_platform::{date, now};
use tauri::{AppHandle, Manager as _};

/// The longest text that is kept: ten times the longest that the page makes.
const BYTES: usize = 256 << 20;
/// Files of one day.
const MOST: u32 = 1000;

/// Writes the rows to a new file and gives its path.
#[tauri::command]
pub(crate) async fn save_rows(app: AppHandle, text: String) -> Result<String, Problem> {
    let refuse = |why: String| Problem::new(ErrorCode::NotSaved, why);
    if text.len() > BYTES {
        return Err(refuse("it is longer than 256 MB".to_owned()));
    }
    let folder = folder(&app).ok_or_else(|| refuse("this computer has no folder for downloads".to_owned()))?;
    let day = date(now());
    tauri::async_runtime::spawn_blocking(move || write_new(&folder, &day, text.as_bytes()))
        .await
        .map_err(io::Error::other)
        .and_then(|written| written)
        .map(|path| path.display().to_string())
        .map_err(|error| refuse(error.to_string()))
}

/// Where downloads go, else the person's own folder.
fn folder(app: &AppHandle) -> Option<PathBuf> {
    let path = app.path();
    [path.download_dir(), path.home_dir()].into_iter().flatten().find(|folder| folder.is_dir())
}

fn write_new(folder: &Path, day: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    for number in 1..=MOST {
        let again = if number == 1 { String::new() } else { format!(" ({number})") };
        let path = folder.join(format!("p2p-agent-wallet-{day}{again}.csv"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                let written = file.write_all(bytes).and_then(|()| file.sync_all());
                if let Err(error) = written {
                    // Half a file would be taken for a whole one.
                    let _ = std::fs::remove_file(&path);
                    return Err(error);
                }
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} has {MOST} of them already", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = write_new(folder.path(), "2026-01-02", b"one").expect("written");
        let second = write_new(folder.path(), "2026-01-02", b"two").expect("written");
        assert_eq!(first.file_name(), Some("p2p-agent-wallet-2026-01-02.csv".as_ref()));
        assert_eq!(second.file_name(), Some("p2p-agent-wallet-2026-01-02 (2).csv".as_ref()));
        assert_eq!(
            (std::fs::read(first).expect("there"), std::fs::read(second).expect("there")),
            (b"one".to_vec(), b"two".to_vec())
        );
        assert!(write_new(&folder.path().join("gone"), "2026-01-02", b"").is_err());
    }
}
