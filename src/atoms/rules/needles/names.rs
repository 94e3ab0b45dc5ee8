//! Names as they are spelt before a separator: letters of either case, joints between them, each perhaps
//! percent-encoded.

use std::collections::BTreeSet;

use super::triples::{self, Triples, is_joint};

/// Bytes of a name that are compared; longer names are known by their last ones.
const NAME: usize = 40;

/// Letters of a name after which it is asked whether any name ends like these.
const ASKED: usize = 5;

/// Raw bytes before a separator that are looked at: a name in which every character is percent-encoded.
pub(super) const LOOK_BACK: usize = NAME * 6;

/// The names, compiled.
#[derive(Debug)]
pub(super) struct Names {
    /// Reversed, so that a longer name is known by its end, and by their last two letters.
    reversed: Box<[Vec<Box<[u8]>>]>,
    ends: Triples,
}

impl Names {
    /// Compiles names of letters and digits, lower case. Those of one letter are everywhere, and are left out.
    pub(super) fn new(keys: &BTreeSet<Box<str>>) -> Self {
        let all: BTreeSet<Box<[u8]>> = keys
            .iter()
            .map(|key| key.bytes().rev().take(NAME).collect::<Box<[u8]>>())
            .filter(|name| name.len() > 1)
            .collect();
        let mut reversed = vec![Vec::new(); triples::PAIRS];
        let mut ends = Triples::default();
        let mut last: Box<[u8]> = Box::default();
        for name in all {
            // In this order a name follows the one that is its end.
            if !last.is_empty() && name.starts_with(&last) {
                continue;
            }
            ends.add(name.iter().copied());
            if let [last, before, ..] = *name
                && let Some(alike) = reversed.get_mut(triples::pair(before, last))
            {
                alike.push(name.clone());
            }
            last = name;
        }
        Self {
            reversed: reversed.into(),
            ends,
        }
    }

    /// The names, each with its last letter first.
    pub(super) fn reversed(&self) -> impl Iterator<Item = &[u8]> {
        self.reversed.iter().flatten().map(|name| &**name)
    }

    /// Whether a name may end with these bytes, of which the last is no quotation mark: what [`Self::end`] finds
    /// for sure.
    #[inline]
    pub(super) fn may_end(&self, [a, b, third, before, last]: [u8; 5]) -> bool {
        // Where an encoded byte stands among them, the last letters are elsewhere.
        a == b'%' || b == b'%' || self.ends.has(third, before, last)
    }

    /// Whether a known name ends at `end`, blanks, quotes and escapes between them left out.
    pub(super) fn end(&self, bytes: &[u8], end: usize) -> bool {
        let begin = end.saturating_sub(LOOK_BACK);
        let Some(mut rest) = bytes.get(begin..end) else {
            return false;
        };
        let mut reversed = [0; NAME];
        let mut length = 0;
        // Where the letters begin that stand beside each other, without a joint between them.
        let mut beside = 0;
        while length < NAME {
            let (byte, shorter) = match rest {
                // `%accesstoken=` begins with what may be an escape and is more likely none.
                [shorter @ .., b'%', a, b] if is_of_name(*a, *b, length) => {
                    (unhex(*a, *b), shorter)
                }
                [shorter @ .., byte] => (*byte, shorter),
                [] => break,
            };
            if byte == b'%' {
                // Encoded twice or more: whether it may be a letter is all that is asked.
                if may_be_letter(reversed.get(beside..length).unwrap_or_default()) {
                    return true;
                }
                break;
            }
            if byte.is_ascii_alphanumeric() {
                if let Some(slot) = reversed.get_mut(length) {
                    *slot = byte.to_ascii_lowercase();
                }
                length += 1;
                if length == ASKED && !self.alike(&reversed).any(|name| alike(name, &reversed)) {
                    return false;
                }
            } else if is_joint(byte, length) {
                beside = length;
            } else {
                break;
            }
            rest = shorter;
        }
        let [last, before, third, ..] = reversed;
        if !self.ends.has(third, before, last) {
            return false;
        }
        let have = reversed.get(..length).unwrap_or_default();
        self.alike(&reversed).any(|name| have.starts_with(name))
    }

    /// Names that end with the same two letters.
    fn alike(&self, reversed: &[u8; NAME]) -> impl Iterator<Item = &[u8]> {
        let [last, before, ..] = *reversed;
        let alike = self.reversed.get(triples::pair(before, last));
        alike.into_iter().flatten().map(|name| &**name)
    }
}

/// Whether a name has these last [`ASKED`] letters, or is a part of them.
fn alike(name: &[u8], reversed: &[u8; NAME]) -> bool {
    let mut pairs = name.iter().zip(reversed).take(ASKED);
    pairs.all(|(of_name, found)| of_name == found)
}

/// Whether two bytes behind a `%` are the digits of a letter, a joint, or another `%`.
fn is_of_name(high: u8, low: u8, length: usize) -> bool {
    let byte = unhex(high, low);
    high.is_ascii_hexdigit()
        && low.is_ascii_hexdigit()
        && (byte == b'%' || byte.is_ascii_alphanumeric() || is_joint(byte, length))
}

/// Whether the two digits that followed an encoded `%` are those of a letter, a joint, or another `%`.
fn may_be_letter(reversed: &[u8]) -> bool {
    let [.., low, high] = *reversed else {
        return false;
    };
    is_of_name(high, low, 1)
}

pub(super) fn unhex(high: u8, low: u8) -> u8 {
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
