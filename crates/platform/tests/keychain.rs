//! The keychain of a desktop session: a real bus, a real gnome-keyring, started for this test alone.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use p2p_platform::{Home, KeyError, KeyStorage, create_keys, load_keys};

/// Starts the keyring unlocked (with the password `x`), then goes through the steps; the last
/// one with a keyring that nobody unlocks.
const SESSION: &str = r#"
set -e
printf x | gnome-keyring-daemon --unlock --components=secrets >/dev/null
"$P2P_TEST_EXE" --exact create --ignored --nocapture
"$P2P_TEST_EXE" --exact find_again --ignored --nocapture
gdbus call --session --dest org.freedesktop.secrets --object-path /org/freedesktop/secrets \
    --method org.freedesktop.Secret.Service.Lock "['/org/freedesktop/secrets/collection/login']" >/dev/null
"$P2P_TEST_EXE" --exact locked --ignored --nocapture
"#;

#[test]
fn the_default_home_of_a_session_keeps_its_keys_in_the_keychain() {
    let place = tempfile::tempdir().expect("a folder");
    let outcome = in_session(place.path(), SESSION);
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned() + &String::from_utf8_lossy(&outcome.stderr);
    assert!(outcome.status.success(), "{said}");
    assert_eq!(said.matches("1 passed").count(), 3, "{said}");

    let keys = place.path().join("data/p2p-agent/keys");
    let names: Vec<_> =
        fs::read_dir(&keys).expect("a folder").map(|entry| entry.expect("readable").file_name()).collect();
    assert_eq!(names, ["storage"], "no key is in a file");
    assert_eq!(fs::read_to_string(keys.join("storage")).expect("text"), "keychain\n");
    let secret = fs::read_to_string(place.path().join("secret")).expect("the steps leave it to compare");
    assert!(!said.contains(secret.trim()), "a key was printed");
}

fn in_session(place: &Path, script: &str) -> Output {
    for tool in ["dbus-run-session", "gnome-keyring-daemon", "gdbus"] {
        let found = Command::new("sh").args(["-c", "command -v \"$1\"", "sh", tool]).output().expect("a shell");
        assert!(
            found.status.success(),
            "{tool} is missing - the keychain is tried for real - run `apt-get install dbus gnome-keyring libglib2.0-bin`"
        );
    }
    let run = place.join("run");
    fs::create_dir(&run).expect("made");
    Command::new("dbus-run-session")
        .args(["--", "sh", "-c", script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .env("HOME", place)
        .env("XDG_DATA_HOME", place.join("data"))
        .env("XDG_RUNTIME_DIR", run)
        .env("DISPLAY", ":p2p-test")
        .env("P2P_TEST_EXE", std::env::current_exe().expect("a test has a program"))
        .env("P2P_TEST_SECRET", place.join("secret"))
        .output()
        .expect("a session")
}

fn home() -> Home {
    let home = Home::resolve(None).expect("a default home");
    assert!(home.is_default());
    home.create().expect("folders");
    home
}

fn secret_file() -> std::ffi::OsString {
    std::env::var_os("P2P_TEST_SECRET").expect("run by the test above")
}

fn account_in_hex(keys: &p2p_platform::Keys) -> String {
    keys.account.expose().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
#[ignore = "only as a step of the test above"]
fn create() {
    let home = home();
    assert!(load_keys(&home).expect("no keys yet").is_none());
    let keys = create_keys(&home).expect("made");
    assert_eq!(keys.storage, KeyStorage::Keychain, "{}", keys.detail);
    fs::write(secret_file(), account_in_hex(&keys)).expect("written");
}

#[tokio::test]
#[ignore = "only as a step of the test above"]
async fn find_again() {
    // Inside a runtime, as the daemon may call it.
    let keys = load_keys(&home()).expect("readable").expect("there");
    assert_eq!(keys.storage, KeyStorage::Keychain);
    assert_eq!(account_in_hex(&keys), fs::read_to_string(secret_file()).expect("text"));
}

#[test]
#[ignore = "only as a step of the test above"]
fn locked() {
    match load_keys(&home()) {
        Err(KeyError::Keychain(reason)) => println!("refused: {reason}"),
        other => panic!("{:?}", other.map(|keys| keys.map(|keys| keys.detail))),
    }
    assert!(matches!(create_keys(&home()), Err(KeyError::Exist)));
}
