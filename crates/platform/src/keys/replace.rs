//! Another account for a home. The key that it had is kept, always before the new one is written:
//! whatever ends this half-way, no key is lost.

use p2p_types::{SecretKey, Timestamp};
use zeroize::Zeroizing;

use super::keychain::{self, SessionKeychain, Vault};
use super::{KeyError, KeyStorage, file, load, to_hex};
use crate::{Home, date, now};

/// As often a day somebody may do this.
const NAMES: usize = 100;

/// Gives this home the key of another account. The device keeps its own. Says where the former
/// account's key is now.
///
/// The caller holds the home's lock: a daemon that runs would go on with the former account.
///
/// # Errors
/// When there are no keys, they cannot be read, or the former key cannot be kept: then nothing
/// has changed. When the new one cannot be written.
pub fn replace_account(home: &Home, account: &SecretKey) -> Result<String, KeyError> {
    replace(home, &SessionKeychain, account, now())
}

fn replace(home: &Home, vault: &dyn Vault, account: &SecretKey, now: Timestamp) -> Result<String, KeyError> {
    let former = load(home, vault)?.ok_or(KeyError::Absent)?;
    let day = date(now);
    match former.storage {
        KeyStorage::File => {
            let kept = first_free(|suffix| file::keep(home, &format!("account.before-{day}{suffix}"), &former.account));
            let kept = kept?.ok_or_else(|| too_often(&day))?;
            file::replace(home, file::ACCOUNT, account)?;
            Ok(format!("in {}", kept.display()))
        }
        KeyStorage::Keychain => {
            let text = Zeroizing::new(format!("{}\n", *to_hex(&former.account)));
            let kept = first_free(|suffix| {
                let name = format!("account before {day}{suffix}");
                Ok(vault.keep(&name, &text).map_err(KeyError::Keychain)?.then_some(name))
            });
            let kept = kept?.ok_or_else(|| too_often(&day))?;
            let both = keychain::encode(account, &former.device);
            vault.write(&both).map_err(KeyError::Keychain)?;
            match vault.read().map_err(KeyError::Keychain)? {
                Some(now) if *now == *both => Ok(format!("{}, as {kept:?}", keychain::PLACE)),
                _ => Err(KeyError::Keychain("it did not keep what was put there".to_owned())),
            }
        }
    }
}

fn too_often(day: &str) -> KeyError {
    KeyError::TooOften(day.to_owned())
}

/// Tries the names of a day, until one is free.
fn first_free<T>(mut attempt: impl FnMut(&str) -> Result<Option<T>, KeyError>) -> Result<Option<T>, KeyError> {
    for number in 1..=NAMES {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        if let Some(kept) = attempt(&suffix)? {
            return Ok(Some(kept));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::*;
    use crate::keys::{create, create_keys, load_keys};

    /// A keychain with drawers; it may be told to take no keys, or to forget them.
    #[derive(Default)]
    struct Drawers {
        keys: RefCell<Option<String>>,
        kept: RefCell<BTreeMap<String, String>>,
        full: Cell<bool>,
        forgets: Cell<bool>,
    }

    impl Vault for Drawers {
        fn read(&self) -> Result<Option<keychain::Secret>, String> {
            Ok(self.keys.borrow().clone().map(Zeroizing::new))
        }

        fn write(&self, text: &keychain::Secret) -> Result<(), String> {
            if !self.forgets.get() {
                self.keys.replace(Some(text.to_string()));
            }
            Ok(())
        }

        fn keep(&self, name: &str, text: &keychain::Secret) -> Result<bool, String> {
            if self.full.get() {
                return Err("it is full".to_owned());
            }
            let mut kept = self.kept.borrow_mut();
            let free = !kept.contains_key(name);
            kept.entry(name.to_owned()).or_insert_with(|| text.to_string());
            Ok(free)
        }
    }

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        home.create().expect("folders");
        (folder, home)
    }

    fn key(seed: u8) -> SecretKey {
        SecretKey::new([seed; 32])
    }

    #[test]
    fn the_former_key_is_kept_as_a_file_of_its_owners_alone() {
        let (_folder, home) = home();
        assert!(matches!(replace_account(&home, &key(1)), Err(KeyError::Absent)));
        let made = create_keys(&home).expect("made");
        let now = Timestamp(1_795_000_000_000);
        let kept = replace(&home, &Drawers::default(), &key(1), now).expect("replaced");
        let path = home.keys_dir().join("account.before-2026-11-18");
        assert_eq!(kept, format!("in {}", path.display()));
        let read = load_keys(&home).expect("readable").expect("there");
        assert_eq!(read.account.expose(), key(1).expose());
        assert_eq!(read.device.expose(), made.device.expose(), "the device stays what it is");

        replace(&home, &Drawers::default(), &key(2), now).expect("again on that day");
        let second = std::fs::read_to_string(home.keys_dir().join("account.before-2026-11-18-2")).expect("kept too");
        assert!(second.contains(&*to_hex(&key(1))));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            for path in [&path, &home.keys_dir().join("account.key")] {
                let mode = std::fs::metadata(path).expect("there").permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{}", path.display());
            }
        }
        // The way back: the file is a key file as it stands.
        std::fs::rename(&path, home.keys_dir().join("account.key")).expect("renamed");
        let back = load_keys(&home).expect("readable").expect("there");
        assert_eq!(back.account.expose(), made.account.expose());
    }

    #[test]
    fn a_former_key_that_cannot_be_kept_is_not_replaced() {
        let (_folder, home) = home();
        let made = create_keys(&home).expect("made");
        let day = date(Timestamp(0));
        for number in 1..=NAMES {
            let suffix = if number == 1 { String::new() } else { format!("-{number}") };
            std::fs::write(home.keys_dir().join(format!("account.before-{day}{suffix}")), "taken").expect("written");
        }
        let refused = replace(&home, &Drawers::default(), &key(1), Timestamp(0));
        assert!(matches!(refused, Err(KeyError::TooOften(_))), "{refused:?}");
        let read = load_keys(&home).expect("readable").expect("there");
        assert_eq!(read.account.expose(), made.account.expose());
    }

    #[test]
    fn a_keychain_keeps_the_former_key_under_a_name_of_its_own() {
        let (_folder, home) = home();
        let vault = Drawers::default();
        let made = create(&home, Ok(&vault)).expect("made");
        for (seed, name) in [(1, "account before 1970-01-01"), (2, "account before 1970-01-01-2")] {
            let former = load(&home, &vault).expect("readable").expect("there").account;
            let kept = replace(&home, &vault, &key(seed), Timestamp(0)).expect("replaced");
            assert!(kept.contains(name), "{kept}");
            assert_eq!(vault.kept.borrow()[name].trim(), *to_hex(&former));
        }
        let read = load(&home, &vault).expect("readable").expect("there");
        assert_eq!((read.account.expose(), read.device.expose()), (key(2).expose(), made.device.expose()));
        assert_eq!(std::fs::read_dir(home.keys_dir()).expect("readable").count(), 1, "no key in a file");

        vault.full.set(true);
        assert!(matches!(replace(&home, &vault, &key(3), Timestamp(0)), Err(KeyError::Keychain(_))));
        assert_eq!(load(&home, &vault).expect("readable").expect("there").account.expose(), key(2).expose());
        vault.full.set(false);
        vault.forgets.set(true);
        assert!(matches!(replace(&home, &vault, &key(3), Timestamp(0)), Err(KeyError::Keychain(_))));
    }
}
