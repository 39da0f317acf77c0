//! Identities, each with one text form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::key::is_small_order;

/// Why a text, or bytes, are not the id they should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdError {
    #[error("{0:?} is not a device id (it starts with 12D3KooW)")]
    Device(String),
    #[error("{0:?} is not an account id (it starts with acct-)")]
    Account(String),
    #[error("{0:?} is not an id of {1} hexadecimal digits")]
    Hex(String, usize),
    #[error("a key has 32 bytes, not {0}")]
    KeyLength(usize),
    #[error("this key is of small order: anybody can sign as it, so it is nobody's id")]
    SmallOrder,
}

/// A device's Ed25519 public key. Its text is the libp2p peer id of the same key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(pub [u8; 32]);

/// An owner's Ed25519 public key, which certifies the keys of their devices.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub [u8; 32]);

/// A BLAKE3 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

/// What tells one network from another: the BLAKE3 digest of how it was founded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkId(pub [u8; 32]);

/// One task of one requester, chosen at random by the requester.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub [u8; 16]);

/// What stands before the key in the multihash of an Ed25519 peer id: identity hash of 36
/// bytes, then the protobuf fields `type = Ed25519` and `data = 32 bytes`.
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 38];
        bytes[..6].copy_from_slice(&PEER_ID_PREFIX);
        bytes[6..].copy_from_slice(&self.0);
        f.write_str(&bs58::encode(bytes).into_string())
    }
}

impl FromStr for DeviceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::Device(shorten(text));
        if text.len() > 64 {
            return Err(wrong());
        }
        let bytes = bs58::decode(text).into_vec().map_err(|_| wrong())?;
        let key = bytes.strip_prefix(&PEER_ID_PREFIX).ok_or_else(wrong)?;
        somebodys(key.try_into().map_err(|_| wrong())?).map(Self)
    }
}

impl DeviceId {
    /// The last eight characters, for places too narrow for the whole id. Every id starts alike.
    #[must_use]
    pub fn short(&self) -> String {
        let text = self.to_string();
        text[text.len() - 8..].to_owned()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "acct-{}", bs58::encode(self.0).into_string())
    }
}

impl FromStr for AccountId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::Account(shorten(text));
        let encoded = text.strip_prefix("acct-").filter(|rest| rest.len() <= 48).ok_or_else(wrong)?;
        let bytes = bs58::decode(encoded).into_vec().map_err(|_| wrong())?;
        somebodys(bytes.try_into().map_err(|_| wrong())?).map(Self)
    }
}

impl Hash {
    /// The BLAKE3 digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl NetworkId {
    /// The id that is signed into artefacts that belong to no network, such as certificates.
    pub const NONE: Self = Self([0; 32]);

    /// The first 32 of the 64 digits: what protocol names carry.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..32].to_owned()
    }
}

macro_rules! hex_text {
    ($($name:ident: $len:literal),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let mut bytes = [0; $len];
                decode_hex(text, &mut bytes).ok_or_else(|| IdError::Hex(shorten(text), $len * 2))?;
                Ok(Self(bytes))
            }
        }
    )*};
}
hex_text!(Hash: 32, NetworkId: 32, TaskId: 16);

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
as_text!(DeviceId, AccountId, Hash, NetworkId, TaskId);

macro_rules! from_bytes {
    ($($name:ident),*) => {$(
        impl TryFrom<&[u8]> for $name {
            type Error = std::array::TryFromSliceError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                Ok(Self(bytes.try_into()?))
            }
        }
    )*};
}
from_bytes!(Hash, NetworkId, TaskId);

macro_rules! from_key {
    ($($name:ident),*) => {$(
        impl TryFrom<&[u8]> for $name {
            type Error = IdError;

            fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
                somebodys(bytes.try_into().map_err(|_| IdError::KeyLength(bytes.len()))?).map(Self)
            }
        }
    )*};
}
from_key!(DeviceId, AccountId);

/// A key from outside, where it can be somebody's.
fn somebodys(key: [u8; 32]) -> Result<[u8; 32], IdError> {
    if is_small_order(&key) { Err(IdError::SmallOrder) } else { Ok(key) }
}

/// Bytes as text for links and messages between people: no letter that looks like another.
#[must_use]
pub fn to_base58(bytes: &[u8]) -> String {
    bs58::encode(bytes).into_string()
}

/// The bytes of such a text, if it is one of at most `limit` characters.
#[must_use]
pub fn from_base58(text: &str, limit: usize) -> Option<Vec<u8>> {
    if text.len() > limit {
        return None;
    }
    bs58::decode(text).into_vec().ok()
}

fn decode_hex(text: &str, out: &mut [u8]) -> Option<()> {
    let digits = text.as_bytes();
    if digits.len() != out.len() * 2 {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(())
}

/// At most 24 characters of what somebody typed: enough to recognise it in an error.
fn shorten(text: &str) -> String {
    text.chars().take(24).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_id_is_the_peer_id_of_its_key() {
        let id = DeviceId([7; 32]);
        assert!(id.to_string().starts_with("12D3KooW"), "{id}");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn texts_round_trip() {
        let account = AccountId([9; 32]);
        assert_eq!(account.to_string().parse(), Ok(account));
        let hash = Hash::of(b"");
        assert_eq!(hash.to_string(), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(NetworkId([1; 32]).short(), "01".repeat(16));
    }

    #[test]
    fn keys_of_small_order_are_nobodys_ids() {
        let zeros = [0; 32];
        assert_eq!(DeviceId::try_from(zeros.as_slice()), Err(IdError::SmallOrder));
        assert_eq!(AccountId::try_from(zeros.as_slice()), Err(IdError::SmallOrder));
        assert_eq!(DeviceId(zeros).to_string().parse::<DeviceId>(), Err(IdError::SmallOrder));
        assert_eq!(AccountId(zeros).to_string().parse::<AccountId>(), Err(IdError::SmallOrder));
        assert_eq!(DeviceId::try_from([7; 31].as_slice()), Err(IdError::KeyLength(31)));
        assert_eq!(DeviceId::try_from([7; 32].as_slice()), Ok(DeviceId([7; 32])));
        // What is no key may well be all zeros.
        assert_eq!(Hash::try_from(zeros.as_slice()).ok(), Some(Hash(zeros)));
    }

    #[test]
    fn nonsense_is_named_and_cut() {
        for text in ["", "12D3KooW", "acct-0OIl", &"x".repeat(1000)] {
            assert!(text.parse::<DeviceId>().is_err());
            assert!(text.parse::<AccountId>().is_err());
            assert!(text.parse::<TaskId>().is_err());
        }
        let said = "é".repeat(1000).parse::<TaskId>().expect_err("not hexadecimal").to_string();
        assert!(said.len() < 120, "{said}");
    }
}
