//! Where in 64 bytes the marks stand: the bytes at which a needle may be recognised by what is before it.
//! Knows bytes, and not what they mean.

/// Bytes that are looked at together.
pub(super) const STEP: usize = 64;

/// Bytes whose bits are gathered in one word, each in a byte of its own.
const EIGHTH: usize = STEP / 8;

/// The lowest bit of every byte.
const LOWEST: u64 = u64::from_le_bytes([1; EIGHTH]);

/// Bytes before each mark by which most marks are told to be none of a needle.
pub(super) const BEFORE: usize = 6;

/// The bytes of a step behind those before it.
pub(super) type Step = [u8; BEFORE + STEP];

/// Where the marks of a step stand: a bit for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Marks(u64);

impl Marks {
    /// The marks of a step. Neither loop has a branch, for the compiler to make vector instructions of both.
    #[inline]
    pub(super) fn of(step: &Step) -> Self {
        let mut flags = [0; STEP];
        let (_, bytes) = step.split_at(BEFORE);
        let (_, befores) = step.split_at(BEFORE - 1);
        for (flag, (before, byte)) in flags.iter_mut().zip(befores.iter().zip(bytes)) {
            *flag = if is_mark(*before, *byte) { u8::MAX } else { 0 };
        }
        let eighths: &[[u8; EIGHTH]] = flags.as_chunks().0;
        let (mut bits, mut bit) = (0, LOWEST);
        for eighth in eighths {
            bits |= u64::from_le_bytes(*eighth) & bit;
            bit <<= 1;
        }
        Self(bits)
    }

    /// Places of the marks, in no order, each below [`STEP`].
    #[inline]
    pub(super) fn places(self) -> impl Iterator<Item = usize> {
        let mut bits = self.0;
        std::iter::from_fn(move || {
            let bit = bits.trailing_zeros() as usize;
            bits &= bits.checked_sub(1)?;
            // Said so that the compiler knows the bound.
            Some((bit % EIGHTH * EIGHTH) | (bit / EIGHTH % EIGHTH))
        })
    }
}

/// The mark at a place of a step, and the bytes before it.
#[inline]
pub(super) fn around(step: &Step, place: usize) -> [u8; BEFORE + 1] {
    std::array::from_fn(|at| step.get(place + at).copied().unwrap_or_default())
}

/// `:`, `=` and `@`, and what stands between them in ASCII, since one comparison costs less than three. A
/// hyphen or an underscore counts behind a letter only, or what stands near letters: logs are full of other
/// hyphens.
#[inline]
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a branch for each would keep the loop from being vectorised"
)]
fn is_mark(before: u8, byte: u8) -> bool {
    (byte.wrapping_sub(b':') <= b'@' - b':')
        | ((byte == b'-') | (byte == b'_')) & (before.cast_signed() >= b'A'.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_and_no_others_are_flagged_at_every_place() {
        for byte in 0..=u8::MAX {
            for (before, marks) in [(b'x', b"=:;<>?@-_"), (b' ', b"=:;<>?@@@")] {
                for place in 0..STEP {
                    let mut step = [before; BEFORE + STEP];
                    step[BEFORE + place] = byte;
                    let found: Vec<usize> = Marks::of(&step).places().collect();
                    let expect = marks.contains(&byte).then_some(place);
                    assert_eq!(found, Vec::from_iter(expect), "{byte} at {place}");
                }
            }
            let mut all: Vec<usize> = Marks::of(&[byte; BEFORE + STEP]).places().collect();
            all.sort_unstable();
            assert!(all.is_empty() || all == (0..STEP).collect::<Vec<_>>());
        }
    }
}
