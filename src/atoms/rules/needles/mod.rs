//! The needles: a cheap test whether bytes may hold anything that a rule would look at. Readers are
//! given it as a value and know nothing of what it looks for.
//!
//! A needle is told by the bytes at which it ends, or nearly: the last letters of a name before its separator (`=`, `:`,
//! `%3D`), or a few bytes of a literal that marks a credential wherever it stands. These are looked up at many places at
//! once, so that the cost does not grow with the number of names; what is told is then looked at closely.

mod cores;
mod ends;
mod literals;
mod lookup;
mod names;
mod sets;
mod triples;
mod vocabulary;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Range;

use literals::Literals;
use lookup::Lookup;
use names::{LOOK_BACK, Names, unhex};
use triples::is_joint;
pub(super) use vocabulary::Vocabulary;

/// Bytes before a mark by which most are told to be none of a needle.
const BEFORE: usize = 6;

/// Literals of the grammars themselves: JWT and base64 JSON, base64 URLs, header schemes, cookieless
/// sessions, escaped separators and quotes, a body of JSON as nginx escapes it (`{\x22`), pairs as Python lists them
/// (`MultiDict([('`), options that are followed by their values (of curl also as the audit
/// system of Linux writes them, `a0="curl" a1="-u"`).
const LITERALS: &[&str] = &[
    "eyJ",
    "eyAi",
    "ewog",
    "ewoJ",
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
    "{\\x2",
    "t([(",
    "&#61",
    "&#x3d",
    "&#x3D",
    "&quot;",
    "--access",
    "--bearer",
    "--client",
    "--code-v",
    "--code_v",
    "2-bearer",
    "--refresh",
    "-AccessT",
    "-ClientS",
    "-RefreshT",
    " -u",
    "curl -",
    "l\" a1=\"",
    "/(S(",
    "/(s(",
];

/// Names before a separator, and literals that mark a credential wherever they stand.
#[derive(Debug)]
pub struct Needles {
    names: Names,
    literals: Literals,
    vocabulary: Vocabulary,
    /// Where the processor has one.
    lookup: Option<Box<Lookup>>,
}

impl Needles {
    /// Compiles names (letters and digits, lower case) and literals. What longer names mean that end like
    /// one of the names is told by `vocabulary`.
    pub(super) fn new<'a>(
        keys: &BTreeSet<Box<str>>,
        literals: impl Iterator<Item = &'a str>,
        vocabulary: Vocabulary,
    ) -> Self {
        let names = Names::new(keys);
        let literals = Literals::new(LITERALS.iter().copied().chain(literals));
        let lookup = ends::lookup(&names, &literals).map(Box::new);
        Self {
            names,
            literals,
            vocabulary,
            lookup,
        }
    }

    /// Whether anything in `bytes` is worth a second look. May say yes in vain, never no in vain.
    pub fn hit(&self, bytes: &[u8]) -> bool {
        self.find(bytes, 0).is_some()
    }

    /// Whether one of the names ends `bytes`, as if a separator followed.
    pub fn ends_name(&self, bytes: &[u8]) -> bool {
        self.names.end(bytes, bytes.len()) && self.may_matter(bytes, bytes.len())
    }

    /// Whether names are looked for that have this between them and their separator.
    pub fn may_separate(between: &str) -> bool {
        between.bytes().all(|byte| is_joint(byte, 0))
    }

    /// Offset of the first place at or after `from` that is worth a second look.
    pub fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let Some(lookup) = &self.lookup else {
            return self.find_plainly(bytes, from);
        };
        // A name that began before may be told there.
        let (before, _) = bytes.split_at_checked(from)?;
        let is_inside = before.last().is_some_and(|it| may_precede_separator(*it));
        let back = if is_inside { LOOK_BACK } else { 0 };
        let spelt = Spelt::default();
        let may_be = |at: usize| {
            let around = at.checked_sub(BEFORE).and_then(|from| bytes.get(from..));
            let around = around.and_then(|around| around.first_chunk());
            around.is_none_or(|around| self.may_be_needle(*around))
        };
        lookup.find(bytes, from.saturating_sub(back), &may_be, &|at| {
            let needle = (at >= from).then(|| self.needle(bytes, from, at));
            needle
                .flatten()
                .or_else(|| self.spelt(bytes, from, at, &spelt))
        })
    }

    /// The same as [`Self::find`] on every processor, and slower: what the lookup finds is held against it.
    pub fn find_plainly(&self, bytes: &[u8], from: usize) -> Option<usize> {
        self.search(bytes, from, from..bytes.len())
    }

    /// The first needle that is told at one of these places: each is looked at.
    fn search(&self, bytes: &[u8], from: usize, places: Range<usize>) -> Option<usize> {
        places
            .into_iter()
            .find_map(|at| self.needle(bytes, from, at))
    }

    /// Offset of the needle that is told at `at` and begins at or after `from`.
    fn needle(&self, bytes: &[u8], from: usize, at: usize) -> Option<usize> {
        let is_separator = |at| self.is_needle(bytes, at);
        let literal = self.literals.told(bytes, from, at, &is_separator);
        let is_mark = || bytes.get(at) != Some(&b'%') && self.is_needle(bytes, at);
        literal.or_else(|| is_mark().then_some(at))
    }

    /// Whether what is told at the last of these bytes may be a needle. Most that is told ends here.
    #[inline]
    fn may_be_needle(&self, around: [u8; BEFORE + 1]) -> bool {
        let [_, ending @ .., mark] = around;
        let [before_quote @ .., last, _] = around;
        let [_, _, _, upto @ ..] = around;
        let by_itself = match mark {
            // `"name":` is what JSON is made of.
            b':' | b'=' if last == b'"' => self.names.may_end(before_quote),
            b':' | b'=' => self.names.may_end(ending) || mark == b'=' && ending.ends_with(b"name"),
            b'@' => true,
            _ => {
                let [_, escape @ ..] = upto;
                is_spelt(escape)
            }
        };
        by_itself || self.literals.may_be_told(upto)
    }

    /// The needle that is told between an escape that ends at `at` and the end of the name in which it stands.
    fn spelt(&self, bytes: &[u8], from: usize, at: usize, spelt: &Spelt) -> Option<usize> {
        let (upto, _) = bytes.split_at_checked(at.saturating_add(1))?;
        let is_spelt = upto.last_chunk().is_some_and(|last| is_spelt(*last));
        if !is_spelt || at < spelt.searched.get() {
            return None;
        }
        let known = spelt.known.get().max(upto.len());
        let far = upto.len().saturating_add(LOOK_BACK).min(bytes.len());
        let mut rest = bytes.get(known..far).unwrap_or_default().iter();
        let end = match rest.position(|byte| !may_precede_separator(*byte)) {
            Some(more) => known.saturating_add(more),
            None if far == bytes.len() => far,
            None => {
                spelt.known.set(far);
                return None;
            }
        };
        spelt.searched.set(end);
        let places = from.max(upto.len())..end.saturating_add(1).min(bytes.len());
        self.search(bytes, from, places)
    }

    /// Whether the mark at `at`, encoded or not, is that of a needle.
    fn is_needle(&self, bytes: &[u8], at: usize) -> bool {
        let Some(mark) = bytes.get(at).copied() else {
            return false;
        };
        match mark {
            b'=' => {
                self.names.end(bytes, at) && self.may_matter(bytes, at)
                    || is_name_attribute(bytes, at)
            }
            b':' => self.names.end(bytes, at),
            b'%' => match bytes.get(at.saturating_add(1)) {
                Some(b'2' | b'3') => is_encoded_separator(bytes, at) && self.names.end(bytes, at),
                Some(b'4') => is_encoded_userinfo(bytes, at),
                _ => false,
            },
            b'-' | b'_' => self.literals.is_jointed(bytes, at),
            b'@' => is_userinfo(bytes, at),
            _ => false,
        }
    }

    /// Whether the name before the `=` at `at`, which ends like one of the needles, may be a needle. Only one
    /// in a query is surely cut where it is cut here.
    fn may_matter(&self, bytes: &[u8], at: usize) -> bool {
        let before = bytes.get(..at).unwrap_or_default();
        let length = before.iter().rev().take(LOOK_BACK);
        let length = length.take_while(|byte| is_of_plain_name(**byte)).count();
        let (rest, name) = before.split_at_checked(at - length).unwrap_or_default();
        !matches!(rest, [.., b'?' | b'&']) || self.vocabulary.may_matter(name)
    }
}

/// How far encoded letters were followed, so that those of one name are followed once.
#[derive(Default)]
struct Spelt {
    /// Up to where it may be the name.
    known: Cell<usize>,
    /// Up to where it was searched, once it was known where it ends.
    searched: Cell<usize>,
}

/// Whether the bytes end with an escape that may be one of a name, or the first of one that is encoded more than once.
fn is_spelt([escape, high, low]: [u8; 3]) -> bool {
    let byte = unhex(high, low);
    escape == b'%' && (byte == b'%' || byte.is_ascii_alphanumeric() || is_joint(byte, 1))
}

/// Whether the byte may stand between an encoded letter of a name and the separator.
fn may_precede_separator(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'%' || is_joint(byte, 0)
}

/// Whether the byte may stand in the name of a parameter as it stands in a query, without escapes.
fn is_of_plain_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']')
}

/// Whether the `%` at this place begins a percent-encoded `=` or `:`, under any number of encodings.
fn is_encoded_separator(bytes: &[u8], at: usize) -> bool {
    let mut rest = bytes.get(at.saturating_add(1)..).unwrap_or_default();
    while let [b'2', b'5', tail @ ..] = rest {
        rest = tail;
    }
    matches!(rest, [b'3', b'D' | b'd' | b'A' | b'a', ..])
}

/// Whether the `=` at this place is that of a form field's `name="…"`, whose value stands elsewhere.
fn is_name_attribute(bytes: &[u8], at: usize) -> bool {
    bytes.split_at_checked(at).is_some_and(|(before, after)| {
        matches!(after, [b'=', b'"' | b'\'' | b'\\', ..]) && before.ends_with(b"name")
    })
}

/// Whether the `@` at `at` ends the user information of a URL (RFC 3986 §3.2.1).
fn is_userinfo(bytes: &[u8], at: usize) -> bool {
    let window = bytes
        .get(at.saturating_sub(LOOK_BACK)..at)
        .unwrap_or_default();
    let ends = |byte: &u8| matches!(byte, b'/' | b'?' | b'#' | b' ' | b'"' | b'\n');
    let Some(start) = window.iter().rposition(ends) else {
        return false;
    };
    let before = window.get(..=start).unwrap_or_default();
    before.ends_with(b"://") || before.ends_with(b":\\/\\/")
}

/// Whether the `%` at `at` begins `%40`, and an encoded `:` stands before it.
fn is_encoded_userinfo(bytes: &[u8], at: usize) -> bool {
    let (before, after) = bytes.split_at_checked(at).unwrap_or_default();
    let window = before
        .get(at.saturating_sub(LOOK_BACK)..)
        .unwrap_or_default();
    after.starts_with(b"%40") && window.windows(2).any(|pair| matches!(pair, b"3A" | b"3a"))
}

#[cfg(test)]
mod tests;
