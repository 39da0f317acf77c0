//! Many signatures at once.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

use super::{Claimed, Scheme};

/// Signatures that are checked together. More gain little and cost more when one is wrong.
const TOGETHER: usize = 256;

/// Which of the items hold. Where a group does not hold as a whole, its halves are tried, so that
/// one wrong signature among many costs little more than its own group.
pub(super) fn each(scheme: &dyn Scheme, items: &[Claimed<'_>]) -> Vec<bool> {
    let mut good = Vec::with_capacity(items.len());
    for group in items.chunks(TOGETHER) {
        halve(scheme, group, &mut good);
    }
    good
}

fn halve(scheme: &dyn Scheme, group: &[Claimed<'_>], good: &mut Vec<bool>) {
    // Below a few, one by one is as fast.
    if group.len() <= 4 {
        good.extend(group.iter().map(|item| scheme.verify(item.key, item.message, item.signature)));
    } else if scheme.verify_all(group) {
        good.extend(group.iter().map(|_| true));
    } else {
        let (left, right) = group.split_at(group.len() / 2);
        halve(scheme, left, good);
        halve(scheme, right, good);
    }
}

/// Batch verification of Ed25519 by ZIP-215's equation.
pub(super) fn verify(items: &[Claimed<'_>]) -> bool {
    let mut verifier = ed25519_zebra::batch::Verifier::new();
    let mut seed = blake3::Hasher::new_derive_key("p2p-agent 2026 factors of batch verification");
    for item in items {
        seed.update(item.key).update(item.signature).update(blake3::hash(item.message).as_bytes());
        let key = ed25519_zebra::VerificationKeyBytes::from(*item.key);
        verifier.queue((key, ed25519_zebra::Signature::from(*item.signature), item.message));
    }
    verifier.verify(Factors(seed.finalize_xof())).is_ok()
}

/// The random factors of the equation, drawn from all that is verified: whoever makes the
/// signatures cannot choose them knowing the factors, and no source of chance is needed.
struct Factors(blake3::OutputReader);

impl TryRng for Factors {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Factors {}

#[cfg(test)]
mod tests {
    use super::super::{Ed25519, SecretKey};
    use super::*;

    #[test]
    fn wrong_ones_among_many_are_found_and_no_other_is() {
        let signers: Vec<Ed25519> = (0..7).map(|key| Ed25519::new(&SecretKey::new([key + 1; 32]))).collect();
        let messages: Vec<Vec<u8>> = (0..600_u32).map(|number| number.to_le_bytes().to_vec()).collect();
        let keys: Vec<_> = signers.iter().map(Ed25519::public_key).collect();
        let mut signatures: Vec<_> =
            messages.iter().enumerate().map(|(place, message)| signers[place % 7].sign(message)).collect();
        let wrong = [0, 255, 256, 301, 599];
        for place in wrong {
            signatures[place][40] ^= 1;
        }
        let items: Vec<Claimed<'_>> = (0..600)
            .map(|place| Claimed { key: &keys[place % 7], message: &messages[place], signature: &signatures[place] })
            .collect();
        let good = each(&signers[0], &items);
        assert_eq!(good.len(), 600);
        assert!(good.iter().enumerate().all(|(place, good)| *good != wrong.contains(&place)));
    }
}
