//! The sums over a restart: a small file beside the database, of which little is lost where it is.

use std::io;
use std::path::Path;

use p2p_platform::file::{FileError, read_private, write_private};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::day::Day;
use super::speed::Speed;

pub(super) const FILE: &str = "computer.json";
/// The longest content of that file.
const FILE_BYTES: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) day: Day,
    pub(super) speed: Speed,
}

/// `None` where there is nothing to read, or nothing that is understood.
pub(super) fn read(file: &Path) -> Option<Kept> {
    let bytes = match read_private(file, FILE_BYTES) {
        Ok(bytes) => bytes,
        Err(FileError::Missing(_)) => return None,
        Err(error) => {
            warn!(%error, "what this computer did before is not known");
            return None;
        }
    };
    let kept = serde_json::from_slice(&bytes);
    kept.inspect_err(|error| warn!(%error, "what this computer did before is not understood")).ok()
}

pub(super) fn write(file: &Path, kept: &Kept) -> io::Result<()> {
    write_private(file, &serde_json::to_vec(kept)?)
}
