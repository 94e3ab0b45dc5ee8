//! A database as its application would see it: the main file with the pages of a sidecar laid over it,
//! as one stream. Knows pages; where the sidecar's pages come from is the business of `wal` and `journal`.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use crate::collect::ReadError;

/// A stated size may exceed what main file and sidecar hold together by this much: SQLite does not write
/// pages that a transaction allocated and freed again. More is a crafted size.
const SLACK: u64 = 64 << 20;

/// Pages that stand in a sidecar and replace those of the main file.
#[derive(Debug)]
pub(super) struct Overlay<S> {
    /// Bytes per page.
    pub(super) page_size: u32,
    /// Pages of the database with the overlay applied.
    pub(super) page_count: u32,
    /// Page number, from 1, to the offset of its content in the sidecar.
    pub(super) pages: BTreeMap<u32, u64>,
    /// Where the content is.
    pub(super) sidecar: S,
}

impl<S> Overlay<S> {
    /// Bytes of the image. A stated size that is absurd beside a main file and a sidecar of these lengths is brought to
    /// the pages that they hold, and told: whoever crafts one hides nothing.
    pub(super) fn admit(&mut self, main: u64, sidecar: u64) -> (u64, Option<ReadError>) {
        let size = u64::from(self.page_size);
        let most = main.saturating_add(sidecar).saturating_add(SLACK) / size;
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let is_absurd = self.page_count > most;
        if is_absurd {
            let highest = self.pages.range(..=most).next_back();
            let highest = highest.map_or(0, |(number, _)| *number);
            let of_main = u32::try_from(main / size).unwrap_or(most);
            self.page_count = highest.max(of_main);
        }
        let told = is_absurd.then(|| {
            ReadError::Malformed(
                "the log beside it states a size that neither file explains; what both hold was read".into(),
            )
        });
        (size * u64::from(self.page_count), told)
    }
}

/// Whether a page size is one that SQLite writes (file format §1.3.2).
pub(super) fn is_page_size(size: u32) -> bool {
    (512..=65_536).contains(&size) && size.is_power_of_two()
}

/// Makes a header state no more pages than there are. SQLite opens no file that is shorter than its header says
/// (file format §1.3.8: bytes 28 to 31); with the smaller number it reads the pages that are left.
pub(super) fn admit_end(first_bytes: &mut [u8], pages: u32) {
    if let Some(stated) = first_bytes
        .get_mut(28..)
        .and_then(|rest| rest.first_chunk_mut())
        && u32::from_be_bytes(*stated) > pages
    {
        *stated = pages.to_be_bytes();
    }
}

/// Turns a header of a database in WAL mode into that of one in rollback mode. SQLite opens no read-only
/// image in memory whose header asks for a WAL (file format §1.3.3: bytes 18 and 19, write and read version).
pub(super) fn forget_wal(first_bytes: &mut [u8]) {
    if let Some(versions) = first_bytes.get_mut(18..20) {
        for version in versions.iter_mut().filter(|version| **version == 2) {
            *version = 1;
        }
    }
}

/// The image as a stream, page after page. What the main file lacks is zero.
pub(super) struct Image<M, S> {
    main: M,
    overlay: Overlay<S>,
    page: Vec<u8>,
    taken: usize,
    next: u32,
}

impl<M: Read, S: Read + Seek> Image<M, S> {
    pub(super) fn new(main: M, overlay: Overlay<S>) -> Self {
        Self {
            main,
            overlay,
            page: Vec::new(),
            taken: 0,
            next: 1,
        }
    }

    /// Loads the next page; `false` at the end.
    fn turn(&mut self) -> io::Result<bool> {
        if self.next > self.overlay.page_count {
            return Ok(false);
        }
        let size = self.overlay.page_size as usize;
        self.page.clear();
        (&mut self.main)
            .take(size as u64)
            .read_to_end(&mut self.page)?;
        self.page.resize(size, 0);
        if let Some(&offset) = self.overlay.pages.get(&self.next) {
            self.overlay.sidecar.seek(SeekFrom::Start(offset))?;
            self.overlay.sidecar.read_exact(&mut self.page)?;
        }
        if self.next == 1 {
            forget_wal(&mut self.page);
            admit_end(&mut self.page, self.overlay.page_count);
        }
        self.next += 1;
        self.taken = 0;
        Ok(true)
    }
}

impl<M: Read, S: Read + Seek> Read for Image<M, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.page.len() && !self.turn()? {
            return Ok(0);
        }
        let mut rest = self.page.get(self.taken..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.taken += read;
        Ok(read)
    }
}
