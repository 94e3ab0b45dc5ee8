//! One page of a b-tree, its cells, and the columns of a record, as bytes (SQLite file format §1.6 and §2.1).
//! For pages that SQLite itself does not show any more: those of a state between two commits, and those that
//! were given up. Believes nothing that it reads; follows no pointer out of the page.

use std::ops::Range;

/// Columns of a record that are looked at. SQLite allows 32,767, browsers use less than a hundred.
pub(super) const MAX_COLUMNS: usize = 1_000;

/// What the pages of one database have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Layout {
    /// Bytes per page.
    pub(super) page_size: u32,
    /// Bytes of a page that are used (file format §1.3.4).
    usable: usize,
    /// How text is stored (file format §1.3.13).
    text: Text,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Text {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Layout {
    /// The layout that the first page states; `page_size` is known from elsewhere where the file is empty.
    pub(super) fn of(first_page: &[u8], page_size: u32) -> Self {
        let reserved = first_page.get(20).copied().unwrap_or_default();
        Self {
            page_size,
            usable: (page_size as usize).saturating_sub(usize::from(reserved)),
            // Of the number in bytes 56 to 59, SQLite takes the last two bits (`sqlite3InitOne` in its prepare.c).
            text: match first_page.get(59).map(|byte| byte & 3) {
                Some(2) => Text::Utf16Le,
                Some(3) => Text::Utf16Be,
                _ => Text::Utf8,
            },
        }
    }

    /// Bytes of content in an overflow page, behind the number of the next one.
    pub(super) fn overflow_content(self) -> usize {
        self.usable.saturating_sub(4)
    }

    /// The bytes of a text as SQLite would give them out.
    pub(super) fn decoded(self, bytes: &[u8]) -> Vec<u8> {
        let from: fn([u8; 2]) -> u16 = match self.text {
            Text::Utf8 => return bytes.to_vec(),
            Text::Utf16Le => u16::from_le_bytes,
            Text::Utf16Be => u16::from_be_bytes,
        };
        let (pairs, _) = bytes.as_chunks::<2>();
        char::decode_utf16(pairs.iter().map(|pair| from(*pair)))
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect::<String>()
            .into_bytes()
    }

    /// Bytes of a page that are used.
    pub(super) fn usable(self) -> usize {
        self.usable
    }

    /// Whether the bytes of a text are as SQLite would give them out.
    pub(super) fn is_utf8(self) -> bool {
        self.text == Text::Utf8
    }

    /// Bytes of a payload that lie in the page itself, as far as its kind goes (file format §1.6).
    pub(super) fn local(self, kind: Kind, payload: usize) -> usize {
        let usable = self.usable;
        let most = match kind {
            Kind::TableLeaf => usable.saturating_sub(35),
            _ => (usable.saturating_sub(12) * 64 / 255).saturating_sub(23),
        };
        if payload <= most {
            return payload;
        }
        let least = (usable.saturating_sub(12) * 32 / 255).saturating_sub(23);
        let spilled = payload.saturating_sub(least) % self.overflow_content().max(1);
        match least + spilled {
            fits if fits <= most => fits,
            _ => least,
        }
    }
}

/// What a page of a b-tree is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    IndexInterior,
    TableInterior,
    IndexLeaf,
    TableLeaf,
}

/// A page of a b-tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    /// What it is.
    pub(super) kind: Kind,
    bytes: &'a [u8],
    layout: Layout,
    /// Where its header begins: behind the database's own in the first page.
    start: usize,
    cells: usize,
}

/// One cell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    /// The bytes of the page that it fills.
    pub(super) range: Range<usize>,
    /// The page to the left of it, in an interior page.
    pub(super) child: Option<u32>,
    /// The rowid, in a leaf of a table.
    pub(super) rowid: Option<i64>,
    /// What it holds; an interior page of a table holds keys only.
    pub(super) payload: Option<Payload>,
}

/// What a cell holds: the bytes of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Payload {
    /// Those in the page.
    pub(super) local: Range<usize>,
    /// Length of all of them.
    pub(super) total: usize,
    /// The page where the rest begins.
    pub(super) overflow: Option<u32>,
}

impl<'a> Page<'a> {
    /// The page with these bytes, when it looks like one of a b-tree. `is_first` says that the database's header
    /// stands in it.
    pub(super) fn parse(bytes: &'a [u8], layout: Layout, is_first: bool) -> Option<Self> {
        let start = if is_first { 100 } else { 0 };
        let kind = match bytes.get(start)? {
            2 => Kind::IndexInterior,
            5 => Kind::TableInterior,
            10 => Kind::IndexLeaf,
            13 => Kind::TableLeaf,
            _ => return None,
        };
        let page = Self {
            kind,
            bytes,
            layout,
            start,
            cells: usize::from(u16_at(bytes, start + 3)?),
        };
        // The pointers to the cells must fit before the cells.
        let content = page.content();
        let fits = page.pointers_end() <= content && content <= layout.usable;
        fits.then_some(page)
    }

    /// Its cells; one that does not fit is left out. In a crafted page they overlap: it has no more than one page
    /// holds.
    pub(super) fn cells(self) -> impl Iterator<Item = Cell> + 'a {
        let mut left = self.bytes.len();
        (0..self.cells)
            .filter_map(move |index| {
                let pointer = u16_at(self.bytes, self.header_end() + 2 * index)?;
                self.cell(usize::from(pointer))
            })
            .take_while(move |cell| {
                let less = left.checked_sub(cell.range.len());
                left = less.unwrap_or_default();
                less.is_some()
            })
    }

    /// The pages below it.
    pub(super) fn children(self) -> Vec<u32> {
        if !self.is_interior() {
            return Vec::new();
        }
        let mut children: Vec<u32> = self.cells().filter_map(|cell| cell.child).collect();
        children.extend(u32_at(self.bytes, self.start + 8));
        children
    }

    /// The bytes that no cell fills: the gap between pointers and cells, freeblocks, and what is reserved.
    pub(super) fn unused(self) -> Vec<Range<usize>> {
        let mut used: Vec<Range<usize>> = self.cells().map(|cell| cell.range).collect();
        used.push(0..self.pointers_end());
        complement(used, self.bytes.len())
    }

    /// Where the cells begin: what is unused before was never given to one, or not again.
    pub(super) fn content(self) -> usize {
        match u16_at(self.bytes, self.start + 5) {
            Some(0) | None => 65_536,
            Some(content) => usize::from(content),
        }
    }

    /// The cell that begins at this byte.
    fn cell(self, at: usize) -> Option<Cell> {
        let mut cursor = at;
        if at < self.pointers_end() {
            return None;
        }
        let child = if self.is_interior() {
            cursor += 4;
            Some(u32_at(self.bytes, at)?)
        } else {
            None
        };
        let mut rowid = None;
        let payload = match self.kind {
            Kind::TableInterior => {
                cursor += varint(self.bytes, cursor)?.1;
                None
            }
            kind => {
                let (total, len) = varint(self.bytes, cursor)?;
                cursor += len;
                if kind == Kind::TableLeaf {
                    let (key, len) = varint(self.bytes, cursor)?;
                    rowid = Some(key.cast_signed());
                    cursor += len;
                }
                let total = usize::try_from(total).ok()?;
                let local = self.layout.local(kind, total);
                let end = cursor.checked_add(local)?;
                let spilled = local < total;
                let payload = Payload {
                    local: cursor..end,
                    total,
                    overflow: if spilled {
                        Some(u32_at(self.bytes, end)?)
                    } else {
                        None
                    },
                };
                cursor = if spilled { end + 4 } else { end };
                Some(payload)
            }
        };
        // No cell is smaller than a freeblock could be (file format §1.6).
        let end = cursor.max(at + 4);
        (end <= self.layout.usable).then_some(Cell {
            range: at..end,
            child,
            rowid,
            payload,
        })
    }

    fn is_interior(self) -> bool {
        matches!(self.kind, Kind::IndexInterior | Kind::TableInterior)
    }

    fn header_end(self) -> usize {
        self.start + if self.is_interior() { 12 } else { 8 }
    }

    fn pointers_end(self) -> usize {
        self.header_end() + 2 * self.cells
    }
}

/// One column of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Column {
    /// Where its value begins in the record.
    pub(super) at: usize,
    /// Its length in bytes.
    pub(super) len: usize,
    /// What it is.
    pub(super) kind: Value,
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value {
    Null,
    Number,
    Blob,
    Text,
}

/// The columns of a record of `total` bytes that begins with these (file format §2.1). `None` where the header
/// is cut off, or does not explain the length.
pub(super) fn columns(record: &[u8], total: usize) -> Option<Vec<Column>> {
    let (header, len) = varint(record, 0)?;
    let header = usize::try_from(header).ok()?;
    let mut types = record.get(..header)?.get(len..)?;
    let mut columns = Vec::new();
    let mut at = header;
    while !types.is_empty() && columns.len() < MAX_COLUMNS {
        let (code, len) = varint(types, 0)?;
        types = types.get(len..)?;
        let (kind, len) = serial(code)?;
        columns.push(Column { at, len, kind });
        at = at.checked_add(len)?;
    }
    (types.is_empty() && at == total).then_some(columns)
}

/// What a serial type says of a column: what it holds, and how long it is.
pub(super) fn serial(code: u64) -> Option<(Value, usize)> {
    Some(match code {
        0 => (Value::Null, 0),
        1..=4 => (Value::Number, usize::try_from(code).ok()?),
        5 => (Value::Number, 6),
        6 | 7 => (Value::Number, 8),
        8 | 9 => (Value::Number, 0),
        // Reserved.
        10 | 11 => return None,
        even if even % 2 == 0 => (Value::Blob, usize::try_from((even - 12) / 2).ok()?),
        odd => (Value::Text, usize::try_from((odd - 13) / 2).ok()?),
    })
}

/// The variable-length integer at a place, and its length (file format §1.6).
pub(super) fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.get(at..)?.iter().take(9).enumerate() {
        if index == 8 {
            return Some((value << 8 | u64::from(byte), 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((value, index + 1));
        }
    }
    None
}

/// What some ranges leave of the first `len` bytes.
pub(super) fn complement(mut used: Vec<Range<usize>>, len: usize) -> Vec<Range<usize>> {
    used.sort_by_key(|range| range.start);
    let mut free = Vec::new();
    let mut at = 0;
    for range in used {
        if range.start > at {
            free.push(at..range.start.min(len));
        }
        at = at.max(range.end);
    }
    if at < len {
        free.push(at..len);
    }
    free
}

/// Two bytes, high one first.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*two))
}

/// Four bytes, highest one first.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*four))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_end_at_nine_bytes() {
        assert_eq!(varint(&[0x7f], 0), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00], 0), Some((128, 2)));
        assert_eq!(varint(&[0xff; 12], 0), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0xff; 8], 0), None);
        assert_eq!(varint(&[], 0), None);
    }

    #[test]
    fn a_record_must_explain_its_length() {
        // NULL, a text of three bytes, an integer of one byte, the constant 1.
        let record = [5, 0, 19, 1, 9, b'a', b'b', b'c', 42];
        let columns = columns(&record, 9).unwrap();
        let told: Vec<_> = columns.iter().map(|it| (it.at, it.len, it.kind)).collect();
        assert_eq!(
            told,
            [
                (5, 0, Value::Null),
                (5, 3, Value::Text),
                (8, 1, Value::Number),
                (9, 0, Value::Number)
            ]
        );
        assert_eq!(super::columns(&record, 10), None);
        assert_eq!(super::columns(&[2, 10], 2), None, "a reserved type");
    }

    #[test]
    fn cells_that_overlap_are_no_more_than_fit() {
        let mut bytes = vec![0; 4096];
        bytes[0] = 13;
        bytes[3..5].copy_from_slice(&100_u16.to_be_bytes());
        bytes[5..7].copy_from_slice(&3000_u16.to_be_bytes());
        for pointer in 0..100 {
            bytes[8 + 2 * pointer..10 + 2 * pointer].copy_from_slice(&3000_u16.to_be_bytes());
        }
        // A payload of 1,000 bytes, rowid 1.
        bytes[3000..3003].copy_from_slice(&[0x87, 0x68, 1]);
        let page = Page::parse(&bytes, Layout::of(&[], 4096), false).unwrap();
        assert_eq!(page.cells().count(), 4);
        assert!(
            page.cells()
                .all(|cell| cell.range == (3000..4003) && cell.rowid == Some(1))
        );
        bytes[3] = 0xff;
        assert!(Page::parse(&bytes, Layout::of(&[], 4096), false).is_none());
    }

    #[test]
    fn ranges_that_overlap_leave_what_none_of_them_fills() {
        assert_eq!(complement(vec![4..6, 0..2, 5..8, 1..3], 10), [3..4, 8..10]);
        assert!(complement(vec![0..4, 2..20], 10).is_empty());
    }
}
