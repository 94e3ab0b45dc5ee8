//! A cursor over bytes of the evidence: numbers and slices in order, nothing where the bytes end. Knows no
//! format.

/// What is left to be read.
#[derive(Clone, Copy, Debug)]
pub(in crate::collect) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// Starts at the first byte.
    pub(in crate::collect) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is left.
    pub(in crate::collect) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Whether nothing is left.
    pub(in crate::collect) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte, which stays.
    pub(in crate::collect) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next bytes.
    pub(in crate::collect) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next bytes, of a number that may be too large for this machine.
    pub(in crate::collect) fn take_u64(&mut self, len: u64) -> Option<&'a [u8]> {
        self.take(usize::try_from(len).ok()?)
    }

    /// The next byte.
    pub(in crate::collect) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next two bytes, little endian.
    pub(in crate::collect) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// The next four bytes, little endian.
    pub(in crate::collect) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next four bytes, little endian and signed.
    pub(in crate::collect) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    /// The next eight bytes, little endian.
    pub(in crate::collect) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// The next eight bytes, little endian and signed.
    pub(in crate::collect) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// A number of seven bits a byte, the lowest first: protocol buffers, LevelDB and V8 write them alike.
    pub(in crate::collect) fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// Bytes behind their length.
    pub(in crate::collect) fn counted(&mut self) -> Option<&'a [u8]> {
        let len = self.varint()?;
        self.take_u64(len)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}

/// UTF-16, little endian, as UTF-8; an odd byte at the end, and half a pair, is lost.
pub(in crate::collect) fn utf16le(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks();
    utf16(pairs.iter().copied().map(u16::from_le_bytes))
}

/// UTF-16, big endian, as UTF-8.
pub(in crate::collect) fn utf16be(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks();
    utf16(pairs.iter().copied().map(u16::from_be_bytes))
}

/// ISO 8859-1 as UTF-8.
pub(in crate::collect) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn utf16(units: impl Iterator<Item = u16>) -> String {
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_the_bytes_end() {
        let mut bytes = Bytes::new(b"\x01\x02\x00\xac\x02abc");
        assert_eq!(bytes.byte(), Some(1));
        assert_eq!(bytes.u16(), Some(2));
        assert_eq!(bytes.varint(), Some(300));
        assert_eq!(bytes.u32(), None);
        assert_eq!(bytes.take(3), Some(&b"abc"[..]));
        assert!(bytes.is_empty());
        assert_eq!(bytes.byte(), None);
        assert_eq!(Bytes::new(&[0xff; 11]).varint(), None);
        assert_eq!(Bytes::new(b"\x05abc").counted(), None);
    }

    #[test]
    fn texts_of_either_order() {
        assert_eq!(utf16le(b"a\0\xac\x20b"), "a€");
        assert_eq!(utf16be(b"\0a\x20\xac"), "a€");
        assert_eq!(utf16le(b"\x00\xd8a\0"), "\u{fffd}a");
        assert_eq!(latin1(b"\xe9"), "é");
    }
}
