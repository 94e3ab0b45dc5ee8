//! One search through the unused bytes of a database and of what lies beside it. Knows pages and where values may
//! lie in them; whether a row holds a value after all is found out behind it.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;

use super::super::MAGIC;
use super::super::page::{Layout, Page, Payload, Value, columns, complement, u32_at};
use super::super::rest::Bytes;
use super::super::wal::{self, Log};
use super::candidates::{Candidates, Find};
use super::decode::Decoder;
use super::tree::{Roles, State};
use super::{File, Spot, text};
use crate::atoms::Within;
use crate::collect::ReadError;

/// Least length of a text in UTF-16 that is looked at: a scheme and little more.
const LEAST_WIDE: usize = 12;

/// Adds to a record of so many bytes what the pages from a number on hold of it.
type Follow<'a> = &'a mut dyn FnMut(u32, usize, &mut Vec<u8>);

/// A search through one database.
pub(super) struct Search<'a> {
    find: Find<'a>,
    layout: Layout,
    decoder: Decoder,
    candidates: Candidates,
}

impl<'a> Search<'a> {
    pub(super) fn new(find: Find<'a>, layout: Layout) -> Self {
        Self {
            find,
            layout,
            decoder: Decoder::new(),
            candidates: Candidates::default(),
        }
    }

    /// Takes note of how many columns a row of the database has.
    pub(super) fn has_rows_of(&mut self, columns: Option<usize>) {
        self.decoder.has_rows_of(columns);
    }

    /// The main file.
    pub(super) fn main(
        &mut self,
        state: &mut State<'_>,
        roles: &mut Roles,
        len: u64,
    ) -> Result<(), ReadError> {
        let size = u64::from(self.layout.page_size);
        let first_page = state.page(1)?;
        let stated = u32_at(&first_page, 28).unwrap_or_default();
        for number in 1..=state.pages {
            let before = u64::from(number - 1) * size;
            let mut bytes = state.page(number)?;
            bytes.truncate(usize::try_from(len.saturating_sub(before)).unwrap_or(usize::MAX));
            if bytes.iter().all(|byte| *byte == 0) {
                continue;
            }
            let mut spot = Spot {
                file: File::Main,
                offset: before,
                within: Within::Unallocated,
                uncertain: true,
            };
            if let Some(&used) = roles.tails.get(&number) {
                self.raw(&bytes, used..bytes.len(), spot);
            } else if roles.is_tree(number) {
                self.unused(&bytes, number == 1, spot);
            } else if !roles.is_reached(number) {
                let is_behind = stated > 0 && number > stated;
                spot.within = if is_behind {
                    Within::Slack
                } else {
                    Within::FreePage
                };
                self.given_up(&bytes, spot, &mut |next, total, record| {
                    // A chain of pages that were given up too; somebody may have used them in between.
                    let _as_far_as_it_can_be_read = state.follow(next, total, record, roles);
                });
            }
        }
        Ok(())
    }

    /// A write-ahead log: pages between two commits, and behind the last one a transaction that did not end, and
    /// what older ones left.
    pub(super) fn wal(&mut self, log: &Log, bytes: &mut Bytes, len: u64) -> Result<(), ReadError> {
        let record = wal::FRAME_HEADER as u64 + u64::from(self.layout.page_size);
        let within = |at| {
            if at < log.end() {
                Within::Wal
            } else {
                Within::WalSlack
            }
        };
        let first = (wal::HEADER + wal::FRAME_HEADER) as u64;
        self.records(bytes, (File::Wal, &within), first..len, record)
    }

    /// A rollback journal: each record is a page as it was.
    pub(super) fn journal(
        &mut self,
        bytes: &mut Bytes,
        first: u64,
        len: u64,
    ) -> Result<(), ReadError> {
        let record = 8 + u64::from(self.layout.page_size);
        self.records(
            bytes,
            (File::Journal, &|_| Within::Journal),
            first + 4..len,
            record,
        )
    }

    /// Pages that stand one after another, `record` bytes apart.
    fn records(
        &mut self,
        bytes: &mut Bytes,
        (file, within): (File, &dyn Fn(u64) -> Within),
        range: Range<u64>,
        record: u64,
    ) -> Result<(), ReadError> {
        let mut at = range.start;
        while at < range.end {
            let mut page = Vec::new();
            bytes.seek(SeekFrom::Start(at))?;
            bytes
                .take(u64::from(self.layout.page_size))
                .read_to_end(&mut page)?;
            let spot = Spot {
                file,
                offset: at,
                within: within(at),
                uncertain: true,
            };
            self.given_up(&page, spot, &mut |_, _, _| {});
            at += record;
        }
        Ok(())
    }

    /// A page of a tree: only what its cells leave.
    fn unused(&mut self, bytes: &[u8], is_first: bool, spot: Spot) {
        let Some(page) = Page::parse(bytes, self.layout, is_first) else {
            return;
        };
        for range in page.unused() {
            let within = if range.start < page.content() {
                Within::Unallocated
            } else {
                Within::Freeblock
            };
            self.raw(bytes, range, Spot { within, ..spot });
        }
    }

    /// A page that no row stands in. Where it still looks like one of a tree, its cells are told by it; `follow`
    /// completes a record from the pages behind it, if it can.
    fn given_up(&mut self, bytes: &[u8], spot: Spot, follow: Follow<'_>) {
        // The first page is told by the database's own header.
        let is_first = bytes.starts_with(MAGIC);
        let page = Page::parse(bytes, self.layout, is_first);
        let mut used = Vec::new();
        for cell in page.into_iter().flat_map(Page::cells) {
            if let Some(payload) = &cell.payload
                && self.record(bytes, payload, spot, follow)
            {
                used.push(cell.range);
            }
        }
        for range in complement(used, bytes.len()) {
            self.raw(bytes, range, spot);
        }
    }

    /// The record of a cell in a page that no row stands in. Whether it is one.
    fn record(&mut self, bytes: &[u8], payload: &Payload, spot: Spot, follow: Follow<'_>) -> bool {
        let local = payload.local.clone();
        let mut record = bytes.get(local.clone()).unwrap_or_default().to_vec();
        if let Some(next) = payload.overflow {
            follow(next, payload.total, &mut record);
        }
        let Some(columns) = columns(&record, payload.total) else {
            return false;
        };
        for column in columns {
            let end = column.at.saturating_add(column.len);
            let value = match (column.kind, record.get(column.at..end.min(record.len()))) {
                (Value::Text, Some(value)) => self.layout.decoded(value),
                (Value::Blob, Some(value)) => value.to_vec(),
                _ => continue,
            };
            let spot = Spot {
                offset: spot.offset + (local.start + column.at.min(local.len())) as u64,
                // What overflow pages hold may be somebody else's by now.
                uncertain: end > local.len(),
                ..spot
            };
            self.take(value, spot);
        }
        true
    }

    /// Bytes that nothing explains at first sight.
    fn raw(&mut self, bytes: &[u8], range: Range<usize>, spot: Spot) {
        let mut at = range.start;
        while let Some(mark) = bytes
            .get(..range.end)
            .and_then(|bytes| (self.find)(bytes, at))
        {
            let guess = text::around(bytes, &(at.min(mark)..range.end), mark);
            let column = self.decoder.column(bytes, &range, guess.start, mark);
            let uncertain = column.is_none();
            let value = column.unwrap_or(guess);
            at = value.end.max(mark + 1);
            let spot = Spot {
                offset: spot.offset + value.start as u64,
                uncertain,
                ..spot
            };
            self.take(bytes.get(value).unwrap_or_default().to_vec(), spot);
        }
        let unused = bytes.get(range.clone()).unwrap_or_default();
        for (begin, text) in text::wide(unused, LEAST_WIDE) {
            let spot = Spot {
                offset: spot.offset + (range.start + begin) as u64,
                uncertain: true,
                ..spot
            };
            self.take(text, spot);
        }
    }

    fn take(&mut self, value: Vec<u8>, spot: Spot) {
        if let Some(mark) = (self.find)(&value, 0) {
            self.candidates.add(value, mark, spot);
        }
    }

    /// What was found, and, also where it was cut short before, why there may be more.
    pub(super) fn end(self, mut cut_short: bool) -> (Candidates, Option<ReadError>) {
        cut_short |= self.candidates.cut_short || self.decoder.is_exhausted();
        (self.candidates, cut_short.then(more))
    }
}

fn more() -> ReadError {
    ReadError::Limit(
        "its unused bytes hold more than is looked at; the first of it is reported".into(),
    )
}
