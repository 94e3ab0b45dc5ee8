//! A pass over some columns of a table that lies in a file as it is, page by page: SQLite's own machine takes several
//! times as long for each row, and nearly all rows are let go. Gives up at whatever is not as SQLite writes it; what is
//! reported is read by SQLite. Knows SQLite's file format (§1.6, §2.1) and no application's schema.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use super::page::{Kind, Layout, serial, u16_at, u32_at, varint};

/// Levels of a tree: SQLite follows no more (`BTCURSOR_MAX_DEPTH` in its `btreeInt.h`).
const MAX_DEPTH: usize = 20;

/// Pages that are read at once where they are wanted one after the other. A table grows beside its indices, so more
/// would be read in vain.
const MOST_AHEAD: u32 = 16;

/// Pages of the smallest file for which all this is worth its own cost.
const FEWEST: u32 = 64;

/// Bytes of a leaf's own header, and of that of an interior page (file format §1.6).
const LEAF_HEADER: usize = 8;
const INTERIOR_HEADER: usize = 12;

/// Bytes of the smallest cell (file format §1.6).
const SMALLEST_CELL: usize = 4;

/// What a row has in a column. NULL is nothing, where that is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Met<'a> {
    /// Text or a blob.
    Bytes(&'a [u8]),
    /// A number, or whatever stands in a row that goes on in other pages, NULL too: SQLite gives it out.
    Elsewhere,
}

/// A database file that is read where it lies.
#[derive(Debug)]
pub(super) struct Pages {
    file: File,
    layout: Layout,
    page_size: usize,
    count: u32,
    /// The pages from `first` on.
    held: Vec<u8>,
    first: u32,
    ahead: u32,
}

impl Pages {
    /// The pages of a file that begins with `head`, where its text is in UTF-8.
    pub(super) fn new(file: File, head: &[u8], page_size: u32, len: u64) -> Option<Self> {
        let layout = Layout::of(head, page_size);
        let count = u32::try_from(len.checked_div(u64::from(page_size))?).ok()?;
        (layout.is_utf8() && count >= FEWEST).then_some(Self {
            file,
            layout,
            page_size: page_size as usize,
            count,
            held: Vec::new(),
            first: 0,
            ahead: 1,
        })
    }

    /// Gives the values of these columns, by their places in the record, of each row of the table whose tree begins
    /// at `root`, in the order of rowids; NULL is not given. `each` is told the rowid, which of the columns it is, and
    /// the value, and says whether to go on. `None` when not all was read.
    pub(super) fn pass(
        &mut self,
        root: u32,
        columns: &[usize],
        each: &mut dyn FnMut(i64, usize, Met<'_>) -> bool,
    ) -> Option<()> {
        let mut levels = vec![vec![(root, i64::MAX)]];
        let mut left = self.count;
        // Rowids ascend over the whole tree, as interior pages say that they do, so that SQLite finds each.
        let mut last = None;
        while let Some(level) = levels.last_mut() {
            let Some((number, greatest)) = level.pop() else {
                levels.pop();
                continue;
            };
            left = left.checked_sub(1)?;
            let layout = self.layout;
            let page = self.page(number)?;
            match page.first()? {
                13 => {
                    Leaf { page, layout }.pass(columns, &mut last, each)?;
                    if last.is_some_and(|last| last > greatest) {
                        return None;
                    }
                    if greatest < i64::MAX {
                        last = Some(greatest);
                    }
                }
                5 if levels.len() < MAX_DEPTH => {
                    let children = children(page, layout.usable(), greatest)?;
                    levels.push(children);
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// A page. Pages that are wanted one after the other are read together.
    fn page(&mut self, number: u32) -> Option<&[u8]> {
        if number == 0 || number > self.count {
            return None;
        }
        let held = u32::try_from(self.held.len() / self.page_size).ok()?;
        let behind = self.first.checked_add(held)?;
        if !(self.first..behind).contains(&number) {
            let is_near = number >= behind && number - behind < self.ahead;
            self.ahead = if is_near {
                (self.ahead * 2).min(MOST_AHEAD)
            } else {
                1
            };
            self.read(number, self.ahead.min(self.count - number + 1))?;
        }
        let at = (number.checked_sub(self.first)? as usize).checked_mul(self.page_size)?;
        self.held.get(at..)?.get(..self.page_size)
    }

    fn read(&mut self, number: u32, pages: u32) -> Option<()> {
        let page_size = self.page_size as u64;
        self.held
            .resize((pages as usize).checked_mul(self.page_size)?, 0);
        // Nothing is held if the reading fails.
        self.first = 0;
        let offset = u64::from(number - 1).checked_mul(page_size)?;
        self.file.seek(SeekFrom::Start(offset)).ok()?;
        let read = self.file.read_exact(&mut self.held);
        if read.is_err() {
            self.held.clear();
            return None;
        }
        self.first = number;
        Some(())
    }
}

/// The pages below an interior page of a table, the first one last, each with the greatest rowid that it may hold.
fn children(page: &[u8], usable: usize, greatest: i64) -> Option<Vec<(u32, i64)>> {
    let cells = usize::from(u16_at(page, 3)?);
    let pointers_end = INTERIOR_HEADER.checked_add(cells.checked_mul(2)?)?;
    let mut children = Vec::with_capacity(cells + 1);
    for index in 0..cells {
        let at = usize::from(u16_at(page, INTERIOR_HEADER + 2 * index)?);
        let (key, len) = varint(page, at.checked_add(4)?)?;
        let end = at + 4 + len;
        if at < pointers_end || end > usable {
            return None;
        }
        children.push((u32_at(page, at)?, key.cast_signed()));
    }
    children.push((u32_at(page, 8)?, greatest));
    let ascend = children.is_sorted_by(|(_, one), (_, next)| one <= next);
    children.reverse();
    (cells > 0 && ascend).then_some(children)
}

/// A leaf of a table.
struct Leaf<'a> {
    page: &'a [u8],
    layout: Layout,
}

impl Leaf<'_> {
    fn pass(
        &self,
        columns: &[usize],
        last: &mut Option<i64>,
        each: &mut dyn FnMut(i64, usize, Met<'_>) -> bool,
    ) -> Option<()> {
        let cells = usize::from(u16_at(self.page, 3)?);
        let pointers_end = LEAF_HEADER.checked_add(cells.checked_mul(2)?)?;
        let pointers = self.page.get(LEAF_HEADER..pointers_end)?;
        let usable = self.layout.usable();
        let last_begin = usable.checked_sub(SMALLEST_CELL)?;
        // Cells that overlap would be more text than there is.
        let mut room = usable;
        for pointer in pointers.as_chunks().0 {
            let at = usize::from(u16::from_be_bytes(*pointer));
            if !(pointers_end..=last_begin).contains(&at) {
                return None;
            }
            let (total, len) = short(self.page, at)?;
            let (rowid, key_len) = short(self.page, at + len)?;
            let rowid = rowid.cast_signed();
            if last.is_some_and(|last| rowid <= last) {
                return None;
            }
            *last = Some(rowid);
            let begin = at + len + key_len;
            let total = usize::try_from(total).ok()?;
            let local = self.layout.local(Kind::TableLeaf, total);
            let spilled = local < total;
            let end = begin.checked_add(local)? + if spilled { 4 } else { 0 };
            let end = end.max(at + SMALLEST_CELL);
            if end > usable {
                return None;
            }
            room = room.checked_sub(end - at)?;
            if spilled {
                for index in 0..columns.len() {
                    each(rowid, index, Met::Elsewhere).then_some(())?;
                }
                continue;
            }
            let record = self.page.get(begin..)?.get(..total)?;
            values(record, columns, &mut |index, met| each(rowid, index, met))?;
        }
        Some(())
    }
}

/// Gives the values of these columns, which ascend, out of a record that is all there. Checks what SQLite checks
/// when it reads the last of them.
fn values(
    record: &[u8],
    columns: &[usize],
    each: &mut dyn FnMut(usize, Met<'_>) -> bool,
) -> Option<()> {
    let (header, len) = short(record, 0)?;
    let header = usize::try_from(header).ok()?;
    let types = record.get(..header)?;
    let mut type_at = len;
    let mut offset = header;
    let mut column = 0;
    for (index, &wanted) in columns.iter().enumerate() {
        let mut code = 0;
        let mut begin = offset;
        // A record that was written before its table had the column ends before it.
        while column <= wanted && type_at < header {
            let (next, len) = short(types, type_at)?;
            type_at += len;
            code = if column == wanted { next } else { 0 };
            begin = offset;
            offset = offset.checked_add(serial(next)?.1)?;
            column += 1;
        }
        let met = match code {
            0 => continue,
            1..12 => Met::Elsewhere,
            _ => Met::Bytes(record.get(begin..offset)?),
        };
        each(index, met).then_some(())?;
    }
    let is_whole = offset <= record.len() && (type_at < header || offset == record.len());
    is_whole.then_some(())
}

/// The variable-length integer at a place, and its length: mostly one byte.
#[inline]
fn short(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    match bytes.get(at) {
        Some(&byte) if byte < 0x80 => Some((u64::from(byte), 1)),
        _ => varint(bytes, at),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, OpenFlags};

    use super::*;

    const PAGE_SIZE: u32 = 512;

    /// A table with rows of all kinds, in small pages, so that its tree has three levels; some were deleted.
    const TABLE: &str = "PRAGMA page_size = 512;
        CREATE TABLE t(id INTEGER PRIMARY KEY, url TEXT, n);
        WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 3000)
        INSERT INTO t SELECT i * 7 % 3001 * 3, CASE i % 10
            WHEN 0 THEN NULL
            WHEN 1 THEN i
            WHEN 2 THEN printf('https://a.example/%0600d', i)
            WHEN 3 THEN CAST(printf('blob %d', i) AS BLOB)
            WHEN 4 THEN ''
            ELSE printf('https://a.example/page/%d?lang=en', i) END, i FROM r;
        DELETE FROM t WHERE id % 5 = 0;
        ALTER TABLE t ADD COLUMN late TEXT;
        INSERT INTO t VALUES(-1, 'first', 1, 'x'), (9223372036854775807, 'last', 1, NULL);";

    struct Made {
        bytes: Vec<u8>,
        root: u32,
    }

    fn made() -> Made {
        let file = tempfile::NamedTempFile::new().unwrap();
        let base = Connection::open(file.path()).unwrap();
        base.execute_batch(TABLE).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 't'";
        let root = base.query_row(sql, [], |row| row.get(0)).unwrap();
        Made {
            bytes: std::fs::read(file.path()).unwrap(),
            root,
        }
    }

    type Row = (i64, Option<Vec<u8>>);

    /// The rows that are not NULL: rowid, and the bytes where they are given.
    fn passed(file: &std::path::Path, made: &Made, column: usize) -> Option<Vec<Row>> {
        let len = made.bytes.len() as u64;
        let file = File::open(file).unwrap();
        let mut rows = Vec::new();
        let mut pages = Pages::new(file, &made.bytes, PAGE_SIZE, len).unwrap();
        pages.pass(made.root, &[column], &mut |rowid, _, met| {
            rows.push(match met {
                Met::Bytes(bytes) => (rowid, Some(bytes.to_vec())),
                Met::Elsewhere => (rowid, None),
            });
            true
        })?;
        Some(rows)
    }

    /// The same by SQLite, up to the first error.
    fn selected(file: &std::path::Path, column: &str) -> (Vec<Row>, bool) {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let base = Connection::open_with_flags(file, flags).unwrap();
        base.execute_batch("PRAGMA cell_size_check = ON").unwrap();
        let sql = format!("SELECT rowid, {column} FROM t NOT INDEXED WHERE {column} IS NOT NULL");
        let mut rows = Vec::new();
        let Ok(mut statement) = base.prepare(&sql) else {
            return (rows, false);
        };
        let mut found = statement.query([]).unwrap();
        loop {
            match found.next() {
                Ok(Some(row)) => {
                    let value = row.get_ref(1).unwrap();
                    let bytes = value.as_bytes().ok().map(<[u8]>::to_vec);
                    rows.push((row.get(0).unwrap(), bytes));
                }
                end => return (rows, end.is_ok()),
            }
        }
    }

    #[test]
    fn a_pass_gives_what_sqlite_gives() {
        let made = made();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &made.bytes).unwrap();
        for (column, place) in [("url", 1), ("n", 2), ("late", 3)] {
            let (rows, whole) = selected(file.path(), column);
            let passed = passed(file.path(), &made, place).unwrap();
            assert!(whole);
            let ours = |rowid| passed.binary_search_by_key(&rowid, |(rowid, _)| *rowid);
            let mut elsewhere = 0;
            for (rowid, theirs) in &rows {
                let (_, ours) = &passed[ours(*rowid).unwrap()];
                assert!(ours.is_none() || ours == theirs, "{rowid}");
                elsewhere += usize::from(ours.is_none() && theirs.is_some());
            }
            // Of a row that goes on in other pages, what is NULL is not known either.
            let given = passed.iter().filter(|(_, bytes)| bytes.is_some());
            assert_eq!(
                given.count() + elsewhere,
                rows.iter().filter(|(_, it)| it.is_some()).count()
            );
            assert_eq!(elsewhere > 0, column == "url");
        }
    }

    /// One byte after the other is damaged: where the pass goes through, SQLite reads the same.
    #[test]
    fn a_pass_over_a_damaged_file_gives_up_or_gives_what_sqlite_gives() {
        let mut made = made();
        let file = tempfile::NamedTempFile::new().unwrap();
        let whole = made.bytes.clone();
        let mut seed = 5_u64;
        let mut next = move |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(seed >> 33).unwrap() % below
        };
        let (mut gave_up, mut same) = (0, 0);
        for _ in 0..1_500 {
            let page = 1 + next(whole.len() / 512 - 1);
            // Half of them in the page's header and its pointers.
            let within = if next(2) == 0 { 24 } else { 512 };
            let at = page * 512 + next(within);
            made.bytes.clone_from(&whole);
            made.bytes[at] = [0, 1, 5, 13, 0x7f, 0x80, 0xff][next(7)];
            std::fs::write(file.path(), &made.bytes).unwrap();
            let Some(passed) = passed(file.path(), &made, 1) else {
                gave_up += 1;
                continue;
            };
            let (rows, whole) = selected(file.path(), "url");
            let elsewhere = passed.iter().any(|(_, bytes)| bytes.is_none());
            assert!(whole || elsewhere, "byte {at}");
            for (ours, theirs) in passed.iter().zip(&rows) {
                assert_eq!(ours.0, theirs.0, "byte {at}");
                assert!(ours.1.is_none() || ours.1 == theirs.1, "byte {at}");
            }
            assert!(!whole || passed.len() == rows.len(), "byte {at}");
            same += 1;
        }
        assert!(gave_up > 100 && same > 100, "{gave_up} {same}");
    }

    #[test]
    fn trees_that_lead_back_end() {
        let mut made = made();
        let root = (made.root as usize - 1) * 512;
        assert_eq!(made.bytes[root], 5);
        let own = made.root.to_be_bytes();
        made.bytes[root + 8..root + 12].copy_from_slice(&own);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &made.bytes).unwrap();
        assert_eq!(passed(file.path(), &made, 1), None);
    }
}
