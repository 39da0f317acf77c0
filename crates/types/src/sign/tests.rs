use rand_chacha::rand_core::SeedableRng as _;

use super::*;

#[derive(Clone, PartialEq, prost::Message)]
struct Note {
    #[prost(string, tag = "1")]
    text: String,
}

impl Artefact for Note {
    const NAME: &'static str = "note";
    const DOMAIN: &'static str = "p2p-agent/note/1";
    const LIMIT: usize = 1024;
}

#[derive(Clone, PartialEq, prost::Message)]
struct Vote {
    #[prost(string, tag = "1")]
    text: String,
}

impl Artefact for Vote {
    const NAME: &'static str = "vote";
    const DOMAIN: &'static str = "p2p-agent/vote/1";
    const LIMIT: usize = 1024;
}

const HOME: NetworkId = NetworkId([1; 32]);

fn scheme() -> Ed25519 {
    Ed25519::new(&SecretKey::new([42; 32]))
}

fn signed() -> Signed<Note> {
    Signed::new(&scheme(), &HOME, &Note { text: "hello".into() })
}

#[test]
fn what_was_signed_verifies() {
    let verified = signed().verify(&scheme(), &HOME).expect("honest");
    assert_eq!(verified.text, "hello");
    assert_eq!(verified.signer(), scheme().public_key());
}

#[test]
fn every_flipped_bit_is_refused() {
    let honest = signed().into_bytes();
    for at in 0..honest.len() {
        let mut bytes = honest.clone();
        bytes[at] ^= 1;
        let refused = Signed::<Note>::from_bytes(bytes).and_then(|signed| signed.verify(&scheme(), &HOME));
        assert!(refused.is_err(), "byte {at}");
    }
}

#[test]
fn another_network_or_another_artefact_is_refused() {
    let refused = signed().verify(&scheme(), &NetworkId([2; 32]));
    assert_eq!(refused, Err(SignError::Signature("note")));
    let vote = Signed::<Vote>::from_bytes(signed().into_bytes()).expect("well formed");
    assert_eq!(vote.verify(&scheme(), &HOME), Err(SignError::Signature("vote")));
}

#[test]
fn sizes_are_checked_before_anything_else() {
    assert_eq!(Signed::<Note>::from_bytes(vec![1; 10]), Err(SignError::TooShort));
    assert!(matches!(Signed::<Note>::from_bytes(vec![1; 1025]), Err(SignError::TooLarge { .. })));
    assert_eq!(Signed::<Note>::from_bytes(vec![9; 100]), Err(SignError::Version(9)));
}

#[test]
fn secrets_do_not_print() {
    assert_eq!(format!("{:?}", SecretKey::new([7; 32])), "SecretKey(..)");
}

/// From ZIP-215: a key and a signature made only of small-order points. Strict verifiers refuse
/// it, cofactored ones accept it; the rule here is the latter, for one signature and for a batch.
#[test]
fn the_rule_is_zip_215_for_one_and_for_many() {
    let identity_point = {
        let mut bytes = [0; 32];
        bytes[0] = 1;
        bytes
    };
    let mut signature = [0; 64];
    signature[0] = 1;
    let message = b"Zcash";
    assert!(scheme().verify(&identity_point, message, &signature));

    let mut batch = ed25519_zebra::batch::Verifier::new();
    let key = ed25519_zebra::VerificationKeyBytes::from(identity_point);
    batch.queue((key, ed25519_zebra::Signature::from(signature), message));
    assert!(batch.verify(rand_chacha::ChaCha20Rng::from_seed([0; 32])).is_ok());
}

/// Each of these keys, with one and the same signature that nobody made, fits any message by the
/// rule above. Nothing that such a key signed is believed.
#[test]
fn what_a_key_of_small_order_signed_is_refused() {
    let mut signature = [0; 64];
    signature[0] = 1;
    for key in crate::key::tests::small_order_keys() {
        let mut bytes = signed().into_bytes();
        bytes[1..33].copy_from_slice(&key);
        bytes[33..HEADER_LEN].copy_from_slice(&signature);
        assert!(scheme().verify(&key, b"anything", &signature), "{key:02x?} is a point of small order");
        let forged = Signed::<Note>::from_bytes(bytes).expect("well formed");
        assert_eq!(forged.verify(&scheme(), &HOME), Err(SignError::SmallOrder("note")), "{key:02x?}");
    }
}

/// RFC 8032, section 7.1, test 2.
#[test]
fn rfc_8032_vector() {
    let secret = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    let scheme = Ed25519::new(&SecretKey::new(secret.try_into().expect("32 bytes")));
    assert_eq!(scheme.public_key().to_vec(), hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"));
    let expected = hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert_eq!(scheme.sign(&[0x72]).to_vec(), expected);
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}
