//! The wire format of Mojo, as far as a page state needs it: structs, arrays and strings, each behind its own
//! length, pointers as offsets from where they stand (`mojo/public/cpp/bindings/lib/bindings_internal.h`).
//! Every read is checked against the message; pointers lead forward only.

use std::cell::Cell;

use crate::collect::cursor::Cursor;

/// Bytes of a header, of a pointer, of half a union.
const WORD: usize = 8;

/// What is known of a message only when all of it was read.
#[derive(Default)]
pub(super) struct Account {
    /// Bytes of arrays that may still be handed on. Two pointers may lead to one array, which no sender does;
    /// the whole message twice is enough for those that are.
    left: Cell<usize>,
    /// Whether something that it points at is not there, or is not handed on.
    is_torn: Cell<bool>,
}

impl Account {
    pub(super) fn is_torn(&self) -> bool {
        self.is_torn.get()
    }
}

/// A message.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    bytes: &'a [u8],
    account: &'a Account,
}

/// A struct in a message.
#[derive(Clone, Copy)]
pub(super) struct Struct<'a> {
    message: Message<'a>,
    at: usize,
    /// Where it ends: a field beyond is one that its version did not have.
    end: usize,
}

/// An array in a message.
#[derive(Clone, Copy)]
pub(super) struct Array<'a> {
    message: Message<'a>,
    /// Where its first item stands.
    at: usize,
    end: usize,
    /// Number of its items.
    len: usize,
}

impl<'a> Message<'a> {
    pub(super) fn new(bytes: &'a [u8], account: &'a Account) -> Self {
        account.left.set(bytes.len().saturating_mul(2));
        Self { bytes, account }
    }

    /// Takes note of what should be there and is not.
    fn sound<T>(self, read: Option<T>) -> Option<T> {
        if read.is_none() {
            self.account.is_torn.set(true);
        }
        read
    }

    /// The struct at the message's start.
    pub(super) fn root(self) -> Option<Struct<'a>> {
        self.structure(0)
    }

    fn structure(self, at: usize) -> Option<Struct<'a>> {
        let (end, _) = self.header(at)?;
        Some(Struct {
            message: self,
            at,
            end,
        })
    }

    fn array(self, at: usize) -> Option<Array<'a>> {
        let (end, len) = self.header(at)?;
        Some(Array {
            message: self,
            at: at.checked_add(WORD)?,
            end,
            len,
        })
    }

    /// Where the object at this place ends, and the second number of its header.
    fn header(self, at: usize) -> Option<(usize, usize)> {
        self.sound(self.header_at(at))
    }

    fn header_at(self, at: usize) -> Option<(usize, usize)> {
        let mut header = Cursor::new(self.bytes.get(at..)?);
        let (len, second) = (header.u32_le()?, header.u32_le()?);
        let len = usize::try_from(len).ok()?;
        let end = at.checked_add(len)?;
        (len >= WORD && end <= self.bytes.len()).then_some(())?;
        Some((end, usize::try_from(second).ok()?))
    }

    /// Where the pointer at this place leads; `None` for null.
    fn pointer(self, at: usize) -> Option<usize> {
        let offset = Cursor::new(self.bytes.get(at..)?).u64_le()?;
        (offset != 0).then_some(())?;
        let offset = usize::try_from(offset).ok();
        self.sound(offset.and_then(|offset| at.checked_add(offset)))
    }
}

impl<'a> Struct<'a> {
    /// Place of the field that stands so many words behind the header.
    fn field(self, word: usize) -> Option<usize> {
        let at = self
            .at
            .checked_add(word.checked_add(1)?.checked_mul(WORD)?)?;
        (at.checked_add(WORD)? <= self.end).then_some(at)
    }

    pub(super) fn structure(self, word: usize) -> Option<Struct<'a>> {
        self.message
            .structure(self.message.pointer(self.field(word)?)?)
    }

    pub(super) fn array(self, word: usize) -> Option<Array<'a>> {
        self.message.array(self.message.pointer(self.field(word)?)?)
    }

    /// `mojo_base.mojom.String16`: a struct around an array of UTF-16.
    pub(super) fn wide(self, word: usize) -> Option<&'a [u8]> {
        self.structure(word)?.array(0)?.bytes(2)
    }
}

impl<'a> Array<'a> {
    /// The items as bytes, of so many bytes each.
    pub(super) fn bytes(self, width: usize) -> Option<&'a [u8]> {
        self.message.sound(self.bytes_of(width))
    }

    fn bytes_of(self, width: usize) -> Option<&'a [u8]> {
        let len = self.len.checked_mul(width)?;
        let end = self.at.checked_add(len)?;
        (end <= self.end).then_some(())?;
        let left = &self.message.account.left;
        left.set(left.get().checked_sub(len)?);
        self.message.bytes.get(self.at..end)
    }

    /// The structs that the items point at.
    pub(super) fn structures(self) -> impl Iterator<Item = Option<Struct<'a>>> {
        let places = self.places(WORD);
        places.map(move |at| self.message.structure(self.message.pointer(at)?))
    }

    /// The arrays that the items, which are unions, point at where they are this member.
    pub(super) fn arrays(self, member: u32) -> impl Iterator<Item = Array<'a>> {
        self.places(2 * WORD).filter_map(move |at| {
            let mut header = Cursor::new(self.message.bytes.get(at..)?);
            let (_, this) = (header.u32_le()?, header.u32_le()?);
            (this == member).then_some(())?;
            let pointed = self.message.pointer(at.checked_add(WORD)?)?;
            self.message.array(pointed)
        })
    }

    /// Where the items stand, of so many bytes each, no more than there is room for.
    fn places(self, width: usize) -> impl Iterator<Item = usize> {
        let room = self.end.saturating_sub(self.at) / width;
        self.message.sound((self.len <= room).then_some(()));
        (self.at..).step_by(width).take(self.len.min(room))
    }
}
