//! Bytes at rest, which many threads may read from any place at once: a file of the evidence, a part of one,
//! memory, or a private temporary file that has no name. Knows no format.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use super::platform;

/// Bytes that a spool keeps in memory. Above, they go to a temporary file: an add-on or a document fits in,
/// a collection does not, and each thread may have a spool.
const SPOOL_MEMORY: usize = 16 << 20;

/// Bytes that a spool takes at most, so that an archive cannot fill the disk.
pub const SPOOL_CAP: u64 = 16 << 30;

/// A range of bytes that can be read again and again.
#[derive(Clone, Debug)]
pub struct Span {
    store: Arc<Store>,
    start: u64,
    len: u64,
}

#[derive(Debug)]
enum Store {
    File(File),
    Memory(Vec<u8>),
}

impl Span {
    /// A whole file, as long as it is now.
    pub fn file(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self {
            store: Arc::new(Store::File(file)),
            start: 0,
            len,
        })
    }

    /// Bytes in memory.
    pub fn memory(bytes: Vec<u8>) -> Self {
        Self {
            len: bytes.len() as u64,
            store: Arc::new(Store::Memory(bytes)),
            start: 0,
        }
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A part of it: what of the wished range there is.
    #[must_use]
    pub fn part(&self, start: u64, len: u64) -> Self {
        let start = start.min(self.len);
        Self {
            store: self.store.clone(),
            start: self.start.saturating_add(start),
            len: len.min(self.len.saturating_sub(start)),
        }
    }

    /// Reads it from its first byte.
    pub fn reader(&self) -> SpanReader {
        SpanReader {
            span: self.clone(),
            at: 0,
        }
    }

    /// The bytes of a part, fewer only where it ends.
    pub fn bytes(&self, start: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let part = self.part(start, len as u64);
        part.reader().read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// A place in a [`Span`].
#[derive(Clone, Debug)]
pub struct SpanReader {
    span: Span,
    at: u64,
}

impl Read for SpanReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.span.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        let from = self.span.start.saturating_add(self.at);
        let read = match &*self.span.store {
            Store::File(file) => platform::read_at(file, buffer, from)?,
            Store::Memory(bytes) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX);
                let mut rest = bytes.get(from..).unwrap_or_default();
                rest.read(buffer)?
            }
        };
        if read == 0 && !buffer.is_empty() {
            return Err(io::Error::other("it became shorter while it was read"));
        }
        self.at = self.at.saturating_add(read as u64);
        Ok(read)
    }
}

impl Seek for SpanReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.span.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// Takes bytes that can be read once, so that they can be read from any place. What does not fit into memory
/// goes to a temporary file that only this process can open, because it never has a name where the system
/// allows that, and loses it at once elsewhere.
#[derive(Debug)]
pub struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    len: u64,
    cap: u64,
}

impl Spool {
    /// An empty one that takes up to `cap` bytes.
    pub fn new(cap: u64) -> Self {
        Self {
            memory: Vec::new(),
            file: None,
            len: 0,
            cap: cap.min(SPOOL_CAP),
        }
    }

    /// Takes all of an input. What was taken before an error is kept.
    pub fn take(&mut self, input: &mut dyn Read) -> Result<u64, SpoolError> {
        let mut block = vec![0; 128 * 1024];
        let mut taken = 0_u64;
        loop {
            let read = match input.read(&mut block) {
                Ok(0) => return Ok(taken),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(SpoolError::Input(error)),
            };
            self.push(block.get(..read).unwrap_or_default())?;
            taken = taken.saturating_add(read as u64);
        }
    }

    /// How many bytes it holds.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What it holds, at rest.
    pub fn finish(self) -> Span {
        let store = match self.file {
            Some(file) => Store::File(file),
            None => Store::Memory(self.memory),
        };
        Span {
            store: Arc::new(store),
            start: 0,
            len: self.len,
        }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        if self.len.saturating_add(bytes.len() as u64) > self.cap {
            return Err(SpoolError::Full(self.cap));
        }
        if self.file.is_none() && self.memory.len().saturating_add(bytes.len()) > SPOOL_MEMORY {
            let mut file = tempfile::tempfile().map_err(SpoolError::Disk)?;
            file.write_all(&self.memory).map_err(SpoolError::Disk)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes).map_err(SpoolError::Disk)?,
            None => self.memory.extend_from_slice(bytes),
        }
        self.len = self.len.saturating_add(bytes.len() as u64);
        Ok(())
    }
}

/// Why a spool does not hold all of an input.
#[derive(Debug)]
pub enum SpoolError {
    /// The input failed.
    Input(io::Error),
    /// The temporary file failed.
    Disk(io::Error),
    /// The bound, in bytes, was reached.
    Full(u64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_is_the_same_in_memory_and_on_disk() {
        for len in [0, 1, SPOOL_MEMORY, SPOOL_MEMORY + 1, 3 * SPOOL_MEMORY] {
            let bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
            let mut spool = Spool::new(u64::MAX);
            assert_eq!(spool.take(&mut &*bytes).unwrap(), len as u64);
            let span = spool.finish();
            assert_eq!(span.len(), len as u64);
            let middle = len / 2;
            let there = span.bytes(middle as u64, 1000).unwrap();
            assert_eq!(there, bytes[middle..len.min(middle + 1000)]);
            let mut reader = span.part(1, 10).reader();
            let expected = bytes.get(1..).unwrap_or_default();
            let expected = expected.get(..10).unwrap_or(expected);
            if let Some((last, _)) = expected.split_last() {
                reader.seek(SeekFrom::End(-1)).unwrap();
                let mut read = Vec::new();
                reader.read_to_end(&mut read).unwrap();
                assert_eq!(read, [*last]);
            }
        }
    }

    #[test]
    fn a_spool_takes_no_more_than_it_may() {
        let mut spool = Spool::new(100);
        let end = spool.take(&mut io::repeat(b'x'));
        assert!(matches!(end, Err(SpoolError::Full(100))), "{end:?}");
    }

    #[test]
    fn a_file_that_loses_its_end_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "0123456789").unwrap();
        let span = Span::file(File::open(file.path()).unwrap()).unwrap();
        assert_eq!(span.bytes(8, 9).unwrap(), b"89");
        std::fs::write(file.path(), "01234").unwrap();
        assert!(span.bytes(8, 9).is_err());
        assert!(span.reader().read_to_end(&mut Vec::new()).is_err());
    }

    #[test]
    fn a_part_never_reaches_beyond_the_whole() {
        let span = Span::memory(b"0123456789".to_vec()).part(2, 5);
        assert_eq!(span.bytes(0, 100).unwrap(), b"23456");
        assert_eq!(span.part(4, u64::MAX).bytes(0, 9).unwrap(), b"6");
        assert!(span.part(u64::MAX, 1).is_empty());
        assert!(span.reader().seek(SeekFrom::Current(-1)).is_err());
    }
}
