//! The needles: a cheap test whether bytes may hold anything that a rule would look at. Readers are
//! given it as a value and know nothing of what it looks for.
//!
//! The search is driven by separators (`=`, `%3D`, `:`), with a look back at the name before each: its cost
//! does not grow with the number of names, and spelling, case and percent-encoding cost nothing extra.
//! Literals that mark a credential wherever they stand are searched beside it.

mod cores;
mod literals;
mod marks;
mod names;
mod triples;
mod vocabulary;

use std::collections::BTreeSet;

use literals::Literals;
use marks::{Marks, STEP};
use names::{LOOK_BACK, Names};
pub(super) use vocabulary::Vocabulary;

/// Bytes searched for marks before the literals' next place is asked for: at first few, since the next
/// needle may be near, then as many as fit the processor's nearest cache.
const BLOCKS: [usize; 2] = [1024, 16 * 1024];

/// Literals of the grammars themselves: JWT and base64 JSON, base64 URLs, header schemes, cookieless
/// sessions, escaped separators.
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
    "&#61",
    "&#x3d",
    "&#x3D",
    "&quot;",
    "/(S(",
    "/(s(",
];

/// Names before a separator, and literals that mark a credential wherever they stand.
#[derive(Debug)]
pub struct Needles {
    names: Names,
    literals: Literals,
    vocabulary: Vocabulary,
    /// What may stand directly before a mark: bits of [`before`].
    before: Box<[u8; 256]>,
}

/// What a byte before a mark may be.
mod before {
    /// The last letter of a name, or what may stand between that and its separator.
    pub(super) const NAME: u8 = 1;
    /// The second digit of a percent-encoded byte.
    pub(super) const DIGIT: u8 = 2;
    /// The last letter before the joint of a literal.
    pub(super) const JOINT: u8 = 4;
    /// Anything.
    pub(super) const ANY: u8 = 8;
}

/// What must stand before each mark.
#[expect(
    clippy::indexing_slicing,
    reason = "any byte is in range, and the compiler checks it"
)]
const WANTED: [u8; 256] = {
    let mut wanted = [0; 256];
    wanted[b'=' as usize] = before::NAME | before::DIGIT;
    wanted[b':' as usize] = before::NAME | before::DIGIT;
    wanted[b'-' as usize] = before::JOINT;
    wanted[b'_' as usize] = before::JOINT;
    wanted[b'%' as usize] = before::ANY;
    wanted[b'@' as usize] = before::ANY;
    wanted
};

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
        let mut before = Box::new([before::ANY; 256]);
        for (byte, bits) in (0..=u8::MAX).zip(before.iter_mut()) {
            if names.may_precede(byte) {
                *bits |= before::NAME;
            }
            if byte.is_ascii_hexdigit() {
                *bits |= before::DIGIT;
            }
            if literals.joint_letters().any(|letter| letter == byte) {
                *bits |= before::JOINT;
            }
        }
        Self {
            names,
            literals,
            vocabulary,
            before,
        }
    }

    /// Whether anything in `bytes` is worth a second look. May say yes in vain, never no in vain.
    pub fn hit(&self, bytes: &[u8]) -> bool {
        let end = bytes.len();
        self.marked(bytes, 0, end).is_some() || self.literals.find(bytes, 0, end).is_some()
    }

    /// Whether one of the names ends `bytes`, as if a separator followed.
    pub fn ends_name(&self, bytes: &[u8]) -> bool {
        self.names.end(bytes, bytes.len()) && self.may_matter(bytes, bytes.len())
    }

    /// Offset of the first place at or after `from` that is worth a second look.
    pub fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let [mut block, most] = BLOCKS;
        let mut start = from;
        while start < bytes.len() {
            let end = start.saturating_add(block).min(bytes.len());
            let mark = self.marked(bytes, start, end);
            // A literal may begin in this block and end in the next.
            let limit = mark.unwrap_or(end);
            let found = self.literals.find(bytes, start, limit).or(mark);
            if found.is_some() {
                return found;
            }
            start = end;
            block = most;
        }
        None
    }

    /// First mark in `start..end` that is one of a needle.
    fn marked(&self, bytes: &[u8], start: usize, end: usize) -> Option<usize> {
        // At the very first byte no name can end.
        let mut at = start.max(1);
        while let Some(step) = bytes
            .get(at - 1..end)
            .and_then(<[u8]>::first_chunk::<{ STEP + 1 }>)
        {
            let found = self.first(bytes, at, step);
            if found.is_some() {
                return found;
            }
            at = at.saturating_add(STEP);
        }
        let rest = bytes.get(at - 1..end).unwrap_or_default();
        let mut step = [0; STEP + 1];
        step.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.first(bytes, at, &step)
    }

    /// First of the marks of a step that is one of a needle. The step's second byte stands at `from`.
    #[inline]
    fn first(&self, bytes: &[u8], from: usize, step: &[u8; STEP + 1]) -> Option<usize> {
        let mut first = None;
        for place in Marks::of(step).places() {
            let pair = step.get(place..).and_then(<[u8]>::first_chunk);
            if pair.is_some_and(|pair| self.may_be_needle(*pair, bytes, from + place))
                && first.is_none_or(|first| from + place < first)
                && self.is_needle(bytes, from + place)
            {
                first = Some(from + place);
            }
        }
        first
    }

    /// Whether a mark may be one of a needle, by the bytes beside it. Most marks end here.
    #[inline]
    fn may_be_needle(&self, [last, mark]: [u8; 2], bytes: &[u8], at: usize) -> bool {
        let class = self.before.get(usize::from(last)).copied();
        let wanted = WANTED.get(usize::from(mark)).copied();
        match class.unwrap_or_default() & wanted.unwrap_or_default() {
            0 => false,
            before::DIGIT => is_encoded(bytes, at),
            before::ANY => mark != b'%' || matches!(bytes.get(at + 1), Some(b'2'..=b'4')),
            before::JOINT => true,
            _ => self.names.may_end(bytes, at) || mark == b'=' && is_name_attribute(bytes, at),
        }
    }

    /// The same, where what stands directly before the mark does not rule it out.
    #[inline(never)]
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

/// Whether the byte may stand in the name of a parameter as it stands in a query, without escapes.
fn is_of_plain_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']')
}

/// Whether the byte before `at` is the end of a percent-encoded one.
fn is_encoded(bytes: &[u8], at: usize) -> bool {
    let percent = at.checked_sub(3).and_then(|place| bytes.get(place));
    percent == Some(&b'%')
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
        matches!(after, [_, b'"' | b'\'' | b'\\', ..]) && before.ends_with(b"name")
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
