//! Which of 64 bytes are those that a search looks for, as a bit for each. Knows bytes, and not what they mean.

use wide::u8x16;

/// Bytes that are looked at together.
pub(crate) const STEP: usize = 64;

/// Bytes that one register of any 64-bit processor holds.
const LANES: usize = 16;

/// The bit by which letters of either case, and brackets of two kinds, differ.
const CASE: u8 = 0x20;

/// 64 bytes, ready to be compared.
#[derive(Clone, Copy)]
pub(crate) struct Step([u8x16; STEP / LANES]);

impl Step {
    /// Takes these bytes.
    #[inline]
    pub(crate) fn of(bytes: &[u8; STEP]) -> Self {
        let (chunks, _) = bytes.as_chunks::<LANES>();
        let mut lanes = [u8x16::ZERO; STEP / LANES];
        for (to, from) in lanes.iter_mut().zip(chunks) {
            *to = u8x16::new(*from);
        }
        Self(lanes)
    }

    /// Where this byte stands, the first place in the lowest bit.
    #[inline]
    pub(crate) fn equal(self, byte: u8) -> u64 {
        let byte = u8x16::splat(byte);
        self.bits(|lanes| lanes.simd_eq(byte))
    }

    /// Where one of these two bytes stands.
    #[inline]
    pub(crate) fn either(self, one: u8, other: u8) -> u64 {
        let (one, other) = (u8x16::splat(one), u8x16::splat(other));
        self.bits(|lanes| lanes.simd_eq(one) | lanes.simd_eq(other))
    }

    /// Where this byte stands, or the one that differs from it in the bit 0x20 alone. `byte` has that bit.
    #[inline]
    pub(crate) fn equal_folded(self, byte: u8) -> u64 {
        let (byte, case) = (u8x16::splat(byte), u8x16::splat(CASE));
        self.bits(|lanes| (lanes | case).simd_eq(byte))
    }

    #[inline]
    fn bits(self, wanted: impl Fn(u8x16) -> u8x16) -> u64 {
        let masks = self.0.map(|lanes| u64::from(wanted(lanes).to_bitmask()));
        let highest_first = masks.iter().rev();
        highest_first.fold(0, |bits, mask| bits << LANES | mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_stands_for_its_byte() {
        for byte in 0..=u8::MAX {
            for place in 0..STEP {
                let mut bytes = [byte ^ 0x55; STEP];
                bytes[place] = byte;
                let step = Step::of(&bytes);
                assert_eq!(step.equal(byte), 1 << place, "{byte} at {place}");
                assert_eq!(step.either(byte, byte), 1 << place);
                assert_eq!(step.either(byte, byte ^ 0x55), u64::MAX);
                assert_eq!(step.equal_folded(byte | CASE), 1 << place);
            }
        }
        assert_eq!(Step::of(&[b'['; STEP]).equal_folded(b'{'), u64::MAX);
        assert_eq!(Step::of(&[b'{'; STEP]).equal_folded(b'{'), u64::MAX);
        assert_eq!(Step::of(&[b'"'; STEP]).equal_folded(b'{'), 0);
    }
}
