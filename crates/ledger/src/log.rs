//! How a notary's records stand in a file, one behind the other, and what can be read of a file
//! that was not written to its end.
//!
//! A record is `"p2pL" || length (4, little-endian) || head check (4) || check (8) || content`. The head check is
//! the beginning of the BLAKE3 hash of the record's place in the file (8, little-endian) and its
//! length; the check is that of the place and the content. Because the place counts, nothing inside an
//! order passes for a record; and because the head has a check of its own, looking for records in what
//! is left of a torn one hashes no content in vain.

use thiserror::Error;

const MAGIC: [u8; 4] = *b"p2pL";
const HEADER: usize = 4 + 4 + 4 + 8;
/// The most bytes of one record.
pub const RECORD_BYTES: usize = 16 * 1024 * 1024;

/// A log that is damaged before its end: something lasting was lost, and cutting would lose more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the log is damaged at byte {at}, and whole records stand behind it")]
pub struct Damaged {
    pub at: u64,
}

/// A record's content in its frame, to stand at byte `at` of the file. `None` for more than
/// [`RECORD_BYTES`], which no reader would take.
#[must_use]
pub fn frame(at: u64, content: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(content.len()).ok().filter(|_| content.len() <= RECORD_BYTES)?;
    let mut framed = Vec::with_capacity(HEADER + content.len());
    framed.extend_from_slice(&MAGIC);
    framed.extend_from_slice(&length.to_le_bytes());
    framed.extend_from_slice(&check::<4>(at, &length.to_le_bytes()));
    framed.extend_from_slice(&check::<8>(at, content));
    framed.extend_from_slice(content);
    Some(framed)
}

/// The bytes that a record of `length` bytes takes in a file.
#[must_use]
pub const fn framed_len(length: usize) -> u64 {
    (HEADER + length) as u64
}

/// The content of one record that was framed for byte `at` of the file; `None` when it is damaged.
#[must_use]
pub fn unframe(at: u64, framed: &[u8]) -> Option<&[u8]> {
    let rest = framed.strip_prefix(&MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (head, rest) = rest.split_first_chunk::<4>()?;
    if check::<4>(at, length) != *head {
        return None;
    }
    let (expected, rest) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= RECORD_BYTES)?;
    let content = rest.get(..length)?;
    (check::<8>(at, content) == *expected).then_some(content)
}

/// The contents of the whole records, and how many bytes they take. What is behind is not whole: most
/// likely it was being written when the computer stopped, and then nothing of it was answered. It
/// is to be cut off, and kept aside.
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
    unframe(at as u64, bytes.get(at..)?)
}

fn check<const N: usize>(at: u64, content: &[u8]) -> [u8; N] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&at.to_le_bytes()).update(content);
    let mut check = [0; N];
    check.copy_from_slice(&hasher.finalize().as_bytes()[..N]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut ends) = (Vec::new(), vec![0]);
        for content in [&b"first"[..], b"", b"p2pLthird", &[7; 300]] {
            let framed = frame(bytes.len() as u64, content).expect("short");
            bytes.extend(framed);
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

    #[test]
    fn a_torn_end_full_of_false_beginnings_is_read_at_once() {
        let mut hostile = Vec::new();
        while hostile.len() < 4 * 1024 * 1024 {
            hostile.extend_from_slice(b"p2pL\x00\x00\x20\x00");
        }
        let mut bytes = frame(0, b"whole").expect("short");
        let whole = bytes.len();
        let torn = frame(whole as u64, &hostile).expect("below the limit");
        bytes.extend_from_slice(&torn[..torn.len() - 1]);
        let begun = std::time::Instant::now();
        assert_eq!(read(&bytes), Ok((vec![&b"whole"[..]], whole)));
        assert!(begun.elapsed().as_secs() < 20, "it took {:?}", begun.elapsed());
        assert_eq!(frame(0, &vec![0; RECORD_BYTES + 1]), None);
    }
}
