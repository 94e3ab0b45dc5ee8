//! The pages of a database after each commit of its write-ahead log: which versions of a page stood how long, and
//! what their cells held then. Knows pages, and nothing of what is done with their values.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read, Seek, SeekFrom};

use super::page::{Column, Layout, Payload, Value, columns, u32_at};
use super::rest::Bytes;
use super::wal::{Log, fill};

/// Bytes of overflow pages that are read: those of a long value are read anew for each page of the log that its cell
/// stands in, and it takes many commits beside very long values, or crafted cells, to come to this.
const OVERFLOW_BYTES: usize = 256 << 20;

/// Entries of free lists that are looked at, over all commits: as many as a full log of a large history has.
const FREE_PAGES: usize = 1 << 22;

/// Bytes of a page whose reading counts as one such entry: a crafted list is a chain of pages without any. So no more
/// is read for these lists than for overflow pages.
const BYTES_PER_ENTRY: u32 = 64;

/// The commits of a log after which a value stood in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Span {
    /// The last one, from 0.
    pub(super) last: usize,
    /// The first one.
    pub(super) first: usize,
}

/// The pages of a database after each commit of its log.
pub(super) struct Snapshots<'a> {
    pub(super) layout: Layout,
    log: &'a Log,
    wal: &'a mut Bytes,
    main: &'a mut Bytes,
    /// Page number to the frames that hold it: commit and offset.
    versions: BTreeMap<u32, Vec<(usize, u64)>>,
    overflow_left: usize,
    entries_left: usize,
    /// Whether a bound was reached, so that something was left out.
    pub(super) cut_short: bool,
}

impl<'a> Snapshots<'a> {
    pub(super) fn new(log: &'a Log, wal: &'a mut Bytes, main: &'a mut Bytes) -> io::Result<Self> {
        let mut versions: BTreeMap<u32, Vec<(usize, u64)>> = BTreeMap::new();
        for frame in &log.frames {
            let of_page = versions.entry(frame.page).or_default();
            // A page that a transaction wrote twice stood only as it wrote it last.
            if of_page
                .last()
                .is_some_and(|(commit, _)| *commit == frame.commit)
            {
                of_page.pop();
            }
            of_page.push((frame.commit, frame.offset));
        }
        let mut snapshots = Self {
            layout: Layout::of(&[], log.page_size),
            log,
            wal,
            main,
            versions,
            overflow_left: OVERFLOW_BYTES,
            entries_left: FREE_PAGES,
            cut_short: false,
        };
        let first_page = snapshots.page(1, usize::MAX)?;
        snapshots.layout = Layout::of(&first_page, log.page_size);
        Ok(snapshots)
    }

    /// A page after a commit; zeros where there is none.
    pub(super) fn page(&mut self, number: u32, commit: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.log.page_size as usize];
        let of_page = self
            .versions
            .get(&number)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let before = of_page.partition_point(|(version, _)| *version <= commit);
        match before.checked_sub(1).and_then(|index| of_page.get(index)) {
            Some((_, offset)) => {
                self.wal.seek(SeekFrom::Start(*offset))?;
                fill(self.wal, &mut bytes)?;
            }
            None => {
                read_page(self.main, number, &mut bytes)?;
            }
        }
        Ok(bytes)
    }

    /// The page versions, and how long each stood.
    pub(super) fn spans(&self, last: usize, freed: &BTreeMap<u32, Vec<usize>>) -> Vec<(u32, Span)> {
        let mut spans = Vec::new();
        for (&number, of_page) in &self.versions {
            let freed = freed.get(&number).map(Vec::as_slice).unwrap_or_default();
            let until = of_page.iter().skip(1).map(|(commit, _)| Some(*commit));
            for (&(first, _), until) in of_page.iter().zip(until.chain([None])) {
                // A page that is given up is not written for it.
                let given_up = freed.get(freed.partition_point(|commit| *commit < first));
                let until = until.unwrap_or(last + 1);
                let end = given_up.map_or(until, |given_up| until.min(*given_up));
                if let Some(last) = end.checked_sub(1).filter(|last| *last >= first) {
                    spans.push((number, Span { last, first }));
                }
            }
        }
        // In the order of time, so that those of one value join.
        spans.sort_by_key(|(_, span)| (span.first, span.last));
        spans
    }

    /// The commits after which a page was free, for pages of the log; the first of them, where there is too much to
    /// look at.
    pub(super) fn freed(&mut self, last: usize) -> io::Result<BTreeMap<u32, Vec<usize>>> {
        let mut freed: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        // The first page says where the list begins and how long it is, so that it changes with the list.
        let first_page = self.versions.get(&1).into_iter().flatten();
        let mut commits: Vec<usize> = first_page.map(|(commit, _)| *commit).collect();
        commits.retain(|commit| *commit <= last);
        for commit in commits {
            let Some(free) = self.freelist(commit)? else {
                self.cut_short = true;
                break;
            };
            for page in free {
                if self.versions.contains_key(&page) {
                    freed.entry(page).or_default().push(commit);
                }
            }
        }
        Ok(freed)
    }

    /// The free pages after a commit (file format §1.5). `None` when there is too much to look at.
    fn freelist(&mut self, commit: usize) -> io::Result<Option<HashSet<u32>>> {
        let mut free = HashSet::new();
        let mut trunk = u32_at(&self.page(1, commit)?, 32).unwrap_or_default();
        while trunk != 0 && free.insert(trunk) {
            let page = self.page(trunk, commit)?;
            let count = u32_at(&page, 4).unwrap_or_default() as usize;
            let (leaves, _) = page.get(8..).unwrap_or_default().as_chunks::<4>();
            let leaves = leaves.get(..count).unwrap_or(leaves);
            let reading = (self.log.page_size / BYTES_PER_ENTRY) as usize;
            let Some(left) = self.entries_left.checked_sub(leaves.len() + reading) else {
                return Ok(None);
            };
            self.entries_left = left;
            free.extend(leaves.iter().map(|leaf| u32::from_be_bytes(*leaf)));
            trunk = u32_at(&page, 0).unwrap_or_default();
        }
        Ok(Some(free))
    }

    /// The record of a cell after a commit, as far as it can be read, and the next commit that wrote a page of it
    /// that is not the cell's own: SQLite overwrites a value in place where the new one is as long
    /// (`btreeOverwriteCell` in btree.c).
    pub(super) fn record(
        &mut self,
        page: &[u8],
        payload: &Payload,
        commit: usize,
    ) -> io::Result<(Vec<u8>, Option<usize>)> {
        let mut record = page.get(payload.local.clone()).unwrap_or_default().to_vec();
        let mut changed: Option<usize> = None;
        let mut next = payload.overflow.unwrap_or_default();
        while next != 0 && record.len() < payload.total {
            let wanted = (payload.total - record.len()).min(self.layout.overflow_content());
            // A page is read whole, however little of it is wanted.
            let size = self.log.page_size as usize;
            let Some(left) = self.overflow_left.checked_sub(size) else {
                self.cut_short = true;
                break;
            };
            self.overflow_left = left;
            let page = self.page(next, commit)?;
            record.extend(page.get(4..4 + wanted).unwrap_or_default());
            let versions = self.versions.get(&next).map(Vec::as_slice);
            let versions = versions.unwrap_or_default();
            let behind = versions.partition_point(|(version, _)| *version <= commit);
            let later = versions.get(behind).map(|(version, _)| *version);
            changed = changed.into_iter().chain(later).min();
            next = u32_at(&page, 0).unwrap_or_default();
        }
        Ok((record, changed))
    }
}

/// The texts and blobs of a record that are wholly there.
pub(super) fn values(record: &[u8], total: usize, layout: Layout) -> Vec<Vec<u8>> {
    let columns = columns(record, total).unwrap_or_default();
    let value = |column: &Column| {
        let bytes = record.get(column.at..column.at.checked_add(column.len)?)?;
        match column.kind {
            Value::Text => Some(layout.decoded(bytes)),
            Value::Blob => Some(bytes.to_vec()),
            Value::Null | Value::Number => None,
        }
    };
    columns.iter().filter_map(value).collect()
}

/// Reads a page of a database file; `false` where the file ends before.
pub(super) fn read_page<M: Read + Seek>(
    main: &mut M,
    number: u32,
    bytes: &mut [u8],
) -> io::Result<bool> {
    let before = u64::from(number.saturating_sub(1));
    main.seek(SeekFrom::Start(before * bytes.len() as u64))?;
    fill(main, bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Bytes of a page, as SQLite makes it where it is not told.
    const PAGE: usize = 4_096;

    /// The main file of a database on which some statements were run, and the log that others left beside it.
    fn made(checkpointed: &str, logged: &str) -> (Vec<u8>, Bytes) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let base = rusqlite::Connection::open(&path).unwrap();
        for statements in [
            "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;",
            checkpointed,
            "PRAGMA wal_checkpoint(TRUNCATE);",
            logged,
        ] {
            base.execute_batch(statements).unwrap();
        }
        let main = std::fs::read(&path).unwrap();
        let log = std::fs::read(folder.path().join("db-wal")).unwrap();
        (main, Box::new(Cursor::new(log)))
    }

    #[test]
    fn overflow_pages_that_are_not_read_are_told() {
        let value = "CREATE TABLE t(a); INSERT INTO t VALUES(zeroblob(50000));";
        let (main, mut wal) = made(value, "PRAGMA user_version = 1;");
        let mut main: Bytes = Box::new(Cursor::new(main));
        let log = Log::read(&mut wal).unwrap().unwrap();
        let mut snapshots = Snapshots::new(&log, &mut wal, &mut main).unwrap();
        // The third page is the first one behind those of the schema and the table.
        let payload = Payload {
            local: 0..0,
            total: 5_000,
            overflow: Some(3),
        };
        let (record, _) = snapshots.record(&[], &payload, 0).unwrap();
        assert_eq!((record.len(), snapshots.cut_short), (5_000, false));
        snapshots.overflow_left = PAGE;
        let (record, _) = snapshots.record(&[], &payload, 0).unwrap();
        assert_eq!((record.len(), snapshots.cut_short), (PAGE - 4, true));
    }

    /// Whether not all free lists of a log were looked at.
    fn lists_are_cut_short(main: Vec<u8>, wal: &mut Bytes) -> bool {
        let mut main: Bytes = Box::new(Cursor::new(main));
        let log = Log::read(wal).unwrap().unwrap();
        let mut snapshots = Snapshots::new(&log, wal, &mut main).unwrap();
        snapshots.freed(usize::MAX).unwrap();
        snapshots.cut_short
    }

    #[test]
    fn free_lists_are_bounded_by_the_pages_that_are_read_for_them() {
        let freed = "CREATE TABLE t(a); INSERT INTO t VALUES(zeroblob(4500000)); DELETE FROM t;";
        // Each of them writes the first page alone.
        let commits: Vec<String> = (1..=100)
            .map(|number| format!("PRAGMA user_version = {number};"))
            .collect();
        let (mut main, mut wal) = made(freed, &commits.concat());
        assert!(!lists_are_cut_short(main.clone(), &mut wal));
        // The list as a chain of pages that name none but the next.
        let mut trunk = u32_at(&main, 32).unwrap();
        let pages = u32::try_from(main.len() / PAGE).unwrap();
        let others: Vec<u32> = (3..=pages).filter(|page| *page != trunk).collect();
        assert!(others.len() > 1_000, "{}", others.len());
        for next in others.into_iter().chain([0]) {
            let at = (trunk as usize - 1) * PAGE;
            main[at..at + PAGE].fill(0);
            main[at..at + 4].copy_from_slice(&next.to_be_bytes());
            trunk = next;
        }
        assert!(lists_are_cut_short(main, &mut wal));
    }
}
