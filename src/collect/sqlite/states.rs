//! The states of a database beside the live one and the main file: what stood before the last transaction of a
//! journal that is not hot, and between the commits of a write-ahead log. Finds out which of them can hold a value
//! that no other holds, so that no image is made in vain. Knows pages, and no application's schema.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::image::{Image, Overlay};
use super::page::{Layout, Page, Payload, Value, columns, u32_at};
use super::wal::{Log, fill};
use super::{Database, Views, journal, open, page_size, sidecar};
use crate::atoms::Digest;
use crate::collect::{Evidence, ReadError};

/// Images that are made of one write-ahead log. Each shows all values that stood between the same commits, so that
/// a log of hundreds of commits needs one or two.
pub const MAX_IMAGES: usize = 16;

/// Bytes that these images may come to together: a second or two of copying.
const IMAGE_BYTES: u64 = 2 << 30;

/// Values between two commits that are remembered, some 50 bytes each.
const MAX_PASSING: usize = 1 << 20;

/// Bytes that are read from overflow pages: only crafted cells share theirs, and a log holds no more than this.
const OVERFLOW_BYTES: usize = 256 << 20;

/// Entries of free lists that are looked at, over all commits: as many as a full log of a large history has.
const FREE_PAGES: usize = 1 << 22;

/// What lies beside a database, opened a second time.
#[derive(Debug)]
pub struct Others {
    main: BufReader<File>,
    main_len: u64,
    journal: Option<(Overlay<BufReader<File>>, u64)>,
    log: Option<(Log, BufReader<File>)>,
    image_bytes: u64,
}

/// The commits of a log after which a value stood in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Span {
    /// The last one, from 0.
    last: usize,
    /// The first one.
    first: usize,
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
    pub fn next(&mut self) -> Option<usize> {
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
        let Some(path) = evidence.plain_file() else {
            return Ok(None);
        };
        let mut others = Others {
            main: BufReader::new(File::open(path)?),
            main_len: path.metadata()?.len(),
            journal: None,
            log: None,
            image_bytes: 0,
        };
        // One that cannot be read was told when the live view was opened.
        if let Ok(Some((mut wal, _))) = sidecar(evidence, "-wal") {
            others.log = Log::read(&mut wal)?
                .filter(|log| log.last().is_some())
                .map(|log| (log, wal));
        }
        if others.log.is_none()
            && let Ok(Some((journal, len))) = sidecar(evidence, "-journal")
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
        let (Some((log, _)), Some((wal, len))) = (&self.log, sidecar(evidence, "-wal")?) else {
            return Ok(None);
        };
        let overlay = log.state(commit, wal);
        overlay.map(|overlay| self.image(overlay, len)).transpose()
    }

    /// The values between two commits that `wanted` lets through.
    pub fn passing(&mut self, wanted: &dyn Fn(&[u8]) -> bool) -> Result<Passing, ReadError> {
        let mut passing = Passing::default();
        let Some((log, wal)) = &mut self.log else {
            return Ok(passing);
        };
        let Some(last) = log.last().filter(|last| *last > 0) else {
            return Ok(passing);
        };
        let mut snapshots = Snapshots::new(log, wal, &mut self.main)?;
        let freed = snapshots.freed(last)?;
        passing.cut_short = freed.is_none();
        for (number, span) in snapshots.spans(last, &freed.unwrap_or_default()) {
            let bytes = snapshots.page(number, span.first)?;
            let Some(page) = Page::parse(&bytes, snapshots.layout, number == 1) else {
                continue;
            };
            for cell in page.cells() {
                let Some(payload) = cell.payload else {
                    continue;
                };
                let mut first = span.first;
                while first < last && first <= span.last {
                    let (record, changed) = snapshots.record(&bytes, &payload, first)?;
                    let stood = Span {
                        last: changed.map_or(span.last, |changed| span.last.min(changed - 1)),
                        first,
                    };
                    first = stood.last + 1;
                    let values = values(&record, payload.total, snapshots.layout);
                    // What stood to the end is live.
                    let wanted = values.iter().filter(|it| stood.last < last && wanted(it));
                    if !wanted
                        .map(|it| passing.note(cell.rowid, it, stood))
                        .all(|noted| noted)
                    {
                        return Ok(passing);
                    }
                }
            }
        }
        Ok(passing)
    }

    /// Opens an image of a state.
    fn image(
        &mut self,
        overlay: Overlay<BufReader<File>>,
        sidecar_len: u64,
    ) -> Result<Database, ReadError> {
        let len = overlay
            .len(self.main_len, sidecar_len)
            .ok_or_else(open::damaged)?;
        self.image_bytes = self.image_bytes.saturating_add(len);
        if self.image_bytes > IMAGE_BYTES {
            return Err(more_states());
        }
        self.main.seek(SeekFrom::Start(0))?;
        let image = Image::new(&mut self.main, overlay);
        Ok(Database::new(open::image(image, len)?, len))
    }

    /// Whether the overlay holds a page that is not as in the main file.
    fn differs(&mut self, overlay: &mut Overlay<BufReader<File>>) -> io::Result<bool> {
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

/// The pages of a database after each commit of its log.
struct Snapshots<'a> {
    layout: Layout,
    log: &'a Log,
    wal: &'a mut BufReader<File>,
    main: &'a mut BufReader<File>,
    /// Page number to the frames that hold it: commit and offset.
    versions: BTreeMap<u32, Vec<(usize, u64)>>,
    overflow_left: usize,
}

impl<'a> Snapshots<'a> {
    fn new(
        log: &'a Log,
        wal: &'a mut BufReader<File>,
        main: &'a mut BufReader<File>,
    ) -> io::Result<Self> {
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
        };
        let first_page = snapshots.page(1, usize::MAX)?;
        snapshots.layout = Layout::of(&first_page, log.page_size);
        Ok(snapshots)
    }

    /// A page after a commit; zeros where there is none.
    fn page(&mut self, number: u32, commit: usize) -> io::Result<Vec<u8>> {
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
    fn spans(&self, last: usize, freed: &BTreeMap<u32, Vec<usize>>) -> Vec<(u32, Span)> {
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

    /// The commits after which a page was free, for pages of the log. `None` when there is too much to look at.
    fn freed(&mut self, last: usize) -> io::Result<Option<BTreeMap<u32, Vec<usize>>>> {
        let mut freed: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        let mut left = FREE_PAGES;
        // The first page says where the list begins and how long it is, so that it changes with the list.
        let first_page = self.versions.get(&1).into_iter().flatten();
        let mut commits: Vec<usize> = first_page.map(|(commit, _)| *commit).collect();
        commits.retain(|commit| *commit <= last);
        for commit in commits {
            for page in self.freelist(commit)? {
                let Some(less) = left.checked_sub(1) else {
                    return Ok(None);
                };
                left = less;
                if self.versions.contains_key(&page) {
                    freed.entry(page).or_default().push(commit);
                }
            }
        }
        Ok(Some(freed))
    }

    /// The free pages after a commit (file format §1.5).
    fn freelist(&mut self, commit: usize) -> io::Result<HashSet<u32>> {
        let mut free = HashSet::new();
        let mut trunk = u32_at(&self.page(1, commit)?, 32).unwrap_or_default();
        while trunk != 0 && free.len() < FREE_PAGES && free.insert(trunk) {
            let page = self.page(trunk, commit)?;
            let count = u32_at(&page, 4).unwrap_or_default() as usize;
            let (leaves, _) = page.get(8..).unwrap_or_default().as_chunks::<4>();
            let leaves = leaves.iter().take(count);
            free.extend(leaves.map(|leaf| u32::from_be_bytes(*leaf)));
            trunk = u32_at(&page, 0).unwrap_or_default();
        }
        Ok(free)
    }

    /// The record of a cell after a commit, as far as it can be read, and the next commit that wrote a page of it
    /// that is not the cell's own: SQLite overwrites a value in place where the new one is as long
    /// (`btreeOverwriteCell` in btree.c).
    fn record(
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
            let Some(left) = self.overflow_left.checked_sub(wanted.max(1)) else {
                break;
            };
            self.overflow_left = left;
            let page = self.page(next, commit)?;
            record.extend(page.get(4..4 + wanted).unwrap_or_default());
            let later = self.versions.get(&next).into_iter().flatten();
            let later = later
                .map(|(version, _)| *version)
                .find(|version| *version > commit);
            changed = changed.into_iter().chain(later).min();
            next = u32_at(&page, 0).unwrap_or_default();
        }
        Ok((record, changed))
    }
}

/// The texts and blobs of a record that are wholly there.
pub(super) fn values(record: &[u8], total: usize, layout: Layout) -> Vec<Vec<u8>> {
    let columns = columns(record, total).unwrap_or_default();
    let value = |column: &super::page::Column| {
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

/// Names a value, with the row that holds it where that is known: the entry of an index is found by value.
fn digest(rowid: Option<i64>, bytes: &[u8]) -> Digest {
    match rowid {
        Some(rowid) => Digest::of([b"row".as_slice(), &rowid.to_le_bytes(), bytes]),
        None => Digest::of([b"entry".as_slice(), bytes]),
    }
}
