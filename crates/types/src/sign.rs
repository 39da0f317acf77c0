//! Signatures. One rule for all of them: Ed25519 as ZIP-215 has it, where single and batch
//! verification agree. By that rule a key of small order has signatures that fit every message:
//! as a signer it is refused before anything is verified.
//!
//! A signed artefact travels as `version (1) || signer (32) || signature (64) || body`. What is
//! signed is `domain || network id || body`: the bytes that were received, never a re-encoding,
//! so two encoders cannot disagree about what somebody said. The domain is not sent; it comes
//! from the type the reader expects, so a receipt cannot pass for a vote.

mod batch;

use std::fmt;
use std::marker::PhantomData;

use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::NetworkId;
use crate::key::is_small_order;

/// An Ed25519 public key as its 32 bytes.
pub type PublicKey = [u8; 32];
/// An Ed25519 signature as its 64 bytes.
pub type Signature = [u8; 64];

/// The version byte in front of every signed artefact.
const CONTAINER_VERSION: u8 = 1;
const HEADER_LEN: usize = 1 + 32 + 64;

/// Why something signed was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignError {
    #[error("{len} bytes are more than the {limit} that a {artefact} may have")]
    TooLarge { artefact: &'static str, len: usize, limit: usize },
    #[error("too short to be signed")]
    TooShort,
    #[error("version {0} of the signed container is not known here")]
    Version(u8),
    #[error("the signature does not fit the {0}")]
    Signature(&'static str),
    #[error("the {0} is signed by a key of small order, as which anybody can sign")]
    SmallOrder(&'static str),
    #[error("the {0} cannot be decoded")]
    Decode(&'static str),
}

/// Something that is signed: a protobuf message with a domain of its own and a size limit.
pub trait Artefact: prost::Message + Default {
    /// What it is called in errors.
    const NAME: &'static str;
    /// Separates its signatures from those of all other artefacts. Ends with its version.
    const DOMAIN: &'static str;
    /// The most bytes its signed form may have.
    const LIMIT: usize;
}

/// How to sign and to verify. The simulator brings a cheap keyed hash in its place.
pub trait Scheme: fmt::Debug + Send + Sync {
    fn public_key(&self) -> PublicKey;
    fn sign(&self, message: &[u8]) -> Signature;
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool;

    /// Whether all of these signatures fit: the same answer as one by one, in less time.
    fn verify_all(&self, items: &[Claimed<'_>]) -> bool {
        items.iter().all(|item| self.verify(item.key, item.message, item.signature))
    }
}

/// A signature that somebody claims to be of a message, under a key.
#[derive(Debug, Clone, Copy)]
pub struct Claimed<'a> {
    pub key: &'a PublicKey,
    pub message: &'a [u8],
    pub signature: &'a Signature,
}

/// The 32 secret bytes of a key. Wiped when dropped, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret itself, for whoever stores it or hands it to the transport.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// The scheme of every real node.
#[derive(Clone)]
pub struct Ed25519 {
    key: ed25519_zebra::SigningKey,
    public: PublicKey,
}

impl Ed25519 {
    #[must_use]
    pub fn new(secret: &SecretKey) -> Self {
        let key = ed25519_zebra::SigningKey::from(*secret.expose());
        let public = ed25519_zebra::VerificationKeyBytes::from(&key).into();
        Self { key, public }
    }
}

impl fmt::Debug for Ed25519 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ed25519").field(&crate::DeviceId(self.public)).finish()
    }
}

impl Scheme for Ed25519 {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Signature {
        self.key.sign(message).into()
    }

    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        ed25519_zebra::VerificationKey::try_from(*key)
            .and_then(|key| key.verify(&ed25519_zebra::Signature::from(*signature), message))
            .is_ok()
    }

    fn verify_all(&self, items: &[Claimed<'_>]) -> bool {
        batch::verify(items)
    }
}

/// Bytes that claim to be a signed `T`. Nothing about them has been checked but their size.
pub struct Signed<T> {
    bytes: Vec<u8>,
    artefact: PhantomData<fn() -> T>,
}

impl<T: Artefact> Signed<T> {
    /// Encodes and signs `value` for `network` ([`NetworkId::NONE`] where it belongs to none).
    #[must_use]
    pub fn new(scheme: &dyn Scheme, network: &NetworkId, value: &T) -> Self {
        let mut bytes = Vec::with_capacity(HEADER_LEN + value.encoded_len());
        bytes.push(CONTAINER_VERSION);
        bytes.extend_from_slice(&scheme.public_key());
        bytes.extend_from_slice(&[0; 64]);
        value.encode_raw(&mut bytes);
        debug_assert!(bytes.len() <= T::LIMIT, "nobody would read this {} of {} bytes", T::NAME, bytes.len());
        let signature = scheme.sign(&preimage::<T>(network, &bytes[HEADER_LEN..]));
        bytes[33..HEADER_LEN].copy_from_slice(&signature);
        Self { bytes, artefact: PhantomData }
    }

    /// Takes bytes from outside.
    ///
    /// # Errors
    /// When they are too many, too few, or of an unknown version.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, SignError> {
        let bytes = bytes.into();
        if bytes.len() > T::LIMIT {
            return Err(SignError::TooLarge { artefact: T::NAME, len: bytes.len(), limit: T::LIMIT });
        }
        if bytes.len() < HEADER_LEN {
            return Err(SignError::TooShort);
        }
        if bytes[0] != CONTAINER_VERSION {
            return Err(SignError::Version(bytes[0]));
        }
        Ok(Self { bytes, artefact: PhantomData })
    }

    /// The bytes that travel and are kept.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Who claims to have signed.
    #[must_use]
    pub fn claimed_signer(&self) -> PublicKey {
        self.bytes[1..33].try_into().expect("checked in from_bytes")
    }

    /// Checks the signature, then decodes. The only way to a [`Verified`].
    ///
    /// # Errors
    /// When the signature does not fit this artefact and network, its key can be nobody's, or the
    /// body is not a `T`.
    pub fn verify(&self, scheme: &dyn Scheme, network: &NetworkId) -> Result<Verified<T>, SignError> {
        let signer = self.claimed_signer();
        if is_small_order(&signer) {
            return Err(SignError::SmallOrder(T::NAME));
        }
        let signature: Signature = self.bytes[33..HEADER_LEN].try_into().expect("checked in from_bytes");
        let body = &self.bytes[HEADER_LEN..];
        if !scheme.verify(&signer, &preimage::<T>(network, body), &signature) {
            return Err(SignError::Signature(T::NAME));
        }
        self.clone().decoded(signer)
    }

    /// Checks many together, which takes a third of the time. Each gets the answer that
    /// [`Self::verify`] would give.
    #[must_use]
    pub fn verify_each(
        scheme: &dyn Scheme,
        network: &NetworkId,
        all: Vec<Self>,
    ) -> Vec<Result<Verified<T>, SignError>> {
        let signers: Vec<PublicKey> = all.iter().map(Self::claimed_signer).collect();
        let preimages: Vec<Vec<u8>> = all.iter().map(|one| preimage::<T>(network, &one.bytes[HEADER_LEN..])).collect();
        let signatures: Vec<Signature> =
            all.iter().map(|one| one.bytes[33..HEADER_LEN].try_into().expect("checked in from_bytes")).collect();
        let items: Vec<Claimed<'_>> = signers
            .iter()
            .zip(&preimages)
            .zip(&signatures)
            .map(|((key, message), signature)| Claimed { key, message, signature })
            .collect();
        let good = batch::each(scheme, &items);
        let judge = |((one, good), signer): ((Self, bool), PublicKey)| {
            if is_small_order(&signer) {
                Err(SignError::SmallOrder(T::NAME))
            } else if good {
                one.decoded(signer)
            } else {
                Err(SignError::Signature(T::NAME))
            }
        };
        all.into_iter().zip(good).zip(signers.iter().copied()).map(judge).collect()
    }

    fn decoded(self, signer: PublicKey) -> Result<Verified<T>, SignError> {
        let value = T::decode(&self.bytes[HEADER_LEN..]).map_err(|_| SignError::Decode(T::NAME))?;
        Ok(Verified { value, signer, signed: self })
    }

    /// The body before anybody checked it, to say what was wrong with it.
    ///
    /// # Errors
    /// When the body is not a `T`.
    pub fn peek(&self) -> Result<T, SignError> {
        T::decode(&self.bytes[HEADER_LEN..]).map_err(|_| SignError::Decode(T::NAME))
    }
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), artefact: PhantomData }
    }
}

impl<T> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signed({} bytes)", self.bytes.len())
    }
}

fn preimage<T: Artefact>(network: &NetworkId, body: &[u8]) -> Vec<u8> {
    [T::DOMAIN.as_bytes(), &network.0, body].concat()
}

/// A `T` whose signature was checked, and who signed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified<T> {
    value: T,
    signer: PublicKey,
    signed: Signed<T>,
}

impl<T> Verified<T> {
    #[must_use]
    pub const fn signer(&self) -> PublicKey {
        self.signer
    }

    /// The bytes as they were signed: what is kept and passed on.
    #[must_use]
    pub const fn signed(&self) -> &Signed<T> {
        &self.signed
    }

    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> std::ops::Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests;
