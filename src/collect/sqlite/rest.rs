//! The bytes of a database and of what lies beside it, to be read from any place and in any order. The one place
//! that knows where such bytes come from.

use std::io::{BufReader, Read, Seek};

use crate::collect::{Evidence, ReadError};

/// Bytes that can be read from any place.
pub(super) trait Rest: Read + Seek {}

impl<T: Read + Seek> Rest for T {}

/// Such bytes, wherever they lie.
pub(super) type Bytes = Box<dyn Rest>;

/// The content, and its length. What is compressed is unpacked into memory, or into a private temporary file where it
/// is large; `None` where it can be read but once.
pub(super) fn main(evidence: &Evidence) -> Result<Option<(Bytes, u64)>, ReadError> {
    if evidence.is_stream() {
        return Ok(None);
    }
    // What stops the unpacking was told when the live view was opened.
    let span = evidence.at_rest()?;
    Ok(Some((Box::new(BufReader::new(span.reader())), span.len())))
}

/// A sidecar that holds something, and its length. One that cannot be read was told when the live view was opened.
pub(super) fn beside(evidence: &Evidence, suffix: &str) -> Option<(Bytes, u64)> {
    let beside = main(&evidence.attached(suffix)?).ok()?;
    beside.filter(|(_, len)| *len > 0)
}
