//! Numbers and runs of bytes, read one after the other from a buffer and never beyond its end. Knows no format.

/// A place in a buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Begins at the first byte.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self::starting(bytes, 0)
    }

    /// Begins at `at`.
    pub(super) fn starting(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Offset of the next byte.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The next byte, which stays.
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next `len` bytes, or nothing when there are fewer.
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(len)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// The same, for a length that may be too large for this machine.
    pub(super) fn take_u64(&mut self, len: u64) -> Option<&'a [u8]> {
        self.take(usize::try_from(len).ok()?)
    }

    /// The next bytes up to `stop`, which is passed over.
    pub(super) fn until(&mut self, stop: u8) -> Option<&'a [u8]> {
        let len = memchr::memchr(stop, self.rest())?;
        let taken = self.take(len)?;
        self.take(1)?;
        Some(taken)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16_le(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32_le(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64_le(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn i32_le(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn i64_le(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn u32_be(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64_be(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A big-endian number of 1 to 8 bytes.
    pub(super) fn uint_be(&mut self, len: usize) -> Option<u64> {
        if len > 8 {
            return None;
        }
        let bytes = self.take(len)?;
        Some(
            bytes
                .iter()
                .fold(0, |number, byte| (number << 8) | u64::from(*byte)),
        )
    }

    /// A number of seven bits a byte, the lowest first: protocol buffers, LevelDB and V8 write them alike
    /// (protobuf.dev/programming-guides/encoding).
    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// Bytes behind their length.
    pub(super) fn counted(&mut self) -> Option<&'a [u8]> {
        let len = self.varint()?;
        self.take_u64(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let mut cursor = Cursor::new(b"\x01\x02\x03key\0rest");
        assert_eq!(cursor.u16_le(), Some(0x0201));
        assert_eq!(cursor.u32_le(), Some(u32::from_le_bytes(*b"\x03key")));
        assert_eq!(cursor.until(0), Some(b"".as_slice()));
        assert_eq!(cursor.u64_be(), None);
        assert_eq!((cursor.at(), cursor.rest()), (7, b"rest".as_slice()));
        assert_eq!(cursor.take(usize::MAX), None);
        assert_eq!(cursor.take_u64(u64::MAX), None);
        assert_eq!((cursor.peek(), cursor.is_empty()), (Some(b'r'), false));
        assert!(cursor.take(4).is_some() && cursor.is_empty());
        assert_eq!((cursor.peek(), cursor.u8()), (None, None));
        assert_eq!(Cursor::starting(b"x", 9).rest(), b"");
    }

    #[test]
    fn variable_length_numbers_end() {
        assert_eq!(Cursor::new(b"\xac\x02").varint(), Some(300));
        assert_eq!(Cursor::new(&[0xff; 20]).varint(), None);
        assert_eq!(Cursor::new(b"\x05abc").counted(), None);
        assert_eq!(Cursor::new(b"\x03abcd").counted(), Some(b"abc".as_slice()));
    }
}
