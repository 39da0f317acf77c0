//! Keys as files: a line that says what it is, and the 32 bytes in hexadecimal.

use std::path::PathBuf;

use p2p_types::SecretKey;
use zeroize::Zeroizing;

use super::{KeyError, from_hex, to_hex};
use crate::file::{FileError, create_private, read_private};
use crate::{Home, random_bytes};

pub(super) const ACCOUNT: &str = "account";
pub(super) const DEVICE: &str = "device";
const LIMIT: usize = 1024;

pub(super) fn path(home: &Home, name: &str) -> PathBuf {
    home.keys_dir().join(format!("{name}.key"))
}

/// Where they are, for people.
pub(super) fn place(home: &Home) -> String {
    format!("in files that only you can read, in {}", home.keys_dir().display())
}

/// The key of this name, which must be there.
pub(super) fn read(home: &Home, name: &str) -> Result<SecretKey, KeyError> {
    find(home, name)?.ok_or_else(|| KeyError::Missing(path(home, name)))
}

/// The key of this name, where there is one.
pub(super) fn find(home: &Home, name: &str) -> Result<Option<SecretKey>, KeyError> {
    let path = path(home, name);
    let bytes = match read_private(&path, LIMIT) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(FileError::Missing(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    match (lines.next().and_then(|line| from_hex(line.trim())), lines.next()) {
        (Some(key), None) => Ok(Some(key)),
        _ => Err(KeyError::Malformed(path)),
    }
}

/// Makes and writes a key that must not be there yet.
pub(super) fn create(home: &Home, name: &str) -> Result<SecretKey, KeyError> {
    let key = SecretKey::new(random_bytes());
    let path = path(home, name);
    let hex = to_hex(&key);
    let text =
        Zeroizing::new(format!("# The {name} key of P2P Agent. Whoever has it is you: keep it secret.\n{}\n", *hex));
    create_private(&path, text.as_bytes()).map_err(|source| KeyError::Write { path, source })?;
    Ok(key)
}
