//! Keys in the operating system's keychain: one entry for both, so that there is one question.

use std::sync::mpsc;
use std::time::Duration;
use std::{env, thread};

use keyring::{Entry, Error};
use p2p_types::SecretKey;
use zeroize::Zeroizing;

use super::{from_hex, to_hex};
use crate::Home;

/// Where they are, for people.
pub(super) const PLACE: &str = "in the keychain of your desktop session";

const SERVICE: &str = "p2p-agent";
const USER: &str = "node keys";
const HEADER: &str = "p2p-agent keys 1";
/// How long somebody may take to unlock the keychain.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) type Secret = Zeroizing<String>;

/// A place that keeps the text with both keys, and others under names of their own.
pub(super) trait Vault {
    /// `None` where it certainly keeps nothing.
    fn read(&self) -> Result<Option<Secret>, String>;
    fn write(&self, text: &Secret) -> Result<(), String>;
    /// Keeps a text beside the keys; `false` where something has that name already, which stays.
    fn keep(&self, name: &str, text: &Secret) -> Result<bool, String>;
}

/// The keychain of the session this process runs in.
pub(super) struct SessionKeychain;

impl Vault for SessionKeychain {
    fn read(&self) -> Result<Option<Secret>, String> {
        patiently(|| read_entry(USER))
    }

    fn write(&self, text: &Secret) -> Result<(), String> {
        let text = text.clone();
        patiently(move || entry(USER)?.set_secret(text.as_bytes()).map_err(|error| say(&error)))
    }

    fn keep(&self, name: &str, text: &Secret) -> Result<bool, String> {
        let (name, text) = (name.to_owned(), text.clone());
        patiently(move || {
            if read_entry(&name)?.is_some() {
                return Ok(false);
            }
            entry(&name)?.set_secret(text.as_bytes()).map_err(|error| say(&error))?;
            // Some keychains take everything and keep nothing.
            match read_entry(&name)? {
                Some(kept) if *kept == *text => Ok(true),
                _ => Err("it did not keep what was put there".to_owned()),
            }
        })
    }
}

fn read_entry(user: &str) -> Result<Option<Secret>, String> {
    match entry(user)?.get_secret() {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Ok(Some(Zeroizing::new(String::new())))
            }
        },
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(say(&error)),
    }
}

/// Why the keychain is not for this home; `None` where it is.
pub(super) fn why_not(home: &Home) -> Option<&'static str> {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let session = cfg!(any(windows, target_os = "macos"))
        || (set("DBUS_SESSION_BUS_ADDRESS") && (set("DISPLAY") || set("WAYLAND_DISPLAY")));
    if !home.is_default() {
        Some("the keychain is for the default home only")
    } else if session {
        None
    } else {
        Some("there is no desktop session here")
    }
}

pub(super) fn encode(account: &SecretKey, device: &SecretKey) -> Secret {
    Zeroizing::new(format!("{HEADER}\n{}\n{}\n", *to_hex(account), *to_hex(device)))
}

/// The account's key and the device's.
pub(super) fn decode(text: &str) -> Option<(SecretKey, SecretKey)> {
    let mut lines = text.lines();
    if lines.next() != Some(HEADER) {
        return None;
    }
    Some((from_hex(lines.next()?)?, from_hex(lines.next()?)?))
}

fn entry(user: &str) -> Result<Entry, String> {
    if let Err(error) = Entry::store_status() {
        return Err(say(error));
    }
    Entry::new(SERVICE, user).map_err(|error| say(&error))
}

/// What went wrong, without the data that some errors carry.
fn say(error: &Error) -> String {
    match error {
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "its entry is malformed".to_owned(),
        Error::Ambiguous(entries) => format!("it holds {} entries of the same name", entries.len()),
        other => other.to_string(),
    }
}

/// Runs a call that blocks, and may ask the user, on a thread of its own: the bus library would
/// start a runtime inside ours. A call that never returns costs that thread.
fn patiently<T: Send + 'static>(call: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = thread::Builder::new().name("keychain".to_owned());
    thread.spawn(move || drop(sender.send(call()))).map_err(|error| error.to_string())?;
    receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| Err("nobody unlocked it in time".to_owned()))
}
