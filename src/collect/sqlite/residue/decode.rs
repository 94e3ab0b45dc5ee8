//! Finds the record header that explains a value, where the page does not name its cells any more: the header says
//! how long each column is, so that a value ends where it ended. Knows records, and no pages.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::page::{Column, MAX_COLUMNS, Value, serial, u16_at, varint};

/// Bytes before a value that are searched for its header: the header itself and the columns before the value.
const MAX_BACK: usize = 512;

/// Steps that may be spent on headers, over a whole database: one for each place and each type, and for some bytes
/// of text. Some seconds, and enough for more values than are reported.
const MAX_STEPS: usize = 1 << 28;

/// Bytes of text that are looked through in the time of one step.
const TEXT_PER_STEP: usize = 32;

/// Different numbers of columns that are tried: more than a browser's database has.
const MAX_COUNTS: usize = 64;

/// A freeblock begins with the place of the next one and with its own size (file format §1.6).
const FREEBLOCK: usize = 4;

/// Unused bytes that are too few for a freeblock.
const FRAGMENT: usize = 3;

/// Explains values.
pub(super) struct Decoder {
    /// How many columns the rows of the database have.
    counts: BTreeSet<usize>,
    steps_left: usize,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            counts: BTreeSet::new(),
            steps_left: MAX_STEPS,
        }
    }

    /// Takes note of how many columns a row of the database has.
    pub(super) fn has_rows_of(&mut self, columns: Option<usize>) {
        if self.counts.len() < MAX_COUNTS {
            self.counts.extend(columns);
        }
    }

    /// Whether it gave up looking.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps_left == 0
    }

    /// Spends steps, to the last one.
    fn spend(&mut self, steps: usize) -> Option<()> {
        self.steps_left = self.steps_left.saturating_sub(steps);
        (self.steps_left > 0).then_some(())
    }

    /// The column that has the mark, when the header of its record is found inside the range. `begin` is where the
    /// value seems to begin.
    pub(super) fn column(
        &mut self,
        page: &[u8],
        range: &Range<usize>,
        begin: usize,
        mark: usize,
    ) -> Option<Range<usize>> {
        let lowest = begin.saturating_sub(MAX_BACK).max(range.start);
        let mut likely = None;
        for at in (lowest..begin).rev() {
            self.spend(1)?;
            if let Some((columns, total)) = intact(page, at, begin) {
                self.spend(columns.len())?;
                if let Some(found) = with_mark(&columns, range, mark)
                    && (has_length(page, at, total) || is_block(page, at, total))
                    && self.is_sane(page, &columns)?
                {
                    return Some(found);
                }
            }
            if likely.is_none()
                && let Some(columns) = self.overwritten(page, at, begin)
                && let Some(found) = with_mark(&columns, range, mark)
                && found.start == begin
                && self.is_sane(page, &columns)?
            {
                likely = Some(found);
            }
        }
        likely
    }

    /// Whether all texts are: where a newer cell was laid over an older one, its header stands in the older one's
    /// text. `None` when there are no steps left.
    fn is_sane(&mut self, page: &[u8], columns: &[Column]) -> Option<bool> {
        let is_text = |bytes: &[u8]| {
            let ruled = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
            !bytes.iter().any(ruled) && str::from_utf8(bytes).is_ok()
        };
        for column in columns.iter().filter(|column| column.kind == Value::Text) {
            let end = column.at.saturating_add(column.len);
            let Some(text) = page.get(column.at..end) else {
                return Some(false);
            };
            self.spend(text.len() / TEXT_PER_STEP)?;
            if !is_text(text) {
                return Some(false);
            }
        }
        Some(true)
    }

    /// The columns of a record whose cell has become a freeblock: its first four bytes are lost, and with them the
    /// length of the header and perhaps the first type. `at` is where the types that are left begin.
    fn overwritten(&mut self, page: &[u8], at: usize, begin: usize) -> Option<Vec<Column>> {
        let block = at.checked_sub(FREEBLOCK)?;
        let end = block_end(page, block).filter(|end| *end > begin)?;
        let types = types(page, at, begin, *self.counts.last()?)?;
        self.spend(types.len().saturating_mul(self.counts.len()))?;
        let found = |count: usize, lost: usize| {
            let columns = placed(&types, count, lost)?;
            let text = |it: &Column| matches!(it.kind, Value::Text | Value::Blob) && it.len > 0;
            let starts = columns.iter().any(|it| it.at == begin && text(it));
            let last = columns.last()?;
            (starts && is_filled(page, last.at + last.len, end)).then_some(columns)
        };
        let mut counts = self.counts.iter();
        counts.find_map(|&count| {
            let without_first = || {
                LOST.iter()
                    .find_map(|lost| found(count.checked_sub(1)?, *lost))
            };
            found(count, 0).or_else(without_first)
        })
    }
}

/// The column that has the mark, and lies in the range.
fn with_mark(columns: &[Column], range: &Range<usize>, mark: usize) -> Option<Range<usize>> {
    let is_value = |it: &&Column| matches!(it.kind, Value::Text | Value::Blob);
    let places = columns
        .iter()
        .filter(is_value)
        .map(|it| it.at..it.at + it.len);
    let mut found = places.filter(|place| place.contains(&mark) && place.end <= range.end);
    found.next()
}

/// Lengths of a first column whose type is lost: mostly the rowid, which is stored as NULL, or else a number.
const LOST: [usize; 7] = [0, 1, 2, 3, 4, 6, 8];

/// A serial type, and where it ends.
type Type = (Value, usize, usize);

/// The serial types from a place on, up to the beginning of the value.
fn types(page: &[u8], mut at: usize, begin: usize, most: usize) -> Option<Vec<Type>> {
    let mut types = Vec::new();
    while at < begin && types.len() < most {
        let (code, len) = varint(page, at)?;
        let Some((kind, size)) = serial(code) else {
            break;
        };
        at += len;
        types.push((kind, size, at));
    }
    (!types.is_empty()).then_some(types)
}

/// The columns of the first `count` types, behind so many bytes of a column whose type is lost.
fn placed(types: &[Type], count: usize, lost: usize) -> Option<Vec<Column>> {
    let types = types.get(..count)?;
    let (.., header_end) = types.last()?;
    let mut at = header_end + lost;
    let mut columns = Vec::new();
    for &(kind, len, _) in types {
        columns.push(Column { at, len, kind });
        at = at.checked_add(len)?;
    }
    Some(columns)
}

/// The columns of a record whose header begins at a place, with their places in the page, and its length.
fn intact(page: &[u8], at: usize, begin: usize) -> Option<(Vec<Column>, usize)> {
    let (header, len) = varint(page, at)?;
    let header_end = at.checked_add(usize::try_from(header).ok()?)?;
    if header_end > begin || header < 2 {
        return None;
    }
    let mut place = at + len;
    let mut body = header_end;
    let mut columns = Vec::new();
    while place < header_end && columns.len() < MAX_COLUMNS {
        let (code, len) = varint(page, place)?;
        let (kind, size) = serial(code)?;
        columns.push(Column {
            at: body,
            len: size,
            kind,
        });
        place += len;
        body = body.checked_add(size)?;
    }
    (place == header_end).then(|| (columns, body - at))
}

/// Whether a record of this length is what a freeblock was made of that overwrote its length and its rowid.
fn is_block(page: &[u8], at: usize, total: usize) -> bool {
    (FREEBLOCK..=FREEBLOCK + 8).any(|back| {
        let block = at.checked_sub(back);
        let end = block.and_then(|block| block_end(page, block));
        end.is_some_and(|end| is_filled(page, at + total, end))
    })
}

/// Where the freeblock ends that begins at a place, when one may.
fn block_end(page: &[u8], block: usize) -> Option<usize> {
    let next = usize::from(u16_at(page, block)?);
    let end = block.checked_add(usize::from(u16_at(page, block + 2)?))?;
    // They stand in order, and apart by more than a fragment.
    let in_order = next == 0 || (end + FRAGMENT < next && next < page.len());
    (in_order && end <= page.len()).then_some(end)
}

/// Whether a freeblock that ends here is filled by what ends at a place: by that alone, or with the blocks behind
/// that were made one with it, whose own headers are still there.
fn is_filled(page: &[u8], mut at: usize, end: usize) -> bool {
    while at < end {
        if end - at <= FRAGMENT {
            return true;
        }
        match u16_at(page, at + 2).map(usize::from) {
            Some(size) if size >= FREEBLOCK => at += size,
            _ => return false,
        }
    }
    at == end
}

/// Whether the length of the record stands before it, and its rowid between, where it has one.
fn has_length(page: &[u8], at: usize, total: usize) -> bool {
    let states = |place: usize, up_to: usize| {
        varint(page, place)
            .is_some_and(|(stated, len)| stated == total as u64 && place + len == up_to)
    };
    let rowid_begins = |place: usize| varint(page, place).is_some_and(|(_, len)| place + len == at);
    (1..=9).any(|back| {
        let Some(rowid) = at.checked_sub(back) else {
            return false;
        };
        // The record of an index has no rowid.
        let index = back <= 3 && states(rowid, at);
        let length = |len| {
            rowid
                .checked_sub(len)
                .is_some_and(|place| states(place, rowid))
        };
        index || (rowid_begins(rowid) && (1..=3).any(length))
    })
}
