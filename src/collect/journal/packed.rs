//! A field of a journal as it was before it was compressed, within a bound, and kept up to its damage. Knows nothing of
//! what a field holds.

use std::borrow::Cow;
use std::io::{self, Read};

use super::MAX_FIELD;
use crate::collect::cursor::Cursor;
use crate::collect::lz4;

/// Window of a zstd frame, as a power of two: 8 MiB, more than any level has that journald is built with.
const ZSTD_WINDOW_LOG: u32 = 23;

/// Memory in KiB that an xz stream may ask for.
const XZ_MEMORY_KIB: u32 = 16 * 1024;

/// How a field is compressed: flags of its object (`ObjectFlags` of `journal-def.h`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Packing {
    None,
    Xz,
    /// A length of eight bytes, and one block.
    Lz4,
    Zstd,
}

impl Packing {
    /// The one that the flags of an object tell; `None` where there is no such.
    pub(super) fn of(flags: u8) -> Option<Self> {
        match flags {
            0 => Some(Self::None),
            1 => Some(Self::Xz),
            2 => Some(Self::Lz4),
            4 => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// What a field was, and how far.
pub(super) struct Unpacked<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// Whether it goes on beyond the bound.
    pub(super) is_cut: bool,
    pub(super) is_damaged: bool,
}

/// Undoes the compression.
pub(super) fn unpacked(payload: &[u8], packing: Packing) -> Unpacked<'_> {
    match packing {
        Packing::None => Unpacked {
            bytes: Cow::Borrowed(payload),
            is_cut: false,
            is_damaged: false,
        },
        Packing::Xz => {
            let decoder = lzma_rust2::XzReader::new_mem_limit(payload, false, XZ_MEMORY_KIB);
            drained(Ok(decoder))
        }
        Packing::Lz4 => block(payload),
        Packing::Zstd => drained(zstd_decoder(payload)),
    }
}

fn zstd_decoder(payload: &[u8]) -> io::Result<impl Read> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(payload)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

fn drained(decoder: io::Result<impl Read>) -> Unpacked<'static> {
    let mut bytes = Vec::new();
    let beyond = MAX_FIELD as u64 + 1;
    let end = decoder.and_then(|it| it.take(beyond).read_to_end(&mut bytes));
    let is_cut = bytes.len() > MAX_FIELD;
    bytes.truncate(MAX_FIELD);
    Unpacked {
        bytes: Cow::Owned(bytes),
        is_cut,
        is_damaged: end.is_err(),
    }
}

fn block(payload: &[u8]) -> Unpacked<'_> {
    let mut cursor = Cursor::new(payload);
    let stated = cursor.u64_le().map(usize::try_from);
    let stated = stated.and_then(Result::ok).unwrap_or(usize::MAX);
    // A length that is too small would hide the rest.
    let (bytes, end) = lz4::block(cursor.rest(), MAX_FIELD);
    let is_damaged = match end {
        lz4::End::Whole => bytes.len() != stated,
        lz4::End::Bound => stated <= MAX_FIELD,
        lz4::End::Damaged => true,
    };
    Unpacked {
        bytes: Cow::Owned(bytes),
        is_cut: end == lz4::End::Bound,
        is_damaged,
    }
}
