//! The bytes of one cache file, read in parts: its headers lie at one end of it, and what is between may be a
//! film. Knows no cache format.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::collect::{Evidence, ReadError};

/// A part that is read at once: a body, or the headers of a response. 16 MiB are as much as of an entry of a HAR
/// file; browsers keep headers below 256 KiB.
pub(super) const MAX_PART: u64 = 16 << 20;

/// A file that cannot be read in parts (it is compressed, or a stream) is held as a whole up to this size.
const MAX_WHOLE: u64 = 64 << 20;

/// What is said of a body of which only the beginning is held.
pub(super) fn too_large() -> ReadError {
    let mib = MAX_PART >> 20;
    ReadError::Limit(
        format!("a cached body is larger than {mib} MiB; what follows in it was not searched")
            .into(),
    )
}

/// A file, or its content.
#[derive(Debug)]
pub(super) struct Input {
    content: Content,
    len: u64,
}

#[derive(Debug)]
enum Content {
    Held(Vec<u8>),
    File(File),
}

impl Input {
    /// The decoded evidence. Most entries of a cache are so small that their head is all of them.
    pub(super) fn of(evidence: &Evidence) -> Result<Self, ReadError> {
        let head = evidence.head();
        if evidence.plain_file().is_some() && evidence.len() == Some(head.len() as u64) {
            return Ok(Self::held(head.to_vec()));
        }
        match evidence.plain_file() {
            Some(path) => Self::file(path),
            None => Ok(Self::held(evidence.bytes(MAX_WHOLE)?)),
        }
    }

    /// The evidence as it lies on disk, also when it begins like compressed data: a cache entry that begins with
    /// its body does.
    pub(super) fn as_it_is(evidence: &Evidence) -> Result<Self, ReadError> {
        match (evidence.plain_file(), evidence.file_as_it_is()) {
            (None, Some(path)) => Self::file(path),
            _ => Self::of(evidence),
        }
    }

    /// A file on disk.
    pub(super) fn file(path: &Path) -> Result<Self, ReadError> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self {
            content: Content::File(file),
            len,
        })
    }

    /// Bytes in memory.
    pub(super) fn held(bytes: Vec<u8>) -> Self {
        Self {
            len: bytes.len() as u64,
            content: Content::Held(bytes),
        }
    }

    /// Size in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The bytes at `at`, `len` of them or as many as there are, and no more than [`MAX_PART`].
    pub(super) fn part(&mut self, at: u64, len: u64) -> Result<Vec<u8>, ReadError> {
        let len = len.min(MAX_PART).min(self.len.saturating_sub(at));
        match &mut self.content {
            Content::Held(bytes) => {
                let from = usize::try_from(at).unwrap_or(usize::MAX);
                let len = usize::try_from(len).unwrap_or(usize::MAX);
                let part = bytes.get(from..from.saturating_add(len));
                Ok(part.unwrap_or_default().to_vec())
            }
            Content::File(file) => {
                let mut part = Vec::new();
                file.seek(SeekFrom::Start(at))?;
                file.by_ref().take(len).read_to_end(&mut part)?;
                Ok(part)
            }
        }
    }
}
