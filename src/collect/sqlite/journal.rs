//! Reads a rollback journal as SQLite's playback does (SQLite file format §3): the pages as they were
//! before the transaction that was cut off, or before the last one that was not. Writes nothing, deletes nothing.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use super::ReadError;
use super::image::{Overlay, is_page_size};
use super::wal::{fill, words};

const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// Bytes of a journal header that say something; it fills a sector.
const HEADER: usize = 28;

/// The smallest first header that SQLite believes: a sector of the usual size.
const MIN_LEN: u64 = 512;

/// Whether a journal with this first and these last bytes is hot: it was left by a transaction that was cut
/// off, and the main file may hold a part of it. A zeroed header is not hot: nothing was synced yet, or the
/// transaction was committed (`journal_mode=PERSIST`, and Chromium's exclusive lock). Neither is one of several
/// databases at once, for its super-journal is not here to say whether the transaction was committed.
pub(super) fn is_hot<S: Read + Seek>(journal: &mut S) -> io::Result<bool> {
    let mut magic = [0; MAGIC.len()];
    journal.seek(SeekFrom::Start(0))?;
    if !fill(journal, &mut magic)? || magic != MAGIC {
        return Ok(false);
    }
    let len = journal.seek(SeekFrom::End(0))?;
    if len < MIN_LEN {
        return Ok(false);
    }
    // A journal that names a super-journal ends with the name, its length, its checksum and the magic.
    let mut tail = [0; MAGIC.len()];
    journal.seek(SeekFrom::End(-8))?;
    let named = fill(journal, &mut tail)? && tail == MAGIC;
    journal.seek(SeekFrom::Start(0))?;
    Ok(!named)
}

/// What a journal restores, and what of it is lost.
pub(super) struct RolledBack<S> {
    /// The pages to restore; `None` when the journal is not hot, or cannot be used.
    pub(super) overlay: Option<Overlay<S>>,
    /// What is damaged, so that SQLite ignores it too.
    pub(super) problem: Option<ReadError>,
}

impl<S> RolledBack<S> {
    fn nothing(problem: Option<ReadError>) -> Self {
        Self {
            overlay: None,
            problem,
        }
    }
}

/// The pages to restore. A page count of 0 is that of a database whose first transaction was cut off: it is empty
/// again. `main_page_size` is taken when the journal states none.
pub(super) fn rollback<S: Read + Seek>(
    mut journal: S,
    main_page_size: u32,
) -> io::Result<RolledBack<S>> {
    if !is_hot(&mut journal)? {
        return Ok(RolledBack::nothing(None));
    }
    let Some(first) = Header::read(&mut journal, 0)? else {
        return Ok(RolledBack::nothing(None));
    };
    let page_size = match first.page_size {
        0 => main_page_size,
        size => size,
    };
    // SQLite stops at such a header (`readJournalHdr` in its pager.c).
    if !is_page_size(page_size) || !is_sector_size(first.sector) {
        return Ok(RolledBack::nothing(Some(unusable())));
    }
    let pages = restored(&mut journal, first, page_size)?;
    Ok(RolledBack {
        overlay: Some(Overlay {
            page_size,
            page_count: first.page_count,
            pages,
            sidecar: journal,
        }),
        problem: None,
    })
}

/// Whether a header may state such a sector (`readJournalHdr` in SQLite's pager.c).
fn is_sector_size(size: u32) -> bool {
    (32..=65_536).contains(&size) && size.is_power_of_two()
}

fn unusable() -> ReadError {
    ReadError::Malformed(
        "the -journal file beside it has a damaged header, and SQLite restores nothing from such a journal; what it holds was not read: copy both again, or look for what is left with --residue".into(),
    )
}

/// What is told of a journal that lies beside a write-ahead log whose transactions count: the log alone is laid over
/// the main file. `None` where the journal holds no page.
pub(super) fn passed_over<S: Read + Seek, L>(journal: S, log: &Overlay<L>) -> Option<ReadError> {
    match holds_pages(journal, log.page_size, log.page_count) {
        Ok(false) => None,
        Ok(true) => Some(ReadError::Malformed(
            "the -journal file beside it holds pages, and was not read because the -wal file beside it counts; copy all of them again, or look for what is left with --residue".into(),
        )),
        Err(error) => Some(error.into()),
    }
}

/// Whether there are pages of the database in it, as they were before a transaction, or may be.
fn holds_pages<S: Read + Seek>(
    mut journal: S,
    page_size: u32,
    page_count: u32,
) -> io::Result<bool> {
    let hot = rollback(&mut journal, page_size)?;
    let restores = |overlay: Overlay<_>| !overlay.pages.is_empty();
    if hot.problem.is_some() || hot.overlay.is_some_and(restores) {
        return Ok(true);
    }
    Ok(before(&mut journal, page_size, page_count)?.is_some())
}

/// Sectors that are tried where a journal states none: the default first, then that of most disks.
const SECTORS: [u32; 8] = [512, 4096, 1024, 2048, 8192, 16_384, 32_768, 65_536];

/// Page count of a zeroed header.
const UNKNOWN: u32 = u32::MAX;

/// The pages as they were before the last transaction, from a journal that is not hot: its header was zeroed when
/// the transaction ended (`zeroJournalHdr` in SQLite's pager.c: 28 bytes), or waits for the disk (`writeJournalHdr`:
/// 12 bytes), or it names a super-journal. `None` when there is no such page.
pub(super) fn before<S: Read + Seek>(
    mut journal: S,
    main_page_size: u32,
    main_page_count: u32,
) -> io::Result<Option<Overlay<S>>> {
    if is_hot(&mut journal)? || !is_page_size(main_page_size) {
        return Ok(None);
    }
    let first = match stated(&mut journal, main_page_size)? {
        Some(first) => Some(first),
        None => guessed(&mut journal, main_page_size, main_page_count)?,
    };
    let Some(first) = first else {
        return Ok(None);
    };
    let mut pages = restored(&mut journal, first, main_page_size)?;
    let mut page_count = first.page_count;
    if page_count == UNKNOWN
        && let Some(&offset) = pages.get(&1)
    {
        // The first page is in every journal, and states the size (file format §1.3.8).
        let mut size = [0; 4];
        journal.seek(SeekFrom::Start(offset + 28))?;
        fill(&mut journal, &mut size)?;
        page_count = u32::from_be_bytes(size);
    } else if page_count == UNKNOWN {
        page_count = main_page_count;
    }
    pages.retain(|number, _| *number <= page_count);
    Ok((!pages.is_empty()).then_some(Overlay {
        page_size: main_page_size,
        page_count,
        pages,
        sidecar: journal,
    }))
}

/// Offset of the first record of a journal, hot or not; the usual one where nothing tells it.
pub(super) fn first_record<S: Read + Seek>(
    journal: &mut S,
    page_size: u32,
    page_count: u32,
) -> io::Result<u64> {
    let header = match stated(journal, page_size)? {
        Some(header) => Some(header),
        None => guessed(journal, page_size, page_count)?,
    };
    Ok(u64::from(header.map_or(512, |header| header.sector)))
}

/// The header, where all but its first words is there.
fn stated<S: Read + Seek>(journal: &mut S, page_size: u32) -> io::Result<Option<Header>> {
    let mut bytes = [0; HEADER];
    journal.seek(SeekFrom::Start(0))?;
    if !fill(journal, &mut bytes)? {
        return Ok(None);
    }
    let words = words(&bytes);
    let &[_, _, _, nonce, page_count, sector, stated] = words.as_slice() else {
        return Ok(None);
    };
    let fits = is_sector_size(sector) && stated == page_size;
    Ok(fits.then_some(Header {
        records: Records::ToTheEnd,
        nonce,
        page_count,
        sector,
        page_size,
    }))
}

/// A header that fits the records: the first one tells its nonce, and the second one must agree.
fn guessed<S: Read + Seek>(
    journal: &mut S,
    page_size: u32,
    page_count: u32,
) -> io::Result<Option<Header>> {
    let len = journal.seek(SeekFrom::End(0))?;
    let record = u64::from(page_size) + 8;
    let mut page = vec![0; page_size as usize];
    for sector in SECTORS {
        let at = u64::from(sector);
        let Some((number, sum)) = read_parts(journal, at, &mut page)? else {
            break;
        };
        let header = Header {
            records: Records::Lost,
            nonce: sum.wrapping_sub(checksum(0, &page)),
            page_count: UNKNOWN,
            sector,
            page_size,
        };
        let second = read_record(journal, at + record, &mut page, header.nonce)?;
        // A single record has nobody to agree with; then the journal must end with it.
        let agreed = second.is_some() || (len == at + record && number <= page_count);
        if agreed && number != 0 {
            return Ok(Some(header));
        }
    }
    Ok(None)
}

/// The pages in the records of a journal, by number, as offsets of their content.
fn restored<S: Read + Seek>(
    journal: &mut S,
    first: Header,
    page_size: u32,
) -> io::Result<BTreeMap<u32, u64>> {
    let len = journal.seek(SeekFrom::End(0))?;
    let sector = u64::from(first.sector);
    let record = u64::from(page_size) + 8;
    let mut pages = BTreeMap::new();
    let mut page = vec![0; page_size as usize];
    let mut header = first;
    let mut at = sector;
    'segments: loop {
        let records = match header.records {
            Records::Counted(records) => u64::from(records),
            // The writer trusted the file's length instead of counting (§3).
            Records::ToTheEnd | Records::Lost => len.saturating_sub(at) / record,
        };
        for _ in 0..records {
            match read_record(journal, at, &mut page, header.nonce)? {
                Some(number) if number <= first.page_count => pages.insert(number, at + 4),
                Some(_) => None,
                // Where the count was lost, the next header may follow.
                None if header.records == Records::Lost => break,
                None => break 'segments,
            };
            at += record;
        }
        at = at.next_multiple_of(sector);
        match Header::read(journal, at)? {
            Some(next) if len >= at + sector => header = next,
            _ => break,
        }
        at += sector;
    }
    Ok(pages)
}

/// How many records follow a header.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Records {
    Counted(u32),
    ToTheEnd,
    /// The header was zeroed.
    Lost,
}

#[derive(Clone, Copy)]
struct Header {
    records: Records,
    nonce: u32,
    page_count: u32,
    sector: u32,
    page_size: u32,
}

impl Header {
    fn read<S: Read + Seek>(journal: &mut S, at: u64) -> io::Result<Option<Self>> {
        let mut bytes = [0; HEADER];
        journal.seek(SeekFrom::Start(at))?;
        if !fill(journal, &mut bytes)? {
            return Ok(None);
        }
        let Some(rest) = bytes.strip_prefix(&MAGIC) else {
            return Ok(None);
        };
        let &[records, nonce, page_count, sector, page_size] = words(rest).as_slice() else {
            return Ok(None);
        };
        Ok(Some(Self {
            records: match records {
                u32::MAX => Records::ToTheEnd,
                counted => Records::Counted(counted),
            },
            nonce,
            page_count,
            sector,
            page_size,
        }))
    }
}

/// The number of the page whose record stands at `at`, when the record is whole.
fn read_record<S: Read + Seek>(
    journal: &mut S,
    at: u64,
    page: &mut [u8],
    nonce: u32,
) -> io::Result<Option<u32>> {
    let parts = read_parts(journal, at, page)?;
    let good = |&(number, sum): &(u32, u32)| number != 0 && sum == checksum(nonce, page);
    Ok(parts.filter(good).map(|(number, _)| number))
}

/// The page number and the checksum of the record at `at`, and its page.
fn read_parts<S: Read + Seek>(
    journal: &mut S,
    at: u64,
    page: &mut [u8],
) -> io::Result<Option<(u32, u32)>> {
    let (mut number, mut sum) = ([0; 4], [0; 4]);
    journal.seek(SeekFrom::Start(at))?;
    let whole = fill(journal, &mut number)? && fill(journal, page)? && fill(journal, &mut sum)?;
    Ok(whole.then(|| (u32::from_be_bytes(number), u32::from_be_bytes(sum))))
}

/// Every 200th byte from the end of the page, the first excluded (`pager_cksum` in SQLite's pager.c).
fn checksum(nonce: u32, page: &[u8]) -> u32 {
    let picked = (1..).map_while(|step: usize| page.len().checked_sub(step * 200));
    picked
        .filter(|offset| *offset > 0)
        .filter_map(|offset| page.get(offset))
        .fold(nonce, |sum, byte| sum.wrapping_add(u32::from(*byte)))
}
