use rustix::net::SocketFlags;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener as Blocking;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run/control.sock");
    (folder, path)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").mode() & 0o777
}

#[tokio::test]
async fn bytes_go_both_ways_and_rights_are_tight() {
    let (_folder, path) = place();
    let listener = Listener::bind(&path).expect("nobody is there");
    assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
    let (near, far) = tokio::join!(connect(&path), listener.accept());
    let (mut near, mut far) = (near.expect("connected"), far.expect("accepted"));
    near.write_all(b"ping").await.expect("sent");
    let mut heard = [0; 4];
    far.read_exact(&mut heard).await.expect("heard");
    assert_eq!(&heard, b"ping");
    drop(listener);
    assert!(!path.exists(), "the socket goes with its listener");
}

#[tokio::test]
async fn a_live_socket_is_in_use_and_a_stale_one_replaced() {
    let (_folder, path) = place();
    let first = Listener::bind(&path).expect("nobody is there");
    assert!(matches!(Listener::bind(&path), Err(BindError::InUse(_))));
    connect(&path).await.expect("the first still listens");
    drop(first);

    drop(Blocking::bind(&path).expect("bound"));
    assert!(path.exists(), "what a killed process leaves behind");
    let error = connect(&path).await.expect_err("nobody answers");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    let second = Listener::bind(&path).expect("replaced");
    let (near, far) = tokio::join!(connect(&path), second.accept());
    assert!(near.is_ok() && far.is_ok());
}

#[tokio::test]
async fn a_listener_with_a_full_queue_is_in_use() {
    let (_folder, path) = place();
    fs::create_dir(path.parent().expect("a folder")).expect("made");
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let busy = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).expect("a socket");
    let address = SocketAddrUnix::new(&path).expect("short");
    rustix::net::bind(&busy, &address).expect("bound");
    rustix::net::listen(&busy, 0).expect("listening");
    let mut waiting = Vec::new();
    loop {
        let one = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).expect("a socket");
        match rustix::net::connect(&one, &address) {
            Ok(()) => waiting.push(one),
            Err(error) => break assert_eq!(error, Errno::AGAIN),
        }
    }
    assert!(matches!(Listener::bind(&path), Err(BindError::InUse(_))));
}

#[tokio::test]
async fn links_and_other_things_are_left_alone() {
    let (folder, path) = place();
    let target = folder.path().join("target");
    drop(Blocking::bind(&target).expect("bound"));
    fs::create_dir(path.parent().expect("a folder")).expect("made");
    symlink(&target, &path).expect("a link");
    assert!(matches!(Listener::bind(&path), Err(BindError::Io { .. })), "a link to a stale socket");
    assert!(target.exists());

    fs::remove_file(&path).expect("the link");
    fs::write(&path, b"precious").expect("a file");
    assert!(matches!(Listener::bind(&path), Err(BindError::Io { .. })));
    assert_eq!(fs::read(&path).expect("still there"), b"precious");

    let linked = folder.path().join("linked");
    symlink(folder.path(), &linked).expect("a link");
    assert!(Listener::bind(&linked.join("control.sock")).is_err(), "a folder that is a link");
}

#[tokio::test]
async fn a_dropped_listener_leaves_its_successor_alone() {
    let (_folder, path) = place();
    let first = Listener::bind(&path).expect("nobody is there");
    fs::remove_file(&path).expect("somebody cleaned up");
    let second = Listener::bind(&path).expect("free");
    drop(first);
    let (near, far) = tokio::join!(connect(&path), second.accept());
    assert!(near.is_ok() && far.is_ok());
}

/// Only the administrator can play somebody else; elsewhere there is nothing to try with.
#[tokio::test]
async fn what_belongs_to_another_user_is_neither_used_nor_touched() {
    if own_uid() != 0 {
        return;
    }
    let (folder, path) = place();
    let run = path.parent().expect("a folder");
    fs::create_dir(run).expect("made");
    drop(Blocking::bind(&path).expect("bound"));
    std::os::unix::fs::lchown(&path, Some(65534), None).expect("given away");
    assert!(matches!(Listener::bind(&path), Err(BindError::Foreign(_))), "a stale socket of somebody else");
    assert!(path.exists());

    fs::remove_file(&path).expect("gone");
    std::os::unix::fs::lchown(run, Some(65534), None).expect("given away");
    assert!(matches!(Listener::bind(&path), Err(BindError::Foreign(_))), "a folder of somebody else");

    let open = folder.path().join("open.sock");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("rights");
    let other = as_nobody("listen", &open);
    let error = loop {
        let error = connect(&open).await.expect_err("another user listens");
        if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) {
            break error;
        }
        // It does not listen yet.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    end(other);
}

#[tokio::test]
async fn a_stranger_at_the_door_is_sent_away_and_the_next_is_served() {
    if own_uid() != 0 {
        return;
    }
    let (folder, path) = place();
    let listener = Listener::bind(&path).expect("nobody is there");
    // As if the rights had failed.
    for open in [folder.path(), path.parent().expect("a folder"), &path] {
        fs::set_permissions(open, Permissions::from_mode(0o777)).expect("rights");
    }
    let mut stranger = as_nobody("connect", &path);
    let accepted = tokio::spawn(async move { listener.accept().await.expect("one of ours").peer_cred() });
    let outcome = tokio::task::spawn_blocking(move || stranger.wait()).await.expect("no panic").expect("it ended");
    assert!(outcome.success(), "the stranger was closed unread");
    assert!(!accepted.is_finished());
    let _ours = connect(&path).await.expect("connected");
    assert_eq!(accepted.await.expect("no panic").expect("known").uid(), 0);
}

fn as_nobody(what: &str, path: &Path) -> std::process::Child {
    use std::os::unix::process::CommandExt;
    let script = match what {
        "listen" => {
            "import socket,sys,time,os\ns=socket.socket(socket.AF_UNIX)\nos.umask(0)\ns.bind(sys.argv[1])\ns.listen()\ntime.sleep(60)"
        }
        // Ends well when the other end closes without a word.
        _ => "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\nsys.exit(len(s.recv(1)))",
    };
    let mut python = std::process::Command::new("python3");
    if what == "listen" {
        fs::set_permissions(path.parent().expect("a folder"), Permissions::from_mode(0o777)).expect("rights");
    }
    python.args(["-c", script]).arg(path).uid(65534).gid(65534).spawn().expect("python3 is there")
}

fn end(mut child: std::process::Child) {
    child.kill().expect("it ran");
    child.wait().expect("it ended");
}
