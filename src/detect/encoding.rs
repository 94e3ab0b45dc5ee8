//! Layers of escaping around a value, and how they come off. Knows percent-encoding, HTML references,
//! JSON escapes and the base64 alphabets; nothing of what the value means. Every function is linear.

use std::borrow::Cow;
use std::sync::LazyLock;

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding};

/// Rounds in which one kind of escaping may uncover another. Percent-encoding has no such bound: it comes
/// off to its end in one pass. Five layers were the most seen in one value.
const MAX_ROUNDS: usize = 8;

/// Bytes as text: what is no UTF-8 becomes `%XX`, so that different bytes stay different.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(
                    char::from_digit(digit.into(), 16).map_or('0', |c| c.to_ascii_uppercase()),
                );
            }
        }
    }
    Cow::Owned(out)
}

/// Undoes one layer of percent-encoding; an escape that is none stays as it is, `+` stays `+`.
pub(super) fn percent(value: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'%', value.as_bytes()) else {
        return Cow::Borrowed(value);
    };
    let (plain, mut rest) = value.as_bytes().split_at_checked(first).unwrap_or_default();
    let mut out = Vec::with_capacity(value.len());
    out.extend_from_slice(plain);
    loop {
        rest = match rest {
            [b'%', a, b, tail @ ..] => {
                if let Some(byte) = hex_pair(*a, *b) {
                    out.push(byte);
                    tail
                } else {
                    out.push(b'%');
                    rest.get(1..).unwrap_or_default()
                }
            }
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
            [] => break,
        };
    }
    Cow::Owned(owned_text(out))
}

/// [`text`] of bytes that are nobody else's.
fn owned_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| text(error.as_bytes()).into_owned())
}

/// Undoes percent-encoding to its end. One pass: an escape that a decoded byte completes is decoded at once.
fn percent_all(value: &str) -> Cow<'_, str> {
    if !value.contains('%') {
        return Cow::Borrowed(value);
    }
    let mut out: Vec<u8> = Vec::with_capacity(value.len());
    for byte in value.bytes() {
        out.push(byte);
        while let [.., b'%', a, b] = *out.as_slice() {
            let Some(decoded) = hex_pair(a, b) else { break };
            // Bytes from 0x80 on may make no text, and then stay escaped: the pass after this one tells.
            if decoded >= 0x80 {
                break;
            }
            out.truncate(out.len().saturating_sub(3));
            out.push(decoded);
        }
    }
    Cow::Owned(owned_text(out))
}

fn hex_pair(a: u8, b: u8) -> Option<u8> {
    let digit = |byte: u8| {
        (byte as char)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    digit(a)?.checked_mul(16)?.checked_add(digit(b)?)
}

/// Undoes one layer of HTML character references, as far as URLs and form fields use them.
pub(super) fn html(value: &str) -> Cow<'_, str> {
    const NAMED: [(&str, char); 6] = [
        ("amp;", '&'),
        ("quot;", '"'),
        ("lt;", '<'),
        ("gt;", '>'),
        ("apos;", '\''),
        ("nbsp;", ' '),
    ];
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut pieces = value.split('&');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let named = NAMED
            .iter()
            .find_map(|(name, c)| Some((*c, piece.strip_prefix(name)?)));
        if let Some((c, rest)) = named.or_else(|| numeric_reference(piece)) {
            out.push(c);
            out.push_str(rest);
        } else {
            out.push('&');
            out.push_str(piece);
        }
    }
    Cow::Owned(out)
}

fn numeric_reference(piece: &str) -> Option<(char, &str)> {
    let (number, rest) = piece.strip_prefix('#')?.split_once(';')?;
    if number.len() > 8 {
        return None;
    }
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    Some((char::from_u32(code)?, rest))
}

/// Undoes one layer of JSON or JavaScript string escapes; an unknown escape stays as it is.
pub(super) fn json(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = after.chars();
        let escaped = chars.next();
        rest = chars.as_str();
        match escaped {
            Some(c @ ('/' | '"' | '\\' | '\'')) => out.push(c),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some(c @ ('u' | 'x')) => {
                let digits = if c == 'u' { 4 } else { 2 };
                let code = rest
                    .split_at_checked(digits)
                    .and_then(|(hex, tail)| Some((u32::from_str_radix(hex, 16).ok()?, tail)))
                    .and_then(|(code, tail)| Some((char::from_u32(code)?, tail)));
                if let Some((decoded, tail)) = code {
                    out.push(decoded);
                    rest = tail;
                } else {
                    out.push('\\');
                    out.push(c);
                }
            }
            Some(c) => {
                out.push('\\');
                out.push(c);
            }
            None => out.push('\\'),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The canonical value: percent-, JSON- and HTML-unescaped to a fixed point, `+` kept.
pub(super) fn canonical(value: &str) -> Cow<'_, str> {
    // Most values have nothing that could be undone.
    if memchr::memchr3(b'%', b'&', b'\\', value.as_bytes()).is_none() {
        return Cow::Borrowed(value.trim());
    }
    let mut current = value.to_owned();
    for _ in 0..MAX_ROUNDS {
        let next = json(&html(&percent(&percent_all(&current)))).into_owned();
        if next == current {
            break;
        }
        current = next;
    }
    Cow::Owned(current.trim().to_owned())
}

/// What base64 or base64url hides, where that is text.
pub(super) fn base64_text(value: &str) -> Option<String> {
    /// Characters that are looked at first: of random bytes hardly six are text.
    const BEGINNING: usize = 8;
    let begins = value.as_bytes().first_chunk::<BEGINNING>();
    if let Some(characters) = begins
        && !characters
            .iter()
            .any(|byte| byte.is_ascii_whitespace() || *byte == b'=')
    {
        let mut bytes = [0; BEGINNING / 4 * 3];
        alphabet(characters)
            .decode_mut(characters, &mut bytes)
            .ok()?;
        // A character may be cut at the end.
        let fault = std::str::from_utf8(&bytes).err();
        if fault.is_some_and(|fault| fault.error_len().is_some()) {
            return None;
        }
    }
    String::from_utf8(base64(value)?).ok()
}

/// Decodes base64 or base64url, padded or not, line breaks left out.
pub(super) fn base64(value: &str) -> Option<Vec<u8>> {
    let mut clean = Cow::Borrowed(value.as_bytes());
    if value.bytes().any(|byte| byte.is_ascii_whitespace()) {
        clean.to_mut().retain(|byte| !byte.is_ascii_whitespace());
    }
    let mut clean = &*clean;
    while let [head @ .., b'='] = clean {
        clean = head;
    }
    alphabet(clean).decode(clean).ok()
}

fn alphabet(characters: &[u8]) -> &'static Encoding {
    if memchr::memchr2(b'-', b'_', characters).is_some() {
        &URL_SAFE
    } else {
        &STANDARD
    }
}

static URL_SAFE: LazyLock<Encoding> = LazyLock::new(|| lenient(&BASE64URL_NOPAD));
static STANDARD: LazyLock<Encoding> = LazyLock::new(|| lenient(&BASE64_NOPAD));

/// Trailing bits that are not zero are a bug of some encoders, not a reason to miss a value.
fn lenient(encoding: &Encoding) -> Encoding {
    let mut specification = encoding.specification();
    specification.check_trailing_bits = false;
    specification
        .encoding()
        .unwrap_or_else(|_| encoding.clone())
}

/// Bits that one character of the value carries (Shannon entropy over the value's own bytes).
pub(super) fn entropy(value: &str) -> f32 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count = count.saturating_add(1);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a rough measure")]
    let length = value.len().max(1) as f32;
    // The same few counts come again and again: a logarithm is dear.
    let (mut known, mut carried) = (0, 0.0);
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            if *count != known {
                #[expect(clippy::cast_precision_loss, reason = "a rough measure")]
                let share = *count as f32 / length;
                (known, carried) = (*count, -share * share.log2());
            }
            carried
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escaping_of_a_value_is_the_same_value() {
        for raw in [
            "4/0Ab+c=d&e",
            "4%2F0Ab%2Bc%3Dd%26e",
            "4%252F0Ab%252Bc%253Dd%2526e",
            "4\\/0Ab+c\\u003dd\\u0026e",
            "4&#x2f;0Ab+c=d&amp;e",
            "4%2F0Ab+c%3Dd%26amp%3Be",
        ] {
            assert_eq!(canonical(raw), "4/0Ab+c=d&e", "{raw}");
        }
        assert_eq!(canonical("%E4%BD%A0"), "你");
        assert_eq!(canonical("%25E4%25BD%25A0"), "你");
        assert_eq!(canonical("a%ZZ%E9"), "a%ZZ%E9");
    }

    #[test]
    fn a_million_nested_escapes_cost_linear_time() {
        let nested = format!("%{}41", "25".repeat(1_000_000));
        assert_eq!(canonical(&nested), "A");
    }

    #[test]
    fn text_in_base64_is_found_whatever_it_begins_with() {
        let mut texts: Vec<String> = [
            "a",
            "ab",
            "{\"a\":1}",
            "你好，世界",
            "aaaaa你",
            "\u{1f511}\u{1f511}",
        ]
        .map(String::from)
        .into();
        texts.extend((1..12).map(|length| "x".repeat(length)));
        for text in &texts {
            for encoding in [
                data_encoding::BASE64,
                BASE64_NOPAD,
                data_encoding::BASE64URL,
                BASE64URL_NOPAD,
            ] {
                let value = encoding.encode(text.as_bytes());
                assert_eq!(base64_text(&value).as_deref(), Some(&**text), "{value}");
                let broken = format!(" {value}\n");
                assert_eq!(base64_text(&broken).as_deref(), Some(&**text), "{value}");
            }
        }
        for value in ["", "a", "=", "____", "gICAgICA", "YWJj-+==", "no base64"] {
            let slowly = base64(value).and_then(|bytes| String::from_utf8(bytes).ok());
            assert_eq!(base64_text(value), slowly, "{value}");
        }
    }

    #[test]
    fn base64_alphabets_and_padding_are_taken_as_they_come() {
        for value in ["eyJhIjoxfQ", "eyJhIjoxfQ==", "eyJhIj\noxfQ"] {
            assert_eq!(base64(value).as_deref(), Some(b"{\"a\":1}".as_slice()));
        }
        assert_eq!(base64("no base64!"), None);
    }
}
