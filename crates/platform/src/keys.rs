//! The two secrets of a node: the account's key, and this device's.
//!
//! They are in the keychain for the default home of a desktop session, else in files that only
//! their owner can read; the choice is made once, said aloud, and written down in `keys/storage`.
//! Where the keys cannot be read there is an error, and never a new identity.

mod file;
mod keychain;
mod replace;
mod sealed;

use std::path::PathBuf;

use p2p_types::SecretKey;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::file::{FileError, create_private, read_private};
use crate::{Home, random_bytes};
use keychain::{SessionKeychain, Vault};

pub use replace::replace_account;
pub use sealed::{SEALED_BYTES, SealError, open_account, seal_account};

/// Where secret keys are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStorage {
    /// The keychain of the operating system.
    Keychain,
    /// Files in the home that only their owner can read.
    File,
}

/// The secrets of a node.
#[derive(Debug)]
pub struct Keys {
    pub account: SecretKey,
    pub device: SecretKey,
    pub storage: KeyStorage,
    /// Where they are and why there, for people.
    pub detail: String,
}

/// Why there are no keys.
#[derive(Debug, Error)]
pub enum KeyError {
    #[error("this home has keys already")]
    Exist,
    #[error("this home has no keys")]
    Absent,
    #[error("{0}")]
    File(#[from] FileError),
    #[error("{0} does not hold a key - restore it from a backup")]
    Malformed(PathBuf),
    #[error("{0} is missing, while the keys that belong to it are there - restore it from a backup")]
    Missing(PathBuf),
    #[error("the keychain that holds the keys does not open: {0}")]
    Keychain(String),
    #[error("the keychain no longer holds the keys that were put there")]
    Lost,
    #[error("{0} says neither keychain nor file")]
    Marker(PathBuf),
    #[error("the former key of the account cannot be kept: there are too many of {0} already - move them away")]
    TooOften(String),
    #[error("the keys could not be written to {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
}

/// The keys of this home; `None` where it never had any.
///
/// # Errors
/// When it has keys and they cannot be read: open to others, damaged, or in a keychain that is locked.
pub fn load_keys(home: &Home) -> Result<Option<Keys>, KeyError> {
    load(home, &SessionKeychain)
}

/// Makes the keys of a home that has none. May wait for the user to unlock the keychain.
///
/// # Errors
/// [`KeyError::Exist`] when there are keys, and whatever keeps them from being written.
pub fn create_keys(home: &Home) -> Result<Keys, KeyError> {
    match keychain::why_not(home) {
        None => create(home, Ok(&SessionKeychain)),
        Some(reason) => create(home, Err(reason)),
    }
}

fn load(home: &Home, vault: &dyn Vault) -> Result<Option<Keys>, KeyError> {
    let (account, device, storage) = match read_marker(home)? {
        Some(KeyStorage::Keychain) => {
            let text = vault.read().map_err(KeyError::Keychain)?.ok_or(KeyError::Lost)?;
            let pair = keychain::decode(&text).ok_or_else(|| KeyError::Malformed("the keychain's entry".into()))?;
            (pair.0, pair.1, KeyStorage::Keychain)
        }
        Some(KeyStorage::File) => (file::read(home, file::ACCOUNT)?, file::read(home, file::DEVICE)?, KeyStorage::File),
        None => {
            // The marker is written last. Without it, one key alone was never finished, or was
            // restored from a backup: `create` completes it.
            match (file::find(home, file::ACCOUNT)?, file::find(home, file::DEVICE)?) {
                (Some(account), Some(device)) => (account, device, KeyStorage::File),
                (None, Some(_)) => return Err(KeyError::Missing(file::path(home, file::ACCOUNT))),
                (_, None) => return Ok(None),
            }
        }
    };
    let detail = match storage {
        KeyStorage::Keychain => keychain::PLACE.to_owned(),
        KeyStorage::File => file::place(home),
    };
    Ok(Some(Keys { account, device, storage, detail }))
}

fn create(home: &Home, vault: Result<&dyn Vault, &'static str>) -> Result<Keys, KeyError> {
    if read_marker(home)?.is_some() || file::find(home, file::DEVICE)?.is_some() {
        return Err(KeyError::Exist);
    }
    let found = file::find(home, file::ACCOUNT)?;
    let why_file = match (&found, vault) {
        (Some(_), _) => "its account key was there already".to_owned(),
        (None, Err(reason)) => reason.to_owned(),
        (None, Ok(vault)) => match keep_in(vault) {
            Ok((account, device, detail)) => {
                write_marker(home, KeyStorage::Keychain)?;
                return Ok(Keys { account, device, storage: KeyStorage::Keychain, detail });
            }
            Err(Unkept::Malformed) => return Err(KeyError::Malformed("the keychain's entry".into())),
            Err(Unkept::Refused(reason)) => format!("the keychain cannot be used: {reason}"),
        },
    };
    let account = match found {
        Some(account) => account,
        None => file::create(home, file::ACCOUNT)?,
    };
    let device = file::create(home, file::DEVICE)?;
    write_marker(home, KeyStorage::File)?;
    let detail = format!("{} ({why_file})", file::place(home));
    Ok(Keys { account, device, storage: KeyStorage::File, detail })
}

enum Unkept {
    /// Something of ours is in it that this version cannot read.
    Malformed,
    Refused(String),
}

/// Finds the keys of an earlier home of this user in the keychain, or puts new ones there.
fn keep_in(vault: &dyn Vault) -> Result<(SecretKey, SecretKey, String), Unkept> {
    if let Some(text) = vault.read().map_err(Unkept::Refused)? {
        let (account, device) = keychain::decode(&text).ok_or(Unkept::Malformed)?;
        return Ok((account, device, format!("{}, where they were already", keychain::PLACE)));
    }
    let (account, device) = (SecretKey::new(random_bytes()), SecretKey::new(random_bytes()));
    let text = keychain::encode(&account, &device);
    vault.write(&text).map_err(Unkept::Refused)?;
    // Some keychains take everything and keep nothing.
    match vault.read().map_err(Unkept::Refused)? {
        Some(kept) if *kept == *text => Ok((account, device, keychain::PLACE.to_owned())),
        _ => Err(Unkept::Refused("it did not keep what was put there".to_owned())),
    }
}

fn marker(home: &Home) -> PathBuf {
    home.keys_dir().join("storage")
}

fn read_marker(home: &Home) -> Result<Option<KeyStorage>, KeyError> {
    let path = marker(home);
    match read_private(&path, 64) {
        Ok(text) if text.trim_ascii() == b"keychain" => Ok(Some(KeyStorage::Keychain)),
        Ok(text) if text.trim_ascii() == b"file" => Ok(Some(KeyStorage::File)),
        Ok(_) => Err(KeyError::Marker(path)),
        Err(FileError::Missing(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn write_marker(home: &Home, storage: KeyStorage) -> Result<(), KeyError> {
    let path = marker(home);
    let word: &[u8] = match storage {
        KeyStorage::Keychain => b"keychain\n",
        KeyStorage::File => b"file\n",
    };
    create_private(&path, word).map_err(|source| KeyError::Write { path, source })
}

fn to_hex(key: &SecretKey) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(64));
    for byte in key.expose() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).expect("below 16"));
        }
    }
    text
}

fn from_hex(text: &str) -> Option<SecretKey> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 32]);
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let value = char::from(pair[0]).to_digit(16)? * 16 + char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(value).ok()?;
    }
    Some(SecretKey::new(*bytes))
}

#[cfg(test)]
mod tests;
