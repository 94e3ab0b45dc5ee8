//! Reads a write-ahead log as SQLite's recovery does (SQLite file format §4): the pages of all committed
//! transactions, up to the first frame that does not check out. Writes nothing, needs no `-shm`.

use std::io::{self, Read, Seek, SeekFrom};

use super::image::{Overlay, is_page_size};

/// Magic of a log whose checksums are over little-endian words; the big-endian one is greater by 1.
const MAGIC: u32 = 0x377f_0682;

/// The only format version there is.
const VERSION: u32 = 3_007_000;

/// Bytes before the first frame.
pub(super) const HEADER: usize = 32;
/// Bytes of a frame before its page.
pub(super) const FRAME_HEADER: usize = 24;

/// Whether these first bytes are those of a write-ahead log.
pub(super) fn is_wal(head: &[u8]) -> bool {
    head.first_chunk()
        .is_some_and(|magic| u32::from_be_bytes(*magic) & !1 == MAGIC)
}

/// The pages that committed transactions left in the log, or `None` when there is none: SQLite ignores
/// such a log too.
pub(super) fn committed<S: Read + Seek>(mut wal: S) -> io::Result<Option<Overlay<S>>> {
    let log = Log::read(&mut wal)?;
    wal.seek(SeekFrom::Start(0))?;
    Ok(log.and_then(|log| log.state(log.last()?, wal)))
}

/// The committed transactions of a log.
#[derive(Debug)]
pub(super) struct Log {
    /// Bytes per page.
    pub(super) page_size: u32,
    /// The pages that they wrote, in order.
    pub(super) frames: Vec<Frame>,
    /// Pages of the database after each of them.
    commits: Vec<u32>,
    /// What tells its frames from those that were there before it was begun anew.
    salts: (u32, u32),
    big_endian: bool,
}

/// One page that a transaction wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    /// Its number.
    pub(super) page: u32,
    /// Offset of its content in the log.
    pub(super) offset: u64,
    /// The transaction, from 0.
    pub(super) commit: usize,
}

impl Log {
    /// Reads a log up to its last committed transaction. `None` when it is none.
    pub(super) fn read<S: Read + Seek>(wal: &mut S) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER];
        wal.seek(SeekFrom::Start(0))?;
        if !fill(wal, &mut header)? {
            return Ok(None);
        }
        let words = words(&header);
        let &[magic, version, page_size, _, salt_1, salt_2, sum_1, sum_2] = words.as_slice() else {
            return Ok(None);
        };
        let mut sum = Checksum {
            big_endian: magic & 1 == 1,
            state: (0, 0),
        };
        sum.add(header.get(..24).unwrap_or_default());
        let known = magic & !1 == MAGIC && version == VERSION && is_page_size(page_size);
        if !known || sum.state != (sum_1, sum_2) {
            return Ok(None);
        }
        let mut log = Self {
            page_size,
            frames: Vec::new(),
            commits: Vec::new(),
            salts: (salt_1, salt_2),
            big_endian: sum.big_endian,
        };
        log.follow(wal, HEADER as u64, Some(sum.state))?;
        Ok(Some(log))
    }

    /// Takes the frames that follow each other from `offset` on, up to the last transaction that ended. `before` is
    /// the checksum of what they follow; where that is gone, the first is believed.
    fn follow<S: Read + Seek>(
        &mut self,
        wal: &mut S,
        mut offset: u64,
        before: Option<(u32, u32)>,
    ) -> io::Result<()> {
        let mut sum = Checksum {
            big_endian: self.big_endian,
            state: before.unwrap_or_default(),
        };
        let mut is_checked = before.is_some();
        let mut page = vec![0; self.page_size as usize];
        let mut header = [0; FRAME_HEADER];
        wal.seek(SeekFrom::Start(offset))?;
        while fill(wal, &mut header)? && fill(wal, &mut page)? {
            let words = words(&header);
            let &[number, commit, salt_a, salt_b, sum_a, sum_b] = words.as_slice() else {
                break;
            };
            sum.add(header.get(..8).unwrap_or_default());
            sum.add(&page);
            let follows = !is_checked || sum.state == (sum_a, sum_b);
            if number == 0 || (salt_a, salt_b) != self.salts || !follows {
                break;
            }
            (is_checked, sum.state) = (true, (sum_a, sum_b));
            self.frames.push(Frame {
                page: number,
                offset: offset + FRAME_HEADER as u64,
                commit: self.commits.len(),
            });
            if commit != 0 {
                self.commits.push(commit);
            }
            offset += (FRAME_HEADER + page.len()) as u64;
        }
        // A transaction that did not end was never there.
        let ended = self.commits.len();
        self.frames.retain(|frame| frame.commit < ended);
        Ok(())
    }

    /// What is left of the log from before it was begun anew: SQLite writes over it from its beginning, so that
    /// its last transactions stand behind the new ones. The first frame cannot be checked, each one behind it is by
    /// the one before. `None` when no transaction of it is whole.
    pub(super) fn older<S: Read + Seek>(&self, wal: &mut S) -> io::Result<Option<Self>> {
        let mut header = [0; FRAME_HEADER];
        let mut offset = self.end();
        let salts = loop {
            wal.seek(SeekFrom::Start(offset))?;
            if !fill(wal, &mut header)? {
                return Ok(None);
            }
            match *words(&header).as_slice() {
                // A transaction that did not end.
                [_, _, a, b, ..] if (a, b) == self.salts => {
                    offset += FRAME_HEADER as u64 + u64::from(self.page_size);
                }
                [_, _, a, b, ..] => break (a, b),
                _ => return Ok(None),
            }
        };
        let mut older = Self {
            page_size: self.page_size,
            frames: Vec::new(),
            commits: Vec::new(),
            salts,
            big_endian: self.big_endian,
        };
        older.follow(wal, offset, None)?;
        Ok((!older.commits.is_empty()).then_some(older))
    }

    /// The last transaction, when there is one.
    pub(super) fn last(&self) -> Option<usize> {
        self.commits.len().checked_sub(1)
    }

    /// Offset behind the last committed transaction.
    pub(super) fn end(&self) -> u64 {
        let last = self.frames.last();
        last.map_or(HEADER as u64, |frame| {
            frame.offset + u64::from(self.page_size)
        })
    }

    /// The database as a transaction left it.
    pub(super) fn state<S>(&self, commit: usize, wal: S) -> Option<Overlay<S>> {
        let frames = self
            .frames
            .iter()
            .take_while(|frame| frame.commit <= commit);
        Some(Overlay {
            page_size: self.page_size,
            page_count: *self.commits.get(commit)?,
            pages: frames.map(|frame| (frame.page, frame.offset)).collect(),
            sidecar: wal,
        })
    }
}

/// The running checksum (SQLite file format §4.2).
struct Checksum {
    big_endian: bool,
    state: (u32, u32),
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        let (pairs, _) = bytes.as_chunks::<8>();
        let (mut s0, mut s1) = self.state;
        for &[a, b, c, d, e, f, g, h] in pairs {
            let (x, y) = if self.big_endian {
                (
                    u32::from_be_bytes([a, b, c, d]),
                    u32::from_be_bytes([e, f, g, h]),
                )
            } else {
                (
                    u32::from_le_bytes([a, b, c, d]),
                    u32::from_le_bytes([e, f, g, h]),
                )
            };
            s0 = s0.wrapping_add(x).wrapping_add(s1);
            s1 = s1.wrapping_add(y).wrapping_add(s0);
        }
        self.state = (s0, s1);
    }
}

/// Big-endian words.
pub(super) fn words(bytes: &[u8]) -> Vec<u32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| u32::from_be_bytes(*word)).collect()
}

/// Fills the buffer; `false` when the input ends before.
pub(super) fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
