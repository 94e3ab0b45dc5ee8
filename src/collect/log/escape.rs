//! Undoes one layer of what log writers do to special bytes. Knows nothing of fields.

use std::borrow::Cow;

use crate::atoms::rules::log_format::Escape;
use crate::collect::entities;

/// `bytes` with one layer of `escape` undone. What is no escape stays as it is.
pub(super) fn undo(bytes: &[u8], escape: Escape) -> Cow<'_, [u8]> {
    let (mark, step): (u8, Step) = match escape {
        Escape::None => return Cow::Borrowed(bytes),
        Escape::Xml => return entities::undo(bytes),
        Escape::Backslash => (b'\\', backslash),
        Escape::Hash => (b'#', hex_pair),
        Escape::Control => (b'#', control),
        Escape::Percent => (b'%', hex_pair),
    };
    let Some(first) = memchr::memchr(mark, bytes) else {
        return Cow::Borrowed(bytes);
    };
    let (plain, mut rest) = bytes.split_at_checked(first).unwrap_or((bytes, &[]));
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(plain);
    while let Some((&byte, after)) = rest.split_first() {
        let step = (byte == mark).then(|| step(after, &mut out)).flatten();
        if step.is_none() {
            out.push(byte);
        }
        rest = after.get(step.unwrap_or(0)..).unwrap_or_default();
    }
    Cow::Owned(out)
}

/// Without colour and cursor sequences (ECMA-48 §5.4: `ESC [` … final byte), as terminals and `docker
/// compose` leave them in saved output.
pub(super) fn without_ansi(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(0x1b, bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (0x1b, [b'[', sequence @ ..]) => {
                let end = sequence
                    .iter()
                    .position(|byte| (0x40..=0x7e).contains(byte));
                rest = end
                    .and_then(|end| sequence.get(end + 1..))
                    .unwrap_or_default();
            }
            (0x1b, _) => {}
            _ => out.push(byte),
        }
    }
    Cow::Owned(out)
}

/// Reads what follows the mark, writes what it stands for, and says how many bytes it took.
type Step = fn(&[u8], &mut Vec<u8>) -> Option<usize>;

fn backslash(after: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let byte = match after {
        [b'x', pair @ ..] => return hex_pair(pair, out).map(|taken| taken + 1),
        [b'u', ..] => return unicode(after, out),
        [b'n', ..] => b'\n',
        [b't', ..] => b'\t',
        [b'r', ..] => b'\r',
        [b'b', ..] => 8,
        [b'f', ..] => 12,
        [b'v', ..] => 11,
        [byte @ (b'"' | b'\\' | b'/' | b'\''), ..] => *byte,
        _ => return None,
    };
    out.push(byte);
    Some(1)
}

fn control(after: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let digits = after.first_chunk::<3>()?;
    let byte = digits.iter().try_fold(0_u8, |byte, digit| {
        let digit = char::from(*digit).to_digit(8)?;
        byte.checked_mul(8)?.checked_add(u8::try_from(digit).ok()?)
    });
    out.push(byte.filter(u8::is_ascii_control)?);
    Some(3)
}

fn hex_pair(after: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let [high, low, ..] = after else { return None };
    out.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
    Some(2)
}

/// `uXXXX`, and the pair of them that stands for one character outside the first plane (RFC 8259 §7).
fn unicode(after: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let unit = code_unit(after)?;
    let pair = match after.get(5..) {
        Some([b'\\', next @ ..]) if (0xd800..0xdc00).contains(&unit) => code_unit(next)
            .filter(|low| (0xdc00..0xe000).contains(low))
            .map(|low| 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)),
        _ => None,
    };
    let taken = if pair.is_some() { 11 } else { 5 };
    let character = char::from_u32(pair.unwrap_or(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Some(taken)
}

fn code_unit(after: &[u8]) -> Option<u32> {
    let [b'u', a, b, c, d, ..] = after else {
        return None;
    };
    [a, b, c, d]
        .into_iter()
        .try_fold(0, |unit, byte| Some(unit * 16 + digit(*byte)?))
}

fn digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, escape: Escape, expect: &str) {
        let out = undo(input.as_bytes(), escape);
        assert_eq!(String::from_utf8_lossy(&out), expect);
    }

    #[test]
    fn each_writer_is_undone_once() {
        check(r"a\x22b\x5Cc\xc3\xa9", Escape::Backslash, "a\"b\\cé");
        check(
            r#"\"\\x41\/\u0026\ud83d\ude00"#,
            Escape::Backslash,
            "\"\\x41/&😀",
        );
        check("a#22b#C3#A9#zz#", Escape::Hash, "a\"bé#zz#");
        check(
            "a#012b#0111#101#777#09#",
            Escape::Control,
            "a\nb\t1#101#777#09#",
        );
        check("a%2520b%2", Escape::Percent, "a%20b%2");
        check(r"\x22#22%22", Escape::None, r"\x22#22%22");
    }

    #[test]
    fn what_is_no_escape_stays() {
        check(r"C:\path\q\x4\u12", Escape::Backslash, r"C:\path\q\x4\u12");
        check("\\", Escape::Backslash, "\\");
        check(r"\ud83dx", Escape::Backslash, "\u{fffd}x");
    }

    #[test]
    fn colours_go() {
        assert_eq!(&*without_ansi(b"\x1b[36mweb |\x1b[0m x\x1b[2K"), b"web | x");
    }
}
