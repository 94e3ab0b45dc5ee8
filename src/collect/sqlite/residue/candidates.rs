//! What was found where no row is, until it is known which of it a row holds after all: pages are full of old
//! copies of what is live. Knows bytes, and neither pages nor files.

use std::collections::HashSet;

use super::{Found, Spot};
use crate::atoms::Digest;

/// Values that are held at once: as many as a history of some hundred megabytes loses.
const MAX_VALUES: usize = 1 << 18;

/// Bytes that they may come to.
const MAX_BYTES: usize = 128 << 20;

/// A guess counts as a copy of a live value from this many common bytes on, the mark included; a shorter one is no
/// credential.
const LEAST_COMMON: usize = 8;

/// Steps down to shorter and shorter guesses that begin a live value. Only crafted ones stand in so many rows.
const MAX_STEPS: usize = 8;

/// Bytes from a mark on that are compared: what two values have in common beyond is no chance.
const COMPARED: usize = 256;

/// Finds a place that is worth a second look, from a place on.
pub(super) type Find<'a> = &'a dyn Fn(&[u8], usize) -> Option<usize>;

/// What was found so far.
#[derive(Default)]
pub(super) struct Candidates {
    /// Values whose beginning and end are known.
    whole: Vec<Found>,
    /// Others, and where their first mark stands.
    guesses: Vec<(Found, usize)>,
    known: HashSet<Digest>,
    bytes: usize,
    /// Whether there was more than is held.
    pub(super) cut_short: bool,
}

impl Candidates {
    /// Takes a value, unless it was found before: the first copy is enough. `mark` is where its first mark stands.
    pub(super) fn add(&mut self, bytes: Vec<u8>, mark: usize, spot: Spot) {
        let too_short = spot.uncertain && bytes.len().saturating_sub(mark) < LEAST_COMMON;
        if too_short
            || !self
                .known
                .insert(Digest::of([&[u8::from(spot.uncertain)], bytes.as_slice()]))
        {
            return;
        }
        self.bytes = self.bytes.saturating_add(bytes.len());
        let values = self.whole.len() + self.guesses.len();
        if values >= MAX_VALUES || self.bytes > MAX_BYTES {
            self.cut_short = true;
            return;
        }
        let found = Found { bytes, spot };
        if spot.uncertain {
            self.guesses.push((found, mark));
        } else {
            self.whole.push(found);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.guesses.is_empty()
    }

    /// Makes it ready to be compared with what is live. Guesses that are parts of whole values go at once.
    pub(super) fn sorted(mut self, find: Find<'_>) -> Sorted {
        self.whole.sort_by(|a, b| a.bytes.cmp(&b.bytes));
        self.guesses.sort_by(|a, b| from_mark(a).cmp(from_mark(b)));
        let mut sorted = Sorted {
            held: vec![false; self.whole.len()],
            up: (0..=self.guesses.len()).collect(),
            whole: self.whole,
            guesses: self.guesses,
        };
        let whole = std::mem::take(&mut sorted.whole);
        for found in &whole {
            sorted.forget_guesses(&found.bytes, find);
        }
        sorted.whole = whole;
        sorted
    }
}

fn from_mark((found, mark): &(Found, usize)) -> &[u8] {
    compared(&found.bytes, *mark)
}

fn compared(bytes: &[u8], mark: usize) -> &[u8] {
    let tail = bytes.get(mark..).unwrap_or_default();
    tail.get(..COMPARED).unwrap_or(tail)
}

/// What was found, in order.
pub(super) struct Sorted {
    whole: Vec<Found>,
    held: Vec<bool>,
    guesses: Vec<(Found, usize)>,
    /// For each guess the first at or behind it that no row holds, as far as is known.
    up: Vec<usize>,
}

impl Sorted {
    /// Takes note that a row holds a value.
    pub(super) fn forget(&mut self, value: &[u8], find: Find<'_>) {
        let first = self
            .whole
            .partition_point(|found| found.bytes.as_slice() < value);
        let equal = self
            .whole
            .iter()
            .skip(first)
            .take_while(|found| found.bytes == value);
        let last = first + equal.count();
        if let Some(held) = self.held.get_mut(first..last) {
            held.fill(true);
        }
        self.forget_guesses(value, find);
    }

    /// What no row holds.
    pub(super) fn left(self) -> Vec<Found> {
        let whole = self.whole.into_iter().zip(self.held);
        let whole = whole.filter(|(_, held)| !held).map(|(found, _)| found);
        let guesses = self.guesses.into_iter().zip(self.up).enumerate();
        let guesses = guesses.filter(|(index, (_, up))| index == up);
        whole
            .chain(guesses.map(|(_, ((found, _), _))| found))
            .collect()
    }

    /// Guesses may have lost their beginning, and end too early or too late. From the mark on one is compared with
    /// the value from each of its marks on: the shorter must begin the longer.
    fn forget_guesses(&mut self, value: &[u8], find: Find<'_>) {
        if self.guesses.is_empty() {
            return;
        }
        let mut at = 0;
        while let Some(mark) = find(value, at) {
            let tail = compared(value, mark);
            at = mark + 1;
            if tail.len() < LEAST_COMMON {
                break;
            }
            let first = self
                .guesses
                .partition_point(|guess| from_mark(guess) < tail);
            self.forget_longer(first, tail);
            self.forget_shorter(first, tail);
        }
    }

    /// Guesses that begin with the tail: something was taken together with it.
    fn forget_longer(&mut self, first: usize, tail: &[u8]) {
        let mut index = self.upwards(first);
        while let Some(guess) = self.guesses.get(index)
            && from_mark(guess).starts_with(tail)
        {
            self.hold(index);
            index = self.upwards(index);
        }
    }

    /// Guesses that begin the tail: their end is missing. All of them stand before it.
    fn forget_shorter(&mut self, mut behind: usize, tail: &[u8]) {
        for _ in 0..MAX_STEPS {
            let Some((index, guess)) = behind
                .checked_sub(1)
                .and_then(|index| Some((index, self.guesses.get(index)?)))
            else {
                return;
            };
            let theirs = from_mark(guess);
            let common = theirs.iter().zip(tail).take_while(|(a, b)| a == b).count();
            if common == theirs.len() {
                self.hold(index);
                behind = index;
            } else if common < LEAST_COMMON {
                return;
            } else {
                let begin = tail.get(..common).unwrap_or_default();
                behind = self
                    .guesses
                    .partition_point(|guess| from_mark(guess) <= begin);
            }
        }
    }

    fn hold(&mut self, index: usize) {
        if let Some(up) = self.up.get_mut(index) {
            *up = index + 1;
        }
    }

    /// The first guess from here on that no row holds. Shortens the way for those who come later.
    fn upwards(&mut self, from: usize) -> usize {
        let mut index = from;
        while let Some(&up) = self.up.get(index)
            && up != index
        {
            index = up;
        }
        let mut on_the_way = from;
        while let Some(up) = self.up.get_mut(on_the_way)
            && *up != on_the_way
        {
            on_the_way = std::mem::replace(up, index);
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::super::File;
    use super::*;
    use crate::atoms::Within;

    fn find(bytes: &[u8], from: usize) -> Option<usize> {
        let place = bytes.get(from..)?.iter().position(|byte| *byte == b'=')?;
        Some(from + place)
    }

    fn left(whole: &[&str], guesses: &[&str], rows: &[&str]) -> Vec<String> {
        let mut candidates = Candidates::default();
        for (values, uncertain) in [(whole, false), (guesses, true)] {
            for value in values {
                let spot = Spot {
                    file: File::Main,
                    offset: 0,
                    within: Within::FreePage,
                    uncertain,
                };
                let mark = find(value.as_bytes(), 0).unwrap();
                candidates.add(value.as_bytes().to_vec(), mark, spot);
            }
        }
        let mut sorted = candidates.sorted(&find);
        for row in rows {
            sorted.forget(row.as_bytes(), &find);
        }
        let text = |found: Found| String::from_utf8(found.bytes).unwrap();
        sorted.left().into_iter().map(text).collect()
    }

    #[test]
    fn a_whole_value_is_held_by_its_equal_only() {
        let whole = [
            "http://a/?code=aaaaaaaaaaaa",
            "http://a/?code=aaaaaaaaaaaab",
        ];
        assert_eq!(left(&whole, &[], &[whole[1]]), [whole[0]]);
        assert_eq!(left(&whole, &[], &["code=aaaaaaaaaaaa"]), whole);
    }

    #[test]
    fn a_guess_is_held_by_what_it_is_a_part_of_or_has_a_part_of() {
        let row = ["http://a/?code=secret-value"];
        for guess in [
            "http://a/?code=secret-value",
            "http://a/?code=secret-val",
            "http://a/?code=secret-valueTitle",
            "a/?code=secret-valueTitle",
        ] {
            assert_eq!(left(&[], &[guess], &row), [""; 0], "{guess}");
        }
        let other = "http://a/?code=secret-other";
        assert_eq!(left(&[], &[other], &row), [other]);
        assert_eq!(left(&row, &["a/?code=secret-valueTitle"], &[]), row);
        assert_eq!(left(&[], &["a/?code=short"], &[]), [""; 0]);
    }

    #[test]
    fn shorter_ones_are_found_behind_strangers() {
        let guesses = [
            "x=aaaaaaaa",
            "x=aaaaaaaab",
            "x=aaaaaaaac",
            "x=aaaaaaaacd",
            "x=aaaaaaaaz",
        ];
        let row = ["x=aaaaaaaacde"];
        assert_eq!(left(&[], &guesses, &row), ["x=aaaaaaaab", "x=aaaaaaaaz"]);
        // Twice is as good as once.
        assert_eq!(left(&[], &guesses, &[row[0], row[0]]).len(), 2);
    }
}
