//! Where in 64 bytes the marks stand: the bytes at which a needle may be recognised by what is before it.
//! Knows bytes, and not what they mean.

/// Bytes that are looked at together.
pub(super) const STEP: usize = 64;

/// Where the marks of a step stand: a bit for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Marks(u64);

impl Marks {
    /// The marks of these bytes, of which the first only stands before them. The first loop has no branch, for the compiler to make vector instructions
    /// of; those that gather one bit of each byte it does not find, so the second joins the eighths.
    #[inline]
    pub(super) fn of(step: &[u8; STEP + 1]) -> Self {
        let [_, bytes @ ..] = step;
        let mut flags = [0; STEP];
        for (flag, (before, byte)) in flags.iter_mut().zip(step.iter().zip(bytes)) {
            *flag = u8::from(is_mark(*before, *byte));
        }
        let eighths = flags.as_chunks().0.iter().rev();
        Self(eighths.fold(0, |bits, eighth| bits << 1 | u64::from_le_bytes(*eighth)))
    }

    /// Places of the marks, in no order.
    #[inline]
    pub(super) fn places(self) -> impl Iterator<Item = usize> {
        let mut bits = self.0;
        std::iter::from_fn(move || {
            let bit = bits.trailing_zeros() as usize;
            bits = bits & bits.checked_sub(1)?;
            Some(bit % 8 * 8 + bit / 8)
        })
    }
}

/// A hyphen or an underscore counts behind a letter only: logs are full of other hyphens.
#[inline]
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a branch for each would keep the loop from being vectorised"
)]
fn is_mark(before: u8, byte: u8) -> bool {
    let behind_letter = (before | 0x20).wrapping_sub(b'a') < 26;
    (byte == b'=')
        | (byte == b':')
        | (byte == b'%')
        | (byte == b'@')
        | ((byte == b'-') | (byte == b'_')) & behind_letter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_six_marks_and_no_others_are_flagged_at_every_place() {
        for byte in 0..=u8::MAX {
            for (before, marks) in [(b'x', b"=:%@-_"), (b' ', b"=:%@@@")] {
                for place in 0..STEP {
                    let mut step = [before; STEP + 1];
                    step[place + 1] = byte;
                    let found: Vec<usize> = Marks::of(&step).places().collect();
                    let expect = marks.contains(&byte).then_some(place);
                    assert_eq!(found, Vec::from_iter(expect), "{byte} at {place}");
                }
            }
            let mut all: Vec<usize> = Marks::of(&[byte; STEP + 1]).places().collect();
            all.sort_unstable();
            assert!(all.is_empty() || all == (0..STEP).collect::<Vec<_>>());
        }
    }
}
