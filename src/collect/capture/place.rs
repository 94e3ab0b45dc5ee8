//! Places in a file: the line and the column of a byte that is known by its offset. Knows no format.

/// A place in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    pub(super) line: u64,
    pub(super) column: u64,
}

impl Position {
    pub(super) const START: Self = Self { line: 1, column: 1 };

    /// The place behind these bytes.
    pub(super) fn behind(self, bytes: &[u8]) -> Self {
        let len = |bytes: &[u8]| bytes.len() as u64;
        match memchr::memrchr(b'\n', bytes) {
            None => Self {
                column: self.column.saturating_add(len(bytes)),
                ..self
            },
            Some(last) => {
                let lines = memchr::memchr_iter(b'\n', bytes).count() as u64;
                let tail = bytes.get(last.saturating_add(1)..).unwrap_or_default();
                Self {
                    line: self.line.saturating_add(lines),
                    column: len(tail).saturating_add(1),
                }
            }
        }
    }
}

/// The places of many offsets in the same bytes. In ascending order each byte is passed once; a step back begins
/// again at the start, so that an exchange whose parts lie in another order costs its own bytes a few times.
#[derive(Debug)]
pub(super) struct Places<'a> {
    bytes: &'a [u8],
    /// Where they begin.
    start: (usize, Position),
    /// Those that were asked for last.
    last: (usize, Position),
}

impl<'a> Places<'a> {
    /// Those in bytes which stand at `start`.
    pub(super) fn new(bytes: &'a [u8], start: Position) -> Self {
        Self {
            bytes,
            start: (0, start),
            last: (0, start),
        }
    }

    /// The place of an offset.
    pub(super) fn at(&mut self, offset: usize) -> Position {
        let (from, place) = self.before(offset);
        let place = place.behind(self.bytes.get(from..offset).unwrap_or_default());
        self.last = (offset, place);
        place
    }

    /// Lets a step back begin again at an offset, before which nothing lies that is asked for from now on.
    pub(super) fn mark(&mut self, offset: usize) {
        self.start = (offset, self.at(offset));
    }

    /// A place from which that of an offset can be counted.
    fn before(&self, offset: usize) -> (usize, Position) {
        if offset < self.last.0 {
            self.start
        } else {
            self.last
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_order_pass_each_byte_once() {
        let bytes = b"a: b\nc: d\n".repeat(1000);
        let mut places = Places::new(&bytes, Position::START);
        let mut passed = 0;
        for offset in (0..=bytes.len()).step_by(3) {
            passed += offset - places.before(offset).0;
            let expected = Position::START.behind(&bytes[..offset]);
            assert_eq!(places.at(offset), expected);
        }
        assert!(passed <= bytes.len(), "{passed}");
        places.mark(5_000);
        places.at(9_000);
        assert_eq!(places.before(6_000).0, 5_000);
        assert_eq!(places.at(6_000), Position::START.behind(&bytes[..6_000]));
    }
}
