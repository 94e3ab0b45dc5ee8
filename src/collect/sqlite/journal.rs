//! Reads a rollback journal as SQLite's playback does (SQLite file format §3): the pages as they were
//! before the transaction that was cut off. Writes nothing, deletes nothing.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

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

/// The pages to restore, or `None` when the journal is not hot. A page count of 0 is that of a database whose
/// first transaction was cut off: it is empty again. `main_page_size` is taken when the journal states none.
pub(super) fn rollback<S: Read + Seek>(
    mut journal: S,
    main_page_size: u32,
) -> io::Result<Option<Overlay<S>>> {
    if !is_hot(&mut journal)? {
        return Ok(None);
    }
    let len = journal.seek(SeekFrom::End(0))?;
    let Some(first) = Header::read(&mut journal, 0)? else {
        return Ok(None);
    };
    let page_size = match first.page_size {
        0 => main_page_size,
        size => size,
    };
    let sector = u64::from(first.sector);
    if !is_page_size(page_size) || !(32..=65_536).contains(&sector) {
        return Ok(None);
    }
    let record = u64::from(page_size) + 8;
    let mut pages = BTreeMap::new();
    let mut page = vec![0; page_size as usize];
    let mut header = first;
    let mut at = sector;
    'segments: loop {
        // All ones: the writer trusted the file's length instead of counting (§3).
        let records = match header.records {
            u32::MAX => len.saturating_sub(at) / record,
            counted => u64::from(counted),
        };
        for _ in 0..records {
            let Some(number) = read_record(&mut journal, at, &mut page, header.nonce)? else {
                break 'segments;
            };
            if number <= first.page_count {
                pages.insert(number, at + 4);
            }
            at += record;
        }
        at = at.next_multiple_of(sector);
        match Header::read(&mut journal, at)? {
            Some(next) if len >= at + sector => header = next,
            _ => break,
        }
        at += sector;
    }
    Ok(Some(Overlay {
        page_size,
        page_count: first.page_count,
        pages,
        sidecar: journal,
    }))
}

#[derive(Clone, Copy)]
struct Header {
    records: u32,
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
            records,
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
    let (mut number, mut sum) = ([0; 4], [0; 4]);
    journal.seek(SeekFrom::Start(at))?;
    let whole = fill(journal, &mut number)? && fill(journal, page)? && fill(journal, &mut sum)?;
    let number = u32::from_be_bytes(number);
    let good = whole && number != 0 && u32::from_be_bytes(sum) == checksum(nonce, page);
    Ok(good.then_some(number))
}

/// Every 200th byte from the end of the page, the first excluded (`pager_cksum` in SQLite's pager.c).
fn checksum(nonce: u32, page: &[u8]) -> u32 {
    let picked = (1..).map_while(|step: usize| page.len().checked_sub(step * 200));
    picked
        .filter(|offset| *offset > 0)
        .filter_map(|offset| page.get(offset))
        .fold(nonce, |sum, byte| sum.wrapping_add(u32::from(*byte)))
}
