//! Reads the first bytes of something, and no more. Knows no format, and no files.

use std::io::{self, Read};

/// Reads up to `limit` bytes, fewer only at the end.
pub(super) fn read_up_to(input: &mut dyn Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Like [`read_up_to`], but goes on behind what is read already, and keeps what came before an error: a reader will
/// meet it again, and report it.
pub(super) fn read_up_to_error(
    mut bytes: Vec<u8>,
    input: &mut dyn Read,
    limit: usize,
) -> (Box<[u8]>, Option<Box<str>>) {
    /// Room that is made at once: small files are many, and most fit in.
    const ROOM: usize = 4096;
    bytes.reserve(ROOM);
    let left = limit.saturating_sub(bytes.len());
    let end = input.take(left as u64).read_to_end(&mut bytes);
    (
        bytes.into(),
        end.err().map(|error| error.to_string().into()),
    )
}
