use std::fs::OpenOptions;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};

use rustix::fs::OFlags;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[test]
fn what_is_written_is_private_whole_and_alone() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("secret");
    write_private(&path, b"one").expect("written");
    write_private(&path, b"two").expect("written again");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(read_private(&path, 3).expect("ours"), b"two");
    let names: Vec<_> = fs::read_dir(place.path()).expect("a folder").collect();
    assert_eq!(names.len(), 1, "nothing temporary stays: {names:?}");
}

#[test]
fn a_new_file_is_never_in_place_of_another() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("secret");
    create_private(&path, b"one").expect("nothing is there");
    let again = create_private(&path, b"two").expect_err("something is there");
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(read_private(&path, 100).expect("ours"), b"one");

    let dangling = place.path().join("dangling");
    symlink(place.path().join("nowhere"), &dangling).expect("a link");
    assert!(create_private(&dangling, b"two").is_err());
    assert_eq!(fs::read_dir(place.path()).expect("a folder").count(), 2);
}

#[test]
fn writing_replaces_a_link_and_not_what_it_points_to() {
    let place = tempfile::tempdir().expect("a folder");
    let (path, target) = (place.path().join("token"), place.path().join("target"));
    fs::write(&target, b"precious").expect("written");
    symlink(&target, &path).expect("a link");
    write_private(&path, b"new").expect("written");
    assert_eq!(fs::read(&target).expect("still there"), b"precious");
    assert_eq!(read_private(&path, 100).expect("a plain file"), b"new");
}

#[test]
fn what_others_can_read_or_a_link_leads_to_is_refused() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("secret");
    assert!(matches!(read_private(&path, 100), Err(FileError::Missing(_))));
    write_private(&path, b"one").expect("written");

    let link = place.path().join("link");
    symlink(&path, &link).expect("a link");
    assert!(matches!(read_private(&link, 100), Err(FileError::NotAFile(_))));
    assert!(matches!(read_private(place.path(), 100), Err(FileError::NotAFile(_))));
    assert!(matches!(read_private(&path, 2), Err(FileError::TooLong { limit: 2, .. })));

    for open in [0o640, 0o604, 0o622] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).expect("rights");
        let said = read_private(&path, 100).expect_err("others may touch it").to_string();
        assert!(said.contains(&format!("chmod 600 {}", path.display())), "{said}");
    }
}

fn make_pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg("-m600").arg(path).status().expect("mkfifo is there");
    assert!(made.success());
}

#[test]
fn a_pipe_in_place_of_a_file_does_not_hang() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("secret");
    make_pipe(&path);
    assert!(matches!(read_private(&path, 100), Err(FileError::NotAFile(_))));
    assert!(matches!(read_plain(&path, 100), Err(FileError::Special(_))));
    assert!(matches!(read_end(&path, 100), Err(FileError::Special(_))));
    assert!(matches!(append_private(&path), Err(FileError::Special(_))), "nobody reads it");
    let reader = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(&path);
    assert!(reader.is_ok() && matches!(append_private(&path), Err(FileError::NotAFile(_))), "somebody reads it");
}

#[test]
fn a_device_behind_a_link_is_not_read_and_a_file_is() {
    let place = tempfile::tempdir().expect("a folder");
    let (path, target) = (place.path().join("settings"), place.path().join("target"));
    symlink("/dev/zero", &path).expect("a link");
    assert!(matches!(read_plain(&path, 100), Err(FileError::Special(_))));
    assert!(matches!(read_end(&path, 100), Err(FileError::Special(_))));
    assert!(matches!(read_plain(place.path(), 100), Err(FileError::Special(_))));
    assert!(matches!(read_plain(&target, 100), Err(FileError::Missing(_))));

    fs::remove_file(&path).expect("removed");
    fs::write(&target, b"0123456789").expect("written");
    symlink(&target, &path).expect("a link");
    assert_eq!(read_plain(&path, 10).expect("a plain file"), b"0123456789");
    assert!(matches!(read_plain(&path, 9), Err(FileError::TooLong { limit: 9, .. })));
    assert_eq!(read_end(&path, 3).expect("a plain file"), b"789");
    assert_eq!(read_end(&path, 100).expect("a plain file"), b"0123456789");
}

#[test]
fn appending_makes_a_private_file_and_touches_nothing_behind_a_link() {
    let place = tempfile::tempdir().expect("a folder");
    let (path, target, link) = (place.path().join("log"), place.path().join("target"), place.path().join("link"));
    for line in ["one\n", "two\n"] {
        append_private(&path).expect("ours").write_all(line.as_bytes()).expect("written");
    }
    assert_eq!((fs::read(&path).expect("there"), mode(&path)), (b"one\ntwo\n".to_vec(), 0o600));

    symlink(&target, &link).expect("a link to nothing");
    assert!(matches!(append_private(&link), Err(FileError::NotAFile(_))));
    assert!(!target.exists(), "nothing is made behind a link");
    fs::write(&target, b"precious").expect("written");
    assert!(matches!(append_private(&link), Err(FileError::NotAFile(_))));
    assert_eq!(fs::read(&target).expect("still there"), b"precious");
    assert!(matches!(append_private(place.path()), Err(FileError::Special(_))));
}
