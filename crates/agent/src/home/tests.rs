use super::*;

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("home"));
    (folder, home)
}

fn begin(home: &Home, network: InitNetwork) -> Result<InitReport, Problem> {
    init(home, InitOptions { network })
}

#[test]
fn a_home_is_made_once_and_keeps_its_identity() {
    let (_folder, home) = home();
    let report = begin(&home, InitNetwork::None).expect("a new home");
    assert_eq!(report.network, None);
    assert_eq!(begin(&home, InitNetwork::None).expect_err("twice").code, ErrorCode::AlreadyInitialized);
    assert_eq!(identity(&home).expect("keys").device_id, report.device_id);
    assert!(report.config_file.is_file());
}

#[test]
fn bad_papers_are_seen_before_anything_is_made() {
    let (folder, home) = home();
    let path = folder.path().join("not-a-network");
    std::fs::write(&path, "hello").expect("written");
    let refused = begin(&home, InitNetwork::File(path)).expect_err("no network file");
    assert_eq!(refused.code, ErrorCode::NetworkFileInvalid);
    let refused = begin(&home, InitNetwork::Invite("p2p-agent://invite/xyz".into())).expect_err("no invite");
    assert_eq!(refused.code, ErrorCode::InviteInvalid);
    let refused = begin(&home, InitNetwork::New { name: "a\nb".into() }).expect_err("no name");
    assert_eq!(refused.code, ErrorCode::BadRequest);
    assert!(!home.root().exists());
}

#[test]
fn a_damaged_network_file_can_be_left() {
    let (_folder, home) = home();
    begin(&home, InitNetwork::New { name: "home".into() }).expect("a new home");
    write(&home.network_file(), b"damaged").expect("written");
    assert_eq!(network(&home).expect_err("damaged").code, ErrorCode::NetworkFileInvalid);
    leave_network(&home).expect("left");
    assert_eq!(network(&home).expect("readable"), None);
}

#[test]
fn a_network_is_founded_shown_left_and_not_founded_twice() {
    let (_folder, home) = home();
    let report = begin(&home, InitNetwork::New { name: "home".into() }).expect("a new home");
    let details = network(&home).expect("readable").expect("in a network");
    assert_eq!(report.network.map(|network| network.id), Some(details.id));
    assert_eq!(details.committee, [report.device_id]);
    let request = CreateNetwork { name: "x".into(), kind: p2p_control::api::NetworkKind::Local, members_trusted: None };
    assert_eq!(create_network(&home, request).expect_err("in one").code, ErrorCode::InNetwork);
    leave_network(&home).expect("left");
    assert_eq!(leave_network(&home).expect_err("gone").code, ErrorCode::NoNetwork);
}

#[test]
fn others_join_by_file_or_by_invite() {
    let (folder, founder) = home();
    begin(&founder, InitNetwork::New { name: "home".into() }).expect("a new home");
    let details = network(&founder).expect("readable").expect("in a network");

    let path = folder.path().join("home.p2pnet");
    std::fs::write(&path, BASE64.decode(&details.file).expect("base64")).expect("written");
    let second = Home::at(folder.path().join("second"));
    let report = begin(&second, InitNetwork::File(path)).expect("joined by file");
    assert_eq!(report.network.map(|network| network.id), Some(details.id));

    let third = Home::at(folder.path().join("third"));
    let keys = require_keys(&founder).expect("keys");
    let link = invite_with(&founder, &keys, vec!["/ip4/127.0.0.1/tcp/1".into()]).expect("an invite").link;
    begin(&third, InitNetwork::Invite(link)).expect("joined by invite");
    assert_eq!(invited_to(&third).expect("readable"), ["/ip4/127.0.0.1/tcp/1"]);
}

#[test]
fn a_closed_network_lets_in_by_invite_of_its_founder_only() {
    let (folder, founder) = home();
    begin(&founder, InitNetwork::None).expect("a new home");
    let request =
        CreateNetwork { name: "team".into(), kind: p2p_control::api::NetworkKind::Closed, members_trusted: None };
    let details = create_network(&founder, request).expect("founded");

    let guest = Home::at(folder.path().join("guest"));
    begin(&guest, InitNetwork::None).expect("a new home");
    let by_file = JoinNetwork { file: Some(details.file), invite: None };
    assert_eq!(join_network(&guest, by_file).expect_err("closed").code, ErrorCode::InviteInvalid);
    let link = invite(&founder).expect("an invite").link;
    join_network(&guest, JoinNetwork { invite: Some(link), file: None }).expect("invited");

    let account = identity(&guest).expect("keys").account_id;
    let network = load_network(&guest).expect("readable").expect("in a network");
    let shown = load_membership(&guest).expect("readable");
    let admitted = p2p_protocol::check_membership(&shown, &any_verifier(), &network, account);
    assert_eq!(admitted, Ok(p2p_protocol::Admitted::Invited));
    assert_eq!(invite(&guest).expect_err("not the founder").code, ErrorCode::NotFounder);
}
