use super::*;

fn doors_closed() -> (Server, mpsc::Receiver<Call>) {
    let (calls, received) = mpsc::channel(1);
    (Server::new(calls, LogSource::new(), None), received)
}

#[tokio::test]
async fn the_dashboards_address_is_told_without_its_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("home"));
    home.create().expect("folders");
    let mut config = crate::config::load(&home, None).expect("defaults");
    (config.dashboard.enabled, config.dashboard.port) = (true, 0);
    let (server, _calls) = doors_closed();
    let mut warnings = Vec::new();
    let address = open_doors(&server, &home, &config, &mut warnings).await.expect("opened").expect("an address");
    let port = address.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.strip_suffix('/'));
    assert!(port.is_some_and(|port| port.parse::<u16>().is_ok()), "{address}");
    let token = p2p_platform::file::read_private(&home.token_file(), 1024).expect("for the owner alone");
    assert_eq!(token.len(), 64);
    let token = String::from_utf8(token).expect("text");
    assert!(!format!("{address}{warnings:?}").contains(&token));
}

#[tokio::test]
async fn a_door_that_nobody_asked_for_stays_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("home"));
    let config = crate::config::load(&home, None).expect("defaults");
    let (server, _calls) = doors_closed();
    let mut warnings = Vec::new();
    assert_eq!(open_doors(&server, &home, &config, &mut warnings).await, Ok(None));
    assert!(warnings.is_empty() && !home.token_file().exists());
}
