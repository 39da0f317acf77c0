//! Who a node is, and its account on the way to another computer of the same owner.
//!
//! The account's key travels, closed with a passphrase; the key of a device never does. Where an
//! account has come, each start makes the certificate that binds the device there to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use p2p_control::api::{ErrorCode, Identity, Problem};
use p2p_platform::{Home, HomeLock, Keys, LockError, SealError, now, open_account, replace_account, seal_account};
use p2p_protocol::check_membership;
use p2p_types::{AccountId, DeviceId, Ed25519, Scheme as _, SecretKey};

use super::{any_verifier, load_membership, load_network, require_keys, unusable};
use crate::view;

/// The shortest passphrase. The file may be copied, and guessed at for years.
const PASSPHRASE_CHARACTERS: usize = 12;

/// Who this node is.
///
/// # Errors
/// When this home has no node, or its keys cannot be read.
pub fn identity(home: &Home) -> Result<Identity, Problem> {
    Ok(identity_of(&require_keys(home)?))
}

pub(crate) fn identity_of(keys: &Keys) -> Identity {
    let (account, device) = (Ed25519::new(&keys.account), Ed25519::new(&keys.device));
    let device = DeviceId(device.public_key());
    Identity {
        device_id: device,
        account_id: AccountId(account.public_key()),
        keys: view::key_storage(keys.storage),
        keys_detail: keys.detail.clone(),
        certificate: BASE64.encode(certificate(keys)),
    }
}

/// The account's signed word that this device is its own.
pub(crate) fn certificate(keys: &Keys) -> Vec<u8> {
    let device = DeviceId(Ed25519::new(&keys.device).public_key());
    p2p_protocol::certify(&Ed25519::new(&keys.account), device, now()).into_bytes()
}

/// Whether a passphrase may close an identity file.
///
/// # Errors
/// Where it is too short.
pub fn check_passphrase(passphrase: &str) -> Result<(), Problem> {
    if passphrase.chars().count() >= PASSPHRASE_CHARACTERS {
        return Ok(());
    }
    let why =
        format!("it has fewer than {PASSPHRASE_CHARACTERS} characters, and a copied file can be guessed at for years");
    let problem = Problem::new(ErrorCode::Usage, why).with_hint("Choose a longer one, such as four words by chance");
    Err(Problem { title: "The passphrase is too short".to_owned(), ..problem })
}

/// The account's key as an identity file, closed with a passphrase. A daemon may run.
///
/// # Errors
/// When this home has no node, its keys cannot be read, or the passphrase is too short.
pub fn export_identity(home: &Home, passphrase: &str) -> Result<Vec<u8>, Problem> {
    check_passphrase(passphrase)?;
    seal_account(&require_keys(home)?.account, passphrase).map_err(sealed)
}

/// What an import did.
#[derive(Debug, Clone)]
pub struct ImportedIdentity {
    /// Who this node is now.
    pub identity: Identity,
    /// Whose it was.
    pub before: AccountId,
    /// Where the key of the account that it belonged to is; `None` where it is the same account,
    /// and nothing was changed.
    pub kept: Option<String>,
}

/// Whether an identity could be imported now, as far as that can be told without the file.
///
/// # Errors
/// [`ErrorCode::NotInitialized`] where there is no node, [`ErrorCode::AlreadyRunning`] while its
/// daemon runs.
pub fn ready_to_import(home: &Home) -> Result<(), Problem> {
    enter(home).map(drop)
}

/// Gives this home the account of an identity file. The device stays what it is, and the key of the
/// account that it had is kept.
///
/// # Errors
/// As [`ready_to_import`]; whatever is wrong with the file or the passphrase;
/// [`ErrorCode::InNetwork`] in a closed network that would not let the account in. Then nothing has
/// changed.
pub fn import_identity(home: &Home, file: &[u8], passphrase: &str) -> Result<ImportedIdentity, Problem> {
    // Until the end of this no daemon can start: it would go on with the former account.
    let (_lock, keys) = enter(home)?;
    let account = open_account(file, passphrase).map_err(sealed)?;
    let (before, after) = (id_of(&keys.account), id_of(&account));
    if before == after {
        return Ok(ImportedIdentity { identity: identity_of(&keys), before, kept: None });
    }
    refuse_shut_out(home, after)?;
    let kept = replace_account(home, &account).map_err(|error| Problem::new(ErrorCode::Keys, error.to_string()))?;
    Ok(ImportedIdentity { identity: identity_of(&Keys { account, ..keys }), before, kept: Some(kept) })
}

/// The home of a node that is off, and stays off while the lock is held.
fn enter(home: &Home) -> Result<(HomeLock, Keys), Problem> {
    // A home that is none is not made by looking.
    require_keys(home).map_err(|problem| match problem.code {
        ErrorCode::NotInitialized => problem.with_hint("Run `p2p-agent init`, then import again"),
        _ => problem,
    })?;
    home.create().map_err(|error| unusable(home.root(), &error.to_string()))?;
    let lock = HomeLock::acquire(home).map_err(|error| match error {
        LockError::Held { .. } => {
            let why = format!("{error}, and it goes on with the owner that it started with");
            Problem::new(ErrorCode::AlreadyRunning, why).with_hint("Stop it with `p2p-agent down`, then import again")
        }
        LockError::Io(error) => unusable(home.root(), &error.to_string()),
    })?;
    // What was there before the lock may be another's work since.
    Ok((lock, require_keys(home)?))
}

/// A closed network lets accounts in. The papers of another one open nothing there.
fn refuse_shut_out(home: &Home, account: AccountId) -> Result<(), Problem> {
    let Some(network) = load_network(home)? else { return Ok(()) };
    match check_membership(&load_membership(home)?, &any_verifier(), &network, account) {
        Ok(_) => Ok(()),
        Err(_) => {
            let name = &network.name;
            let why =
                format!("{name:?} is closed, and let in the owner that this computer has now, not the one in the file");
            let how = "Leave it with `p2p-agent network leave`, import again, then join with a new invite";
            Err(Problem::new(ErrorCode::InNetwork, why).with_hint(how))
        }
    }
}

fn id_of(account: &SecretKey) -> AccountId {
    AccountId(Ed25519::new(account).public_key())
}

fn sealed(error: SealError) -> Problem {
    let hint = match error {
        SealError::Other => "Give the file that `p2p-agent identity export FILE` made",
        SealError::Cut | SealError::Damaged => "Copy it again from the other computer, or export it anew",
        SealError::Version(_) => "Install the newest P2P Agent here",
        SealError::Passphrase => "Try again with the one that was typed at the export",
        SealError::Content => "Export it anew on the other computer",
        SealError::Work(_) => "Close some programs, then try again",
    };
    Problem::new(ErrorCode::Keys, error.to_string()).with_hint(hint)
}

#[cfg(test)]
mod tests;
