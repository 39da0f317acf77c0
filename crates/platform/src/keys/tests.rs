use std::cell::RefCell;
use std::fs;

use super::*;

/// A keychain for tests: it keeps, it is locked, or it forgets.
enum Pretend {
    Keeps(RefCell<Option<String>>),
    Locked,
    Forgets,
}

impl Vault for Pretend {
    fn read(&self) -> Result<Option<keychain::Secret>, String> {
        match self {
            Self::Keeps(text) => Ok(text.borrow().clone().map(Zeroizing::new)),
            Self::Locked => Err("it is locked".to_owned()),
            Self::Forgets => Ok(None),
        }
    }

    fn write(&self, text: &keychain::Secret) -> Result<(), String> {
        match self {
            Self::Keeps(kept) => {
                kept.replace(Some(text.to_string()));
                Ok(())
            }
            Self::Locked => Err("it is locked".to_owned()),
            Self::Forgets => Ok(()),
        }
    }

    fn keep(&self, _name: &str, _text: &keychain::Secret) -> Result<bool, String> {
        Err("it keeps the keys alone".to_owned())
    }
}

struct Place {
    _folder: tempfile::TempDir,
    home: Home,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("home"));
    home.create().expect("folders");
    Place { _folder: folder, home }
}

fn same(one: &Keys, other: &Keys) -> bool {
    one.account.expose() == other.account.expose() && one.device.expose() == other.device.expose()
}

fn key_file(home: &Home, name: &str) -> PathBuf {
    home.keys_dir().join(format!("{name}.key"))
}

#[test]
fn a_named_home_keeps_its_keys_in_files_and_says_so() {
    let place = place();
    assert!(load_keys(&place.home).expect("no keys yet").is_none());
    let made = create_keys(&place.home).expect("made");
    assert_eq!(made.storage, KeyStorage::File);
    assert!(made.detail.contains("files that only you can read") && made.detail.contains("default home only"));
    let read = load_keys(&place.home).expect("readable").expect("there");
    assert!(same(&made, &read));
    assert_ne!(made.account.expose(), made.device.expose());
    assert!(matches!(create_keys(&place.home), Err(KeyError::Exist)));

    let text = fs::read_to_string(key_file(&place.home, "account")).expect("text");
    assert_eq!(text.lines().count(), 2);
    assert_eq!(from_hex(text.lines().nth(1).expect("hex")).expect("a key").expose(), made.account.expose());
    assert!(!format!("{made:?}").contains(text.lines().nth(1).expect("hex")), "never printed");
}

#[cfg(unix)]
#[test]
fn open_or_damaged_or_missing_files_are_errors_and_never_a_new_identity() {
    use std::os::unix::fs::PermissionsExt;

    let place = place();
    create_keys(&place.home).expect("made");
    let path = key_file(&place.home, "account");
    let good = fs::read(&path).expect("text");

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("rights");
    let said = load_keys(&place.home).expect_err("others can read it").to_string();
    assert!(said.contains("chmod 600"), "{said}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("rights");

    let longer = [&good[..], b"00\n"].concat();
    for bad in [&b""[..], b"# only a comment\n", &good[..good.len() - 3], &longer, b"\xff\xfe"] {
        fs::write(&path, bad).expect("written");
        assert!(matches!(load_keys(&place.home), Err(KeyError::Malformed(_))), "{bad:?}");
        assert!(create_keys(&place.home).is_err());
        assert_eq!(fs::read(&path).expect("untouched"), bad);
    }

    fs::remove_file(&path).expect("gone");
    assert!(matches!(load_keys(&place.home), Err(KeyError::Missing(_))));
    assert!(matches!(create_keys(&place.home), Err(KeyError::Exist)));
    fs::remove_file(place.home.keys_dir().join("storage")).expect("gone");
    assert!(matches!(load_keys(&place.home), Err(KeyError::Missing(_))), "a device without its account");
}

#[test]
fn keys_that_were_never_finished_or_restored_alone_are_completed() {
    let place = place();
    let made = create_keys(&place.home).expect("made");
    fs::remove_file(place.home.keys_dir().join("storage")).expect("gone");
    assert!(same(&made, &load_keys(&place.home).expect("readable").expect("both are there")));

    fs::remove_file(key_file(&place.home, "device")).expect("gone");
    assert!(load_keys(&place.home).expect("unfinished").is_none());
    let vault = Pretend::Keeps(RefCell::default());
    let completed = create(&place.home, Ok(&vault)).expect("completed");
    assert_eq!(completed.account.expose(), made.account.expose(), "the account is kept");
    assert_ne!(completed.device.expose(), made.device.expose());
    assert_eq!(completed.storage, KeyStorage::File);
}

#[test]
fn a_marker_of_another_version_is_an_error() {
    let place = place();
    create_private(&place.home.keys_dir().join("storage"), b"tpm\n").expect("written");
    assert!(matches!(load_keys(&place.home), Err(KeyError::Marker(_))));
    assert!(matches!(create_keys(&place.home), Err(KeyError::Marker(_))));
}

#[test]
fn the_keychain_keeps_both_keys_and_leaves_no_file() {
    let place = place();
    let vault = Pretend::Keeps(RefCell::default());
    let made = create(&place.home, Ok(&vault)).expect("made");
    assert_eq!((made.storage, made.detail.as_str()), (KeyStorage::Keychain, keychain::PLACE));
    let read = load(&place.home, &vault).expect("readable").expect("there");
    assert!(same(&made, &read) && read.storage == KeyStorage::Keychain);
    assert!(!key_file(&place.home, "account").exists() && !key_file(&place.home, "device").exists());
}

#[test]
fn a_keychain_that_is_locked_or_empty_later_is_an_error() {
    let place = place();
    let vault = Pretend::Keeps(RefCell::default());
    create(&place.home, Ok(&vault)).expect("made");
    match load(&place.home, &Pretend::Locked) {
        Err(KeyError::Keychain(reason)) => assert_eq!(reason, "it is locked"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(load(&place.home, &Pretend::Forgets), Err(KeyError::Lost)));
    assert!(matches!(create(&place.home, Ok(&Pretend::Locked)), Err(KeyError::Exist)));
    let strange = Pretend::Keeps(RefCell::new(Some("p2p-agent keys 2\n".to_owned())));
    assert!(matches!(load(&place.home, &strange), Err(KeyError::Malformed(_))));
}

#[test]
fn a_keychain_that_cannot_be_used_at_first_is_said_aloud_and_remembered() {
    for (vault, reason) in [(Pretend::Locked, "it is locked"), (Pretend::Forgets, "did not keep")] {
        let place = place();
        let made = create(&place.home, Ok(&vault)).expect("in files");
        assert_eq!(made.storage, KeyStorage::File);
        assert!(made.detail.contains("the keychain cannot be used") && made.detail.contains(reason), "{}", made.detail);
        let works_now = Pretend::Keeps(RefCell::default());
        let read = load(&place.home, &works_now).expect("readable").expect("there");
        assert!(same(&made, &read) && read.storage == KeyStorage::File);
    }
}

#[test]
fn keys_of_an_earlier_home_are_found_again_and_not_overwritten() {
    let vault = Pretend::Keeps(RefCell::default());
    let (first, second) = (place(), place());
    let made = create(&first.home, Ok(&vault)).expect("made");
    let found = create(&second.home, Ok(&vault)).expect("found");
    assert!(same(&made, &found) && found.detail.contains("already"));

    let strange = Pretend::Keeps(RefCell::new(Some("somebody else's".to_owned())));
    assert!(matches!(create(&place().home, Ok(&strange)), Err(KeyError::Malformed(_))));
    let Pretend::Keeps(kept) = strange else { unreachable!() };
    assert_eq!(kept.borrow().as_deref(), Some("somebody else's"));
}
