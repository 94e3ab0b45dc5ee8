//! The objects of a journal, one behind the other: those that hold fields are handed on, others are passed over, and so
//! is what is none. Knows how objects lie (`journal-def.h`), and nothing of what a field means.

use std::io;

use super::MAX_FIELD;
use super::packed::Packing;
use crate::collect::cursor::Cursor;
use crate::collect::span::Span;

/// Where an object's size stands, and where what is behind its header.
pub(super) const SIZE: usize = 8;
pub(super) const HEADER: usize = 16;

/// Bytes of an entry up to its fields, and of an array of entries up to them.
pub(super) const ENTRY: usize = 64;
pub(super) const ARRAY: usize = 24;

/// Bytes of a field's object up to the field.
const DATA: usize = 64;

/// The same where objects are compact: the last of the arrays of its entries is named, too.
const COMPACT_DATA: usize = 72;

/// Objects begin at multiples of it.
const ALIGNED: usize = 8;

/// Bytes that are read at once.
const WINDOW: usize = 256 * 1024;

/// Fields that are read though nothing tells where they end. A file that was cut has one; each may be as long as a field.
const MAX_TORN: u64 = 64;

/// What an object is (`ObjectType`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Data,
    Field,
    Entry,
    HashTable,
    EntryArray,
    Tag,
}

impl Kind {
    /// The kind of an object that begins so; `None` where none does.
    pub(super) fn of(header: &[u8]) -> Option<Self> {
        let [kind, flags, 0, 0, 0, 0, 0, 0, ..] = *header else {
            return None;
        };
        let kind = match kind {
            1 => return Packing::of(flags).map(|_| Self::Data),
            2 => Self::Field,
            3 => Self::Entry,
            4 | 5 => Self::HashTable,
            6 => Self::EntryArray,
            7 => Self::Tag,
            _ => return None,
        };
        (flags == 0).then_some(kind)
    }

    /// Bytes that one has at least.
    fn shortest(self) -> usize {
        match self {
            Self::Data | Self::Entry | Self::Tag => ENTRY,
            Self::Field => 40,
            Self::HashTable => HEADER,
            Self::EntryArray => ARRAY,
        }
    }
}

/// A field, as it lies there.
pub(super) struct Data<'a> {
    /// Offset of its object.
    pub(super) offset: u64,
    pub(super) payload: &'a [u8],
    pub(super) packing: Packing,
    /// Whether it goes on beyond the bound.
    pub(super) is_cut: bool,
    /// Offset of the first entry that has it.
    pub(super) entry: u64,
    /// Offset of the first array of the others; 0 where there is none.
    pub(super) array: u64,
    /// How many entries have it.
    pub(super) entries: u64,
}

impl Data<'_> {
    /// What is left of it where its end is not known: other objects have zeros, and text has none. What is compressed
    /// ends by itself.
    fn torn(self) -> Self {
        let text = memchr::memchr(0, self.payload).and_then(|end| self.payload.get(..end));
        let text = match text {
            // The kind of the next object, where nothing stands between the two.
            Some([text @ .., 1..=7]) if text.len().is_multiple_of(ALIGNED) => Some(text),
            text => text,
        };
        let text = text.filter(|_| self.packing == Packing::None);
        Self {
            payload: text.unwrap_or(self.payload),
            is_cut: false,
            ..self
        }
    }
}

/// The objects from the header to the end of the file.
pub(super) struct Objects<'a> {
    span: &'a Span,
    is_compact: bool,
    at: u64,
    window: Vec<u8>,
    /// Offset of the window.
    base: u64,
    /// Whether what was passed over last is no object.
    is_lost: bool,
    torn: u64,
    /// How many there were.
    pub(super) count: u64,
    /// Whether something was no object, where one should have been.
    pub(super) is_damaged: bool,
}

impl<'a> Objects<'a> {
    pub(super) fn new(span: &'a Span, header: u64, is_compact: bool) -> Self {
        Self {
            span,
            is_compact,
            at: aligned(header),
            window: Vec::new(),
            base: 0,
            is_lost: false,
            torn: 0,
            count: 0,
            is_damaged: false,
        }
    }

    /// The next field.
    pub(super) fn next(&mut self) -> io::Result<Option<Data<'_>>> {
        while self.at < self.span.len() {
            let (offset, is_lost) = (self.at, self.is_lost);
            let left = self.span.len().saturating_sub(offset);
            let header = self.bytes(offset, HEADER)?;
            let size = Cursor::starting(header, SIZE).u64_le();
            let kind = Kind::of(header).zip(size);
            let kind = kind.filter(|(kind, size)| *size >= kind.shortest() as u64);
            let is_empty = is_empty(header);
            let Some((kind, size)) = kind else {
                self.pass(!is_empty);
                continue;
            };
            let next = aligned(offset.saturating_add(size));
            if size <= left && self.may_follow(next)? {
                self.is_lost = false;
                self.count += 1;
                self.at = next;
                if kind == Kind::Data {
                    return self.data(offset, size).map(Some);
                }
                continue;
            }
            // The file ends in it, or its size is damaged: other objects may stand there.
            self.pass(true);
            if kind == Kind::Data && !is_lost && self.torn < MAX_TORN {
                self.torn += 1;
                let data = self.data(offset, left)?;
                return Ok(Some(data.torn()));
            }
        }
        Ok(None)
    }

    /// Whether an object may end here: where another begins, where room is left, at the end of the file.
    fn may_follow(&self, offset: u64) -> io::Result<bool> {
        let far;
        let header = if let Some(held) = self.held(offset, HEADER) {
            held
        } else {
            // The window stays: what lies here is read again where no object may end there, and every eight bytes of a
            // crafted file may claim one.
            far = self.span.bytes(offset, HEADER)?;
            &far
        };
        Ok(is_empty(header) || header.len() < HEADER || Kind::of(header).is_some())
    }

    /// Passes over what is no object.
    fn pass(&mut self, is_damaged: bool) {
        self.at = self.at.saturating_add(ALIGNED as u64);
        self.is_damaged |= is_damaged;
        self.is_lost |= is_damaged;
    }

    fn data(&mut self, offset: u64, size: u64) -> io::Result<Data<'_>> {
        let fixed = if self.is_compact { COMPACT_DATA } else { DATA };
        let longest = fixed.saturating_add(MAX_FIELD);
        let len = usize::try_from(size).unwrap_or(usize::MAX).min(longest);
        let bytes = self.bytes(offset, len)?;
        let packing = bytes.get(1).and_then(|flags| Packing::of(*flags));
        // Behind the header stand a hash, and the next object of this hash and of this name.
        let mut cursor = Cursor::starting(bytes, HEADER.saturating_add(24));
        let mut number = || cursor.u64_le().unwrap_or(0);
        Ok(Data {
            offset,
            entry: number(),
            array: number(),
            entries: number(),
            payload: bytes.get(fixed..).unwrap_or_default(),
            packing: packing.unwrap_or(Packing::None),
            is_cut: size > longest as u64,
        })
    }

    /// These bytes, fewer only where the file ends.
    fn bytes(&mut self, offset: u64, len: usize) -> io::Result<&[u8]> {
        if self.held(offset, len).is_none() {
            self.window = self.span.bytes(offset, len.max(WINDOW))?;
            self.base = offset;
            return Ok(self.window.get(..len).unwrap_or(&self.window));
        }
        Ok(self.held(offset, len).unwrap_or_default())
    }

    /// These bytes, where the window has them.
    fn held(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let from = usize::try_from(offset.checked_sub(self.base)?).ok()?;
        self.window.get(from..from.checked_add(len)?)
    }
}

/// Whether no object has this room yet.
fn is_empty(header: &[u8]) -> bool {
    header.iter().all(|byte| *byte == 0)
}

/// The first place at or behind `offset` where an object may begin.
fn aligned(offset: u64) -> u64 {
    let step = ALIGNED as u64;
    offset.saturating_add(step - 1) / step * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_at_what_an_object_claims_to_end_at_moves_nothing() {
        let far = WINDOW as u64 + 64;
        // Fields that all claim to end where nothing begins.
        let claims = [[2, 0, 0, 0, 0, 0, 0, 0], far.to_le_bytes()].concat();
        let mut bytes = claims.repeat(8);
        bytes.resize(3 * WINDOW, 0xff);
        let span = Span::memory(bytes);
        let mut objects = Objects::new(&span, 0, false);
        assert_eq!(objects.bytes(0, HEADER).unwrap(), claims);
        assert!(!objects.may_follow(far).unwrap());
        assert_eq!((objects.base, objects.window.len()), (0, WINDOW));
        assert!(objects.held(0, HEADER).is_some());
        assert!(objects.next().unwrap().is_none());
        assert_eq!(objects.count, 0);
    }
}
