//! Text of older encodings as UTF-8. Knows no format; logs and captures, which are transcoded as streams, have their
//! own.

/// UTF-16, little endian, as UTF-8; an odd byte at the end, and half a pair, is lost.
pub(super) fn utf16le(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks();
    utf16(pairs.iter().copied().map(u16::from_le_bytes))
}

/// UTF-16, big endian, as UTF-8.
pub(super) fn utf16be(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks();
    utf16(pairs.iter().copied().map(u16::from_be_bytes))
}

/// ISO 8859-1 as UTF-8.
pub(super) fn latin1(bytes: &[u8]) -> String {
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
    fn texts_of_either_order() {
        assert_eq!(utf16le(b"a\0\xac\x20b"), "a€");
        assert_eq!(utf16be(b"\0a\x20\xac"), "a€");
        assert_eq!(utf16le(b"\x00\xd8a\0"), "\u{fffd}a");
        assert_eq!(latin1(b"\xe9"), "é");
    }
}
