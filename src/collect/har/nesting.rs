//! Where a JSON value ends, followed through its strings and brackets, 64 bytes at a time. Looks for no
//! name, and knows nothing of HAR.

/// Bytes that are looked at together.
const STEP: usize = 64;

/// How deep a reading stands in a value.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Nesting {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Nesting {
    /// Number of bytes that belong to the value, and whether they end it. The value's first byte is its
    /// bracket; brackets of both kinds count as one kind.
    pub(super) fn consume(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut used = 0_usize;
        let (steps, rest) = bytes.as_chunks::<STEP>();
        for step in steps {
            if !self.passes(step) {
                let (taken, ended) = self.one_by_one(step);
                if ended {
                    return (used.saturating_add(taken), true);
                }
            }
            used = used.saturating_add(STEP);
        }
        let (taken, ended) = self.one_by_one(rest);
        (used.saturating_add(taken), ended)
    }

    /// Passes over a step that cannot hold the value's end; false, and nothing done, where it might, or
    /// where a backslash outside of a string makes bits misleading. Bits are those of simdjson's first
    /// stage (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", §3.1).
    #[inline]
    fn passes(&mut self, step: &[u8; STEP]) -> bool {
        let quotes = bits(step, |byte| byte == b'"');
        let backslashes = bits(step, |byte| byte == b'\\');
        let (escaped, escapes_next) = escaped(backslashes, self.escaped);
        let mut inside = quotes & !escaped;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        if self.in_string {
            inside = !inside;
        }
        if backslashes & !inside != 0 {
            return false;
        }
        if inside != u64::MAX {
            let closed = bits(step, |byte| byte | 0x20 == b'}') & !inside;
            let closed = u64::from(closed.count_ones());
            if self.depth <= closed {
                return false;
            }
            let opened = bits(step, |byte| byte | 0x20 == b'{') & !inside;
            let opened = u64::from(opened.count_ones());
            self.depth = self.depth.saturating_add(opened).saturating_sub(closed);
        }
        self.in_string = inside >> (STEP - 1) == 1;
        self.escaped = escapes_next;
        self.depth > 0
    }

    fn one_by_one(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, byte) in bytes.iter().enumerate() {
            if std::mem::take(&mut self.escaped) {
                continue;
            }
            match byte {
                b'"' => self.in_string = !self.in_string,
                b'\\' if self.in_string => self.escaped = true,
                b'{' | b'[' if !self.in_string => self.depth = self.depth.saturating_add(1),
                b'}' | b']' if !self.in_string => self.depth = self.depth.saturating_sub(1),
                _ => continue,
            }
            if self.depth == 0 {
                return (at.saturating_add(1), true);
            }
        }
        (bytes.len(), false)
    }
}

/// A bit for each byte that is looked for, the first byte's lowest. Of the first loop the compiler makes
/// vector instructions; the product gathers the lowest bits of eight bytes in the highest byte.
#[inline]
fn bits(step: &[u8; STEP], is_wanted: impl Fn(u8) -> bool) -> u64 {
    let mut flags = [0; STEP];
    for (flag, byte) in flags.iter_mut().zip(step) {
        *flag = u8::from(is_wanted(*byte));
    }
    let eighths = flags.as_chunks().0.iter().rev();
    eighths.fold(0, |bits, eighth| {
        let gathered = u64::from_le_bytes(*eighth).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits << 8 | gathered
    })
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
    fn slowly(nesting: &mut Nesting, bytes: &[u8]) -> (usize, bool) {
        nesting.one_by_one(bytes)
    }

    #[test]
    fn steps_and_single_bytes_end_a_value_at_the_same_place() {
        let pieces: [&[u8]; 14] = [
            b"\"",
            b"\\",
            b"\\\"",
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
                let found = fast.consume(block);
                assert_eq!(
                    found,
                    slowly(&mut slow, block),
                    "{:?}",
                    String::from_utf8_lossy(&text)
                );
                assert_eq!(fast, slow, "{:?}", String::from_utf8_lossy(&text));
                rest = if found.1 { &[] } else { after };
                ended += u32::from(found.1);
            }
        }
        assert!(ended > 1_000, "{ended}");
    }

    #[test]
    fn every_bit_stands_for_its_byte() {
        for place in 0..STEP {
            let mut step = [b'x'; STEP];
            step[place] = b'"';
            assert_eq!(bits(&step, |byte| byte == b'"'), 1 << place);
        }
        assert_eq!(bits(&[b'"'; STEP], |byte| byte == b'"'), u64::MAX);
    }
}
