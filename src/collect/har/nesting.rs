//! Where a JSON value ends, followed through its strings and brackets, 64 bytes at a time; tells where strings
//! begin and end on the way. Looks for no name, and knows nothing of HAR.

use crate::atoms::step::{STEP, Step};

/// How deep a reading stands in a value.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Nesting {
    depth: u64,
    in_string: bool,
    escaped: bool,
    /// Whether the last byte was a backslash, whatever stood before it.
    behind_backslash: bool,
}

impl Nesting {
    /// Number of bytes that belong to the value, and whether they end it. The value's first byte is its
    /// bracket; brackets of both kinds count as one kind.
    ///
    /// `on` is told the place of every quote that begins or ends a string, and of every `u` and `/` behind a
    /// backslash.
    pub(super) fn consume(&mut self, bytes: &[u8], on: &mut impl FnMut(usize)) -> (usize, bool) {
        let mut used = 0_usize;
        let (steps, rest) = bytes.as_chunks();
        for step in steps {
            if let Some(end) = self.step(step, STEP, &mut |place| on(used + place)) {
                return (used + end, true);
            }
            used += STEP;
        }
        let mut step = [b' '; STEP];
        step.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        match self.step(&step, rest.len(), &mut |place| on(used + place)) {
            Some(end) => (used + end, true),
            None => (bytes.len(), false),
        }
    }

    /// Passes over the first `len` bytes of a step; where the value ends, if it ends in it. Bits are those of
    /// simdjson's first stage (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", §3.1).
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "whole steps need not look at their length"
    )]
    fn step(
        &mut self,
        bytes: &[u8; STEP],
        len: usize,
        on: &mut impl FnMut(usize),
    ) -> Option<usize> {
        let last = len.checked_sub(1)?;
        let step = Step::of(bytes);
        let backslashes = step.equal(b'\\');
        let (escaped, escapes_next) = escaped(backslashes, self.escaped);
        let quotes = step.equal(b'"') & !escaped;
        let inside = inside(quotes, self.in_string);
        if backslashes & !inside != 0 {
            // There it escapes nothing, and the bits mislead.
            return self.one_by_one(bytes.get(..len).unwrap_or(bytes), on);
        }
        let mut told = quotes;
        let behind = backslashes << 1 | u64::from(self.behind_backslash);
        if behind != 0 {
            told |= behind & step.either(b'u', b'/');
        }
        if inside != u64::MAX
            && let Some(end) = self.brackets(step, !inside)
        {
            *self = Self::default();
            tell(told & u64::MAX >> (STEP - end), on);
            return Some(end);
        }
        tell(told, on);
        self.in_string = inside >> last & 1 == 1;
        self.behind_backslash = backslashes >> last & 1 == 1;
        self.escaped = if len == STEP {
            escapes_next
        } else {
            escaped >> len & 1 == 1
        };
        None
    }

    /// Counts the brackets of a step that are `outside` of strings; where the last one ends the value, if it does.
    fn brackets(&mut self, step: Step, outside: u64) -> Option<usize> {
        let closing = step.equal_folded(b'}') & outside;
        let opening = step.equal_folded(b'{') & outside;
        let closed = u64::from(closing.count_ones());
        if self.depth > closed {
            let opened = u64::from(opening.count_ones());
            self.depth = self.depth.saturating_add(opened).saturating_sub(closed);
            return None;
        }
        let mut brackets = opening | closing;
        while brackets != 0 {
            let place = brackets.trailing_zeros();
            brackets &= brackets - 1;
            self.depth = if opening >> place & 1 == 1 {
                self.depth.saturating_add(1)
            } else {
                self.depth.saturating_sub(1)
            };
            if self.depth == 0 {
                return Some(place as usize + 1);
            }
        }
        None
    }

    fn one_by_one(&mut self, bytes: &[u8], on: &mut impl FnMut(usize)) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            if std::mem::replace(&mut self.behind_backslash, *byte == b'\\')
                && matches!(byte, b'u' | b'/')
            {
                on(at);
            }
            if std::mem::take(&mut self.escaped) {
                continue;
            }
            match byte {
                b'"' => {
                    self.in_string = !self.in_string;
                    on(at);
                }
                b'\\' if self.in_string => self.escaped = true,
                b'{' | b'[' if !self.in_string => self.depth = self.depth.saturating_add(1),
                b'}' | b']' if !self.in_string => self.depth = self.depth.saturating_sub(1),
                _ => continue,
            }
            if self.depth == 0 {
                return Some(at.saturating_add(1));
            }
        }
        None
    }
}

/// Tells of the places that have a bit.
#[inline]
fn tell(mut bits: u64, on: &mut impl FnMut(usize)) {
    while bits != 0 {
        on(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

/// Which bytes stand in a string, its first quote included and its last one not.
#[inline]
fn inside(quotes: u64, began_inside: bool) -> u64 {
    let mut inside = quotes;
    // Most steps of a long body have none.
    if quotes != 0 {
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
    }
    if began_inside { !inside } else { inside }
}

/// Which bytes a backslash escapes, and whether the last one escapes what follows.
#[inline]
fn escaped(backslashes: u64, first_is_escaped: bool) -> (u64, bool) {
    /// Every other bit, from the lowest on.
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let carried = u64::from(first_is_escaped);
    if backslashes == 0 {
        return (carried, false);
    }
    let escaping = backslashes & !carried;
    let behind = escaping << 1 | carried;
    let odd_starts = escaping & !EVEN & !behind;
    let (even_runs, escapes_next) = odd_starts.overflowing_add(escaping);
    ((EVEN ^ (even_runs << 1)) & behind, escapes_next)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, each byte by itself.
    fn slowly(nesting: &mut Nesting, bytes: &[u8], on: &mut impl FnMut(usize)) -> (usize, bool) {
        let end = nesting.one_by_one(bytes, on);
        (end.unwrap_or(bytes.len()), end.is_some())
    }

    #[test]
    fn steps_and_single_bytes_end_a_value_at_the_same_place() {
        let pieces: [&[u8]; 16] = [
            b"\"",
            b"\\",
            b"\\\"",
            b"\\u",
            b"\\/",
            b"\\\\",
            b"{",
            b"[",
            b"}",
            b"]",
            b"a",
            b"            ",
            b"\"\"",
            b"\\\\\\\\\\\\\\",
            b"\"a long enough text that fills most of a step of 64 bytes, {}[]\"",
            b"\xff\xdb\xfb\xfd\x7f",
        ];
        // A plain generator: the same bytes in every run.
        let mut seed = 3_u64;
        let mut next = move |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(seed >> 33).unwrap() % below
        };
        let mut ended = 0;
        for _ in 0..20_000 {
            let mut text = vec![b'['; 1 + next(5)];
            let kinds = 1 + next(pieces.len());
            for _ in 0..next(60) {
                text.extend_from_slice(pieces[next(kinds)]);
            }
            let (mut fast, mut slow) = (Nesting::default(), Nesting::default());
            let mut rest = text.as_slice();
            while !rest.is_empty() {
                let (block, after) = rest.split_at(rest.len().min(1 + next(300)));
                let (mut told, mut expected) = (Vec::new(), Vec::new());
                let found = fast.consume(block, &mut |at| told.push(at));
                let one_by_one = slowly(&mut slow, block, &mut |at| expected.push(at));
                let shown = String::from_utf8_lossy(&text);
                assert_eq!(found, one_by_one, "{shown:?}");
                assert_eq!(told, expected, "{shown:?}");
                assert_eq!(fast, slow, "{shown:?}");
                rest = if found.1 { &[] } else { after };
                ended += u32::from(found.1);
            }
        }
        assert!(ended > 1_000, "{ended}");
    }
}
