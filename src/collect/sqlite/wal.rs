//! Reads a write-ahead log as SQLite's recovery does (SQLite file format §4): the pages of all committed
//! transactions, up to the first frame that does not check out. Writes nothing, needs no `-shm`.

use std::io::{self, Read, Seek, SeekFrom};

use super::ReadError;
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

/// What a log gives, and what of it is lost.
pub(super) struct Committed<S> {
    /// The pages that committed transactions left in it; `None` when there are none.
    pub(super) overlay: Option<Overlay<S>>,
    /// What is damaged, so that SQLite ignores it too.
    pub(super) problem: Option<ReadError>,
}

/// The pages that committed transactions left in the log.
pub(super) fn committed<S: Read + Seek>(mut wal: S) -> io::Result<Committed<S>> {
    let log = Log::read(&mut wal)?;
    let loss = match &log {
        Some(log) => log.loss(&mut wal)?,
        None => (!is_blank(&mut wal)?).then_some(Loss::Header),
    };
    wal.seek(SeekFrom::Start(0))?;
    Ok(Committed {
        overlay: log.and_then(|log| log.state(log.last()?, wal)),
        problem: loss.map(Loss::told),
    })
}

/// What a damaged log does not give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Loss {
    /// All of it: its header does not check out.
    Header,
    /// Transactions behind the damage.
    Transactions,
    /// The frame that it ends in.
    End,
}

impl Loss {
    fn told(self) -> ReadError {
        let text = match self {
            Self::Header => {
                "the -wal file beside it has a damaged header, and SQLite takes such a log for empty; what it holds was not read: copy both again"
            }
            Self::Transactions => {
                "the -wal file beside it is damaged, and SQLite stops at the damage; the changes behind it were not read: copy both again, or look for what is left with --residue"
            }
            Self::End => {
                "the -wal file beside it ends inside a change, like a copy that was cut off or made while it was written; that change was not read: copy both again, or look for what is left with --residue"
            }
        };
        ReadError::Malformed(text.into())
    }
}

/// Whether nothing was ever written to the file.
fn is_blank<S: Read + Seek>(wal: &mut S) -> io::Result<bool> {
    let mut block = [0; 4_096];
    wal.seek(SeekFrom::Start(0))?;
    loop {
        let read = match wal.read(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let bytes = block.get(..read).unwrap_or_default();
        if read == 0 || bytes.iter().any(|byte| *byte != 0) {
            return Ok(read == 0);
        }
    }
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

    /// What is lost of it. Behind its end there may be frames from before it was begun anew, the last of them cut where
    /// `journal_size_limit` cuts the file, and frames of a transaction that was rolled back: none of these ended one
    /// since. A frame that did was to be read.
    fn loss<S: Read + Seek>(&self, wal: &mut S) -> io::Result<Option<Loss>> {
        let len = wal.seek(SeekFrom::End(0))?;
        let frame = FRAME_HEADER as u64 + u64::from(self.page_size);
        let mut header = [0; FRAME_HEADER];
        let mut offset = self.end();
        while offset < len {
            wal.seek(SeekFrom::Start(offset))?;
            if !fill(wal, &mut header)? {
                break;
            }
            let end = offset.saturating_add(frame);
            match *words(&header).as_slice() {
                [_, _, a, b, ..] if (a, b) != self.salts => {}
                _ if end > len => return Ok(Some(Loss::End)),
                [_, 0, ..] => {}
                _ => return Ok(Some(Loss::Transactions)),
            }
            offset = end;
        }
        Ok(None)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The log beside a database on which these statements were run.
    fn log(statements: &[&str]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=5;
                 CREATE TABLE t(a);",
            )
            .unwrap();
        for statement in statements {
            connection.execute_batch(statement).unwrap();
        }
        std::fs::read(folder.path().join("db-wal")).unwrap()
    }

    fn problem(log: &[u8]) -> Option<String> {
        let committed = committed(io::Cursor::new(log)).unwrap();
        committed.problem.map(|problem| problem.to_string())
    }

    fn changed(log: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Option<String> {
        let mut log = log.to_vec();
        change(&mut log);
        problem(&log)
    }

    const LARGE: &str = "INSERT INTO t VALUES(zeroblob(200000));";
    const SMALL: &str = "INSERT INTO t VALUES('x');";

    #[test]
    fn what_is_lost_of_a_damaged_log_is_told() {
        let whole = log(&[LARGE, SMALL, SMALL]);
        assert_eq!(problem(&whole), None);
        let told = |problem: Option<String>, word: &str| {
            assert!(
                problem.as_ref().is_some_and(|it| it.contains(word)),
                "{problem:?}"
            );
        };
        let (header, behind, end) = ("damaged header", "behind it were not read", "ends inside");
        told(changed(&whole, |log| log[26] ^= 1), header);
        told(changed(&whole, |log| log[16..24].fill(7)), header);
        told(changed(&whole, |log| log[..HEADER].fill(0)), header);
        told(changed(&whole, |log| log.truncate(20)), header);
        told(changed(&whole, |log| *log.last_mut().unwrap() ^= 1), behind);
        told(changed(&whole, |log| log[HEADER + 9] ^= 1), behind);
        told(
            changed(&whole, |log| log[HEADER + FRAME_HEADER + 99] ^= 1),
            behind,
        );
        told(changed(&whole, |log| log.truncate(log.len() - 100)), end);
    }

    #[test]
    fn what_sqlite_leaves_behind_the_end_of_a_log_is_no_damage() {
        let begun_anew = log(&[LARGE, "PRAGMA wal_checkpoint(RESTART);", SMALL]);
        let rolled_back = log(&[SMALL, "BEGIN;", LARGE, "ROLLBACK;", SMALL]);
        let open = log(&[SMALL, "BEGIN;", LARGE]);
        for log in [&begun_anew, &rolled_back, &open] {
            assert!(log.len() > 40 * 4_096, "{}", log.len());
            assert_eq!(problem(log), None);
        }
        // `journal_size_limit` cuts at any byte.
        let cut = changed(&begun_anew, |log| log.truncate(log.len() - 100));
        assert_eq!(cut, None);
        assert_eq!(problem(&[]), None);
        assert_eq!(problem(&[0; 10_000]), None);
        assert_eq!(changed(&begun_anew, |log| log.truncate(HEADER)), None);
    }
}
