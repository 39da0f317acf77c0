use p2p_control::api::{CreateNetwork, JoinNetwork, NetworkKind};

use super::*;
use crate::home::{InitNetwork, InitOptions, create_network, init, invite, join_network, leave_network};

const PASSPHRASE: &str = "four words of no kind";

struct Place {
    _folder: tempfile::TempDir,
    home: Home,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("home"));
    init(&home, InitOptions { network: InitNetwork::None }).expect("a new home");
    Place { _folder: folder, home }
}

fn found(home: &Home, kind: NetworkKind) {
    let request = CreateNetwork { name: "office".into(), kind, members_trusted: None };
    create_network(home, request).expect("founded");
}

fn import(home: &Home, file: &[u8]) -> Result<ImportedIdentity, Problem> {
    import_identity(home, file, PASSPHRASE)
}

#[test]
fn an_account_comes_to_a_second_home_whose_device_stays() {
    let (first, second) = (place(), place());
    let owner = identity(&first.home).expect("keys");
    let before = identity(&second.home).expect("keys");
    let file = export_identity(&first.home, PASSPHRASE).expect("exported");

    let imported = import(&second.home, &file).expect("imported");
    assert_eq!(imported.before, before.account_id);
    let kept = imported.kept.expect("the former key is kept");
    assert!(kept.contains("account.before-"), "{kept}");
    let after = identity(&second.home).expect("keys");
    assert_eq!((after.account_id, after.device_id), (owner.account_id, before.device_id));
    assert_eq!((imported.identity.account_id, imported.identity.device_id), (after.account_id, after.device_id));
    assert_ne!(after.certificate, before.certificate, "the account vouches for this device now");

    let again = import(&second.home, &file).expect("nothing to do");
    assert!(again.kept.is_none() && again.before == owner.account_id);
    let names = std::fs::read_dir(second.home.keys_dir()).expect("readable");
    assert_eq!(names.count(), 4, "both keys, the marker, and one former key");
}

#[test]
fn what_is_wrong_has_its_own_sentence_and_changes_nothing() {
    let (first, second) = (place(), place());
    let before = identity(&second.home).expect("keys").account_id;
    let file = export_identity(&first.home, PASSPHRASE).expect("exported");
    let mut damaged = file.clone();
    damaged[60] = if damaged[60] == b'A' { b'B' } else { b'A' };
    let mut said = Vec::new();
    for (file, passphrase) in [
        (&file[..], "another passphrase"),
        (&file[..file.len() / 2], PASSPHRASE),
        (&damaged, PASSPHRASE),
        (b"hello", PASSPHRASE),
    ] {
        let refused = import_identity(&second.home, file, passphrase).expect_err("refused");
        assert_eq!(refused.code, ErrorCode::Keys);
        said.push(refused.to_string());
    }
    let mut different = said.clone();
    different.dedup();
    assert_eq!(different.len(), 4, "{said:#?}");
    assert_eq!(identity(&second.home).expect("keys").account_id, before);
    assert_eq!(std::fs::read_dir(second.home.keys_dir()).expect("readable").count(), 3);
}

#[test]
fn a_short_passphrase_closes_nothing() {
    let place = place();
    // Characters count, not bytes.
    for short in ["", "elevenchars", "ééééééééééé"] {
        let refused = export_identity(&place.home, short).expect_err("too short");
        assert!(refused.title.contains("too short") && refused.detail.contains("12"), "{refused}");
    }
    assert_eq!(check_passphrase("twelve chars"), Ok(()));
}

#[test]
fn a_home_with_a_daemon_or_without_a_node_imports_nothing() {
    let place = place();
    let file = export_identity(&place.home, PASSPHRASE).expect("exported");
    let daemon = HomeLock::acquire(&place.home).expect("nobody has it");
    for refused in
        [ready_to_import(&place.home).expect_err("it runs"), import(&place.home, &file).expect_err("it runs")]
    {
        assert_eq!(refused.code, ErrorCode::AlreadyRunning);
        assert!(refused.hint.contains("p2p-agent down"), "{refused}");
    }
    export_identity(&place.home, PASSPHRASE).expect("a daemon is in no export's way");
    drop(daemon);
    assert_eq!(ready_to_import(&place.home), Ok(()));

    let nowhere = Home::at(place.home.root().join("nowhere"));
    assert_eq!(import(&nowhere, &file).expect_err("no node").code, ErrorCode::NotInitialized);
    assert!(!nowhere.root().exists(), "asking makes no home");
}

#[test]
fn open_and_local_networks_do_not_mind() {
    for kind in [NetworkKind::Open, NetworkKind::Local] {
        let (first, second) = (place(), place());
        found(&second.home, kind);
        import(&second.home, &export_identity(&first.home, PASSPHRASE).expect("exported")).expect("imported");
        assert!(load_network(&second.home).expect("readable").is_some(), "it is in the network as before");
    }
}

#[test]
fn a_closed_network_lets_in_its_founder_and_nobody_unknown() {
    let (founder, guest, stranger) = (place(), place(), place());
    found(&founder.home, NetworkKind::Closed);
    let link = invite(&founder.home).expect("an invite").link;
    join_network(&guest.home, JoinNetwork { invite: Some(link), file: None }).expect("invited");

    let file = export_identity(&stranger.home, PASSPHRASE).expect("exported");
    for home in [&guest.home, &founder.home] {
        let before = identity(home).expect("keys").account_id;
        let refused = import(home, &file).expect_err("shut out");
        assert_eq!(refused.code, ErrorCode::InNetwork);
        assert!(refused.detail.contains("office") && refused.hint.contains("new invite"), "{refused}");
        assert_eq!(identity(home).expect("keys").account_id, before);
    }
    leave_network(&guest.home).expect("left");
    import(&guest.home, &file).expect("imported");

    let second = place();
    let link = invite(&founder.home).expect("an invite").link;
    join_network(&second.home, JoinNetwork { invite: Some(link), file: None }).expect("invited");
    let file = export_identity(&founder.home, PASSPHRASE).expect("exported");
    import(&second.home, &file).expect("the founder is let in anywhere");
    invite(&second.home).expect("and invites from there");
}
