//! The bytes of a database and of what lies beside it, to be read from any place and in any order. The one place
//! that knows where such bytes come from.

use std::io::{BufReader, Cursor, Read, Seek};

use super::open;
use crate::collect::{Evidence, ReadError};

/// Bytes that can be read from any place.
pub(super) trait Rest: Read + Seek {}

impl<T: Read + Seek> Rest for T {}

/// Such bytes, wherever they lie.
pub(super) type Bytes = Box<dyn Rest>;

/// The content, and its length. What is compressed is unpacked into memory; `None` where it can be read but once,
/// or is too large for that.
pub(super) fn main(evidence: &Evidence) -> Result<Option<(Bytes, u64)>, ReadError> {
    if let Some(span) = evidence.plain_span()? {
        return Ok(Some((Box::new(BufReader::new(span.reader())), span.len())));
    }
    if evidence.is_stream() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let mut content = evidence.open()?.take(open::MEMORY_CAP);
    // What stops the unpacking was told when the live view was opened.
    let _told = content.read_to_end(&mut bytes);
    let len = bytes.len() as u64;
    Ok((len < open::MEMORY_CAP).then(|| (Box::new(Cursor::new(bytes)) as Bytes, len)))
}

/// A sidecar that holds something, and its length. One that cannot be read was told when the live view was opened.
pub(super) fn beside(evidence: &Evidence, suffix: &str) -> Option<(Bytes, u64)> {
    let beside = main(&evidence.attached(suffix)?).ok()?;
    beside.filter(|(_, len)| *len > 0)
}
