//! How a notary's records stand in a file, one behind the other, and what can be read of a file
//! that was not written to its end.
//!
//! A record is `"p2pL" || length (4, little-endian) || check (8) || content`; the check is the beginning
//! of the BLAKE3 hash of the record's place in the file (8, little-endian) and the content. Because the
//! place counts, nothing inside an order passes for a record.

use thiserror::Error;

const MAGIC: [u8; 4] = *b"p2pL";
const HEADER: usize = 4 + 4 + 8;
/// The most bytes of one record.
pub const RECORD_BYTES: usize = 16 * 1024 * 1024;

/// A log that is damaged before its end: something lasting was lost, and cutting would lose more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the log is damaged at byte {at}, and whole records stand behind it")]
pub struct Damaged {
    pub at: u64,
}

/// Appends a record's content in its frame to `out`, which will stand at byte `at` of the file.
pub fn frame(at: u64, content: &[u8], out: &mut Vec<u8>) {
    let at = at + out.len() as u64;
    debug_assert!(content.len() <= RECORD_BYTES, "no reader would take a record of {} bytes", content.len());
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&check(at, content));
    out.extend_from_slice(content);
}

/// The contents of the whole records, and how many bytes they take. What is behind was being
/// written when the computer stopped: nothing of it was ever answered, and it is to be cut off.
///
/// # Errors
/// When a record is damaged and whole ones follow.
pub fn read(bytes: &[u8]) -> Result<(Vec<&[u8]>, usize), Damaged> {
    let (mut records, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let Some(content) = record(bytes, at) else {
            let whole_behind = (at + 1..bytes.len()).any(|place| record(bytes, place).is_some());
            return if whole_behind { Err(Damaged { at: at as u64 }) } else { Ok((records, at)) };
        };
        records.push(content);
        at += HEADER + content.len();
    }
    Ok((records, at))
}

/// The content of the record that begins at a place, if one does.
fn record(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?.strip_prefix(&MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (expected, rest) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= RECORD_BYTES)?;
    let content = rest.get(..length)?;
    (check(at as u64, content) == *expected).then_some(content)
}

fn check(at: u64, content: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&at.to_le_bytes()).update(content);
    let hash = hasher.finalize();
    let (first, _) = hash.as_bytes().split_first_chunk::<8>().expect("a hash has 32 bytes");
    *first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut ends) = (Vec::new(), vec![0]);
        for content in [&b"first"[..], b"", b"p2pLthird", &[7; 300]] {
            frame(0, content, &mut bytes);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    #[test]
    fn wherever_writing_stopped_the_whole_records_before_are_read() {
        let (bytes, ends) = log();
        for length in 0..=bytes.len() {
            let (records, whole) = read(&bytes[..length]).expect("only its end is missing");
            let expected = ends.iter().rposition(|end| *end <= length).expect("0 is an end");
            assert_eq!((records.len(), whole), (expected, ends[expected]), "cut to {length}");
        }
    }

    #[test]
    fn a_flipped_bit_is_never_read_and_never_taken_for_the_end_of_what_follows() {
        let (bytes, ends) = log();
        for place in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1;
            let begins = ends.iter().rposition(|end| *end <= place).expect("0 is an end");
            let last = begins + 2 == ends.len();
            match read(&flipped) {
                Ok((records, whole)) => {
                    assert!(last, "byte {place}");
                    assert_eq!((records.len(), whole), (begins, ends[begins]));
                }
                Err(damaged) => assert_eq!((damaged.at, last), (ends[begins] as u64, false), "byte {place}"),
            }
        }
    }
}
