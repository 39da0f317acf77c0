//! Network files and invites: what a network is, and how somebody gets in.

use p2p_ledger::{Parameters, Rates};
use p2p_types::{
    AccountId, Credits, DeviceId, Ed25519, Hash, NetworkId, Scheme, SecretKey, SignError, Signed, Timestamp,
    from_base58, is_hidden, to_base58,
};
use prost::Message as _;
use thiserror::Error;

use crate::wire;

/// Longest name of a network, in characters.
const NAME_CHARS: usize = 64;
/// Most bootstrap addresses, announcement lists and committee members of a network file.
const LIST_LEN: usize = 64;
/// Longest address, in bytes.
const ADDRESS_BYTES: usize = 256;
/// Longest invite link, in characters.
const LINK_CHARS: usize = 32 * 1024;
const LINK_PREFIX: &str = "p2p-agent://invite/";

/// Why a network file or an invite cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NetworkError {
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error("{0}")]
    Malformed(&'static str),
    #[error("it was not signed by the network's founder")]
    NotTheFounder,
    #[error("it expired")]
    Expired,
    #[error("a network's name has 1 to {NAME_CHARS} letters, and no space at its ends")]
    Name,
    #[error("a network's name holds U+{0:04X}, which cannot be seen or changes how the rest is read")]
    HiddenLetter(u32),
}

/// Who may be in a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkKind {
    Open,
    Closed,
    Local,
}

/// A network file whose signature was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    pub id: NetworkId,
    pub name: String,
    pub kind: NetworkKind,
    pub founder: AccountId,
    pub created: Timestamp,
    pub revision: u64,
    pub epoch: u64,
    pub committee: Vec<DeviceId>,
    /// Addresses to knock at first.
    pub bootstrap: Vec<String>,
    /// Every member counts as trusted.
    pub members_trusted: bool,
    /// Work is done for whoever cannot pay, too, behind work that is paid.
    pub unpaid: bool,
    /// Grants and prices.
    pub economy: Parameters,
    /// The bytes that were signed.
    pub signed: Vec<u8>,
}

/// What a founder decides about a network.
#[derive(Debug, Clone)]
pub struct Charter {
    pub name: String,
    pub kind: NetworkKind,
    pub members_trusted: bool,
    /// Work is done for whoever cannot pay, too.
    pub unpaid: bool,
    /// The first and only notary.
    pub notary: DeviceId,
    /// Whose account asks canaries.
    pub issuer: AccountId,
    /// Random.
    pub nonce: [u8; 32],
}

/// Founds a network. `account` signs.
///
/// # Errors
/// When the name is none.
pub fn found_network(account: &dyn Scheme, charter: &Charter, now: Timestamp) -> Result<Network, NetworkError> {
    let Charter { name, kind, members_trusted, unpaid, notary, issuer, nonce } = charter;
    let founding = wire::Founding {
        founder: account.public_key().to_vec(),
        nonce: nonce.to_vec(),
        created_ms: now.0,
        kind: match kind {
            NetworkKind::Open => wire::NetworkKind::Open,
            NetworkKind::Closed => wire::NetworkKind::Closed,
            NetworkKind::Local => wire::NetworkKind::Local,
        }
        .into(),
    };
    let id = network_id(&founding);
    let file = wire::NetworkFile {
        founding: Some(founding),
        revision: 1,
        name: name.clone(),
        epoch: 0,
        committee: vec![notary.0.to_vec()],
        parameters: Some(wire::Parameters {
            members_trusted: *members_trusted,
            issuer: issuer.0.to_vec(),
            unpaid: *unpaid,
            economy: None,
        }),
        bootstrap: Vec::new(),
        announcement_lists: Vec::new(),
    };
    Network::from_bytes(Signed::new(account, &id, &file).as_bytes(), account)
}

impl Network {
    /// Reads a network file that came from outside.
    ///
    /// # Errors
    /// When it is cut, forged, or not a network file.
    pub fn from_bytes(bytes: &[u8], scheme: &dyn Scheme) -> Result<Self, NetworkError> {
        let signed = Signed::<wire::NetworkFile>::from_bytes(bytes)?;
        let founding = signed.peek()?.founding.ok_or(NetworkError::Malformed("it names no founding"))?;
        let id = network_id(&founding);
        let file = signed.verify(scheme, &id)?;
        if file.signer() != *founding.founder {
            return Err(NetworkError::NotTheFounder);
        }
        let kind = match founding.kind() {
            wire::NetworkKind::Open => NetworkKind::Open,
            wire::NetworkKind::Closed => NetworkKind::Closed,
            wire::NetworkKind::Local => NetworkKind::Local,
            wire::NetworkKind::Unspecified => return Err(NetworkError::Malformed("its kind is not known here")),
        };
        check_name(&file.name)?;
        check_addresses(&file.bootstrap)?;
        check_addresses(&file.announcement_lists)?;
        if file.committee.is_empty() || file.committee.len() > LIST_LEN {
            return Err(NetworkError::Malformed("its committee has no members, or too many"));
        }
        let committee = file.committee.iter().map(|key| DeviceId::try_from(key.as_slice()));
        let parameters = file.parameters.clone().unwrap_or_default();
        let founder = AccountId(file.signer());
        Ok(Self {
            id,
            name: file.name.clone(),
            kind,
            founder,
            created: Timestamp(founding.created_ms),
            revision: file.revision,
            epoch: file.epoch,
            committee: committee
                .collect::<Result<_, _>>()
                .map_err(|_| NetworkError::Malformed("a committee member is no key"))?,
            bootstrap: file.bootstrap.clone(),
            members_trusted: parameters.members_trusted,
            unpaid: parameters.unpaid,
            economy: read_economy(founder, &parameters)?,
            signed: bytes.to_vec(),
        })
    }
}

/// An invite as it is passed from person to person.
#[derive(Debug, Clone)]
pub struct InviteLink {
    pub network: Network,
    pub addresses: Vec<String>,
    pub expires: Timestamp,
    /// In a closed network: the founder's admission and the secret key it names.
    pub admission: Option<(Vec<u8>, SecretKey)>,
}

impl InviteLink {
    /// The link, signed by a device of the network.
    #[must_use]
    pub fn to_text(&self, device: &Ed25519) -> String {
        let (admission, admission_secret) = match &self.admission {
            Some((admission, secret)) => (admission.clone(), secret.expose().to_vec()),
            None => Default::default(),
        };
        let invite = wire::Invite {
            network_file: self.network.signed.clone(),
            addresses: self.addresses.clone(),
            expires_ms: self.expires.0,
            admission,
            admission_secret,
        };
        format!("{LINK_PREFIX}{}", to_base58(Signed::new(device, &self.network.id, &invite).as_bytes()))
    }

    /// Reads a link.
    ///
    /// # Errors
    /// When it is cut, changed, expired, or no invite.
    pub fn from_text(text: &str, scheme: &dyn Scheme, now: Timestamp) -> Result<Self, NetworkError> {
        let encoded = text.trim().strip_prefix(LINK_PREFIX);
        let encoded = encoded.ok_or(NetworkError::Malformed("an invite starts with p2p-agent://invite/"))?;
        let bytes = from_base58(encoded, LINK_CHARS).ok_or(NetworkError::Malformed("the link is cut or mistyped"))?;
        let signed = Signed::<wire::Invite>::from_bytes(bytes)?;
        let network = Network::from_bytes(&signed.peek()?.network_file, scheme)?;
        let invite = signed.verify(scheme, &network.id)?.into_inner();
        if now.0 > invite.expires_ms {
            return Err(NetworkError::Expired);
        }
        check_addresses(&invite.addresses)?;
        let admission = match network.kind {
            NetworkKind::Closed => Some(read_admission(&invite, &network, scheme)?),
            NetworkKind::Open | NetworkKind::Local => None,
        };
        Ok(Self { network, addresses: invite.addresses, expires: Timestamp(invite.expires_ms), admission })
    }
}

/// The founder's admission and the secret that belongs to it: whoever joins by another pair would
/// be turned away by every member.
fn read_admission(
    invite: &wire::Invite,
    network: &Network,
    scheme: &dyn Scheme,
) -> Result<(Vec<u8>, SecretKey), NetworkError> {
    let wrong = NetworkError::Malformed("it does not admit to this closed network");
    let Ok(secret) = <[u8; 32]>::try_from(invite.admission_secret.as_slice()) else { return Err(wrong) };
    let secret = SecretKey::new(secret);
    let admission = Signed::<wire::Admission>::from_bytes(invite.admission.as_slice())?.verify(scheme, &network.id)?;
    let by_founder = admission.signer() == network.founder.0;
    if !by_founder || admission.key != Ed25519::new(&secret).public_key() {
        return Err(wrong);
    }
    if admission.expires_ms < invite.expires_ms {
        return Err(NetworkError::Expired);
    }
    Ok((invite.admission.clone(), secret))
}

/// The numbers of the network's economy. Where no issuer is named, the founder's account stands in for one: by
/// the rules nothing is minted then.
fn read_economy(founder: AccountId, parameters: &wire::Parameters) -> Result<Parameters, NetworkError> {
    let issuer = match parameters.issuer.as_slice() {
        [] => founder,
        issuer => AccountId::try_from(issuer).map_err(|_| NetworkError::Malformed("its issuer is no key"))?,
    };
    let usual = Parameters::new(founder, issuer);
    let Some(economy) = &parameters.economy else { return Ok(usual) };
    let credits = |micro| Credits::from_micro(micro).ok_or(NetworkError::Malformed("it names more than can exist"));
    if economy.burn > 1_000_000 {
        return Err(NetworkError::Malformed("it burns more than a payment has"));
    }
    let [document, request, token, nothing] = [economy.document, economy.request, economy.token, economy.nothing];
    Ok(Parameters {
        burn: economy.burn,
        grace_ms: economy.grace_ms,
        starter: credits(economy.starter)?,
        ramp: credits(economy.ramp)?,
        ramp_days: economy.ramp_days,
        free: credits(economy.free)?,
        canary_budget: credits(economy.canary_budget)?,
        rates: Rates { document, request, token, nothing },
        ..usual
    })
}

fn network_id(founding: &wire::Founding) -> NetworkId {
    let bytes = [b"p2p-agent/founding/1".as_slice(), &founding.encode_to_vec()].concat();
    NetworkId(Hash::of(&bytes).0)
}

fn check_name(name: &str) -> Result<(), NetworkError> {
    if let Some(hidden) = name.chars().find(|letter| is_hidden(*letter)) {
        return Err(NetworkError::HiddenLetter(hidden.into()));
    }
    let sound = (1..=NAME_CHARS).contains(&name.chars().count()) && name.trim() == name;
    if sound { Ok(()) } else { Err(NetworkError::Name) }
}

fn check_addresses(addresses: &[String]) -> Result<(), NetworkError> {
    if addresses.len() > LIST_LEN || addresses.iter().any(|address| address.len() > ADDRESS_BYTES) {
        return Err(NetworkError::Malformed("it lists too many addresses, or too long ones"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::make_admission;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn account() -> Ed25519 {
        Ed25519::new(&SecretKey::new([1; 32]))
    }

    fn device() -> Ed25519 {
        Ed25519::new(&SecretKey::new([2; 32]))
    }

    fn charter(name: &str, kind: NetworkKind) -> Charter {
        let notary = DeviceId(device().public_key());
        let issuer = AccountId(Ed25519::new(&SecretKey::new([3; 32])).public_key());
        Charter { name: name.to_owned(), kind, members_trusted: true, unpaid: false, notary, issuer, nonce: [7; 32] }
    }

    fn network() -> Network {
        found_network(&account(), &charter("home", NetworkKind::Local), NOW).expect("a network")
    }

    #[test]
    fn a_file_reads_back_and_keeps_its_id() {
        let network = network();
        assert_eq!(Network::from_bytes(&network.signed, &account()), Ok(network));
    }

    #[test]
    fn a_changed_file_is_refused() {
        let network = network();
        for at in 0..network.signed.len() {
            let mut bytes = network.signed.clone();
            bytes[at] ^= 1;
            assert!(Network::from_bytes(&bytes, &account()).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_file_signed_by_another_account_is_refused() {
        let signed = Signed::<wire::NetworkFile>::from_bytes(network().signed).expect("signed");
        let file = signed.peek().expect("a file");
        let other = Ed25519::new(&SecretKey::new([9; 32]));
        let forged = Signed::new(&other, &network().id, &file);
        assert_eq!(Network::from_bytes(forged.as_bytes(), &account()), Err(NetworkError::NotTheFounder));
    }

    #[test]
    fn names_are_names() {
        let found = |name: &str| found_network(&account(), &charter(name, NetworkKind::Open), NOW);
        for name in ["", " x", "x ", &"x".repeat(65)] {
            assert_eq!(found(name), Err(NetworkError::Name), "{name:?}");
        }
        for name in ["home", "Büro 2", "研究室", "مكتب", "the \u{1f3e0} of us"] {
            assert_eq!(found(name).map(|network| network.name), Ok(name.to_owned()));
        }
    }

    #[test]
    fn a_name_hides_nothing_and_turns_nothing_round() {
        for code in
            [0, 0x0a, 0x1b, 0x7f, 0x85, 0xad, 0x61c, 0x180e, 0x200b, 0x2028, 0x202e, 0x206f, 0xfeff, 0xfffb, 0xe0041]
        {
            let letter = char::from_u32(code).expect("a character");
            let name = format!("ho{letter}me");
            let refused = found_network(&account(), &charter(&name, NetworkKind::Open), NOW);
            assert_eq!(refused, Err(NetworkError::HiddenLetter(code)), "U+{code:04X}");
        }
        let said = NetworkError::HiddenLetter(0x202e).to_string();
        assert!(said.contains("U+202E") && said.is_ascii(), "{said}");
    }

    #[test]
    fn a_committee_member_is_somebodys_key() {
        let nobody = Charter { notary: DeviceId([0; 32]), ..charter("home", NetworkKind::Open) };
        let refused = found_network(&account(), &nobody, NOW);
        assert_eq!(refused, Err(NetworkError::Malformed("a committee member is no key")));
    }

    #[test]
    fn invites_round_trip_until_they_expire() {
        let invite = InviteLink {
            network: network(),
            addresses: vec!["/ip4/127.0.0.1/tcp/9000".into()],
            expires: NOW.plus_ms(1000),
            admission: None,
        };
        let text = invite.to_text(&device());
        let read = InviteLink::from_text(&text, &account(), NOW).expect("an invite");
        assert_eq!((read.network, read.addresses), (invite.network, invite.addresses));
        assert_eq!(
            InviteLink::from_text(&text, &account(), NOW.plus_ms(1001)).expect_err("late"),
            NetworkError::Expired
        );
        assert!(InviteLink::from_text(&text[..text.len() - 5], &account(), NOW).is_err());
        assert!(InviteLink::from_text("https://example.org", &account(), NOW).is_err());
    }

    #[test]
    fn an_invite_to_a_closed_network_brings_the_founders_admission() {
        let network = found_network(&account(), &charter("team", NetworkKind::Closed), NOW).expect("a network");
        let (expires, secret) = (NOW.plus_ms(1000), SecretKey::new([5; 32]));
        let key = Ed25519::new(&secret).public_key();
        let read = |founder: &Ed25519, key, expires_admission| {
            let admission = make_admission(founder, &network.id, key, expires_admission);
            let admission = Some((admission, secret.clone()));
            let invite = InviteLink { network: network.clone(), addresses: Vec::new(), expires, admission };
            InviteLink::from_text(&invite.to_text(&device()), &account(), NOW).map(|read| read.admission.is_some())
        };
        assert_eq!(read(&account(), key, expires), Ok(true));
        assert!(read(&device(), key, expires).is_err(), "not the founder");
        assert!(read(&account(), [8; 32], expires).is_err(), "another key");
        assert_eq!(read(&account(), key, NOW), Err(NetworkError::Expired));
        let bare = InviteLink { network: network.clone(), addresses: Vec::new(), expires, admission: None };
        assert!(InviteLink::from_text(&bare.to_text(&device()), &account(), NOW).is_err());
    }
}
