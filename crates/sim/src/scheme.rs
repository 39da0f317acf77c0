//! Signatures for a world without forgers: a keyed hash, a hundred times cheaper than Ed25519.

use p2p_types::{PublicKey, Scheme, Signature};

/// "Signs" with a hash under the public key. Anybody could forge it; nobody in the simulator does,
/// and what forged bytes lead to is tested with real signatures in `p2p-protocol`.
#[derive(Debug, Clone)]
pub struct KeyedHash {
    public: PublicKey,
}

impl KeyedHash {
    #[must_use]
    pub const fn new(public: PublicKey) -> Self {
        Self { public }
    }
}

fn tag(key: &PublicKey, message: &[u8]) -> Signature {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(blake3::keyed_hash(key, message).as_bytes());
    signature
}

impl Scheme for KeyedHash {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Signature {
        tag(&self.public, message)
    }

    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        tag(key, message) == *signature
    }
}
