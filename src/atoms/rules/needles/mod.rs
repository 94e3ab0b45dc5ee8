//! The needles: a cheap test whether bytes may hold anything that a rule would look at. Readers are
//! given it as a value and know nothing of what it looks for.
//!
//! The search is driven by separators (`=`, `:`, `%3D`), with a look back at the name before each: its cost
//! does not grow with the number of names, and spelling, case and percent-encoding cost nothing extra.
//! Literals that mark a credential wherever they stand are searched beside it, and the separators that are
//! percent-encoded with them.

mod cores;
mod literals;
mod marks;
mod names;
mod sets;
mod triples;
mod vocabulary;

use std::collections::BTreeSet;

use literals::Literals;
use marks::{BEFORE, Marks, STEP, Step, around};
use names::{LOOK_BACK, Names};
use triples::is_joint;
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
        let (of_names, of_joints) = (names.last_letters(), literals.joint_letters());
        let mut before = Box::new([before::ANY; 256]);
        for (byte, bits) in (0..=u8::MAX).zip(before.iter_mut()) {
            if is_joint(byte, 0) || of_names.contains(&byte.to_ascii_lowercase()) {
                *bits |= before::NAME;
            }
            if byte.is_ascii_hexdigit() {
                *bits |= before::DIGIT;
            }
            if of_joints.contains(&byte) {
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
        self.marked(bytes, 0, end).is_some() || self.literal(bytes, 0, end).is_some()
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
            let found = self.literal(bytes, start, limit).or(mark);
            if found.is_some() {
                return found;
            }
            start = end;
            block = most;
        }
        None
    }

    /// First literal, or percent-encoded separator of a name, that begins in `start..limit`.
    fn literal(&self, bytes: &[u8], start: usize, limit: usize) -> Option<usize> {
        let is_needle = |at| self.is_needle(bytes, at);
        self.literals.find(bytes, start, limit, &is_needle)
    }

    /// First mark in `start..end` that is one of a needle.
    fn marked(&self, bytes: &[u8], start: usize, end: usize) -> Option<usize> {
        let mut at = start;
        if at < BEFORE {
            // Before the first byte there is nothing, which is as good as what no name has.
            let found = self.first(bytes, at, &padded(bytes, at, end));
            if found.is_some() {
                return found;
            }
            at += STEP;
        }
        let mut rest = bytes
            .get(at.saturating_sub(BEFORE)..end)
            .unwrap_or_default();
        while let Some(step) = rest.first_chunk() {
            let found = self.first(bytes, at, step);
            if found.is_some() {
                return found;
            }
            at += STEP;
            rest = rest.get(STEP..).unwrap_or_default();
        }
        (at < end).then(|| self.first(bytes, at, &padded(bytes, at, end)))?
    }

    /// First of the marks of a step that is one of a needle. The step stands at `from`.
    #[expect(
        clippy::inline_always,
        reason = "a call for each step costs as much as half of what is in it"
    )]
    #[inline(always)]
    fn first(&self, bytes: &[u8], from: usize, step: &Step) -> Option<usize> {
        let mut first = None;
        for place in Marks::of(step).places() {
            if self.may_be_needle(around(step, place), bytes, from + place) {
                self.settle(bytes, from + place, &mut first);
            }
        }
        first
    }

    /// Makes the mark at `at` the first one, if it is one of a needle and stands before that.
    #[inline(never)]
    fn settle(&self, bytes: &[u8], at: usize, first: &mut Option<usize>) {
        if first.is_none_or(|first| at < first) && self.is_needle(bytes, at) {
            *first = Some(at);
        }
    }

    /// Whether the mark at `at` may be one of a needle, by itself and the bytes before it. Most marks end here,
    /// and most of them by the last byte.
    #[inline]
    fn may_be_needle(&self, around: [u8; BEFORE + 1], bytes: &[u8], at: usize) -> bool {
        let [_, rest @ .., mark] = around;
        let [.., escape, _, last] = rest;
        let before = self.before.get(usize::from(last)).copied();
        let wanted = WANTED.get(usize::from(mark)).copied();
        let bits = before.unwrap_or_default() & wanted.unwrap_or_default();
        if bits == 0 {
            return false;
        }
        if bits & before::NAME == 0 {
            return bits != before::DIGIT || escape == b'%';
        }
        // `"name":` is what JSON is made of.
        let ending = match last {
            b'"' => {
                let [ending @ .., _, _] = around;
                ending
            }
            _ => rest,
        };
        self.names.may_end(ending) || mark == b'=' && is_name_attribute(bytes, at)
    }

    /// The same, where what stands directly before the mark does not rule it out.
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

/// The step at `at`, cut at `end`, with zeros for what there is not.
fn padded(bytes: &[u8], at: usize, end: usize) -> Step {
    let mut step = [0; BEFORE + STEP];
    let from = bytes
        .get(at.saturating_sub(BEFORE)..end)
        .unwrap_or_default();
    let to = step.iter_mut().skip(BEFORE.saturating_sub(at));
    to.zip(from).for_each(|(to, from)| *to = *from);
    step
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
