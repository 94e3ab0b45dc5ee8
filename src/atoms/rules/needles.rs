//! The needles: a cheap test whether bytes may hold anything that a rule would look at. Readers are
//! given it as a value and know nothing of what it looks for.
//!
//! The search is driven by separators (`=`, `%3D`, `:`), with a look back at the name before each: its cost
//! does not grow with the number of names, and spelling, case and percent-encoding cost nothing extra.
//! Literals that mark a credential wherever they stand are searched beside it.

use std::collections::{BTreeSet, HashMap};

use aho_corasick::AhoCorasick;

/// Bytes of a name that are compared; longer names are known by their last ones.
const NAME: usize = 40;

/// Raw bytes before a separator that are looked at: a name in which every character is percent-encoded.
const LOOK_BACK: usize = NAME * 6;

/// Bytes searched for separators before the literals' next place is asked for again.
const BLOCK: usize = 16 * 1024;

/// Literals of the grammars themselves: JWT and base64 JSON, base64 URLs, header schemes, cookieless
/// sessions, escaped separators, `name="…"` of forms.
const LITERALS: &[&str] = &[
    "eyJ",
    "eyAi",
    "ewog",
    "ewoJ",
    "ewog",
    "aHR0c",
    "Bearer",
    "bearer",
    "BEARER",
    "Basic ",
    "basic ",
    "uthorization",
    "UTHORIZATION",
    "u003d",
    "u003D",
    "u0022",
    "&#61",
    "&#x3d",
    "&#x3D",
    "&quot;",
    "name=\"",
    "name='",
    "name=\\\"",
    "/(S(",
    "/(s(",
];

/// Names before a separator, and literals that mark a credential wherever they stand.
#[derive(Debug, Default)]
pub struct Needles {
    /// Names reversed, by their last two bytes.
    names: HashMap<[u8; 2], Vec<Box<[u8]>>>,
    literals: Option<AhoCorasick>,
}

impl Needles {
    /// Compiles names (letters and digits, lower case) and literals.
    pub(super) fn new<'a>(
        keys: BTreeSet<Box<str>>,
        literals: impl Iterator<Item = &'a str>,
    ) -> Self {
        let mut names: HashMap<[u8; 2], Vec<Box<[u8]>>> = HashMap::new();
        for key in keys {
            let reversed: Vec<u8> = key.bytes().rev().take(NAME).collect();
            if let [last, before, ..] = *reversed {
                names
                    .entry([last, before])
                    .or_default()
                    .push(reversed.into());
            }
        }
        let all: BTreeSet<&str> = LITERALS.iter().copied().chain(literals).collect();
        Self {
            names,
            literals: AhoCorasick::new(all).ok(),
        }
    }

    /// Whether anything in `bytes` is worth a second look. May say yes in vain, never no in vain.
    pub fn hit(&self, bytes: &[u8]) -> bool {
        self.find(bytes, 0).is_some()
    }

    /// Offset of the first place at or after `from` that is worth a second look.
    pub fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut start = from;
        while start < bytes.len() {
            let end = start.saturating_add(BLOCK).min(bytes.len());
            let separator = self.separator(bytes, start, end);
            // A literal may begin in this block and end in the next.
            let limit = separator.unwrap_or(end);
            if let Some(literal) = self.literal(bytes, start, limit) {
                return Some(literal);
            }
            if separator.is_some() {
                return separator;
            }
            start = end;
        }
        None
    }

    /// First literal that begins in `start..limit`.
    fn literal(&self, bytes: &[u8], start: usize, limit: usize) -> Option<usize> {
        /// No literal is longer; a longer one of a user's rule is found in the next block's search too late.
        const LONGEST: usize = 64;
        let end = limit.saturating_add(LONGEST).min(bytes.len());
        let window = bytes.get(start..end)?;
        let found = self.literals.as_ref()?.find(window)?;
        let at = start.saturating_add(found.start());
        (at < limit).then_some(at)
    }

    /// First separator in `start..end` with a known name before it.
    fn separator(&self, bytes: &[u8], start: usize, end: usize) -> Option<usize> {
        let block = bytes.get(start..end)?;
        memchr::memchr3_iter(b'=', b':', b'%', block)
            .map(|offset| start.saturating_add(offset))
            .find(|at| {
                is_separator(bytes, *at)
                    && (self.name_before(bytes, *at) || userinfo_after(bytes, *at))
            })
    }

    /// Whether a known name ends at `end`, blanks, quotes and escapes between them left out.
    fn name_before(&self, bytes: &[u8], end: usize) -> bool {
        let begin = end.saturating_sub(LOOK_BACK);
        let Some(mut rest) = bytes.get(begin..end) else {
            return false;
        };
        let mut reversed = [0; NAME];
        let mut length = 0;
        while length < NAME {
            let (byte, shorter) = match rest {
                [shorter @ .., b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                    (unhex(*a, *b), shorter)
                }
                [shorter @ .., byte] => (*byte, shorter),
                [] => break,
            };
            if byte == b'%' {
                // Encoded twice or more: whether it may be a letter is all that is asked.
                if may_be_letter(reversed.get(..length).unwrap_or_default()) {
                    return true;
                }
                break;
            }
            if byte.is_ascii_alphanumeric() {
                if let Some(slot) = reversed.get_mut(length) {
                    *slot = byte.to_ascii_lowercase();
                }
                length += 1;
            } else if !is_joint(byte, length) {
                break;
            }
            rest = shorter;
        }
        let [last, before, ..] = reversed;
        self.names.get(&[last, before]).is_some_and(|names| {
            names.iter().any(|name| {
                reversed
                    .get(..length)
                    .is_some_and(|have| have.starts_with(name))
            })
        })
    }
}

/// Whether the two digits that followed an encoded `%` are those of a letter, a joint, or another `%`.
fn may_be_letter(reversed: &[u8]) -> bool {
    let [.., low, high] = *reversed else {
        return false;
    };
    if !(low.is_ascii_hexdigit() && high.is_ascii_hexdigit()) {
        return false;
    }
    let byte = unhex(high, low);
    byte == b'%' || byte.is_ascii_alphanumeric() || is_joint(byte, 1)
}

/// Whether the byte may stand inside a name, or, before its last letter was met, between it and the separator.
fn is_joint(byte: u8, length: usize) -> bool {
    match byte {
        b'_' | b'-' | b'.' | b'[' | b']' => true,
        b' ' | b'\t' | b'"' | b'\'' | b'\\' => length == 0,
        _ => false,
    }
}

/// Whether the `=`, `:` or `%` at this place separates a name from a value, under any number of encodings.
fn is_separator(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at..) {
        // `name=value`; `"name": …`, `Name: …`, `name:value` at the end of a path or in a log.
        Some([b'=' | b':', ..]) => true,
        Some([b'%', rest @ ..]) => {
            let mut rest = rest;
            while let [b'2', b'5', tail @ ..] = rest {
                rest = tail;
            }
            matches!(rest, [b'3', b'D' | b'd' | b'A' | b'a', ..])
        }
        _ => false,
    }
}

/// Whether the colon at `at` is a URL's, and an `@` stands in its authority, in plain or in percent-encoding.
fn userinfo_after(bytes: &[u8], at: usize) -> bool {
    let end = at.saturating_add(LOOK_BACK).min(bytes.len());
    let Some(window) = bytes.get(at..end) else {
        return false;
    };
    let authority = match window {
        [b':', b'/', b'/', rest @ ..] | [b':', b'\\', b'/', b'\\', b'/', rest @ ..] => rest,
        [b'%', ..] => return window.windows(3).any(|three| three == b"%40"),
        _ => return false,
    };
    authority
        .iter()
        .take_while(|byte| !matches!(byte, b'/' | b'?' | b'#' | b' ' | b'"' | b'\n'))
        .any(|byte| *byte == b'@')
}

fn unhex(high: u8, low: u8) -> u8 {
    let digit = |byte: u8| {
        (byte as char)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (high, low) = (
        digit(high).unwrap_or_default(),
        digit(low).unwrap_or_default(),
    );
    high.wrapping_mul(16).wrapping_add(low)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::atoms::rules::Name;

    fn needles() -> Needles {
        let names = [
            "code",
            "access_token",
            "SAMLResponse",
            "sid",
            "x-amz-signature",
        ];
        let keys = names.iter().map(|name| Name::new(name).key).collect();
        Needles::new(keys, ["ghp_", "/webhooks/"].into_iter())
    }

    /// What the needles mean, said as plainly as possible: a name of letters in any case with `_`, `-` or `.`
    /// between them, each character perhaps percent-encoded, then quotes or blanks, then a separator under
    /// any number of percent-encodings; or a literal.
    fn plainly(bytes: &[u8]) -> bool {
        let text: Vec<u8> = bytes.to_vec();
        let literal = ["ghp_", "/webhooks/", "eyJ", "Bearer"]
            .iter()
            .any(|literal| {
                text.windows(literal.len())
                    .any(|window| window == literal.as_bytes())
            });
        literal || (0..text.len()).any(|start| name_at(&text[start..]))
    }

    fn name_at(text: &[u8]) -> bool {
        [
            "code",
            "accesstoken",
            "samlresponse",
            "sid",
            "xamzsignature",
        ]
        .iter()
        .any(|name| {
            let mut rest = text;
            for wanted in name.bytes() {
                loop {
                    let (byte, used) = match rest {
                        [b'%', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                            (unhex(*a, *b), 3)
                        }
                        [byte, ..] => (*byte, 1),
                        [] => return false,
                    };
                    rest = &rest[used..];
                    if byte.to_ascii_lowercase() == wanted {
                        break;
                    }
                    if !matches!(byte, b'_' | b'-' | b'.') || rest.len() == text.len() - used {
                        return false;
                    }
                }
            }
            while let [b'"' | b'\'' | b'\\' | b' ', tail @ ..] = rest {
                rest = tail;
            }
            matches!(rest, [b'=' | b':', ..]) || {
                let mut encoded = rest.strip_prefix(b"%".as_slice()).unwrap_or_default();
                while let Some(tail) = encoded.strip_prefix(b"25".as_slice()) {
                    encoded = tail;
                }
                matches!(encoded, [b'3', b'd' | b'D' | b'a' | b'A', ..])
            }
        })
    }

    #[test]
    fn every_spelling_of_a_name_is_seen() {
        let needles = needles();
        for text in [
            "code=1",
            "CODE=1",
            "?code%3D1",
            "%3Fcode%253D1",
            "access%5Ftoken=1",
            "%61ccess_token=1",
            "accessToken=1",
            "x[access_token]=1",
            "\"access_token\": 1",
            "\\\"code\\\":1",
            "sid: 1",
            "acc%2565ss_token=1",
            "name=\"SAMLResponse\"",
            "a=1&amp;code=2",
            "eyJ",
            "https://u:p@h/",
            "https://token@h/",
            "https%3A%2F%2Fu%3Ap%40h",
            "code\\u003d1",
            "code&#61;1",
        ] {
            assert!(needles.hit(text.as_bytes()), "{text}");
        }
        for text in [
            "a=1&b=2",
            "https://example.com/code/x",
            "12:30:59 GET / HTTP/1.1",
            "%D0%B0=1",
            "",
        ] {
            assert!(!needles.hit(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn the_first_place_is_found_wherever_a_block_ends() {
        let needles = needles();
        for at in [
            0,
            1,
            BLOCK - 5,
            BLOCK - 4,
            BLOCK - 3,
            BLOCK - 1,
            BLOCK,
            BLOCK + 1,
            3 * BLOCK - 2,
        ] {
            for needle in ["ghp_", "code="] {
                let mut bytes = vec![b' '; at];
                bytes.extend_from_slice(needle.as_bytes());
                let found = needles
                    .find(&bytes, 0)
                    .unwrap_or_else(|| panic!("{needle} at {at}"));
                assert!((at..at + needle.len()).contains(&found), "{needle} at {at}");
                assert_eq!(needles.find(&bytes, bytes.len()), None);
            }
        }
    }

    #[test]
    fn a_million_escapes_cost_linear_time() {
        let needles = needles();
        assert!(!needles.hit("%25".repeat(1_000_000).as_bytes()));
        assert!(!needles.hit(format!("%{}", "25".repeat(1_000_000)).as_bytes()));
        assert!(!needles.hit("%253D".repeat(300_000).as_bytes()));
    }

    proptest! {
        #[test]
        fn never_no_in_vain(text in "(code|CoDe|access|_|-|%5F|%5f|%2D|%61|%25|token|=|%3D|%253d|%25253D|:|%3A|\"|\\\\|'| |sid|SAML|Response|ghp_|ghp|eyJ|&|%26|[a-z0-9%]|x-amz-signature){0,24}") {
            if plainly(text.as_bytes()) {
                prop_assert!(needles().hit(text.as_bytes()), "{}", text);
            }
        }

        #[test]
        fn never_no_in_vain_over_bytes(bytes in proptest::collection::vec(proptest::sample::select(b"code=%3D25a_:\" sid\\".to_vec()), 0..40)) {
            if plainly(&bytes) {
                prop_assert!(needles().hit(&bytes), "{:?}", String::from_utf8_lossy(&bytes));
            }
        }
    }
}
