//! JSON values as spans of the bytes they were found in, so that each can be led back to its place.
//! Takes what a strict parser refuses: values cut off at the end, invalid UTF-8, lone surrogates,
//! any depth (nothing here recurses). Knows no document.

use std::borrow::Cow;

/// A value and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    /// Offset of its first byte in the document.
    pub(super) start: usize,
    /// Its bytes as found, quotes and brackets included.
    pub(super) raw: &'a [u8],
    /// Whether its end was found.
    pub(super) whole: bool,
}

impl<'a> Value<'a> {
    /// The value that begins at or after `at`, behind blanks.
    pub(super) fn at(document: &'a [u8], at: usize) -> Option<Self> {
        let start = skip_blanks(document, at);
        let rest = document.get(start..)?;
        let (len, whole) = match rest.first()? {
            b'"' => string_len(rest),
            b'{' | b'[' => container_len(rest),
            b'}' | b']' | b',' | b':' => return None,
            _ => scalar_len(rest),
        };
        Some(Self {
            start,
            raw: rest.get(..len)?,
            whole,
        })
    }

    /// Offset behind its last byte.
    pub(super) fn end(self) -> usize {
        self.start.saturating_add(self.raw.len())
    }

    /// Whether it is an object.
    pub(super) fn is_object(self) -> bool {
        self.raw.first() == Some(&b'{')
    }

    /// Whether it is an array.
    pub(super) fn is_array(self) -> bool {
        self.raw.first() == Some(&b'[')
    }

    /// Members in order, up to the first that breaks the syntax; none of anything but an object.
    pub(super) fn members(self) -> impl Iterator<Item = (Cow<'a, [u8]>, Self)> {
        let mut at = self.is_object().then_some(1);
        std::iter::from_fn(move || {
            let key = self.inner(at?)?;
            let name = key.text()?;
            let colon = skip_blanks(self.raw, self.offset(key.end()));
            if self.raw.get(colon) != Some(&b':') {
                return None;
            }
            let value = self.inner(colon.saturating_add(1))?;
            at = self.behind_comma(value);
            Some((name, value))
        })
    }

    /// Items in order, up to the first that breaks the syntax; none of anything but an array.
    pub(super) fn items(self) -> impl Iterator<Item = Self> {
        let mut at = self.is_array().then_some(1);
        std::iter::from_fn(move || {
            let item = self.inner(at?)?;
            at = self.behind_comma(item);
            Some(item)
        })
    }

    /// The first member of this name.
    pub(super) fn get(self, name: &str) -> Option<Self> {
        self.members()
            .find(|(key, _)| key.as_ref() == name.as_bytes())
            .map(|(_, value)| value)
    }

    /// A string's content, unescaped; `None` for other types, and for a string whose end is missing.
    pub(super) fn text(self) -> Option<Cow<'a, [u8]>> {
        if !self.whole {
            return None;
        }
        self.content().map(|(_, content)| unescape(content))
    }

    /// A string's content as found, and its offset in the document; a missing end does not matter.
    pub(super) fn content(self) -> Option<(usize, &'a [u8])> {
        let content = self.raw.strip_prefix(b"\"")?;
        let content = if self.whole {
            content.strip_suffix(b"\"")?
        } else {
            content
        };
        Some((self.start.saturating_add(1), content))
    }

    /// A number, also when it was written as a string.
    pub(super) fn number(self) -> Option<f64> {
        let digits = self.content().map_or(self.raw, |(_, content)| content);
        let number: f64 = std::str::from_utf8(digits).ok()?.trim().parse().ok()?;
        number.is_finite().then_some(number)
    }

    /// The value at offset `at` of this one.
    fn inner(self, at: usize) -> Option<Self> {
        let mut value = Value::at(self.raw, at)?;
        value.start = value.start.saturating_add(self.start);
        Some(value)
    }

    /// Offset in this value of what stands at `end` in the document.
    fn offset(self, end: usize) -> usize {
        end.saturating_sub(self.start)
    }

    /// Offset behind the comma that follows `value`.
    fn behind_comma(self, value: Self) -> Option<usize> {
        let comma = skip_blanks(self.raw, self.offset(value.end()));
        (self.raw.get(comma) == Some(&b',')).then(|| comma.saturating_add(1))
    }
}

/// Undoes the escapes of RFC 8259 §7. A lone surrogate becomes U+FFFD; an escape that does not exist
/// stays as it is.
pub(super) fn unescape(content: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', content) else {
        return Cow::Borrowed(content);
    };
    let mut out = Vec::with_capacity(content.len());
    let (plain, mut rest) = content.split_at_checked(first).unwrap_or((content, &[]));
    out.extend_from_slice(plain);
    while let [b'\\', tail @ ..] = rest {
        let tail = match tail {
            [b'u', hex @ ..] => unescape_unicode(hex, &mut out),
            [byte, after @ ..] => {
                match byte {
                    b'n' => out.push(b'\n'),
                    b't' => out.push(b'\t'),
                    b'r' => out.push(b'\r'),
                    b'b' => out.push(8),
                    b'f' => out.push(12),
                    b'"' | b'\\' | b'/' => out.push(*byte),
                    _ => out.extend([b'\\', *byte]),
                }
                after
            }
            [] => {
                out.push(b'\\');
                tail
            }
        };
        let next = memchr::memchr(b'\\', tail).unwrap_or(tail.len());
        let (plain, after) = tail.split_at_checked(next).unwrap_or((tail, &[]));
        out.extend_from_slice(plain);
        rest = after;
    }
    Cow::Owned(out)
}

/// Appends what `\u` and these digits mean; returns what follows them.
fn unescape_unicode<'a>(hex: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let Some((first, tail)) = hex4(hex) else {
        out.extend_from_slice(b"\\u");
        return hex;
    };
    let pair = match tail {
        [b'\\', b'u', low @ ..] => hex4(low),
        _ => None,
    };
    let (decoded, rest) = match pair {
        Some((low, rest)) if (0xd800..0xdc00).contains(&first) => {
            match char::decode_utf16([first, low]).next() {
                Some(Ok(char)) => (char, rest),
                _ => (char::REPLACEMENT_CHARACTER, tail),
            }
        }
        _ => (
            char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER),
            tail,
        ),
    };
    out.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
    rest
}

fn hex4(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(4)?;
    let mut value = 0_u16;
    for digit in digits {
        let digit = char::from(*digit).to_digit(16)?;
        value = (value << 4) | u16::try_from(digit).ok()?;
    }
    Some((value, rest))
}

fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    let blanks = bytes
        .iter()
        .skip(at)
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    at.saturating_add(blanks)
}

/// Length of the string that `bytes` begins with, quotes included, and whether it ends.
fn string_len(bytes: &[u8]) -> (usize, bool) {
    let mut at = 1_usize;
    while let Some(rest) = bytes.get(at..) {
        let Some(next) = memchr::memchr2(b'"', b'\\', rest) else {
            break;
        };
        at = at.saturating_add(next);
        if bytes.get(at) == Some(&b'"') {
            return (at.saturating_add(1), true);
        }
        at = at.saturating_add(2);
    }
    (bytes.len(), false)
}

/// Length of the object or array that `bytes` begins with. Brackets of both kinds count as one kind.
fn container_len(bytes: &[u8]) -> (usize, bool) {
    let mut depth = 0_usize;
    let mut at = 0_usize;
    while let Some(rest) = bytes.get(at..) {
        let Some(next) = rest
            .iter()
            .position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']'))
        else {
            break;
        };
        at = at.saturating_add(next);
        match bytes.get(at) {
            Some(b'"') => {
                let (len, _) = string_len(bytes.get(at..).unwrap_or_default());
                at = at.saturating_add(len);
                continue;
            }
            Some(b'{' | b'[') => depth = depth.saturating_add(1),
            _ => depth = depth.saturating_sub(1),
        }
        at = at.saturating_add(1);
        if depth == 0 {
            return (at, true);
        }
    }
    (bytes.len(), false)
}

fn scalar_len(bytes: &[u8]) -> (usize, bool) {
    let end = bytes
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b'}' | b']'));
    (end.unwrap_or(bytes.len()), end.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(document: &str) -> Vec<String> {
        let value = Value::at(document.as_bytes(), 0).unwrap();
        value
            .members()
            .map(|(key, value)| {
                let from = document.get(value.start..value.end()).unwrap();
                format!("{}={from}", String::from_utf8_lossy(&key))
            })
            .collect()
    }

    #[test]
    fn members_carry_their_spans() {
        assert_eq!(
            texts(r#" { "a" : [1, {"b":"]"}] , "c\u0064":"x\"y", "e":null }"#),
            [r#"a=[1, {"b":"]"}]"#, r#"cd="x\"y""#, "e=null"]
        );
    }

    #[test]
    fn what_is_cut_off_keeps_its_whole_members() {
        assert_eq!(texts(r#"{"a":"x","b":{"c":"y"#).len(), 2);
        let document = br#"{"a":"x","b":{"c":"y"#;
        let cut = Value::at(document, 0).unwrap().get("b").unwrap();
        assert!(cut.get("c").unwrap().text().is_none());
        assert_eq!(cut.get("c").unwrap().content().unwrap().1, b"y");
    }

    #[test]
    fn escapes_are_undone_as_serde_does() {
        for json in [
            r#""a\u003db\u0026c\/d""#,
            r#""\ud83d\ude00\n\t\"\\""#,
            r#""plain""#,
        ] {
            let expected: String = serde_json::from_str(json).unwrap();
            let value = Value::at(json.as_bytes(), 0).unwrap();
            assert_eq!(value.text().unwrap().as_ref(), expected.as_bytes());
        }
        assert_eq!(
            unescape(br"\ud800x\u00zz\q\").as_ref(),
            "\u{fffd}x\\u00zz\\q\\".as_bytes()
        );
    }

    #[test]
    fn a_million_brackets_do_not_recurse() {
        let deep = "[".repeat(1_000_000);
        assert!(!Value::at(deep.as_bytes(), 0).unwrap().whole);
    }
}
