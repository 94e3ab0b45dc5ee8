//! `base::Pickle` of Chromium: values one behind the other, each padded to four bytes, behind the length of
//! them all. Knows no message.

use crate::collect::cursor::Cursor;

/// Bytes to which values are padded.
const ALIGNMENT: usize = 4;

/// What is left of a pickle.
#[derive(Clone, Copy)]
pub(super) struct Pickle<'a>(Cursor<'a>);

impl<'a> Pickle<'a> {
    /// The pickle that these bytes are; `None` when they are shorter than it says.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = Cursor::new(bytes);
        let len = rest.u32_le()?;
        let values = rest.take(usize::try_from(len).ok()?)?;
        Some(Self(Cursor::new(values)))
    }

    pub(super) fn int(&mut self) -> Option<i32> {
        self.0.i32_le()
    }

    pub(super) fn long(&mut self) -> Option<i64> {
        self.0.i64_le()
    }

    /// Bytes behind their number: `WriteString`, `WriteData`.
    pub(super) fn data(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.int()?).ok()?;
        self.padded(len)
    }

    /// UTF-16 behind the number of its characters: `WriteString16`.
    pub(super) fn wide(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.int()?).ok()?;
        self.padded(len.checked_mul(2)?)
    }

    /// Bytes behind their number, which is below 0 where there are none: an optional string of a page state.
    pub(super) fn optional(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        if ahead.int()? < 0 {
            *self = ahead;
            return Some(b"");
        }
        self.data()
    }

    fn padded(&mut self, len: usize) -> Option<&'a [u8]> {
        let bytes = self.0.take(len)?;
        // The last value of a pickle may lack its padding.
        let padding = len.next_multiple_of(ALIGNMENT) - len;
        let _last = self.0.take(padding.min(self.0.rest().len()));
        Some(bytes)
    }
}
