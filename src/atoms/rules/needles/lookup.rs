//! Sets of patterns of four bytes, looked up at 64 places at once: where a processor can look bytes up, nothing finds
//! few places among many faster. Says where a pattern may end. Knows bytes, and not what they mean.

use std::fmt;

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x16, u8x32};

use super::sets::{Pattern, REACH, either, in_sets};

/// Sets in one table.
const BITS: usize = 8;

/// Bytes that are looked up together.
const LANES: usize = 32;

/// Places that are told at once.
const STEP: usize = 2 * LANES;

/// Bytes of a block at most: at first few, since the next needle may be near.
const BLOCKS: [usize; 2] = [8 * STEP, 64 * STEP];

/// Places of a step that are written at once.
const FEW: usize = 4;

/// Places after which a block takes no further step.
const MOST: usize = 2 * STEP;

/// Bytes of a pattern before its last.
const BEFORE: usize = REACH - 1;

/// The places of a step, behind what stands before them.
type Step = [u8; BEFORE + STEP];

/// The sets whose patterns may have a byte with these four bits at one place, a bit for each.
type Half = [u8; 16];

/// The patterns, compiled.
pub(super) struct Lookup {
    level: Level,
    /// Of each table, for each byte of a pattern, by that byte's low and by its high bits.
    tables: [[[Half; 2]; REACH]; 2],
    /// A byte that is told whatever stands before it.
    alone: u8,
}

impl Lookup {
    /// Compiles patterns; `None` where the processor can't look bytes up.
    pub(super) fn new(patterns: Vec<Pattern>, alone: u8) -> Option<Self> {
        let level = Level::new();
        if !can_look_up(level) {
            return None;
        }
        let mut tables = [[[[0; 16]; 2]; REACH]; 2];
        for (set, patterns) in in_sets(patterns, 2 * BITS).into_iter().enumerate() {
            let Some(table) = tables.get_mut(set / BITS) else {
                continue;
            };
            let all = patterns.into_iter().fold(Pattern::default(), either);
            for (class, halves) in all.into_iter().zip(table) {
                for (wanted, half) in class.halves().into_iter().zip(halves) {
                    for (value, sets) in half.iter_mut().enumerate() {
                        *sets |= u8::from(wanted >> value & 1 == 1) << (set % BITS);
                    }
                }
            }
        }
        Some(Self {
            level,
            tables,
            alone,
        })
    }

    /// What the first place yields, at or after `from`, where a pattern may end and that yields anything. None does for
    /// which `may_yield` says no, which shall be quick.
    #[inline]
    pub(super) fn find<T>(
        &self,
        bytes: &[u8],
        from: usize,
        may_yield: &impl Fn(usize) -> bool,
        of: &impl Fn(usize) -> Option<T>,
    ) -> Option<T> {
        let first = |told: &mut Told, at: usize| {
            let places = told.take().iter().map(|place| at + *place as usize);
            let places = places.take_while(|place| *place < bytes.len());
            places.filter(|place| may_yield(*place)).find_map(of)
        };
        dispatch!(self.level, simd => self.search(simd, bytes, from, &first))
    }

    #[expect(clippy::inline_always, reason = "as the library's dispatch asks")]
    #[inline(always)]
    fn search<S: Simd, T>(
        &self,
        simd: S,
        bytes: &[u8],
        from: usize,
        first: &impl Fn(&mut Told, usize) -> Option<T>,
    ) -> Option<T> {
        let mut at = from;
        let mut told = Told::new();
        if at < BEFORE {
            // Before the first byte there is nothing, which no pattern has but one with any byte there.
            told.add(0, self.told(simd, &padded(bytes, at)));
            let found = first(&mut told, at);
            at += STEP;
            if found.is_some() || at >= bytes.len() {
                return found;
            }
        }
        let [mut block, most] = BLOCKS;
        let mut rest = bytes.get(at.saturating_sub(BEFORE)..).unwrap_or_default();
        loop {
            let mut size = 0;
            while size < block
                && told.count <= MOST
                && let Some(step) = rest.first_chunk()
            {
                told.add(size, self.told(simd, step));
                rest = rest.get(STEP..).unwrap_or_default();
                size += STEP;
            }
            let is_last = rest.len() < BEFORE + STEP;
            if is_last {
                told.add(size, self.told(simd, &padded(bytes, at + size)));
            }
            let found = first(&mut told, at);
            if found.is_some() || is_last {
                return found;
            }
            at += size;
            block = most;
        }
    }

    /// The places of a step where a pattern may end, a bit for each, the first place in the lowest.
    #[expect(clippy::inline_always, reason = "as the library's dispatch asks")]
    #[inline(always)]
    fn told<S: Simd>(&self, simd: S, step: &Step) -> u64 {
        let [one, other] = &self.tables;
        let [mut here, mut here_other, mut behind, mut behind_other] =
            [u8x32::splat(simd, u8::MAX); 4];
        let mut last = [u8x32::splat(simd, 0); 2];
        for (place, (one, other)) in one.iter().zip(other).enumerate() {
            let (_, shifted) = step.split_at(place);
            let [first, second, ..] = shifted.as_chunks::<LANES>().0 else {
                return u64::MAX;
            };
            last = [
                u8x32::simd_from(simd, *first),
                u8x32::simd_from(simd, *second),
            ];
            let [first, second] = [halves(last[0]), halves(last[1])];
            let (one, other) = (tables(simd, one), tables(simd, other));
            here &= sets(one, first);
            behind &= sets(one, second);
            here_other &= sets(other, first);
            behind_other &= sets(other, second);
        }
        let here = none(here | here_other, last[0], self.alone);
        let behind = none(behind | behind_other, last[1], self.alone);
        !(here | behind << LANES)
    }
}

/// The low and the high bits of bytes.
#[expect(clippy::inline_always, reason = "as the library's dispatch asks")]
#[inline(always)]
fn halves<S: Simd>(bytes: u8x32<S>) -> [u8x32<S>; 2] {
    [bytes & 15, bytes >> 4]
}

/// Tables for both halves of bytes.
#[expect(clippy::inline_always, reason = "as the library's dispatch asks")]
#[inline(always)]
fn tables<S: Simd>(simd: S, [low, high]: &[Half; 2]) -> [u8x32<S>; 2] {
    let [low, high] = [u8x16::simd_from(simd, *low), u8x16::simd_from(simd, *high)];
    [u8x32::block_splat(low), u8x32::block_splat(high)]
}

/// The sets that may have bytes with these halves.
#[expect(clippy::inline_always, reason = "as the library's dispatch asks")]
#[inline(always)]
fn sets<S: Simd>(tables: [u8x32<S>; 2], halves: [u8x32<S>; 2]) -> u8x32<S> {
    let ([low, high], [of_low, of_high]) = (tables, halves);
    low.swizzle_dyn_within_blocks(of_low) & high.swizzle_dyn_within_blocks(of_high)
}

/// Where no set is, and not the byte that counts alone: a bit for each place.
#[expect(clippy::inline_always, reason = "as the library's dispatch asks")]
#[inline(always)]
fn none<S: Simd>(sets: u8x32<S>, last: u8x32<S>, alone: u8) -> u64 {
    (sets.simd_eq(0) & !last.simd_eq(alone)).to_bitmask()
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

/// Whether the processor looks bytes up in one instruction.
#[cfg_attr(
    target_arch = "aarch64",
    expect(clippy::missing_const_for_fn, reason = "not elsewhere")
)]
fn can_look_up(level: Level) -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    return level.as_sse4_2().is_some();
    #[cfg(target_arch = "aarch64")]
    return level.as_neon().is_some();
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}

/// Places that are told of a block, in their order. They are gathered before any is looked at, since what is guessed
/// wrong at a place would cost the steps behind it.
struct Told {
    /// With room for two steps beyond [`MOST`], one of them the last of all.
    places: [u32; MOST + 2 * STEP + FEW],
    count: usize,
}

impl Told {
    fn new() -> Self {
        Self {
            places: [0; MOST + 2 * STEP + FEW],
            count: 0,
        }
    }

    /// Adds the places of the step at `from`, a bit for each.
    #[expect(clippy::inline_always, reason = "as the library's dispatch asks")]
    #[inline(always)]
    fn add(&mut self, from: usize, mut bits: u64) {
        let mut free = self.places.get_mut(self.count..).unwrap_or_default();
        self.count += bits.count_ones() as usize;
        // A block is no longer.
        let from = u32::try_from(from).unwrap_or_default();
        // Few are written whether there are any or not: that costs less than to ask.
        while let Some((few, rest)) = free.split_first_chunk_mut::<FEW>() {
            for place in few {
                *place = from + bits.trailing_zeros();
                bits &= bits.wrapping_sub(1);
            }
            if bits == 0 {
                return;
            }
            free = rest;
        }
    }

    /// The places, of which none is left.
    fn take(&mut self) -> &[u32] {
        let count = std::mem::take(&mut self.count);
        self.places.get(..count).unwrap_or_default()
    }
}

/// The step at `at`, with zeros for what there is not.
fn padded(bytes: &[u8], at: usize) -> Step {
    let mut step = [0; BEFORE + STEP];
    let from = bytes.get(at.saturating_sub(BEFORE)..).unwrap_or_default();
    let to = step.iter_mut().skip(BEFORE.saturating_sub(at));
    to.zip(from).for_each(|(to, from)| *to = *from);
    step
}

#[cfg(test)]
mod tests {
    use super::super::sets::Class;
    use super::*;

    #[test]
    fn a_pattern_is_told_wherever_it_ends_and_nothing_else() {
        let class = |bytes: &str| Class::of(bytes.bytes());
        let patterns = vec![
            [Class::ANY, class("c"), class("dD"), class("e")],
            ["t", "e", "n", "=:"].map(class),
        ];
        let lookup = Lookup::new(patterns, b'@').unwrap();
        for before in 0..200 {
            for (text, ends) in [
                ("cde", Some(2)),
                ("cDe", Some(2)),
                ("ten:", Some(3)),
                ("@", Some(0)),
                ("cdf", None),
                ("ten", None),
            ] {
                let bytes = [&vec![b'.'; before], text.as_bytes(), &[b'.'; 70]].concat();
                let expected = ends.map(|ends| before + ends);
                for from in [0, 1, 5, before] {
                    let found = lookup.find(&bytes, from.min(before), &|_| true, &Some);
                    assert_eq!(found, expected, "{text} at {before}");
                }
                let cut = &bytes[..before + text.len()];
                assert_eq!(lookup.find(cut, 0, &|_| true, &Some), expected);
                assert_eq!(lookup.find(&bytes, 0, &|_| true, &|_| None::<usize>), None);
            }
        }
    }
}
