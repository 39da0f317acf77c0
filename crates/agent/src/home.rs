//! What a home holds before and beside a running daemon: keys, the network it belongs to, and the
//! papers that let it in. Everything here works with the daemon off.

mod identity;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use p2p_control::api::{
    CreateNetwork, ErrorCode, Invite, JoinNetwork, KeyStorage, NetworkDetails, NetworkSummary, Problem,
};
use p2p_platform::file::{FileError, read_private, write_private};
use p2p_platform::{Home, Keys, create_keys, load_keys, random_bytes};
use p2p_protocol::{
    Charter, InviteLink, Network, NetworkError, NetworkKind, found_network, make_admission, make_membership,
};
use p2p_types::{AccountId, DeviceId, Ed25519, Scheme as _, SecretKey};

use crate::wallet::issuer_of;
use crate::{config, view};

pub use identity::{ImportedIdentity, check_passphrase, export_identity, identity, import_identity, ready_to_import};
pub(crate) use identity::{certificate, identity_of};

/// How long an invite can be used.
const INVITE_LIFE_MS: u64 = 7 * 24 * 3600 * 1000;
/// Most bytes of a file in the home.
const FILE_BYTES: usize = 64 * 1024;

/// Which network a new home begins in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InitNetwork {
    /// In none: own work runs here.
    None,
    /// In a new one, of which this node is the first.
    New { name: String },
    /// In the one that this signed network file describes.
    File(PathBuf),
    /// In the one that this invite link leads to.
    Invite(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitOptions {
    pub network: InitNetwork,
}

/// What a new home has.
#[derive(Debug, Clone)]
pub struct InitReport {
    pub device_id: DeviceId,
    pub account_id: AccountId,
    pub keys: KeyStorage,
    /// Where the keys are, and why there.
    pub keys_detail: String,
    pub network: Option<NetworkSummary>,
    pub config_file: PathBuf,
}

/// Makes a home: folders, keys, configuration, and the network it begins in.
///
/// # Errors
/// [`ErrorCode::AlreadyInitialized`] where there are keys; otherwise whatever cannot be made.
pub fn init(home: &Home, options: InitOptions) -> Result<InitReport, Problem> {
    // What was asked for is checked before anything is made.
    let join = match &options.network {
        InitNetwork::None | InitNetwork::New { .. } => None,
        InitNetwork::File(path) => {
            let bytes = read_bounded(path)
                .map_err(|error| Problem::new(ErrorCode::NetworkFileInvalid, format!("{}: {error}", path.display())))?;
            Some(JoinNetwork { file: Some(BASE64.encode(bytes)), invite: None })
        }
        InitNetwork::Invite(link) => Some(JoinNetwork { invite: Some(link.clone()), file: None }),
    };
    if let Some(join) = &join {
        read_join(join)?;
    }
    if let InitNetwork::New { name } = &options.network {
        check_name(name)?;
    }
    home.create().map_err(|error| unusable(home.root(), &error.to_string()))?;
    if keys(home)?.is_some() {
        let why = format!("{} holds the keys of a node", home.root().display());
        return Err(Problem::new(ErrorCode::AlreadyInitialized, why));
    }
    let keys = create_keys(home).map_err(|error| Problem::new(ErrorCode::Keys, error.to_string()))?;
    let config_file = home.config_file();
    if !config_file.exists() {
        write(&config_file, config::template(home).as_bytes())?;
    }
    let network = match (options.network, join) {
        (InitNetwork::New { name }, _) => {
            let request = CreateNetwork { name, kind: p2p_control::api::NetworkKind::Open, members_trusted: None };
            Some(create_network(home, request)?)
        }
        (_, Some(join)) => Some(join_network(home, join)?),
        _ => None,
    };
    let (account, device) = (Ed25519::new(&keys.account), Ed25519::new(&keys.device));
    Ok(InitReport {
        device_id: DeviceId(device.public_key()),
        account_id: AccountId(account.public_key()),
        keys: view::key_storage(keys.storage),
        keys_detail: keys.detail,
        network: network.map(|network| NetworkSummary { id: network.id, name: network.name, kind: network.kind }),
        config_file,
    })
}

/// The network this home belongs to, if any.
///
/// # Errors
/// When its file cannot be read.
pub fn network(home: &Home) -> Result<Option<NetworkDetails>, Problem> {
    Ok(load_network(home)?.map(|network| view::network_details(&network)))
}

/// Founds a network and joins it.
///
/// # Errors
/// When this home has no node, or is in a network.
pub fn create_network(home: &Home, request: CreateNetwork) -> Result<NetworkDetails, Problem> {
    create_network_with(home, &require_keys(home)?, request)
}

/// The same for a daemon, which has the keys already: a keychain may keep its askers waiting.
pub(crate) fn create_network_with(home: &Home, keys: &Keys, request: CreateNetwork) -> Result<NetworkDetails, Problem> {
    refuse_second(home)?;
    let kind = match request.kind {
        p2p_control::api::NetworkKind::Open => NetworkKind::Open,
        p2p_control::api::NetworkKind::Closed => NetworkKind::Closed,
        p2p_control::api::NetworkKind::Local => NetworkKind::Local,
    };
    let members_trusted = request.members_trusted.unwrap_or(kind == NetworkKind::Local);
    let (account, device) = (Ed25519::new(&keys.account), Ed25519::new(&keys.device));
    let charter = Charter {
        name: request.name.trim().to_owned(),
        kind,
        members_trusted,
        // Strangers are paid. People who know each other help each other also without.
        unpaid: kind != NetworkKind::Open,
        notary: DeviceId(device.public_key()),
        issuer: issuer_of(&keys.account),
        nonce: random_bytes(),
    };
    let network = found_network(&account, &charter, p2p_platform::now()).map_err(bad_name)?;
    write(&home.network_file(), &network.signed)?;
    Ok(view::network_details(&network))
}

/// Joins a network by its file or by an invite.
///
/// # Errors
/// When this home has no node, is in a network, or the papers are not in order.
pub fn join_network(home: &Home, request: JoinNetwork) -> Result<NetworkDetails, Problem> {
    join_network_with(home, &require_keys(home)?, request)
}

/// The same for a daemon.
pub(crate) fn join_network_with(home: &Home, keys: &Keys, request: JoinNetwork) -> Result<NetworkDetails, Problem> {
    refuse_second(home)?;
    let way_in = read_join(&request)?;
    let network = way_in.network;
    if let Some((admission, secret)) = way_in.admission {
        let account = AccountId(Ed25519::new(&keys.account).public_key());
        let admitted = Ed25519::new(&secret);
        let membership = make_membership(&admitted, &network.id, account, admission, p2p_platform::now());
        write(&membership_file(home), &membership)?;
    }
    write(&addresses_file(home), way_in.addresses.join("\n").as_bytes())?;
    write(&home.network_file(), &network.signed)?;
    Ok(view::network_details(&network))
}

/// Leaves the network. Keys, settings and history stay.
///
/// # Errors
/// [`ErrorCode::NoNetwork`] where there is none.
pub fn leave_network(home: &Home) -> Result<(), Problem> {
    // A file that cannot be read is left like any other: it would be in the way for ever.
    if std::fs::symlink_metadata(home.network_file()).is_err() {
        return Err(Problem::new(ErrorCode::NoNetwork, "there is none to leave"));
    }
    for path in [home.network_file(), membership_file(home), addresses_file(home)] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Problem::new(ErrorCode::Storage, format!("{}: {error}", path.display())));
            }
            _ => {}
        }
    }
    Ok(())
}

/// An invite without addresses of this node, which is off. It leads to the network's bootstrap nodes.
///
/// # Errors
/// As [`invite_with`].
pub fn invite(home: &Home) -> Result<Invite, Problem> {
    invite_with(home, &require_keys(home)?, Vec::new())
}

/// An invite that says where this node can be reached.
///
/// # Errors
/// Where there is no network; in a closed one, where this node is not its founder's.
pub(crate) fn invite_with(home: &Home, keys: &Keys, mut addresses: Vec<String>) -> Result<Invite, Problem> {
    let network =
        load_network(home)?.ok_or_else(|| Problem::new(ErrorCode::NoNetwork, "there is nothing to invite to"))?;
    addresses.extend(network.bootstrap.iter().cloned());
    let expires = p2p_platform::now().plus_ms(INVITE_LIFE_MS);
    let account = Ed25519::new(&keys.account);
    let admission = match network.kind {
        NetworkKind::Open | NetworkKind::Local => None,
        NetworkKind::Closed if account.public_key() == network.founder.0 => {
            let secret = SecretKey::new(random_bytes());
            let key = Ed25519::new(&secret).public_key();
            Some((make_admission(&account, &network.id, key, expires), secret))
        }
        NetworkKind::Closed => {
            return Err(Problem::new(ErrorCode::NotFounder, "invites to a closed network are its founder's to give"));
        }
    };
    let link = InviteLink { network, addresses, expires, admission }.to_text(&Ed25519::new(&keys.device));
    Ok(Invite { link, expires_ms: expires.0 })
}

pub(crate) fn require_keys(home: &Home) -> Result<Keys, Problem> {
    let missing = || Problem::new(ErrorCode::NotInitialized, format!("{} holds no keys", home.root().display()));
    keys(home)?.ok_or_else(missing)
}

fn keys(home: &Home) -> Result<Option<Keys>, Problem> {
    load_keys(home).map_err(|error| Problem::new(ErrorCode::Keys, error.to_string()))
}

pub(crate) fn load_network(home: &Home) -> Result<Option<Network>, Problem> {
    let path = home.network_file();
    let Some(bytes) = read(&path)? else { return Ok(None) };
    let network = Network::from_bytes(&bytes, &any_verifier());
    network.map(Some).map_err(|error| {
        Problem::new(ErrorCode::NetworkFileInvalid, format!("{}: {error}", path.display()))
            .with_hint("Leave with `p2p-agent network leave`, then join again")
    })
}

/// In a closed network: the signed membership, else nothing.
pub(crate) fn load_membership(home: &Home) -> Result<Vec<u8>, Problem> {
    Ok(read(&membership_file(home))?.unwrap_or_default())
}

/// Whether the nodes that this home remembers are of another network than this. Remembers that
/// they are of this one from now on.
pub(crate) fn is_new_to(home: &Home, network: &Network) -> Result<bool, Problem> {
    let path = home.root().join("data").join("peers.network");
    let of = network.id.to_string();
    if read(&path)?.as_deref() == Some(of.as_bytes()) {
        return Ok(false);
    }
    write(&path, of.as_bytes())?;
    Ok(true)
}

/// Where the invite that this home joined by said to knock.
pub(crate) fn invited_to(home: &Home) -> Result<Vec<String>, Problem> {
    let bytes = read(&addresses_file(home))?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).lines().filter(|line| line.starts_with('/')).map(str::to_owned).collect())
}

/// A way into a network, whichever paper it was on.
#[derive(Debug)]
struct WayIn {
    network: Network,
    addresses: Vec<String>,
    admission: Option<(Vec<u8>, SecretKey)>,
}

fn read_join(request: &JoinNetwork) -> Result<WayIn, Problem> {
    match (&request.invite, &request.file) {
        (Some(link), None) => {
            let link = InviteLink::from_text(link, &any_verifier(), p2p_platform::now())
                .map_err(|error| Problem::new(ErrorCode::InviteInvalid, error.to_string()))?;
            Ok(WayIn { network: link.network, addresses: link.addresses, admission: link.admission })
        }
        (None, Some(file)) => {
            let invalid = |why: String| Problem::new(ErrorCode::NetworkFileInvalid, why);
            let bytes = BASE64.decode(file).map_err(|_| invalid("it is not base64".to_owned()))?;
            let network = Network::from_bytes(&bytes, &any_verifier())
                .map_err(|error: NetworkError| invalid(error.to_string()))?;
            if network.kind == NetworkKind::Closed {
                let why = "this network is closed; its file alone does not let anybody in";
                return Err(Problem::new(ErrorCode::InviteInvalid, why).with_hint("Ask its founder for an invite link"));
            }
            Ok(WayIn { network, addresses: Vec::new(), admission: None })
        }
        _ => Err(Problem::new(ErrorCode::BadRequest, "give either an invite or a file")),
    }
}

/// Whether a network may be called so: found out by founding one that nobody keeps.
fn check_name(name: &str) -> Result<(), Problem> {
    let nobody = DeviceId(any_verifier().public_key());
    let charter = Charter {
        name: name.trim().to_owned(),
        kind: NetworkKind::Open,
        members_trusted: false,
        unpaid: false,
        notary: nobody,
        issuer: AccountId(nobody.0),
        nonce: [0; 32],
    };
    let tried = found_network(&any_verifier(), &charter, p2p_platform::now());
    tried.map(drop).map_err(bad_name)
}

fn bad_name(error: NetworkError) -> Problem {
    Problem::new(ErrorCode::BadRequest, error.to_string()).with_hint("Choose another name")
}

/// A file that somebody named, as far as it can be a network file.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(FILE_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn refuse_second(home: &Home) -> Result<(), Problem> {
    match load_network(home)? {
        Some(network) => Err(Problem::new(ErrorCode::InNetwork, format!("it is in {:?}", network.name))),
        None => Ok(()),
    }
}

/// Verifying needs no secret; the trait's only real implementation has one.
fn any_verifier() -> Ed25519 {
    Ed25519::new(&SecretKey::new([1; 32]))
}

fn membership_file(home: &Home) -> PathBuf {
    home.root().join("membership")
}

fn addresses_file(home: &Home) -> PathBuf {
    home.root().join("network.addresses")
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Problem> {
    match read_private(path, FILE_BYTES) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(FileError::Missing(_)) => Ok(None),
        Err(error) => Err(Problem::new(ErrorCode::HomeUnusable, error.to_string())),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    write_private(path, bytes).map_err(|error| Problem::new(ErrorCode::Storage, format!("{}: {error}", path.display())))
}

fn unusable(path: &Path, why: &str) -> Problem {
    Problem::new(ErrorCode::HomeUnusable, format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests;
