//! The strings of a protocol buffer, each bounded by its own length. Knows no message: a field is a string
//! when it is text, and a message when it can be read as one (protobuf.dev, "Encoding").

use crate::collect::cursor::Cursor;

/// Messages inside messages. Those of Chromium have four or five.
const MAX_DEPTH: usize = 16;

/// Shortest text that is handed on: shorter ones are numbers by another name.
const MIN_TEXT: usize = 8;

/// Hands on the texts in a value; the value itself when it is one.
pub(super) fn texts<'a>(value: &'a [u8], each: &mut dyn FnMut(&'a str)) {
    let mut found = Vec::new();
    if fields(value, MAX_DEPTH, &mut found) {
        found.into_iter().for_each(each);
    } else if let Some(text) = text(value) {
        each(text);
    }
}

/// Gathers the texts of a message; whether it is one.
fn fields<'a>(message: &'a [u8], depth: usize, found: &mut Vec<&'a str>) -> bool {
    // A URL has no control characters, and no message is without them for long.
    if message.is_empty() || depth == 0 || is_line(message) {
        return false;
    }
    let before = found.len();
    let mut rest = Cursor::new(message);
    while !rest.is_empty() {
        if field(&mut rest, depth, found).is_none() {
            found.truncate(before);
            return false;
        }
    }
    true
}

fn field<'a>(rest: &mut Cursor<'a>, depth: usize, found: &mut Vec<&'a str>) -> Option<()> {
    let tag = rest.varint()?;
    (tag >> 3 != 0 && tag >> 3 <= MAX_FIELD).then_some(())?;
    match tag & 7 {
        0 => rest.varint().map(drop),
        1 => rest.take(8).map(drop),
        5 => rest.take(4).map(drop),
        2 => {
            let bytes = rest.counted()?;
            if !fields(bytes, depth - 1, found) {
                found.extend(text(bytes));
            }
            Some(())
        }
        _ => None,
    }
}

/// Highest number that a field may have.
const MAX_FIELD: u64 = (1 << 29) - 1;

fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    (text.len() >= MIN_TEXT && !text.contains(odd)).then_some(text)
}

/// Whether the bytes are one line of text.
fn is_line(bytes: &[u8]) -> bool {
    bytes.len() >= MIN_TEXT && text(bytes).is_some_and(|text| !text.contains(['\n', '\r', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &[u8]) -> Vec<&str> {
        let mut found = Vec::new();
        texts(value, &mut |text| found.push(text));
        found
    }

    #[test]
    fn texts_have_the_length_that_stands_before_them() {
        let url = b"https://a.example/?access_token=x";
        let inner = [
            &[0x0a, u8::try_from(url.len()).unwrap()][..],
            url,
            b"\x10\x05",
        ]
        .concat();
        let outer = [
            &[0x08, 0x01, 0x12, u8::try_from(inner.len()).unwrap()][..],
            &inner,
            b"\x1a\x09next text",
        ]
        .concat();
        assert_eq!(
            found(&outer),
            ["https://a.example/?access_token=x", "next text"]
        );
        assert_eq!(found(url), ["https://a.example/?access_token=x"]);
        assert_eq!(found(b"{\"a\": 1,\n\"b\": 2}"), ["{\"a\": 1,\n\"b\": 2}"]);
        assert_eq!(found(b"\x0a\xff"), [] as [&str; 0]);
        assert_eq!(found(b""), [] as [&str; 0]);
    }

    #[test]
    fn a_message_that_holds_itself_ends() {
        let mut nested = b"\x01".to_vec();
        for _ in 0..100 {
            let len = u8::try_from(nested.len()).unwrap_or(0x7f);
            nested = [&[0x0a, len][..], &nested].concat();
        }
        assert_eq!(found(&nested), [] as [&str; 0]);
    }
}
