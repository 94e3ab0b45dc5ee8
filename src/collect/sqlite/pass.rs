//! A pass over some columns of a table that lies in a file as it is, page by page: SQLite's own machine takes several
//! times as long for each row, and nearly all rows are let go. Gives up at whatever is not as SQLite writes it; what is
//! reported is read by SQLite. Knows SQLite's file format (§1.6, §2.1) and no application's schema.

mod leaf;

use std::fs::File;
use std::io::Read as _;
use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use super::super::span::Span;
use super::page::{Layout, u16_at, u32_at, varint};
use leaf::Leaf;

/// Levels of a tree: SQLite follows no more (`BTCURSOR_MAX_DEPTH` in its `btreeInt.h`).
const MAX_DEPTH: usize = 20;

/// Pages that are read at once where they are wanted one after the other. A table grows beside its indices, so more
/// would be read in vain.
const MOST_AHEAD: u32 = 16;

/// Pages of the smallest file for which all this is worth its own cost.
const FEWEST: u32 = 8;

/// Parts of a table for each thread: enough that no thread waits long for the slowest.
const PARTS: usize = 4;

/// How the pages of a table begin (file format §1.6).
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

/// Bytes of the header of an interior page (file format §1.6).
const INTERIOR_HEADER: usize = 12;

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
    file: Span,
    layout: Layout,
    page_size: usize,
    count: u32,
}

impl Pages {
    /// The pages of a file that begins with `head`, where its text is in UTF-8.
    pub(super) fn new(file: File, head: &[u8], page_size: u32, len: u64) -> Option<Self> {
        let layout = Layout::of(head, page_size);
        let count = u32::try_from(len.checked_div(u64::from(page_size))?).ok()?;
        (layout.is_utf8() && count >= FEWEST).then_some(Self {
            file: Span::file(file).ok()?,
            layout,
            page_size: page_size as usize,
            count,
        })
    }

    /// Gives the values of these columns, by their places in the record, of each row of the table whose tree begins
    /// at `root`; NULL is not given. Parts of the table are passed over side by side: what `each` gathers of a part
    /// starts as `begin` makes it, and is returned in the order of rowids. `each` is also told the rowid and the value,
    /// and says whether to go on. `None` when not all was read.
    pub(super) fn pass<T: Send>(
        &self,
        root: u32,
        columns: &[usize],
        begin: &(impl Fn() -> T + Sync),
        each: &(impl Fn(&mut T, i64, Met<'_>) -> bool + Sync),
    ) -> Option<Vec<T>> {
        let left = AtomicU32::new(self.count);
        let parts = match rayon::current_num_threads() {
            1 => 1,
            threads => threads * PARTS,
        };
        let trees = self.trees(root, parts, &left)?;
        let share = trees.len().div_ceil(parts);
        let part = |trees: &[Tree]| {
            let mut part = begin();
            let mut window = Window::new(self);
            for tree in trees {
                tree.pass(&mut window, &left, columns, &mut |rowid, met| {
                    each(&mut part, rowid, met)
                })?;
            }
            Some(part)
        };
        trees.par_chunks(share).map(part).collect()
    }

    /// The table as trees, in the order of rowids: at least so many, where it is high enough.
    fn trees(&self, root: u32, wanted: usize, left: &AtomicU32) -> Option<Vec<Tree>> {
        let mut trees = vec![Tree::whole(root)];
        let mut window = Window::new(self);
        let mut divided = true;
        while divided && trees.len() < wanted {
            divided = false;
            let mut below = Vec::new();
            for tree in trees {
                let page = window.page(tree.page)?;
                if page.first() == Some(&INTERIOR) {
                    divided = true;
                    take(left)?;
                    tree.divide(page, self.layout.usable(), &mut below)?;
                } else {
                    below.push(tree);
                }
            }
            trees = below;
        }
        Some(trees)
    }
}

/// Takes one of the pages that are left. A file in which pages meet again has more than it has.
fn take(left: &AtomicU32) -> Option<()> {
    let less = |left: u32| left.checked_sub(1);
    let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    taken.is_ok().then_some(())
}

/// Some pages that follow each other.
struct Window<'a> {
    pages: &'a Pages,
    /// The pages from `first` on.
    held: Vec<u8>,
    first: u32,
    ahead: u32,
}

impl<'a> Window<'a> {
    fn new(pages: &'a Pages) -> Self {
        Self {
            pages,
            held: Vec::new(),
            first: 0,
            ahead: 1,
        }
    }

    /// A page. Pages that are wanted one after the other are read together.
    fn page(&mut self, number: u32) -> Option<&[u8]> {
        let (count, page_size) = (self.pages.count, self.pages.page_size);
        if number == 0 || number > count {
            return None;
        }
        let held = u32::try_from(self.held.len() / page_size).ok()?;
        let behind = self.first.checked_add(held)?;
        if !(self.first..behind).contains(&number) {
            let is_near = number >= behind && number - behind < self.ahead;
            self.ahead = if is_near {
                (self.ahead * 2).min(MOST_AHEAD)
            } else {
                1
            };
            self.read(number, self.ahead.min(count - number + 1))?;
        }
        let at = (number.checked_sub(self.first)? as usize).checked_mul(page_size)?;
        self.held.get(at..)?.get(..page_size)
    }

    fn read(&mut self, number: u32, pages: u32) -> Option<()> {
        let page_size = self.pages.page_size;
        let len = (pages as usize).checked_mul(page_size)?;
        self.held.resize(len, 0);
        // Nothing is held if the reading fails.
        self.first = 0;
        let offset = u64::from(number - 1).checked_mul(page_size as u64)?;
        let part = self.pages.file.part(offset, len as u64);
        if part.reader().read_exact(&mut self.held).is_err() {
            self.held.clear();
            return None;
        }
        self.first = number;
        Some(())
    }
}

/// A tree of a table, or a part of one.
#[derive(Clone, Copy)]
struct Tree {
    page: u32,
    /// Levels above it, and its own.
    depth: usize,
    /// Rowids in it are greater than this one.
    after: Option<i64>,
    /// The greatest rowid that it may hold.
    greatest: i64,
}

impl Tree {
    fn whole(root: u32) -> Self {
        Self {
            page: root,
            depth: 1,
            after: None,
            greatest: i64::MAX,
        }
    }

    /// The trees below an interior page, which is its own, in the order of rowids.
    fn divide(self, page: &[u8], usable: usize, below: &mut Vec<Self>) -> Option<()> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        let mut after = self.after;
        for (page, greatest) in children(page, usable, self.greatest)? {
            below.push(Self {
                page,
                depth: self.depth + 1,
                after,
                greatest,
            });
            after = Some(greatest);
        }
        Some(())
    }

    /// Goes through its leaves. Rowids ascend over the whole of a table, as interior pages say that they do, so that
    /// SQLite finds each.
    fn pass(
        self,
        window: &mut Window<'_>,
        left: &AtomicU32,
        columns: &[usize],
        each: &mut impl FnMut(i64, Met<'_>) -> bool,
    ) -> Option<()> {
        let layout = window.pages.layout;
        let mut trees = vec![self];
        let mut below = Vec::new();
        while let Some(tree) = trees.pop() {
            take(left)?;
            let page = window.page(tree.page)?;
            match *page.first()? {
                LEAF => {
                    let leaf = Leaf {
                        page,
                        layout,
                        is_root: tree.depth == 1,
                    };
                    leaf.pass(tree.after, tree.greatest, columns, each)?;
                }
                INTERIOR => {
                    tree.divide(page, layout.usable(), &mut below)?;
                    trees.extend(below.drain(..).rev());
                }
                _ => return None,
            }
        }
        Some(())
    }
}

/// The pages below an interior page of a table, each with the greatest rowid that it may hold.
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
    (cells > 0 && ascend).then_some(children)
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
        pools: [rayon::ThreadPool; 3],
    }

    fn made(table: &str) -> Made {
        let file = tempfile::NamedTempFile::new().unwrap();
        let base = Connection::open(file.path()).unwrap();
        base.execute_batch(table).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 't'";
        let root = base.query_row(sql, [], |row| row.get(0)).unwrap();
        Made {
            bytes: std::fs::read(file.path()).unwrap(),
            root,
            pools: [1, 2, 5].map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                pool.build().unwrap()
            }),
        }
    }

    type Row = (i64, Option<Vec<u8>>);

    /// The rows that are not NULL: rowid, and the bytes where they are given; the same on any number of threads.
    fn passed(file: &std::path::Path, made: &Made, column: usize) -> Option<Vec<Row>> {
        let here = || passed_here(file, made, column);
        let [one, others @ ..] = made.pools.each_ref().map(|pool| pool.install(here));
        assert!(others.iter().all(|rows| *rows == one));
        one
    }

    fn passed_here(file: &std::path::Path, made: &Made, column: usize) -> Option<Vec<Row>> {
        let len = made.bytes.len() as u64;
        let file = File::open(file).unwrap();
        let pages = Pages::new(file, &made.bytes, PAGE_SIZE, len).unwrap();
        let note = |rows: &mut Vec<Row>, rowid, met: Met<'_>| {
            rows.push(match met {
                Met::Bytes(bytes) => (rowid, Some(bytes.to_vec())),
                Met::Elsewhere => (rowid, None),
            });
            true
        };
        let parts = pages.pass(made.root, &[column], &Vec::new, &note)?;
        let threads = rayon::current_num_threads();
        assert_eq!(parts.len() > 1, threads > 1);
        assert!(parts.len() <= threads * PARTS);
        Some(parts.concat())
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
        let made = made(TABLE);
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
        // Of a row that goes on in other pages SQLite sees more than the pass.
        let all_in_leaves = TABLE.replace("%0600d", "%060d");
        for (table, column, place) in [
            (TABLE, "url", 1),
            (&all_in_leaves, "url", 1),
            (&all_in_leaves, "late", 3),
        ] {
            damaged(made(table), column, place);
        }
    }

    fn damaged(mut made: Made, column: &str, place: usize) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let whole = made.bytes.clone();
        let mut seed = 5_u64;
        let mut next = move |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(seed >> 33).unwrap() % below
        };
        let (mut gave_up, mut same) = (0, 0);
        for _ in 0..1_000 {
            let page = 1 + next(whole.len() / 512 - 1);
            // Half of them in the page's header and its pointers.
            let within = if next(2) == 0 { 24 } else { 512 };
            let at = page * 512 + next(within);
            made.bytes.clone_from(&whole);
            made.bytes[at] = [0, 1, 5, 13, 0x7f, 0x80, 0xff][next(7)];
            if next(10) == 0 {
                // No cell at all.
                made.bytes[page * 512 + 3..page * 512 + 5].fill(0);
            }
            std::fs::write(file.path(), &made.bytes).unwrap();
            let Some(passed) = passed(file.path(), &made, place) else {
                gave_up += 1;
                continue;
            };
            let (rows, whole) = selected(file.path(), column);
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
        let mut made = made(TABLE);
        let root = (made.root as usize - 1) * 512;
        assert_eq!(made.bytes[root], 5);
        let own = made.root.to_be_bytes();
        made.bytes[root + 8..root + 12].copy_from_slice(&own);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &made.bytes).unwrap();
        assert_eq!(passed(file.path(), &made, 1), None);
    }
}
