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
                // Encoded twice or more: which letter it is, the second look tells.
                return true;
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
