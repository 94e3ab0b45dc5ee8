//! What lies in the bytes of a database that no row uses: pages that were given up, unused parts of pages, the ends
//! of the files, logs and journals. Cells are decoded where they can be, so that a value ends where it ended; else
//! it is said that its end is a guess. Knows SQLite's file format and no application's schema; what is worth a look
//! is told by the caller.

mod candidates;
mod decode;
mod search;
mod text;
mod tree;

use super::image::{Overlay, is_page_size};
use super::page::Layout;
use super::rest::{self, Bytes};
use super::wal::{self, Log};
use super::{journal, page_size};
use crate::atoms::Within;
use crate::collect::{Evidence, ReadError};
use candidates::Find;
use search::Search;
use tree::State;

/// Pages of a database that are searched, 2 bytes of memory each: those of 16 GiB in the smallest pages.
const MAX_PAGES: u32 = 1 << 25;

/// A value that no row holds.
#[derive(Debug)]
pub struct Found {
    /// The value.
    pub bytes: Vec<u8>,
    /// Where it lies.
    pub spot: Spot,
}

impl Found {
    /// Whether it is a URL and nothing else.
    pub fn is_url(&self) -> bool {
        text::is_url(&self.bytes)
    }
}

/// Where a value lies that no row holds.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// The file.
    pub file: File,
    /// Offset in it.
    pub offset: u64,
    /// What it lies in.
    pub within: Within,
    /// Whether nothing tells where it begins or ends.
    pub uncertain: bool,
}

/// A file of a database.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum File {
    /// The main file.
    Main,
    /// The write-ahead log.
    Wal,
    /// The rollback journal.
    Journal,
}

impl File {
    /// What its name ends with beyond that of the main file.
    pub fn suffix(self) -> Option<&'static str> {
        match self {
            Self::Main => None,
            Self::Wal => Some("-wal"),
            Self::Journal => Some("-journal"),
        }
    }
}

/// The values in unused bytes that `find` finds a place in, and that no row holds: neither what the application
/// sees, nor the main file by itself, nor `shown`. With them, why there may be more.
pub fn residue(
    evidence: &Evidence,
    find: Find<'_>,
    shown: &[Vec<u8>],
) -> Result<(Vec<Found>, Option<ReadError>), ReadError> {
    let Some((mut main, main_len)) = rest::main(evidence)? else {
        return Ok((Vec::new(), Some(unread())));
    };
    let log = match rest::beside(evidence, "-wal") {
        Some((mut bytes, len)) => Log::read(&mut bytes)?.map(|log| (log, bytes, len)),
        None => None,
    };
    let size = match &log {
        Some((log, ..)) => log.page_size,
        None => page_size(evidence.head()),
    };
    if !is_page_size(size) {
        return Ok((Vec::new(), None));
    }
    let layout = Layout::of(evidence.head(), size);
    let stated = main_len.div_ceil(u64::from(size));
    let pages = u32::try_from(stated).unwrap_or(u32::MAX).min(MAX_PAGES);
    let mut search = Search::new(find, layout);
    let mut state = State {
        layout,
        pages,
        main: &mut main,
        overlay: None,
    };
    let mut roles = state.walk(&mut |columns, _| search.has_rows_of(columns))?;
    search.main(&mut state, &mut roles, main_len)?;
    if let Some((log, mut bytes, len)) = log {
        search.wal(&log, &mut bytes, len)?;
    }
    if let Some((mut bytes, len)) = rest::beside(evidence, "-journal") {
        let first = journal::first_record(&mut bytes, size, pages)?;
        search.journal(&mut bytes, first, len)?;
    }
    let (candidates, problem) = search.end(stated > u64::from(pages));
    if candidates.is_empty() {
        return Ok((Vec::new(), problem));
    }
    let mut sorted = candidates.sorted(find);
    for value in shown {
        sorted.forget(value, find);
    }
    let mut forget = |_, values: Vec<Vec<u8>>| {
        for value in values {
            sorted.forget(&value, find);
        }
    };
    state.walk(&mut forget)?;
    if let Some(overlay) = live(evidence)? {
        // No page lies further behind than one of the files has one.
        let last = overlay.pages.last_key_value().map_or(0, |(last, _)| *last);
        state.pages = overlay.page_count.min(pages.max(last)).min(MAX_PAGES);
        state.overlay = Some((overlay.pages, overlay.sidecar));
        state.walk(&mut forget)?;
    }
    let mut left = sorted.left();
    left.sort_by_key(|found| (found.spot.file, found.spot.offset));
    Ok((left, problem))
}

fn unread() -> ReadError {
    ReadError::Limit(
        "its unused bytes were not searched, for it can be read but once; save it as a file, and scan that".into(),
    )
}

/// What a sidecar lays over the main file for the application.
fn live(evidence: &Evidence) -> Result<Option<Overlay<Bytes>>, ReadError> {
    if let Some((log, _)) = rest::beside(evidence, "-wal")
        && let Some(committed) = wal::committed(log)?.overlay
    {
        return Ok(Some(committed));
    }
    let Some((journal, _)) = rest::beside(evidence, "-journal") else {
        return Ok(None);
    };
    Ok(journal::rollback(journal, page_size(evidence.head()))?.overlay)
}
