//! An account's key as a file that its owner carries to another computer, closed with a passphrase.
//!
//! The file is text: between [`BEGIN`] and [`END`] stand, in base64,
//!
//! | bytes | what |
//! |---|---|
//! | 5 | `P2PID` |
//! | 1 | the version, 1 |
//! | 16 | the salt of Argon2id (RFC 9106: 64 MiB, 3 passes, 4 lanes, 32 bytes out) |
//! | 24 | the nonce of XChaCha20-Poly1305, which vouches for all that stands before it as well |
//! | any | the closed content and its tag |
//! | 8 | the first bytes of BLAKE3 over everything before: tells a damaged file from a wrong passphrase |
//!
//! The content is three lines: `p2p-agent account 1`, the account's id, and the 32 secret bytes in
//! hexadecimal. How much work a passphrase is belongs to the version. A file cannot ask for more.

use argon2::{Algorithm, Argon2, Block, Params};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use p2p_types::{AccountId, Ed25519, Hash, Scheme as _, SecretKey};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{from_hex, to_hex};
use crate::random_bytes;

/// The longest file that is looked at.
pub const SEALED_BYTES: usize = 64 * 1024;

const BEGIN: &str = "-----BEGIN P2P AGENT IDENTITY-----";
const END: &str = "-----END P2P AGENT IDENTITY-----";
const LINE: usize = 64;

const MAGIC: &[u8] = b"P2PID";
const VERSION: u8 = 1;
const SALT: usize = 16;
const NONCE: usize = 24;
const CHECK: usize = 8;
/// Where the salt ends and the nonce begins.
const NONCE_AT: usize = MAGIC.len() + 1 + SALT;
const CONTENT: &str = "p2p-agent account 1";

const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// Why an identity file was not made or not opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SealError {
    #[error("this is not an identity file of P2P Agent")]
    Other,
    #[error("the identity file is cut: its end is missing")]
    Cut,
    #[error("the identity file is damaged: some of it was changed")]
    Damaged,
    #[error("the identity file is of version {0}, which this P2P Agent does not know")]
    Version(u8),
    #[error("the passphrase does not open the identity file")]
    Passphrase,
    #[error("the identity file opens, but holds no account's key")]
    Content,
    #[error("the passphrase takes 64 MiB of memory to work on, and they are not there: {0}")]
    Work(String),
}

/// The key of an account, closed with a passphrase.
///
/// # Errors
/// [`SealError::Work`] where there is no memory for it.
pub fn seal_account(account: &SecretKey, passphrase: &str) -> Result<Vec<u8>, SealError> {
    let id = AccountId(Ed25519::new(account).public_key());
    let hex = to_hex(account);
    seal(&Zeroizing::new(format!("{CONTENT}\n{id}\n{}\n", *hex)), passphrase)
}

/// The account's key that [`seal_account`] closed.
///
/// # Errors
/// Whatever is wrong with the file, found before any work is done; [`SealError::Passphrase`] where
/// it is another one.
pub fn open_account(file: &[u8], passphrase: &str) -> Result<SecretKey, SealError> {
    let bytes = unwrap(file)?;
    let (whole, check) = bytes.split_at_checked(bytes.len().wrapping_sub(CHECK)).ok_or(SealError::Damaged)?;
    if Hash::of(whole).0[..CHECK] != *check {
        return Err(SealError::Damaged);
    }
    let rest = whole.strip_prefix(MAGIC).ok_or(SealError::Other)?;
    match rest.first() {
        Some(&VERSION) => {}
        Some(version) => return Err(SealError::Version(*version)),
        None => return Err(SealError::Damaged),
    }
    let (head, sealed) = whole.split_at_checked(NONCE_AT + NONCE).ok_or(SealError::Damaged)?;
    let (head, nonce) = head.split_at(NONCE_AT);
    let key = derive(passphrase, &head[NONCE_AT - SALT..])?;
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    let content = cipher.decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: head });
    read(&Zeroizing::new(content.map_err(|_| SealError::Passphrase)?)).ok_or(SealError::Content)
}

fn seal(content: &str, passphrase: &str) -> Result<Vec<u8>, SealError> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(VERSION);
    bytes.extend(random_bytes::<SALT>());
    let nonce = random_bytes::<NONCE>();
    let key = derive(passphrase, &bytes[NONCE_AT - SALT..])?;
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    let sealed = cipher.encrypt(&nonce.into(), Payload { msg: content.as_bytes(), aad: &bytes });
    let sealed = sealed.map_err(|error| SealError::Work(error.to_string()))?;
    bytes.extend(nonce);
    bytes.extend(sealed);
    Ok(finish(bytes))
}

/// Adds the check and wraps it up as text.
fn finish(mut bytes: Vec<u8>) -> Vec<u8> {
    let check = Hash::of(&bytes);
    bytes.extend(&check.0[..CHECK]);
    let base64 = BASE64.encode(bytes);
    let mut text = format!("{BEGIN}\n").into_bytes();
    for line in base64.as_bytes().chunks(LINE) {
        text.extend(line);
        text.push(b'\n');
    }
    text.extend(format!("{END}\n").into_bytes());
    text
}

/// What stands between the two lines. Spaces around lines and other line ends do no harm: mail
/// programs and editors make them.
fn unwrap(file: &[u8]) -> Result<Vec<u8>, SealError> {
    if file.len() > SEALED_BYTES {
        return Err(SealError::Other);
    }
    let text = std::str::from_utf8(file).map_err(|_| SealError::Other)?.trim();
    let Some(rest) = text.strip_prefix(BEGIN) else {
        let begun = !text.is_empty() && BEGIN.starts_with(text);
        return Err(if begun { SealError::Cut } else { SealError::Other });
    };
    let base64 = rest.strip_suffix(END).ok_or(SealError::Cut)?;
    let base64: String = base64.split_ascii_whitespace().collect();
    BASE64.decode(base64).map_err(|_| SealError::Damaged)
}

fn derive(passphrase: &str, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let work = |error: &dyn ToString| SealError::Work(error.to_string());
    let mut key = Zeroizing::new([0; 32]);
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(key.len())).map_err(|error| work(&error))?;
    let mut memory: Zeroizing<Vec<Block>> = Zeroizing::default();
    memory.try_reserve_exact(params.block_count()).map_err(|error| work(&error))?;
    memory.resize(params.block_count(), Block::new());
    Argon2::new(Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_into_with_memory(passphrase.as_bytes(), salt, key.as_mut_slice(), memory.as_mut_slice())
        .map_err(|error| work(&error))?;
    Ok(key)
}

fn read(content: &[u8]) -> Option<SecretKey> {
    let mut lines = std::str::from_utf8(content).ok()?.lines();
    let (CONTENT, id, hex) = (lines.next()?, lines.next()?, lines.next()?) else { return None };
    let key = from_hex(hex)?;
    (id == AccountId(Ed25519::new(&key).public_key()).to_string()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "four words of no kind";

    fn key(seed: u8) -> SecretKey {
        SecretKey::new([seed; 32])
    }

    fn sealed() -> Vec<u8> {
        seal_account(&key(7), PASSPHRASE).expect("sealed")
    }

    fn refused(file: &[u8]) -> SealError {
        open_account(file, PASSPHRASE).expect_err("refused")
    }

    /// The bytes of a sound file without their check, changed.
    fn changed(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut bytes = unwrap(&sealed()).expect("sound");
        bytes.truncate(bytes.len() - CHECK);
        change(&mut bytes);
        finish(bytes)
    }

    #[test]
    fn an_account_goes_there_and_back() {
        let started = std::time::Instant::now();
        let file = sealed();
        let opened = open_account(&file, PASSPHRASE).expect("opened");
        assert_eq!(opened.expose(), key(7).expose());
        assert!(started.elapsed().as_secs() < 4, "two seconds each: {:?}", started.elapsed());

        let text = String::from_utf8(file).expect("text");
        assert!(text.lines().all(|line| line.len() <= LINE) && !text.contains(&*to_hex(&key(7))), "{text}");
        assert_ne!(text.as_bytes(), sealed(), "no salt comes twice");
        let mailed = format!("\u{20}\r\n{}", text.replace('\n', " \r\n"));
        assert!(open_account(mailed.as_bytes(), PASSPHRASE).is_ok());
    }

    #[test]
    fn another_passphrase_does_not_open_it() {
        let file = sealed();
        for wrong in ["", "four words of no kinD", "four words of no kind "] {
            assert_eq!(open_account(&file, wrong).expect_err(wrong), SealError::Passphrase);
        }
    }

    #[test]
    fn every_cut_file_is_said_to_be_cut() {
        let file = sealed();
        let whole = file.trim_ascii_end().len();
        assert_eq!(refused(b""), SealError::Other);
        for length in (1..whole).step_by(7).chain([whole - 1]) {
            assert_eq!(refused(&file[..length]), SealError::Cut, "{length}");
        }
        assert!(open_account(&file[..whole], PASSPHRASE).is_ok(), "only the last line's end is missing");

        // Lines that were lost in the middle.
        let text = String::from_utf8(file).expect("text");
        for lost in 1..text.lines().count() - 1 {
            let lines = text.lines().enumerate().filter(|(at, _)| *at != lost);
            let text: String = lines.map(|(_, line)| format!("{line}\n")).collect();
            assert_eq!(refused(text.as_bytes()), SealError::Damaged, "{lost}");
        }
        for length in 0..MAGIC.len() + 1 + SALT {
            let bytes = unwrap(&sealed_once(length)).expect("base64");
            assert!(bytes.len() < NONCE_AT + CHECK);
            assert!(matches!(refused(&sealed_once(length)), SealError::Other | SealError::Damaged), "{length}");
        }
    }

    /// A header of this length with a sound check.
    fn sealed_once(length: usize) -> Vec<u8> {
        let mut bytes = [MAGIC, &[VERSION], &[0; SALT]].concat();
        bytes.truncate(length);
        finish(bytes)
    }

    #[test]
    fn every_flipped_byte_is_found_before_any_work() {
        let file = sealed();
        let bytes = unwrap(&file).expect("sound");
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            let text = format!("{BEGIN}\n{}\n{END}\n", BASE64.encode(bytes));
            assert_eq!(refused(text.as_bytes()), SealError::Damaged, "{at}");
        }
        let mut unreadable = file;
        unreadable[BEGIN.len() + 10] = b'!';
        assert_eq!(refused(&unreadable), SealError::Damaged);
    }

    /// Whoever changes the head and makes the check anew gets nothing opened either.
    #[test]
    fn a_forged_head_opens_nothing_and_asks_for_nothing() {
        for at in [MAGIC.len() + 1, NONCE_AT, NONCE_AT + NONCE] {
            assert_eq!(refused(&changed(|bytes| bytes[at] ^= 1)), SealError::Passphrase, "{at}");
        }
        let started = std::time::Instant::now();
        for version in [0, 2, 255] {
            let file = changed(|bytes| bytes[MAGIC.len()] = version);
            let before = started.elapsed();
            assert_eq!(refused(&file), SealError::Version(version));
            assert!((started.elapsed() - before).as_millis() < 50, "no work was done");
        }
        assert_eq!(refused(&changed(|bytes| bytes[0] = b'Q')), SealError::Other);
        let long = format!("{BEGIN}\n{}\n{END}\n", "A".repeat(SEALED_BYTES));
        assert_eq!(refused(long.as_bytes()), SealError::Other);
    }

    #[test]
    fn other_files_are_none_of_ours() {
        for other in [&b"hello"[..], b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert_eq!(refused(other), SealError::Other);
        }
    }

    #[test]
    fn what_holds_no_key_is_not_taken_for_one() {
        let (id, hex) = (AccountId(Ed25519::new(&key(7)).public_key()), to_hex(&key(8)));
        let other = format!("{CONTENT}\n{id}\n{}\n", *hex);
        for content in ["", "p2p-agent account 2\na\nb\n", &other] {
            assert_eq!(refused(&seal(content, PASSPHRASE).expect("sealed")), SealError::Content, "{content}");
        }
    }
}
