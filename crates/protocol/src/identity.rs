//! An account certifies its devices, so that one owner's computers are known to be one owner's.

use p2p_types::{AccountId, DeviceId, NetworkId, Scheme, SignError, Signed, Timestamp};

use crate::wire;

/// The account's word that `device` is its own. `account` signs.
#[must_use]
pub fn certify(account: &dyn Scheme, device: DeviceId, now: Timestamp) -> Signed<wire::DeviceCertificate> {
    let certificate = wire::DeviceCertificate { device: device.0.to_vec(), issued_ms: now.0 };
    Signed::new(account, &NetworkId::NONE, &certificate)
}

/// Whose device it is, where the certificate is genuine and names `device`.
///
/// # Errors
/// When the certificate is cut, forged, or somebody else's.
pub fn check_certificate(bytes: &[u8], scheme: &dyn Scheme, device: DeviceId) -> Result<AccountId, SignError> {
    let certificate = Signed::<wire::DeviceCertificate>::from_bytes(bytes)?.verify(scheme, &NetworkId::NONE)?;
    if certificate.device != device.0 {
        return Err(SignError::Signature("device certificate of this device"));
    }
    Ok(AccountId(certificate.signer()))
}

#[cfg(test)]
mod tests {
    use p2p_types::{Ed25519, SecretKey};

    use super::*;

    #[test]
    fn a_certificate_holds_for_one_device_only() {
        let account = Ed25519::new(&SecretKey::new([1; 32]));
        let (mine, other) = (DeviceId([2; 32]), DeviceId([3; 32]));
        let certificate = certify(&account, mine, Timestamp(5)).into_bytes();
        assert_eq!(check_certificate(&certificate, &account, mine), Ok(AccountId(account.public_key())));
        assert!(check_certificate(&certificate, &account, other).is_err());
        assert!(check_certificate(&certificate[..80], &account, mine).is_err());
    }
}
