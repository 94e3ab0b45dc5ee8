//! The last three letters of words, as a table of bits: a cheap test whether bytes may end with one of them.

/// Letters of either case, digits and other bytes, brought to five bits.
const FOLDED: usize = 32;

/// Pairs of them.
pub(super) const PAIRS: usize = FOLDED * FOLDED;

/// What a byte is brought to that may stand inside a name, or begin an encoded letter: where it stands among the
/// last three bytes, the last letters are elsewhere.
const INNER: u8 = 0;

/// And one that may only stand behind a name's last letter.
const BEHIND: u8 = 27;

/// Any other that is no letter and no digit.
const OTHER: u8 = 31;

/// What every byte is brought to. A digit shares its number with a letter.
#[expect(
    clippy::indexing_slicing,
    reason = "any byte is in range, and the compiler checks it"
)]
const FOLD: [u8; 256] = {
    let mut fold = [OTHER; 256];
    let mut byte = 0;
    while byte < u8::MAX {
        fold[byte as usize] = if byte.is_ascii_alphanumeric() {
            byte & 31
        } else if byte == b'%' || is_joint(byte, 1) {
            INNER
        } else if is_joint(byte, 0) {
            BEHIND
        } else {
            OTHER
        };
        byte += 1;
    }
    fold
};

/// Whether the byte may stand inside a name, or, before its last letter was met, between it and the separator.
pub(super) const fn is_joint(byte: u8, length: usize) -> bool {
    match byte {
        b'_' | b'-' | b'.' | b'[' | b']' => true,
        b' ' | b'\t' | 0x0b | 0x0c | b'"' | b'\'' | b'\\' => length == 0,
        _ => false,
    }
}

/// Which third letters from the end go with the last two.
#[derive(Debug)]
pub(super) struct Triples(Box<[u32; PAIRS]>);

impl Default for Triples {
    fn default() -> Self {
        // Where the last letters are elsewhere, any word may be there.
        let mut thirds = Box::new([1 << INNER; PAIRS]);
        for (pair, thirds) in thirds.iter_mut().enumerate() {
            let (before, last) = (pair / FOLDED, pair % FOLDED);
            if before == usize::from(INNER) || [INNER, BEHIND].map(usize::from).contains(&last) {
                *thirds = u32::MAX;
            }
        }
        Self(thirds)
    }
}

impl Triples {
    /// Adds a word, its last letter first. Words of one letter are everywhere, and are left out.
    pub(super) fn add(&mut self, mut reversed: impl Iterator<Item = u8>) {
        if let (Some(last), Some(before)) = (reversed.next(), reversed.next())
            && let Some(thirds) = self.0.get_mut(pair(before, last))
        {
            *thirds |= reversed.next().map_or(u32::MAX, |third| 1 << fold(third));
        }
    }

    /// Whether `bytes` may end with one of the words. May say yes in vain.
    pub(super) fn may_end(&self, bytes: &[u8]) -> bool {
        match *bytes {
            [.., third, before, last] => self.has(third, before, last),
            [before, last] => self
                .0
                .get(pair(before, last))
                .is_some_and(|it| *it == u32::MAX),
            _ => false,
        }
    }

    /// The same for three bytes.
    #[inline]
    pub(super) fn has(&self, third: u8, before: u8, last: u8) -> bool {
        let thirds = self.0.get(pair(before, last)).copied().unwrap_or_default();
        thirds >> fold(third) & 1 == 1
    }
}

/// Two letters as a number below [`PAIRS`].
#[inline]
pub(super) fn pair(before: u8, last: u8) -> usize {
    usize::from(fold(before)) * FOLDED + usize::from(fold(last))
}

#[inline]
fn fold(byte: u8) -> u8 {
    // The remainder says to the compiler that no place is out of range.
    FOLD.get(usize::from(byte)).copied().unwrap_or_default() % 32
}
