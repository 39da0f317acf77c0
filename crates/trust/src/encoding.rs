//! How what must outlive the process becomes bytes: a name, a version, fields in a fixed order,
//! little-endian, and a checksum over it all, so that half a file is not taken for a whole one.

use thiserror::Error;

/// Why bytes are not the copy they should be. Nothing of them is used; the caller begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BrokenCopy {
    #[error("these bytes are something else, or damaged")]
    Damaged,
    #[error("this copy is of version {0}, which this program does not know")]
    Version(u8),
    #[error("this copy holds what cannot be")]
    Impossible,
}

const CHECKSUM: usize = 8;

pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(name: [u8; 4], version: u8) -> Self {
        let mut bytes = name.to_vec();
        bytes.push(version);
        Self { bytes }
    }

    pub(crate) fn byte(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// How many follow; nothing here has more than 2^32 of anything.
    pub(crate) fn len(&mut self, value: usize) -> &mut Self {
        self.u32(u32::try_from(value).unwrap_or(u32::MAX))
    }

    pub(crate) fn key(&mut self, key: &[u8; 32]) -> &mut Self {
        self.bytes.extend_from_slice(key);
        self
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.len(value.len());
        self.bytes.extend_from_slice(value);
        self
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        let checksum = blake3::hash(&self.bytes);
        self.bytes.extend_from_slice(&checksum.as_bytes()[..CHECKSUM]);
        self.bytes
    }
}

pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Checks the frame; what is inside is read field by field.
    pub(crate) fn new(bytes: &'a [u8], name: [u8; 4], version: u8) -> Result<Self, BrokenCopy> {
        let at = bytes.len().checked_sub(CHECKSUM).ok_or(BrokenCopy::Damaged)?;
        let (body, checksum) = bytes.split_at(at);
        if blake3::hash(body).as_bytes()[..CHECKSUM] != *checksum {
            return Err(BrokenCopy::Damaged);
        }
        let rest = body.strip_prefix(&name).ok_or(BrokenCopy::Damaged)?;
        match rest.split_first() {
            Some((known, rest)) if *known == version => Ok(Self { rest }),
            Some((other, _)) => Err(BrokenCopy::Version(*other)),
            None => Err(BrokenCopy::Damaged),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BrokenCopy> {
        let (first, rest) = self.rest.split_first_chunk::<N>().ok_or(BrokenCopy::Damaged)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, BrokenCopy> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, BrokenCopy> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, BrokenCopy> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn key(&mut self) -> Result<[u8; 32], BrokenCopy> {
        self.array()
    }

    /// How many follow, at most `limit`.
    pub(crate) fn len(&mut self, limit: usize) -> Result<usize, BrokenCopy> {
        let len = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        if len > limit { Err(BrokenCopy::Impossible) } else { Ok(len) }
    }

    pub(crate) fn bytes(&mut self, limit: usize) -> Result<&'a [u8], BrokenCopy> {
        let len = self.len(limit)?;
        let (first, rest) = self.rest.split_at_checked(len).ok_or(BrokenCopy::Damaged)?;
        self.rest = rest;
        Ok(first)
    }

    pub(crate) fn text(&mut self, limit: usize) -> Result<String, BrokenCopy> {
        let bytes = self.bytes(limit)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| BrokenCopy::Impossible)
    }

    /// Nothing may be left over.
    pub(crate) fn end(self) -> Result<(), BrokenCopy> {
        if self.rest.is_empty() { Ok(()) } else { Err(BrokenCopy::Damaged) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_round_trip_and_damage_is_seen() {
        let mut writer = Writer::new(*b"test", 3);
        writer.byte(9).u64(u64::MAX).bytes("né".as_bytes()).key(&[7; 32]);
        let bytes = writer.end();
        let mut reader = Reader::new(&bytes, *b"test", 3).expect("whole");
        assert_eq!(reader.byte(), Ok(9));
        assert_eq!(reader.u64(), Ok(u64::MAX));
        assert_eq!(reader.text(3).as_deref(), Ok("né"));
        assert_eq!(reader.key(), Ok([7; 32]));
        assert_eq!(reader.byte(), Err(BrokenCopy::Damaged));
        assert_eq!(reader.end(), Ok(()));

        assert_eq!(Reader::new(&bytes, *b"test", 4).err(), Some(BrokenCopy::Version(3)));
        assert_eq!(Reader::new(&bytes, *b"pool", 3).err(), Some(BrokenCopy::Damaged));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(Reader::new(&damaged, *b"test", 3).err(), Some(BrokenCopy::Damaged), "{at}");
            assert_eq!(Reader::new(&bytes[..at], *b"test", 3).err(), Some(BrokenCopy::Damaged), "{at}");
        }
    }
}
