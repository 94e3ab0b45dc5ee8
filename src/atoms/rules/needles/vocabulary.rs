//! What names mean, as far as it can be told without their values: `page_token` and `zipcode` end like names
//! that rules ask for, and are none. A log has hundreds of such for each credential. Answers as
//! [`crate::atoms::rules::Catalogue::rules_for`] does, without allocating.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Longest name that is looked at; longer ones may mean anything.
const LONGEST: usize = 40;

/// Words of a name that is looked at.
const MOST_WORDS: usize = 8;

/// The words and names that mean something.
#[derive(Debug, Default)]
pub(in super::super) struct Vocabulary(HashMap<Box<[u8]>, Meanings, BuildHasherDefault<Short>>);

/// Bits of [`meaning`].
type Meanings = u8;

/// What a word, or words without anything between them, may mean.
mod meaning {
    /// A rule asks for this name.
    pub(super) const WHOLE: u8 = 1;
    /// A rule asks for names that end so.
    pub(super) const END: u8 = 2;
    /// The same, of rules that ask whatever other words are in the name.
    pub(super) const SURE_WHOLE: u8 = 4;
    pub(super) const SURE_END: u8 = 8;
    /// A name with this word holds no credential.
    pub(super) const NEVER: u8 = 16;
    /// A name with this word holds none, unless a rule is sure.
    pub(super) const RARELY: u8 = 32;
    /// A public parameter that is worth a look.
    pub(super) const PUBLIC: u8 = 64;
}

impl Vocabulary {
    /// Adds a name of a rule: whether longer names that end so count too, and whether words beside it may
    /// say that it is none.
    pub(in super::super) fn add_rule(&mut self, key: &str, suffix: bool, ambiguous: bool) {
        let mut meanings = meaning::WHOLE;
        if suffix {
            meanings |= meaning::END;
        }
        if !ambiguous {
            meanings |= meanings << 2;
        }
        self.add(key, meanings);
    }

    /// Adds the name of a public parameter.
    pub(in super::super) fn add_public(&mut self, key: &str) {
        self.add(key, meaning::PUBLIC);
    }

    /// Adds a word that says that a name holds no credential: `always`, or unless a rule is sure.
    pub(in super::super) fn add_ignored(&mut self, word: &str, always: bool) {
        self.add(
            word,
            if always {
                meaning::NEVER
            } else {
                meaning::RARELY
            },
        );
    }

    fn add(&mut self, key: &str, meanings: Meanings) {
        *self.0.entry(key.as_bytes().into()).or_default() |= meanings;
    }

    /// Whether a name as it stands in a query may matter. May say yes in vain, never no in vain.
    pub(super) fn may_matter(&self, name: &[u8]) -> bool {
        let Some(words) = Words::of(name) else {
            return true;
        };
        let whole = self.of(words.from(0));
        if whole & meaning::PUBLIC != 0 {
            return true;
        }
        let own = (0..words.count).map(|word| self.of(words.word(word)));
        let beside = own.fold(0, |all, meanings| all | meanings) | whole & meaning::NEVER;
        if beside & meaning::NEVER != 0 {
            return false;
        }
        let (whole_wanted, end_wanted) = if beside & meaning::RARELY == 0 {
            (meaning::WHOLE, meaning::END)
        } else {
            (meaning::SURE_WHOLE, meaning::SURE_END)
        };
        let mut ends = (1..words.count).map(|word| self.of(words.from(word)));
        whole & whole_wanted != 0 || ends.any(|meanings| meanings & end_wanted != 0)
    }

    fn of(&self, word: &[u8]) -> Meanings {
        self.0.get(word).copied().unwrap_or_default()
    }
}

/// A name cut into words, as [`crate::atoms::rules::Name`] cuts it.
struct Words {
    /// The words in lower case, without anything between them.
    letters: [u8; LONGEST],
    /// Where each begins, and behind the last one where it ends.
    bounds: [u8; MOST_WORDS + 1],
    count: usize,
}

impl Words {
    /// `None` for a name that is better looked at closely: long, with a number or a digest at its end, or
    /// with one of the prefixes of cookies.
    fn of(name: &[u8]) -> Option<Self> {
        if name.len() > LONGEST || name.starts_with(b"__") {
            return None;
        }
        let mut words = Self {
            letters: [0; LONGEST],
            bounds: [0; MOST_WORDS + 1],
            count: 0,
        };
        let mut length = 0_u8;
        let mut previous = b' ';
        let mut rest = name;
        while let [byte, tail @ ..] = rest {
            rest = tail;
            let is_boundary = byte.is_ascii_uppercase()
                && (previous.is_ascii_lowercase()
                    || previous.is_ascii_uppercase()
                        && tail.first().is_some_and(u8::is_ascii_lowercase));
            if byte.is_ascii_alphanumeric() {
                if is_boundary || !previous.is_ascii_alphanumeric() {
                    *words.bounds.get_mut(words.count)? = length;
                    words.count += 1;
                }
                *words.letters.get_mut(usize::from(length))? = byte.to_ascii_lowercase();
                length += 1;
            }
            previous = *byte;
        }
        *words.bounds.get_mut(words.count)? = length;
        let last = words.word(words.count.checked_sub(1)?);
        let is_tail = last.iter().all(u8::is_ascii_digit)
            || last.len() >= 16 && last.iter().all(u8::is_ascii_hexdigit);
        (!is_tail).then_some(words)
    }

    /// A word by its number.
    fn word(&self, number: usize) -> &[u8] {
        self.between(number, number + 1)
    }

    /// The words from this one on.
    fn from(&self, number: usize) -> &[u8] {
        self.between(number, self.count)
    }

    fn between(&self, first: usize, last: usize) -> &[u8] {
        let bound = |number| self.bounds.get(number).copied().map(usize::from);
        bound(first)
            .zip(bound(last))
            .and_then(|(begin, end)| self.letters.get(begin..end))
            .unwrap_or_default()
    }
}

/// FNV-1a: the keys are those of the rules, short, and nothing from the evidence is put into the table.
struct Short(u64);

impl Default for Short {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Short {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
