//! Binary property lists (`CFBinaryPList.c` of Core Foundation): objects by number, each read where it lies. Knows
//! the form; what the objects mean is told by who walks them.

use crate::collect::cursor::Cursor;

/// The first bytes of every version in use.
pub(super) const MAGIC: &[u8] = b"bplist00";

/// Bytes of the trailer.
const TRAILER: usize = 32;

/// A list, which knows where its objects lie.
#[derive(Clone, Copy)]
pub(super) struct List<'a> {
    bytes: &'a [u8],
    table: usize,
    width: usize,
    reference: usize,
    count: u64,
    top: u64,
}

/// An object.
#[derive(Clone, Copy)]
pub(super) enum Object<'a> {
    /// Seconds since 2001.
    Date(f64),
    /// Where it lies, and its bytes.
    Data(usize, &'a [u8]),
    /// Where it lies, and its bytes: ASCII.
    Ascii(usize, &'a [u8]),
    /// Where it lies, and its bytes: big-endian UTF-16.
    Wide(usize, &'a [u8]),
    /// References of its items, for [`List::numbers`].
    Array(&'a [u8]),
    /// References of its names, and of its values.
    Dictionary(&'a [u8], &'a [u8]),
    /// Numbers, and what holds nothing.
    Other,
}

impl<'a> List<'a> {
    /// Reads the trailer; `None` when it is damaged.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let trailer = bytes.len().checked_sub(TRAILER)?;
        let mut cursor = Cursor::starting(bytes, trailer);
        let _unused = cursor.take(6)?;
        let (width, reference) = (cursor.u8()?, cursor.u8()?);
        let list = Self {
            bytes,
            width: width.into(),
            reference: reference.into(),
            count: cursor.u64_be()?,
            top: cursor.u64_be()?,
            table: usize::try_from(cursor.u64_be()?).ok()?,
        };
        let fits = |width: usize| (1..=8).contains(&width);
        let table = usize::try_from(list.count).ok()?.checked_mul(list.width)?;
        let inside = list.table.checked_add(table)? <= trailer;
        (fits(list.width) && fits(list.reference) && inside).then_some(list)
    }

    /// Number of the object that holds all others.
    pub(super) fn top(&self) -> u64 {
        self.top
    }

    /// The object with this number; `None` is damage.
    pub(super) fn object(&self, number: u64) -> Option<Object<'a>> {
        if number >= self.count {
            return None;
        }
        let entry = usize::try_from(number).ok()?.checked_mul(self.width)?;
        let at =
            Cursor::starting(self.bytes, self.table.checked_add(entry)?).uint_be(self.width)?;
        let mut cursor = Cursor::starting(self.bytes, usize::try_from(at).ok()?);
        let marker = cursor.u8()?;
        let bits = marker & 15;
        Some(match marker >> 4 {
            3 if bits == 3 => Object::Date(f64::from_bits(cursor.u64_be()?)),
            4 => {
                let len = length(&mut cursor, bits)?;
                Object::Data(cursor.at(), cursor.take(len)?)
            }
            // 7 is UTF-8 in newer versions.
            5 | 7 => {
                let len = length(&mut cursor, bits)?;
                Object::Ascii(cursor.at(), cursor.take(len)?)
            }
            6 => {
                let len = length(&mut cursor, bits)?.checked_mul(2)?;
                Object::Wide(cursor.at(), cursor.take(len)?)
            }
            10..=12 => {
                let len = length(&mut cursor, bits)?;
                Object::Array(cursor.take(len.checked_mul(self.reference)?)?)
            }
            13 => {
                let len = length(&mut cursor, bits)?.checked_mul(self.reference)?;
                Object::Dictionary(cursor.take(len)?, cursor.take(len)?)
            }
            _ => Object::Other,
        })
    }

    /// The numbers of objects in references.
    pub(super) fn numbers(&self, references: &'a [u8]) -> impl Iterator<Item = u64> + use<'a> {
        let width = self.reference;
        let each = references.chunks_exact(width);
        each.filter_map(move |bytes| Cursor::new(bytes).uint_be(width))
    }
}

/// Four bits of the marker; 15 says that a whole number follows, a marker of its own with two to the power of its bits
/// bytes.
fn length(cursor: &mut Cursor<'_>, bits: u8) -> Option<usize> {
    if bits < 15 {
        return Some(bits.into());
    }
    let marker = cursor.u8()?;
    if marker >> 4 != 1 || marker & 15 > 3 {
        return None;
    }
    usize::try_from(cursor.uint_be(1 << (marker & 15))?).ok()
}
