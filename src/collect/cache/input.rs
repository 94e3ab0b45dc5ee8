//! The bytes of one cache file, read in parts: its headers lie at one end of it, and what is between may be a
//! film. Knows no cache format.

use crate::collect::span::Span;
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
pub(super) struct Input(Span);

impl Input {
    /// The decoded evidence. Most entries of a cache are so small that their head is all of them.
    pub(super) fn of(evidence: &Evidence) -> Result<Self, ReadError> {
        if evidence.is_all_in_head() {
            return Ok(Self::held(evidence.head().to_vec()));
        }
        match evidence.plain_span()? {
            Some(span) => Ok(Self(span)),
            None => Ok(Self::held(evidence.bytes(MAX_WHOLE)?)),
        }
    }

    /// The evidence as it lies there, also when it begins like compressed data: a cache entry that begins with
    /// its body does.
    pub(super) fn as_it_is(evidence: &Evidence) -> Result<Self, ReadError> {
        match evidence.raw_span()? {
            Some(span) => Ok(Self(span)),
            None => Self::of(evidence),
        }
    }

    /// Bytes in memory.
    pub(super) fn held(bytes: Vec<u8>) -> Self {
        Self(Span::memory(bytes))
    }

    /// Size in bytes.
    pub(super) fn len(&self) -> u64 {
        self.0.len()
    }

    /// The bytes at `at`, `len` of them or as many as there are, and no more than [`MAX_PART`].
    pub(super) fn part(&self, at: u64, len: u64) -> Result<Vec<u8>, ReadError> {
        let len = usize::try_from(len.min(MAX_PART)).unwrap_or(usize::MAX);
        Ok(self.0.bytes(at, len)?)
    }
}
