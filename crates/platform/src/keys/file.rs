//! Keys as files: a line that says what it is, and the 32 bytes in hexadecimal.

use std::path::PathBuf;

use p2p_types::SecretKey;
use zeroize::Zeroizing;

use super::{KeyError, from_hex, to_hex};
use crate::file::{FileError, create_private, read_private, write_private};
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
    create_private(&path, text(name, &key).as_bytes()).map_err(|source| KeyError::Write { path, source })?;
    Ok(key)
}

/// Writes a key in place of the one that is there.
pub(super) fn replace(home: &Home, name: &str, key: &SecretKey) -> Result<(), KeyError> {
    let path = path(home, name);
    write_private(&path, text(name, key).as_bytes()).map_err(|source| KeyError::Write { path, source })
}

/// Writes a former account key beside the keys, under a name of its own; where that is taken, by
/// another file, `None`.
pub(super) fn keep(home: &Home, name: &str, key: &SecretKey) -> Result<Option<PathBuf>, KeyError> {
    let path = home.keys_dir().join(name);
    match create_private(&path, text(ACCOUNT, key).as_bytes()) {
        Ok(()) => Ok(Some(path)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(None),
        Err(source) => Err(KeyError::Write { path, source }),
    }
}

fn text(name: &str, key: &SecretKey) -> Zeroizing<String> {
    let hex = to_hex(key);
    Zeroizing::new(format!("# The {name} key of P2P Agent. Whoever has it is you: keep it secret.\n{}\n", *hex))
}
