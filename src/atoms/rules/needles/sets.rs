//! Which patterns share a set: those of a set are told wherever each of the next bytes is one that any of them has
//! there, so a set shall be of patterns that are alike. Knows bytes only.

use super::cores::COMMON;

/// Bytes of a pattern. The last stands at the place that is told.
pub(super) const REACH: usize = 4;

/// Bytes of ordinary text, 64 windows in a word.
const WORDS: usize = COMMON.len().div_ceil(u64::BITS as usize);

/// What it weighs that a set is told at one window of ordinary text, against all windows that there may be.
const WEIGHT: u64 = 1 << 36;

/// What may stand at each place of a pattern.
pub(super) type Pattern = [Class; REACH];

/// Bytes by their low and their high four bits, since a processor looks up halves of bytes: a class of `a` and `2` is
/// also one of `1` and of `b`, which have a half of each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(super) struct Class {
    low: u16,
    high: u16,
}

impl Class {
    /// Any byte.
    pub(super) const ANY: Self = Self {
        low: u16::MAX,
        high: u16::MAX,
    };

    /// These bytes.
    pub(super) fn of(bytes: impl IntoIterator<Item = u8>) -> Self {
        let bytes = bytes.into_iter();
        bytes.fold(Self::default(), |class, byte| {
            class.or(Self {
                low: 1 << (byte & 15),
                high: 1 << (byte >> 4),
            })
        })
    }

    fn or(self, other: Self) -> Self {
        Self {
            low: self.low | other.low,
            high: self.high | other.high,
        }
    }

    /// Which low and which high bits they have: a bit for each value.
    pub(super) fn halves(self) -> [u16; 2] {
        [self.low, self.high]
    }
}

/// Patterns in `count` sets at most, such that little is told in vain.
pub(super) fn in_sets(mut patterns: Vec<Pattern>, count: usize) -> Vec<Vec<Pattern>> {
    /// Sets for each of those that are asked for, down to which only neighbours are united.
    const ROUGH: usize = 2;
    let text = Text::new();
    // What ends alike stands beside each other.
    patterns.sort_unstable_by_key(|[a, b, c, d]| [*d, *c, *b, *a]);
    let one = |pattern: Pattern| Set::new(pattern, &text);
    let mut sets: Vec<Set> = patterns.into_iter().map(one).collect();
    unite_neighbours(&mut sets, count.saturating_mul(ROUGH));
    unite_any(&mut sets, count);
    for number in 0..sets.len() {
        give_away(&mut sets, number, &text);
    }
    sets.into_iter().map(|set| set.patterns).collect()
}

/// Unites neighbours, first those whose union is told least in vain, until so many are left.
fn unite_neighbours(sets: &mut Vec<Set>, count: usize) {
    let growth = |sets: &[Set], at: usize| match sets.get(at..) {
        Some([one, other, ..]) => one.growth(other),
        _ => u64::MAX,
    };
    let mut growths: Vec<u64> = (0..sets.len()).map(|at| growth(sets, at)).collect();
    while sets.len() > count.max(1) {
        let best = growths
            .iter()
            .enumerate()
            .min_by_key(|(_, growth)| **growth);
        let Some((at, _)) = best else { return };
        let other = sets.remove(at + 1);
        growths.remove(at + 1);
        if let Some(set) = sets.get_mut(at) {
            set.unite(other);
        }
        for changed in at.saturating_sub(1)..=at {
            if let Some(slot) = growths.get_mut(changed) {
                *slot = growth(sets, changed);
            }
        }
    }
}

/// The same of any two.
fn unite_any(sets: &mut Vec<Set>, count: usize) {
    // For each set: what it comes to with those before it.
    let mut growths: Vec<Vec<u64>> = Vec::new();
    for (at, set) in sets.iter().enumerate() {
        growths.push(sets.iter().take(at).map(|it| it.growth(set)).collect());
    }
    while sets.len() > count.max(1) {
        let pairs = growths.iter().enumerate().flat_map(|(second, row)| {
            row.iter()
                .enumerate()
                .map(move |(first, growth)| (*growth, first, second))
        });
        let Some((_, first, second)) = pairs.min() else {
            return;
        };
        let other = sets.remove(second);
        growths.remove(second);
        for row in growths.iter_mut().skip(second) {
            row.remove(second);
        }
        let Some(set) = sets.get_mut(first) else {
            return;
        };
        set.unite(other);
        let set = set.clone();
        for ((at, it), row) in sets.iter().enumerate().zip(&mut growths) {
            if at == first {
                row.iter_mut()
                    .zip(sets.iter())
                    .for_each(|(slot, it)| *slot = it.growth(&set));
            } else if let Some(slot) = row.get_mut(first) {
                *slot = it.growth(&set);
            }
        }
    }
}

/// Gives those patterns of a set to others that are told less in vain there.
fn give_away(sets: &mut [Set], number: usize, text: &Text) {
    let Some(set) = sets.get_mut(number) else {
        return;
    };
    let patterns = std::mem::replace(set, Set::empty()).patterns;
    let one = |pattern: Pattern| Set::new(pattern, text);
    let ones: Vec<Set> = patterns.into_iter().map(one).collect();
    let mut before = vec![Set::empty()];
    for one in &ones {
        let mut all = before.last().cloned().unwrap_or_else(Set::empty);
        all.unite(one.clone());
        before.push(all);
    }
    let mut kept = Set::empty();
    for (one, mut rest) in ones.into_iter().zip(before).rev() {
        rest.unite(kept.clone());
        let saved = rest.cost_with(&one) - rest.cost;
        let others = sets.iter_mut().enumerate().filter(|(at, _)| *at != number);
        let others = others.map(|(_, other)| (other.cost_with(&one) - other.cost, other));
        match others.min_by_key(|(growth, _)| *growth) {
            Some((growth, other)) if growth < saved => other.unite(one),
            _ => kept.unite(one),
        }
    }
    if let Some(set) = sets.get_mut(number) {
        *set = kept;
    }
}

/// One pattern that is told wherever one of two is.
pub(super) fn either(one: Pattern, other: Pattern) -> Pattern {
    let mut both = one;
    for (class, more) in both.iter_mut().zip(other) {
        *class = class.or(more);
    }
    both
}

/// Windows of the text, a bit for each.
type Windows = [u64; WORDS];

/// In which windows of ordinary text a half of a byte stands.
struct Text(Vec<[[Windows; 16]; 2]>);

impl Text {
    fn new() -> Self {
        let mut text = vec![[[[0; WORDS]; 16]; 2]; REACH];
        for (number, window) in COMMON.windows(REACH).enumerate() {
            let (word, bit) = (number / 64, number % 64);
            for (byte, halves) in window.iter().zip(text.iter_mut()) {
                for (half, windows) in [byte & 15, byte >> 4].into_iter().zip(halves) {
                    let words = windows.get_mut(usize::from(half));
                    if let Some(word) = words.and_then(|words| words.get_mut(word)) {
                        *word |= 1 << bit;
                    }
                }
            }
        }
        Self(text)
    }
}

/// Patterns that are told together.
#[derive(Clone)]
struct Set {
    patterns: Vec<Pattern>,
    all: Pattern,
    /// Where in the text each half of each byte fits.
    fits: Box<[[Windows; 2]; REACH]>,
    cost: u64,
}

impl Set {
    fn empty() -> Self {
        Self {
            patterns: Vec::new(),
            all: Pattern::default(),
            fits: Box::new([[[0; WORDS]; 2]; REACH]),
            cost: 0,
        }
    }

    fn new(pattern: Pattern, text: &Text) -> Self {
        let mut set = Self {
            patterns: vec![pattern],
            all: pattern,
            ..Self::empty()
        };
        for ((class, fits), places) in pattern.iter().zip(set.fits.iter_mut()).zip(&text.0) {
            for ((half, fits), windows) in class.halves().iter().zip(fits).zip(places) {
                for (value, windows) in windows.iter().enumerate() {
                    if half >> value & 1 == 1 {
                        fits.iter_mut()
                            .zip(windows)
                            .for_each(|(fit, more)| *fit |= more);
                    }
                }
            }
        }
        set.cost = set.cost_with(&set);
        set
    }

    fn unite(&mut self, other: Self) {
        self.cost = self.cost_with(&other);
        self.all = either(self.all, other.all);
        let windows = self.fits.iter_mut().flatten().flatten();
        let more = other.fits.iter().flatten().flatten();
        windows.zip(more).for_each(|(word, more)| *word |= more);
        self.patterns.extend(other.patterns);
    }

    /// What is told in vain if both are one and was not while they were two.
    fn growth(&self, other: &Self) -> u64 {
        let apart = self.cost.saturating_add(other.cost);
        self.cost_with(other).saturating_sub(apart)
    }

    /// At how much of ordinary text, and of all text, both are told together.
    fn cost_with(&self, other: &Self) -> u64 {
        let mut told = [u64::MAX; WORDS];
        let (own, more) = (self.fits.iter().flatten(), other.fits.iter().flatten());
        for (own, more) in own.zip(more) {
            for (told, (own, more)) in told.iter_mut().zip(own.iter().zip(more)) {
                *told &= own | more;
            }
        }
        let told = told.iter().filter(|word| **word != 0);
        let told: u64 = told.map(|word| u64::from(word.count_ones())).sum();
        let bytes = |class: Class| class.halves().map(|half| u64::from(half.count_ones()));
        let all: u64 = either(self.all, other.all)
            .into_iter()
            .flat_map(bytes)
            .product();
        told * WEIGHT + all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: [u8; REACH]) -> Pattern {
        text.map(|byte| Class::of([byte]))
    }

    #[test]
    fn no_pattern_is_lost_and_none_is_there_twice() {
        for count in [0_u8, 1, 7, 8, 9, 200] {
            let patterns: Vec<Pattern> = (0..count)
                .map(|it| pattern([it, b'k', b'z', it / 3]))
                .collect();
            let sets = in_sets(patterns.clone(), 8);
            assert!(sets.len() <= 8);
            let mut sets = sets.concat();
            sets.sort_unstable();
            let mut before = patterns;
            before.sort_unstable();
            assert_eq!(sets, before);
        }
    }

    #[test]
    fn what_ordinary_text_would_be_mistaken_for_is_kept_apart() {
        // Two of these together would be told at `GET `, and the other two at `1.1"`.
        let patterns = [*b"GET9", *b"1ET ", *b"G.1\"", *b"1.1Z"].map(pattern);
        let text = Text::new();
        for set in in_sets(patterns.to_vec(), 2) {
            let sets = set.iter().map(|it| Set::new(*it, &text));
            let all = sets.reduce(|mut all, it| {
                all.unite(it);
                all
            });
            assert!(all.is_some_and(|all| all.cost < WEIGHT), "{set:?}");
        }
    }
}
