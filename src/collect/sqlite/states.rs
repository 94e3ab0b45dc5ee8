//! The states of a database beside the live one and the main file: what stood before the last transaction of a
//! journal that is not hot, and between the commits of a write-ahead log. Finds out which of them can hold a value
//! that no other holds, so that no image is made in vain. Knows pages, and no application's schema.

use std::collections::{HashMap, HashSet};
use std::io::{self, Seek, SeekFrom};

use super::image::{Image, Overlay};
use super::page::Page;
use super::rest::{self, Bytes};
use super::snapshots::{Snapshots, Span, read_page, values};
use super::wal::{Log, fill};
use super::{Database, Views, journal, open, page_size};
use crate::atoms::Digest;
use crate::collect::{Evidence, ReadError};

/// Images that are made of one write-ahead log. Each shows all values that stood between the same commits, so that
/// a log of hundreds of commits needs one or two; a small database of cookies that change all the time needs one for
/// each commit.
pub const MAX_IMAGES: usize = 128;

/// Bytes that these images may come to together: a second or two of copying and reading.
const IMAGE_BYTES: u64 = 1 << 30;

/// Values between two commits that are remembered, some 50 bytes each.
const MAX_PASSING: usize = 1 << 20;

/// What lies beside a database, opened a second time.
pub struct Others {
    main: Bytes,
    main_len: u64,
    journal: Option<(Overlay<Bytes>, u64)>,
    log: Option<(Log, Bytes)>,
    /// Whether the log is what is left of one that was written back: then nothing in it is live for it.
    is_older: bool,
    image_bytes: u64,
}

/// Values that stood in a write-ahead log between two commits, by their digests.
#[derive(Debug, Default)]
pub struct Passing {
    values: HashMap<Digest, Span>,
    /// Whether there were more than are remembered.
    pub cut_short: bool,
}

impl Passing {
    /// Takes note that another state holds a value in a row.
    pub fn forget(&mut self, rowid: i64, bytes: &[u8]) {
        if !self.values.is_empty() {
            self.values.remove(&digest(Some(rowid), bytes));
            self.values.remove(&digest(None, bytes));
        }
    }

    /// Takes note of a value. Whether there is room for more.
    fn note(&mut self, rowid: Option<i64>, bytes: &[u8], stood: Span) -> bool {
        let known = self.values.entry(digest(rowid, bytes)).or_insert(stood);
        if stood.first <= known.last + 1 {
            known.last = known.last.max(stood.last);
        }
        self.cut_short |= self.values.len() >= MAX_PASSING;
        !self.cut_short
    }

    /// A commit after which values stood that no state has shown so far. It is not given again.
    pub fn next_commit(&mut self) -> Option<usize> {
        let commit = self.values.values().min()?.last;
        self.values
            .retain(|_, span| span.first > commit || span.last < commit);
        Some(commit)
    }
}

impl Views {
    /// What lies beside the evidence that these views are of. `None` when there is nothing: most databases have no
    /// sidecar, and cost nothing.
    pub fn others(&self, evidence: &Evidence) -> Result<Option<Others>, ReadError> {
        let log = rest::beside(evidence, "-wal");
        let journal = rest::beside(evidence, "-journal");
        if log.is_none() && journal.is_none() {
            return Ok(None);
        }
        let Some((main, main_len)) = rest::main(evidence)? else {
            return Ok(None);
        };
        let mut others = Others {
            main,
            main_len,
            journal: None,
            log: None,
            is_older: false,
            image_bytes: 0,
        };
        if let Some((mut wal, _)) = log {
            others.log = Log::read(&mut wal)?
                .filter(|log| log.last().is_some())
                .map(|log| (log, wal));
        }
        // That a journal beside a log is not read was told when the live view was opened.
        if others.log.is_none()
            && let Some((journal, len)) = journal
        {
            let size = page_size(evidence.head());
            let count = others.main_len / u64::from(size.max(1));
            let before = journal::before(journal, size, u32::try_from(count).unwrap_or(u32::MAX))?;
            if let Some(mut before) = before
                && others.differs(&mut before)?
            {
                others.journal = Some((before, len));
            }
        }
        let any = self.main_file.is_some() || others.journal.is_some() || others.log.is_some();
        Ok(any.then_some(others))
    }
}

impl Others {
    /// The state before the last transaction, from a journal that is not hot.
    pub fn before_last(&mut self) -> Result<Option<Database>, ReadError> {
        let Some((overlay, len)) = self.journal.take() else {
            return Ok(None);
        };
        self.image(overlay, len).map(Some)
    }

    /// The state after a commit of the write-ahead log.
    pub fn after(
        &mut self,
        commit: usize,
        evidence: &Evidence,
    ) -> Result<Option<Database>, ReadError> {
        let (Some((log, _)), Some((wal, len))) = (&self.log, rest::beside(evidence, "-wal")) else {
            return Ok(None);
        };
        let overlay = log.state(commit, wal);
        overlay.map(|overlay| self.image(overlay, len)).transpose()
    }

    /// Turns to what the write-ahead log held before it was begun anew. Whether there is any of it.
    pub fn turn_to_older(&mut self) -> Result<bool, ReadError> {
        let Some((log, wal)) = &mut self.log else {
            return Ok(false);
        };
        let Some(older) = log.older(wal)? else {
            return Ok(false);
        };
        *log = older;
        self.is_older = true;
        Ok(true)
    }

    /// The values between two commits that `wanted` lets through.
    pub fn passing(&mut self, wanted: &dyn Fn(&[u8]) -> bool) -> Result<Passing, ReadError> {
        let mut passing = Passing::default();
        let Some((log, wal)) = &mut self.log else {
            return Ok(passing);
        };
        let Some(last) = log.last().filter(|last| *last > 0 || self.is_older) else {
            return Ok(passing);
        };
        let end = if self.is_older { usize::MAX } else { last };
        let mut snapshots = Snapshots::new(log, wal, &mut self.main)?;
        let freed = snapshots.freed(last)?;
        let mut live = HashSet::new();
        for (number, span) in snapshots.spans(last, &freed) {
            let bytes = snapshots.page(number, span.first)?;
            let Some(page) = Page::parse(&bytes, snapshots.layout, number == 1) else {
                continue;
            };
            for cell in page.cells() {
                let Some(payload) = cell.payload else {
                    continue;
                };
                let mut first = span.first;
                while first <= span.last {
                    let (record, changed) = snapshots.record(&bytes, &payload, first)?;
                    let stood = Span {
                        last: changed.map_or(span.last, |changed| span.last.min(changed - 1)),
                        first,
                    };
                    first = stood.last + 1;
                    let values = values(&record, payload.total, snapshots.layout);
                    let mut all: Vec<&[u8]> = values
                        .iter()
                        .map(|it| &**it)
                        .filter(|it| wanted(it))
                        .collect();
                    // The name of a cookie, or of what a form remembers, stands in a column of its own.
                    let row = values.join(&b'=');
                    if all.is_empty() && wanted(&row) {
                        all.push(&row);
                    }
                    if stood.last >= end {
                        live.extend(all.iter().map(|it| digest(cell.rowid, it)));
                    } else if !all.iter().all(|it| passing.note(cell.rowid, it, stood)) {
                        return Ok(passing);
                    }
                }
            }
        }
        // Only now: a note of it ends the search.
        passing.cut_short |= snapshots.cut_short;
        // What stood to the end is live.
        passing.values.retain(|value, _| !live.contains(value));
        Ok(passing)
    }

    /// Opens an image of a state.
    fn image(
        &mut self,
        mut overlay: Overlay<Bytes>,
        sidecar_len: u64,
    ) -> Result<Database, ReadError> {
        // That its size is absurd is told where the last state is read, or is none of the last state.
        let (len, _) = overlay.admit(self.main_len, sidecar_len);
        self.image_bytes = self.image_bytes.saturating_add(len);
        if self.image_bytes > IMAGE_BYTES {
            return Err(more_states());
        }
        self.main.seek(SeekFrom::Start(0))?;
        let image = Image::new(&mut self.main, overlay);
        Ok(Database::new(open::image(image, len)?, len))
    }

    /// Whether the overlay holds a page that is not as in the main file.
    fn differs(&mut self, overlay: &mut Overlay<Bytes>) -> io::Result<bool> {
        let size = overlay.page_size as usize;
        let (mut ours, mut theirs) = (vec![0; size], vec![0; size]);
        for (&number, &offset) in &overlay.pages {
            overlay.sidecar.seek(SeekFrom::Start(offset))?;
            let whole = fill(&mut overlay.sidecar, &mut ours)?;
            let there = read_page(&mut self.main, number, &mut theirs)?;
            if whole && (!there || ours != theirs) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What is told when there are more states than are looked at.
pub fn more_states() -> ReadError {
    ReadError::Limit(
        "its log holds more states than are looked at, so rows that were deleted between them may be missing; scan with --residue".into(),
    )
}

/// Names a value, with the row that holds it where that is known: the entry of an index is found by value.
fn digest(rowid: Option<i64>, bytes: &[u8]) -> Digest {
    match rowid {
        Some(rowid) => Digest::of([b"row".as_slice(), &rowid.to_le_bytes(), bytes]),
        None => Digest::of([b"entry".as_slice(), bytes]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_go_on_in_pages_beyond_the_bound_are_told() {
        // Each commit writes anew the page of a row of which 16 MB stand in other pages.
        for (commits, is_told) in [(8, false), (24, true)] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("db");
            let base = rusqlite::Connection::open(&path).unwrap();
            base.execute_batch(
                "PRAGMA page_size=65536; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;
                 CREATE TABLE t(a); INSERT INTO t VALUES(zeroblob(16000000)), ('');
                 PRAGMA wal_checkpoint(TRUNCATE);",
            )
            .unwrap();
            for commit in 0..commits {
                base.execute("UPDATE t SET a = ?1 WHERE rowid = 2", [commit])
                    .unwrap();
            }
            let evidence = Evidence::file(&path, "db").unwrap();
            let views = Views::open(&evidence).unwrap();
            let mut others = views.others(&evidence).unwrap().unwrap();
            let passing = others.passing(&|_| false).unwrap();
            assert_eq!(passing.cut_short, is_told, "{commits} commits");
        }
    }
}
