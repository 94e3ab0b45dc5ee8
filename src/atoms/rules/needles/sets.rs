//! Which cores a packed search holds in one set: it looks closer wherever each of the next bytes is one that a
//! core of the set has at that place, so a set shall be of cores that are alike. Knows bytes only.

use std::sync::OnceLock;

use super::cores::{COMMON, Core};

/// Sets of a packed search.
const SETS: usize = 8;

/// Bytes of a core by which it is looked closer at.
const LOOKED_AT: usize = 4;

/// Times that all pairs of sets are looked through for cores to exchange. The first finds nearly all.
const SWEEPS: usize = 2;

/// Cores in the order in which a packed search, which deals them out one by one, puts those into one set that
/// are alike. Sets are made of neighbours in the alphabet first, and then exchange cores as long as that makes it
/// rarer that ordinary text is looked closer at.
pub(super) fn in_sets(mut cores: Vec<Core>) -> Vec<Core> {
    cores.sort_by(|a, b| a.bytes.cmp(&b.bytes));
    let shortest = cores.iter().map(|core| core.bytes.len()).min();
    let looked_at = shortest.unwrap_or_default().min(LOOKED_AT);
    let (each, more) = (cores.len() / SETS, cores.len() % SETS);
    let mut rest = cores.into_iter();
    let mut sets: Vec<Set> = (0..SETS)
        .map(|set| {
            let cores = rest.by_ref().take(each + usize::from(set < more));
            Set::new(cores.collect(), looked_at)
        })
        .collect();
    for _ in 0..SWEEPS {
        for split in 1..SETS {
            let (before, after) = sets.split_at_mut(split);
            if let Some(set) = after.first_mut() {
                for other in before.iter_mut() {
                    set.exchange(other);
                }
            }
        }
    }
    let mut dealt = Vec::new();
    for round in 0..=each {
        dealt.extend(sets.iter().filter_map(|set| set.cores.get(round)).cloned());
    }
    dealt
}

/// Cores, and how often text is looked closer at because of them.
struct Set {
    cores: Vec<Core>,
    looked_at: usize,
    often: u64,
}

impl Set {
    fn new(cores: Vec<Core>, looked_at: usize) -> Self {
        let often = often(cores.iter(), looked_at);
        Self {
            cores,
            looked_at,
            often,
        }
    }

    /// Exchanges single cores with another set where both together are rarer then.
    fn exchange(&mut self, other: &mut Self) {
        for own in 0..self.cores.len() {
            for its in 0..other.cores.len() {
                let (a, b) = (self.with(own, other, its), other.with(its, self, own));
                if a.saturating_add(b) < self.often.saturating_add(other.often)
                    && let (Some(own), Some(its)) =
                        (self.cores.get_mut(own), other.cores.get_mut(its))
                {
                    std::mem::swap(own, its);
                    (self.often, other.often) = (a, b);
                }
            }
        }
    }

    /// How often with one of another set's cores in an own one's place.
    fn with(&self, own: usize, other: &Self, its: usize) -> u64 {
        let kept = self.cores.iter().enumerate();
        let kept = kept.filter_map(|(at, core)| (at != own).then_some(core));
        often(kept.chain(other.cores.get(its)), self.looked_at)
    }
}

/// How often the next bytes are such that each is one that a core has at that place. Halves of bytes are looked
/// at, so that cores with `ab` and `12` are met in `a2` too.
fn often<'c>(cores: impl Iterator<Item = &'c Core>, looked_at: usize) -> u64 {
    let mut places = [(0_u16, 0_u16); LOOKED_AT];
    for core in cores {
        for ((low, high), byte) in places.iter_mut().zip(&*core.bytes) {
            *low |= 1 << (byte & 15);
            *high |= 1 << (byte >> 4);
        }
    }
    let places = places.iter().take(looked_at);
    places.map(|(low, high)| share(*low, *high)).product()
}

/// How many bytes of ordinary text have one of these halves each.
fn share(low: u16, high: u16) -> u64 {
    static COUNTS: OnceLock<[u64; 256]> = OnceLock::new();
    let counts = COUNTS.get_or_init(|| {
        let mut counts = [1; 256];
        for byte in COMMON {
            if let Some(count) = counts.get_mut(usize::from(*byte)) {
                *count += 1;
            }
        }
        counts
    });
    let bytes = bits(high).flat_map(|high| bits(low).map(move |low| high * 16 + low));
    bytes.filter_map(|byte| counts.get(byte)).sum()
}

/// The places of a number's bits.
fn bits(mut of: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = of.trailing_zeros() as usize;
        of &= of.checked_sub(1)?;
        Some(place)
    })
}

#[cfg(test)]
mod tests {
    use super::super::cores::cores;
    use super::*;

    #[test]
    fn no_core_is_lost_and_none_is_there_twice() {
        for count in [0, 1, 7, 8, 9, 26] {
            let literals: Vec<String> = (0..count).map(|it| format!("w{it:02}kz")).collect();
            let literals: Vec<&[u8]> = literals.iter().map(String::as_bytes).collect();
            let mut before: Vec<_> = cores(&literals).into_iter().map(|it| it.bytes).collect();
            let mut after: Vec<_> = in_sets(cores(&literals))
                .into_iter()
                .map(|it| it.bytes)
                .collect();
            before.sort();
            after.sort();
            assert_eq!(before, after);
        }
    }

    #[test]
    fn an_exchange_makes_it_rarer_that_text_is_looked_closer_at() {
        let literals: [&[u8]; 4] = [b"aaQ1", b"e9zj", b"aaQ2", b"e9zk"];
        let [first, second, third, fourth] = literals.map(|it| cores(&[it]).pop().unwrap());
        let mut one = Set::new(vec![first, second], LOOKED_AT);
        let mut other = Set::new(vec![third, fourth], LOOKED_AT);
        let before = one.often + other.often;
        one.exchange(&mut other);
        assert!(one.often + other.often < before / 10);
        let alike = |set: &Set| {
            set.cores
                .windows(2)
                .all(|pair| pair[0].bytes[0] == pair[1].bytes[0])
        };
        assert!(alike(&one) && alike(&other));
    }
}
