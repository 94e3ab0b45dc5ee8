//! The last three letters of words, as a table of bits: a cheap test whether bytes may end with one of them.

/// Letters of either case, digits and other bytes, brought to five bits.
const FOLDED: usize = 32;

/// Pairs of them.
pub(super) const PAIRS: usize = FOLDED * FOLDED;

/// Which third letters from the end go with the last two.
#[derive(Debug)]
pub(super) struct Triples(Box<[u32; PAIRS]>);

impl Default for Triples {
    fn default() -> Self {
        Self(Box::new([0; PAIRS]))
    }
}

impl Triples {
    /// Adds a word, its last letter first. Words of one letter are everywhere, and are left out.
    pub(super) fn add(&mut self, mut reversed: impl Iterator<Item = u8>) {
        if let (Some(last), Some(before)) = (reversed.next(), reversed.next())
            && let Some(thirds) = self.0.get_mut(pair(before, last))
        {
            *thirds |= reversed.next().map_or(u32::MAX, |third| 1 << (third & 31));
        }
    }

    /// Whether `bytes` may end with one of the words. May say yes in vain.
    pub(super) fn may_end(&self, bytes: &[u8]) -> bool {
        match *bytes {
            [.., third, before, last] => self.has(third, before, last),
            [before, last] => self
                .0
                .get(pair(before, last))
                .is_some_and(|thirds| *thirds != 0),
            _ => false,
        }
    }

    /// The same for three bytes.
    pub(super) fn has(&self, third: u8, before: u8, last: u8) -> bool {
        let thirds = self.0.get(pair(before, last)).copied().unwrap_or_default();
        thirds >> (third & 31) & 1 == 1
    }
}

/// Two letters as a number below [`PAIRS`].
pub(super) fn pair(before: u8, last: u8) -> usize {
    usize::from(before & 31) * FOLDED + usize::from(last & 31)
}
