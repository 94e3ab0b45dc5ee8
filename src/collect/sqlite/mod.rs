//! Opening a SQLite database of the evidence without harm: it is never opened in place for writing, nothing
//! is created beside it, no lock is taken. What a write-ahead log or a hot journal says is laid over an image
//! by our own code. Knows SQLite's file format and no application's schema.

mod cells;
mod image;
mod journal;
mod member;
mod open;
mod page;
mod pass;
mod residue;
mod rest;
mod rows;
mod snapshots;
mod states;
mod tables;
mod wal;

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Evidence, ReadError, platform};
pub use cells::{Cells, Number};
use image::{Image, Overlay};
pub use pass::Met;
use pass::Pages;
pub use residue::{Found, residue};
pub use rows::{Database, Lookup};
pub use states::{MAX_IMAGES, Others, Passing, more_states};
pub use tables::Table;

/// First bytes of a database file (file format §1.3.1).
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

/// How often evidence that changes while it is read is begun again.
pub const MAX_ATTEMPTS: u32 = 3;

/// Whether the evidence is a SQLite database: by its magic, or, where the main file is empty, by that of the
/// write-ahead log beside it.
pub fn is_database(evidence: &Evidence) -> bool {
    let log = || evidence.attached("-wal");
    evidence.head().starts_with(MAGIC)
        || evidence.is_empty() && log().is_some_and(|log| wal::is_wal(log.head()))
}

/// The states of a database that lie on the disk together.
#[derive(Debug)]
pub struct Views {
    /// What the application sees: with its committed write-ahead log, or with a hot journal rolled back.
    pub live: Database,
    /// The main file by itself, where that is another state. Rows that only this one holds were deleted, or
    /// never committed.
    pub main_file: Option<MainFile>,
    /// Whether the file ends before its last page.
    pub cut_off: bool,
    /// What could not be read of a compressed database, or of the files beside it.
    pub problem: Option<ReadError>,
    /// Whether the live view is read where it lies.
    in_place: bool,
    opened: Option<(PathBuf, Stamp)>,
}

/// The main file by itself, and why it differs from the live view.
#[derive(Debug)]
pub struct MainFile {
    /// Opened in place.
    pub database: Database,
    /// What stands between it and the live view.
    pub because: Because,
}

/// What stands between the main file and the live view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Because {
    /// A write-ahead log: the main file is the older state.
    WriteAheadLog,
    /// A hot journal: the main file is the newer state, and only half of it may have been written.
    HotJournal,
}

impl Views {
    /// Opens the evidence. Compressed or streamed evidence has no sidecars.
    pub fn open(evidence: &Evidence) -> Result<Self, ReadError> {
        let Some(path) = evidence.plain_file() else {
            return member::open(evidence);
        };
        for _ in 0..MAX_ATTEMPTS {
            let before = Stamp::of(path);
            let views = Self::file(path, evidence)?;
            // What was opened in place is looked at again after it was read.
            if views.in_place || Stamp::of(path) == before {
                return Ok(Self {
                    opened: Some((path.to_owned(), before)),
                    ..views
                });
            }
        }
        Err(open::changed())
    }

    /// Whether the evidence was changed since it was opened, so that what was read may mix two states.
    pub fn changed(&self) -> bool {
        self.in_place && self.outdated()
    }

    /// Whether the evidence was changed since it was opened, so that other states than the live view, which are
    /// opened later, may be of another time.
    pub fn outdated(&self) -> bool {
        let opened = self.opened.as_ref();
        opened.is_some_and(|(path, before)| Stamp::of(path) != *before)
    }

    fn with_problem(self, problem: Option<ReadError>) -> Self {
        Self {
            problem: problem.or(self.problem),
            ..self
        }
    }

    /// One view, of what does not change.
    fn of(live: Database) -> Self {
        Self {
            live,
            main_file: None,
            cut_off: false,
            problem: None,
            in_place: false,
            opened: None,
        }
    }

    fn file(path: &Path, evidence: &Evidence) -> Result<Self, ReadError> {
        let main_len = path.metadata()?.len();
        let mut problem = None;
        // Without what lies beside it, the main file is still worth reading.
        let mut beside = |suffix| {
            sidecar(evidence, suffix).unwrap_or_else(|_| {
                problem = Some(ReadError::Malformed(
                    format!("the {suffix} file beside it cannot be read, so what only that holds is missing; check its permissions").into(),
                ));
                None
            })
        };
        let log = beside("-wal");
        let journal = beside("-journal");
        if let Some((log, len)) = log {
            let committed = wal::committed(log)?;
            problem = problem.or(committed.problem);
            if let Some(overlay) = committed.overlay {
                let because = Because::WriteAheadLog;
                let passed_over =
                    journal.and_then(|(journal, _)| journal::passed_over(journal, &overlay));
                problem = problem.or(passed_over);
                let views = Self::overlaid(path, main_len, overlay, len, because)?;
                return Ok(views.with_problem(problem));
            }
        }
        if let Some((journal, len)) = journal
            && main_len > 0
        {
            let rolled_back = journal::rollback(journal, page_size(evidence.head()))?;
            problem = problem.or(rolled_back.problem);
            if let Some(overlay) = rolled_back.overlay {
                let views = Self::overlaid(path, main_len, overlay, len, Because::HotJournal)?;
                return Ok(views.with_problem(problem));
            }
        }
        if let Some(overlay) = end_missing(evidence.head(), main_len)? {
            let len = u64::from(overlay.page_size) * u64::from(overlay.page_count);
            let image = Image::new(BufReader::new(platform::open(path)?), overlay);
            return Ok(Self {
                live: Database::new(open::image(image, len)?, len),
                main_file: None,
                cut_off: true,
                problem,
                in_place: false,
                opened: None,
            });
        }
        let live = Database::new(open::in_place(path)?, main_len);
        let head = evidence.head();
        let pages = Pages::new(platform::open(path)?, head, page_size(head), main_len);
        Ok(Self {
            live: live.with_pages(pages),
            main_file: None,
            cut_off: false,
            problem,
            in_place: true,
            opened: None,
        })
    }

    fn overlaid(
        path: &Path,
        main_len: u64,
        mut overlay: Overlay<BufReader<File>>,
        sidecar_len: u64,
        because: Because,
    ) -> Result<Self, ReadError> {
        let (len, problem) = overlay.admit(main_len, sidecar_len);
        let image = Image::new(BufReader::new(platform::open(path)?), overlay);
        let live = Database::new(open::image(image, len)?, len);
        let main_file = || -> Option<MainFile> {
            let database = Database::new(open::in_place(path).ok()?, main_len);
            Some(MainFile { database, because })
        };
        Ok(Self {
            live,
            main_file: (main_len > 0).then(main_file).flatten(),
            cut_off: false,
            problem,
            in_place: false,
            opened: None,
        })
    }

    fn streamed(evidence: &Evidence) -> Result<Self, ReadError> {
        let mut content = evidence.open()?;
        let mut bytes = Vec::new();
        let end = (&mut content)
            .take(open::MEMORY_CAP)
            .read_to_end(&mut bytes);
        let mut problem = end.err().map(|error| evidence.error(error));
        image::forget_wal(&mut bytes);
        let len = bytes.len() as u64;
        let mut cut_off = false;
        let connection = if len < open::MEMORY_CAP {
            if let Some(overlay) = end_missing(evidence.head(), len)? {
                cut_off = true;
                image::admit_end(&mut bytes, overlay.page_count);
            }
            open::image(Cursor::new(bytes), len)?
        } else {
            let (connection, end) = open::copy(&mut Cursor::new(bytes).chain(content))?;
            problem = problem.or(end.map(|error| evidence.error(error)));
            connection
        };
        Ok(Self {
            live: Database::new(connection, len),
            main_file: None,
            cut_off,
            problem,
            in_place: false,
            opened: None,
        })
    }
}

/// A sidecar that holds something.
fn sidecar(evidence: &Evidence, suffix: &str) -> Result<Option<(BufReader<File>, u64)>, ReadError> {
    let Some(path) = evidence.sidecar(suffix) else {
        return Ok(None);
    };
    let file = platform::open(&path)?;
    let len = file.metadata()?.len();
    Ok((len > 0).then(|| (BufReader::new(file), len)))
}

/// The pages that are there, as an overlay that replaces none of them, when the header states more.
fn end_missing(head: &[u8], len: u64) -> Result<Option<Overlay<Cursor<Vec<u8>>>>, ReadError> {
    let page_size = page_size(head);
    let counters = |at: usize| head.get(at..at + 4);
    let Some(stated) = counters(28).and_then(|bytes| bytes.first_chunk()) else {
        return Err(open::damaged());
    };
    // The stated number counts only if it was written with the last change (file format §1.3.8).
    if !image::is_page_size(page_size) || counters(24) != counters(92) {
        return Ok(None);
    }
    let there = len / u64::from(page_size);
    if there == 0 {
        return Err(open::damaged());
    }
    let stated = u32::from_be_bytes(*stated);
    Ok((there < u64::from(stated)).then(|| Overlay {
        page_size,
        page_count: u32::try_from(there).unwrap_or(stated),
        pages: BTreeMap::new(),
        sidecar: Cursor::default(),
    }))
}

/// The page size that the header states (file format §1.3.2: 1 means 65,536).
fn page_size(head: &[u8]) -> u32 {
    match head.get(16..18) {
        Some([0, 1]) => 65_536,
        Some(&[high, low]) => u32::from(u16::from_be_bytes([high, low])),
        _ => 0,
    }
}

/// Size and time of a file and its sidecars: enough to notice a writer.
#[derive(PartialEq, Eq, Debug)]
struct Stamp([Option<(u64, Option<SystemTime>)>; 3]);

impl Stamp {
    fn of(path: &Path) -> Self {
        let stamp = |suffix: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            let meta: Metadata = Path::new(&name).metadata().ok()?;
            Some((meta.len(), meta.modified().ok()))
        };
        Self([stamp(""), stamp("-wal"), stamp("-journal")])
    }
}
