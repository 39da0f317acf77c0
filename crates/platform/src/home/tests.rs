use std::collections::BTreeMap;

use super::*;

fn resolve(flag: Option<&str>, env: &[(&'static str, &str)]) -> Result<Home, HomeError> {
    let env: BTreeMap<_, _> = env.iter().map(|(name, value)| (*name, OsString::from(value))).collect();
    Home::resolve_in(flag.map(PathBuf::from), |name| env.get(name).cloned())
}

#[test]
fn the_flag_comes_before_the_environment() {
    let env = [("P2P_AGENT_HOME", "/env"), ("HOME", "/home/a")];
    assert_eq!(resolve(Some("/flag"), &env), Ok(Home::at("/flag".into())));
    assert_eq!(resolve(None, &env), Ok(Home::at("/env".into())));
    assert!(!Home::at("/env".into()).is_default());
}

#[test]
fn an_empty_name_is_refused_and_a_relative_one_made_absolute() {
    assert_eq!(resolve(Some(""), &[]), Err(HomeError::Empty("--home")));
    assert_eq!(resolve(None, &[("P2P_AGENT_HOME", "")]), Err(HomeError::Empty("P2P_AGENT_HOME")));
    assert!(resolve(Some("there"), &[]).expect("a place").root().is_absolute());
}

#[cfg(target_os = "linux")]
#[test]
fn the_default_home_follows_the_xdg_rules() {
    let home = resolve(None, &[("HOME", "/home/a"), ("XDG_CONFIG_HOME", "relative"), ("XDG_DATA_HOME", "/data")]);
    let home = home.expect("a home");
    assert!(home.is_default());
    assert_eq!(home.root(), Path::new("/data/p2p-agent"));
    assert_eq!(home.config_file(), Path::new("/home/a/.config/p2p-agent/agent.yaml"));
    assert_eq!(home.log_dir(), Path::new("/home/a/.local/state/p2p-agent/log"));
    assert_eq!(home.socket(), Path::new("/data/p2p-agent/run/control.sock"));
    assert_eq!(resolve(None, &[]), Err(HomeError::NoUserFolder("HOME")));
}

#[cfg(unix)]
#[test]
fn a_deep_home_has_its_socket_in_a_short_place_of_its_own() {
    let deep = |name: &str| Home::at(format!("/{}/{name}", "deep/".repeat(30)).into());
    let (one, other) = (deep("one").socket(), deep("other").socket());
    for socket in [&one, &other] {
        assert!(socket.as_os_str().len() <= SOCKET_PATH_BYTES, "{}", socket.display());
        let folder = socket.parent().and_then(Path::file_name).expect("a folder").to_string_lossy();
        assert_eq!(folder, format!("p2p-agent-{}", rustix::process::geteuid().as_raw()));
    }
    assert_ne!(one, other);
    assert_eq!(one, deep("one").socket());
}

#[test]
fn a_home_is_a_folder_or_nothing_yet() {
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("file");
    fs::write(&file, "x").expect("written");
    for path in [file.clone(), file.join("below")] {
        // Where the system does not tell, the next step does.
        if cfg!(windows) && path != file {
            continue;
        }
        assert_eq!(Home::at(path.clone()).check(), Err(HomeError::NotAFolder(path)));
    }
    assert_eq!(Home::at(place.path().to_owned()).check(), Ok(()));
    assert_eq!(Home::at(place.path().join("not/there")).check(), Ok(()));
}

#[cfg(unix)]
#[test]
fn what_stands_in_place_of_a_folder_is_named() {
    use std::os::unix::fs::symlink;

    let place = tempfile::tempdir().expect("a folder");
    let root = place.path().join("home");
    symlink(place.path().join("nowhere"), &root).expect("a link");
    assert_eq!(Home::at(root.clone()).check(), Err(HomeError::NotAFolder(root.clone())));
    fs::remove_file(&root).expect("removed");

    let home = Home::at(root.clone());
    home.create().expect("folders");
    let data = root.join("data");
    fs::remove_dir(&data).expect("empty");
    symlink(place.path().join("nowhere"), &data).expect("a link");
    let said = home.create().expect_err("a link that leads nowhere").to_string();
    assert!(said.contains("home/data: it is a link that leads nowhere"), "{said}");
    fs::remove_file(&data).expect("removed");
    fs::write(&data, "x").expect("written");
    let said = home.create().expect_err("a file").to_string();
    assert!(said.contains("home/data: it is not a folder"), "{said}");
}

#[cfg(unix)]
#[test]
fn folders_are_for_their_owner_alone() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    let place = tempfile::tempdir().expect("a folder");
    let home = Home::at(place.path().join("deep/home"));
    home.create().expect("folders");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    for path in [home.root(), &home.keys_dir(), &home.log_dir(), home.database().parent().expect("a folder")] {
        assert_eq!(mode(path), 0o700, "{}", path.display());
    }

    fs::set_permissions(home.keys_dir(), Permissions::from_mode(0o755)).expect("rights");
    home.create().expect("again");
    assert_eq!(mode(&home.keys_dir()), 0o700);

    fs::remove_dir(home.keys_dir()).expect("empty");
    symlink(place.path(), home.keys_dir()).expect("a link");
    assert!(home.create().is_err(), "a link in place of a folder");
    assert_ne!(mode(place.path()), 0o777);
}
