//! Reads the first bytes of something, and no more. Knows no format, and no files.

use std::io::{self, Read};

/// Reads up to `limit` bytes, fewer only at the end.
pub(super) fn read_up_to(input: &mut dyn Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Like [`read_up_to`], but goes on behind what is read already, and keeps what came before an error: a reader will
/// meet it again, and report it. As many bytes as are `expected` are read at once.
pub(super) fn read_up_to_error(
    mut bytes: Vec<u8>,
    input: &mut dyn Read,
    limit: usize,
    expected: usize,
) -> (Box<[u8]>, Option<Box<str>>) {
    let left = limit.saturating_sub(bytes.len());
    bytes.reserve(expected.min(left));
    let end = input.take(left as u64).read_to_end(&mut bytes);
    (
        bytes.into(),
        end.err().map(|error| error.to_string().into()),
    )
}
