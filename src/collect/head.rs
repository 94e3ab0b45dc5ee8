//! Reads the first bytes of something, and no more. Knows no format, and no files.

use std::io::{self, Read};

/// Room for the first bytes of what is read to its end; as much again whenever it is full.
const FIRST: u64 = 64 << 10;

/// Reads up to `limit` bytes, fewer only at the end.
pub(super) fn read_up_to(input: &mut dyn Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads up to `limit` bytes, and tells whether they are all. It asks for no more room than the limit: `read_to_end` alone
/// doubles a vector that is full to see that nothing follows.
pub(super) fn read_within(input: &mut dyn Read, limit: u64) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    loop {
        let len = bytes.len() as u64;
        let room = len.max(FIRST).min(limit.saturating_sub(len));
        if room == 0 {
            return Ok((bytes, read_up_to(input, 1)?.is_empty()));
        }
        bytes.reserve_exact(usize::try_from(room).unwrap_or(usize::MAX));
        if (input.take(room).read_to_end(&mut bytes)? as u64) < room {
            return Ok((bytes, true));
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_a_limit_takes_no_memory() {
        const LIMIT: u64 = 1 << 20;
        for (len, is_all) in [
            (0, true),
            (FIRST, true),
            (LIMIT - 1, true),
            (LIMIT, true),
            (LIMIT + 1, false),
        ] {
            let (bytes, all) = read_within(&mut io::repeat(7).take(len), LIMIT).unwrap();
            assert_eq!((bytes.len() as u64, all), (len.min(LIMIT), is_all));
            assert!(bytes.capacity() as u64 <= LIMIT, "{}", bytes.capacity());
        }
    }
}
